//! Three methods on eight datasets: Friedman's test, the pairs that differ, and the diagram.

use counterweight::Ranks;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let errors = [
        ("none", [0.31, 0.29, 0.40, 0.22, 0.35, 0.27, 0.33, 0.38]),
        ("smote", [0.27, 0.25, 0.36, 0.20, 0.32, 0.25, 0.30, 0.33]),
        (
            "threshold",
            [0.26, 0.24, 0.36, 0.18, 0.31, 0.23, 0.28, 0.32],
        ),
    ];
    let ranks = Ranks::of_errors(&errors)?;
    assert!(ranks.friedman().p_value < 0.01);
    assert_eq!(ranks.mean_ranks()[0].0, "threshold");

    let svg = ranks.critical_difference_svg()?;
    std::fs::write(std::env::temp_dir().join("ranks.svg"), svg)?;
    Ok(())
}
