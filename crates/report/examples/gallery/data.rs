//! Made-up but realistic numbers for every figure, shared by the gallery and the tests.

use counterweight_report::plots::{
    Figure, Measure, PlotError, RatioCurves, RatioLine, RatioPanel, RatioPoint, Theme, ratio_curves,
};

/// A fixed sequence of numbers between 0 and 1; quality does not matter here.
#[derive(Debug)]
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    pub fn around(&mut self, width: f64) -> f64 {
        (self.next() + self.next() + self.next() - 1.5) * width
    }
}

pub const CORRECTIONS: [&str; 14] = [
    "none",
    "weighted",
    "weighted-sqrt",
    "random-over",
    "random-under",
    "smote",
    "threshold",
    "prior-threshold",
    "tuned-threshold",
    "logit-adjust",
    "logit-adjusted",
    "smote+threshold",
    "effective-number",
    "easy-ensemble",
];

pub const MODELS: [&str; 9] = [
    "softmax-regression",
    "gaussian-naive-bayes",
    "k-nearest-neighbours",
    "linfa-logistic",
    "linfa-gaussian-naive-bayes",
    "smartcore-random-forest",
    "smartcore-decision-tree",
    "mlp",
    "gradient-boosting",
];

pub fn long_names(n: usize) -> Vec<String> {
    (0..n)
        .map(|i| {
            format!(
                "smote-nc(k=5,ratio=1.0)+logit-adjusted(tau={}.25)+calibrated(isotonic)",
                i
            )
        })
        .collect()
}

/// How much of the imbalance a correction leaves, 1 for none.
fn left(correction: &str) -> f64 {
    match CORRECTIONS.iter().position(|c| *c == correction) {
        Some(0) => 1.0,
        Some(i) => [
            0.0, 0.12, 0.45, 0.18, 0.28, 0.22, 0.15, 0.06, 0.10, 0.05, 0.05, 0.2, 0.5, 0.09,
        ][i],
        None => 0.3,
    }
}

pub fn ratio_data(
    models: &[&str],
    corrections: &[&str],
    ratios: &[f64],
    measure: Measure,
) -> RatioCurves {
    let mut noise = Noise::new(7);
    let panels = models
        .iter()
        .enumerate()
        .map(|(m, model)| {
            let floor = 0.08 + 0.015 * m as f64;
            let bayes = |_: f64| {
                if measure == Measure::Regret {
                    0.0
                } else {
                    0.0786
                }
            };
            let lines = corrections
                .iter()
                .map(|correction| RatioLine {
                    correction: (*correction).to_owned(),
                    points: ratios
                        .iter()
                        .map(|ratio| {
                            let grow = ratio.log10() / 200_f64.log10();
                            let base = if measure == Measure::Regret {
                                floor - 0.0786
                            } else {
                                floor
                            };
                            let value = base
                                + 0.26 * left(correction) * grow.powf(1.3)
                                + 0.03 * grow
                                + noise.around(0.004);
                            let half = 0.004 + 0.012 * grow + 0.004 * noise.next();
                            RatioPoint {
                                ratio: *ratio,
                                value,
                                band: Some((value - half, value + half)),
                            }
                        })
                        .collect(),
                })
                .collect();
            RatioPanel {
                model: (*model).to_owned(),
                note: "3 populations".to_owned(),
                lines,
                bayes: ratios.iter().map(|r| (*r, bayes(*r))).collect(),
            }
        })
        .collect();
    RatioCurves { measure, panels }
}

const RATIOS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

fn ratio_figures(out: &mut Vec<(String, Figure)>) -> Result<(), PlotError> {
    let mut add = |name: &str, theme: &Theme, data: &RatioCurves| -> Result<(), PlotError> {
        out.push((
            name.to_owned(),
            ratio_curves(data, &theme.clone().with_prefix(name))?,
        ));
        Ok(())
    };
    let (page, column) = (Theme::page(), Theme::column());
    let some = ["none", "weighted", "smote", "threshold", "logit-adjust"];
    let error = Measure::BalancedError;
    add(
        "ratio-5x5",
        &page,
        &ratio_data(&MODELS[..5], &some, &RATIOS, error),
    )?;
    add(
        "ratio-9x14",
        &page,
        &ratio_data(&MODELS, &CORRECTIONS, &RATIOS, error),
    )?;
    add(
        "ratio-regret",
        &page,
        &ratio_data(&MODELS[..4], &CORRECTIONS[..8], &RATIOS, Measure::Regret),
    )?;
    add(
        "ratio-column",
        &column,
        &ratio_data(&MODELS[..2], &some, &RATIOS, error),
    )?;
    add(
        "ratio-1x1",
        &page,
        &ratio_data(&MODELS[..1], &["none"], &RATIOS, error),
    )?;
    add(
        "ratio-one-ratio",
        &page,
        &ratio_data(&MODELS[..3], &CORRECTIONS[..10], &[12.5], error),
    )?;
    let names = long_names(10);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    add(
        "ratio-long-names",
        &page,
        &ratio_data(&MODELS[..3], &names, &RATIOS, error),
    )?;
    add(
        "ratio-long-column",
        &column,
        &ratio_data(&MODELS[..1], &names, &RATIOS, error),
    )?;
    let mut gaps = ratio_data(&MODELS[..2], &some, &RATIOS, error);
    for (i, line) in gaps.panels[0].lines.iter_mut().enumerate() {
        let rung = i % line.points.len();
        line.points.remove(rung);
        line.points.truncate(7 - i);
    }
    gaps.panels[1].bayes.clear();
    add("ratio-gaps", &page, &gaps)?;
    add(
        "ratio-empty",
        &page,
        &RatioCurves {
            measure: error,
            panels: Vec::new(),
        },
    )
}

/// Every figure with a name, extremes included.
pub fn all() -> Result<Vec<(String, Figure)>, PlotError> {
    let mut out = Vec::new();
    ratio_figures(&mut out)?;
    Ok(out)
}
