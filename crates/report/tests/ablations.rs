//! Swept parameters with planted truths: one that matters, one that does not, a word, two at once, and a
//! default outside the grid.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on has failed")]

mod common;

use std::sync::Arc;

use common::{CATALOGUE, Design, Draws, SWEEP, input, records};
use counterweight_core::{Axis, CellId, Record, Role, Scalar};
use counterweight_report::analysis::{Ablation, AblationVerdict, Kind};
use counterweight_report::{Analysis, ReportInput, ReportOutput, write_up};

/// A parameter of the planted entry with its values.
struct Swept {
    role: Role,
    parameter: &'static str,
    values: Vec<Scalar>,
    default: Option<Scalar>,
}

fn numbers(values: &[f64]) -> Vec<Scalar> {
    values.iter().map(|value| Scalar::Real(*value)).collect()
}

fn swept(role: Role, parameter: &'static str, values: Vec<Scalar>, default: Scalar) -> Swept {
    Swept {
        role,
        parameter,
        values,
        default: Some(default),
    }
}

/// Ten real sets with one model, no correction, and every member of a grid of corrections (of models where
/// the first parameter is one of models): balanced error is that of no correction plus `effect`.
fn planted(grid: &[Swept], effect: impl Fn(&[Scalar]) -> f64) -> (Vec<Record>, Vec<Axis>) {
    let plain = records(&Design {
        data: (0..12).collect(),
        models: vec![0],
        arms: vec![0],
        repeats: 1,
        folds: 2,
    });
    let mut members: Vec<Vec<Scalar>> = vec![Vec::new()];
    for axis in grid {
        members = members
            .iter()
            .flat_map(|member| {
                let with =
                    |value: &Scalar| [member.as_slice(), std::slice::from_ref(value)].concat();
                axis.values.iter().map(with)
            })
            .collect();
    }
    let of_models = grid[0].role == Role::Model;
    let mut all = if of_models { Vec::new() } else { plain.clone() };
    for (number, member) in members.iter().enumerate() {
        let texts: Vec<String> = grid
            .iter()
            .zip(member)
            .map(|(axis, value)| format!("{}={value}", axis.parameter))
            .collect();
        let mut noise = Draws::new(number as u64 + 7);
        for record in &plain {
            let mut record = record.clone();
            record.cell = CellId(format!("{number:04}{}", &record.cell.0[4..]));
            let id = format!("grid[{}]", texts.join(","));
            let stages = Arc::make_mut(&mut record.stages);
            if of_models {
                record.model = id.as_str().into();
                stages.model_entry = "grid".into();
            } else {
                record.correction = id.as_str().into();
                record.family = "resampling".into();
                stages.correction_entry = "grid".into();
            }
            for (axis, value) in grid.iter().zip(member) {
                let params = &mut stages.get_mut(axis.role).params;
                params.insert(axis.parameter.to_owned(), value.clone());
            }
            let own = record.metrics.get("balanced_error").copied().unwrap();
            let value = own * 0.5 + 0.2 + effect(member) + 0.002 * (noise.next() - 0.5);
            record.metrics.insert("balanced_error", value);
            all.push(record);
        }
    }
    let axes = grid.iter().map(|axis| Axis {
        stage: axis.role,
        parameter: axis.parameter.to_owned(),
        entry: "grid".to_owned(),
        values: axis.values.clone(),
        default: axis.default.clone(),
        expand: false,
        selected_by: None,
    });
    (all, axes.collect())
}

fn analysed(records: &[Record], axes: &[Axis]) -> (Analysis, ReportOutput) {
    let input = ReportInput {
        axes,
        ..input(records, &[])
    };
    let analysis = Analysis::new(&input).unwrap();
    let output = write_up(&input, &analysis).unwrap();
    (analysis, output)
}

fn number(own: &Ablation, place: usize) -> f64 {
    own.points[place].setting.as_real().unwrap()
}

#[test]
fn a_parameter_with_an_effect_is_told_with_its_best_value_and_gain() {
    let k = swept(
        Role::Resample,
        "k",
        numbers(&[9.0, 3.0, 5.0]),
        Scalar::Real(5.0),
    );
    // Three points better at 3 than at the default.
    let (records, axes) = planted(&[k], |at| 0.015 * (at[0].as_real().unwrap() - 3.0));
    let (analysis, output) = analysed(&records, &axes);
    let [own] = &analysis.ablations.ablations[..] else {
        panic!("one axis and one model")
    };
    assert_eq!(own.points.len(), 3);
    assert!((number(own, 0) - 3.0).abs() < 1e-12, "numbers rise");
    assert!((number(own, own.best) - 3.0).abs() < 1e-12);
    assert_eq!(own.verdict, AblationVerdict::BetterThanDefault);
    let gain = own.gain.unwrap();
    assert!((gain.mean - 0.03).abs() < 0.002, "{gain:?}");
    assert!(gain.interval.unwrap().lower > 0.025);
    assert!((own.range.mean - 0.09).abs() < 0.003);
    let text = "<code>k</code> of <code>grid</code> at 3 lowers balanced error by 3.0 points";
    assert!(output.index_html.contains(text), "{}", output.index_html);
    assert!(
        output
            .figures
            .iter()
            .any(|(name, _)| name == "ablation_resample_k")
    );
    let table = output.tables.iter().find(|(name, _)| name == "ablations");
    assert_eq!(table.unwrap().1.n_rows(), 1);
}

#[test]
fn a_parameter_without_an_effect_does_not_matter() {
    let k = swept(
        Role::Resample,
        "k",
        numbers(&[3.0, 5.0, 10.0]),
        Scalar::Real(5.0),
    );
    let (records, axes) = planted(&[k], |_| 0.0);
    let (analysis, output) = analysed(&records, &axes);
    let own = &analysis.ablations.ablations[0];
    assert_eq!(own.verdict, AblationVerdict::Flat);
    assert!(own.range.interval.unwrap().upper < 0.01);
    let text = "does not matter between 3 and 10 for <code>softmax-regression</code>";
    assert!(output.index_html.contains(text));
}

#[test]
fn words_have_dots_and_no_interval_of_the_best() {
    let words = ["inverse", "effective", "sqrt"];
    let scheme = words.iter().map(|word| Scalar::Text((*word).into()));
    let scheme = swept(
        Role::Loss,
        "scheme",
        scheme.collect(),
        Scalar::Text("inverse".into()),
    );
    let (records, axes) = planted(&[scheme], |at| match at[0].to_string().as_str() {
        "effective" => -0.04,
        _ => 0.0,
    });
    let (analysis, output) = analysed(&records, &axes);
    let own = &analysis.ablations.ablations[0];
    assert_eq!(own.points[own.best].setting.to_string(), "effective");
    assert_eq!(own.best_interval, None);
    assert_eq!(own.verdict, AblationVerdict::BetterThanDefault);
    let (_, figure) = output
        .figures
        .iter()
        .find(|(name, _)| name == "ablation_loss_scheme")
        .unwrap();
    assert!(figure.svg.contains(">effective<"));
}

#[test]
fn two_parameters_make_a_heat_map_and_two_curves() {
    let k = swept(Role::Resample, "k", numbers(&[3.0, 5.0]), Scalar::Real(5.0));
    let tau = swept(
        Role::Decide,
        "tau",
        numbers(&[0.5, 1.0, 2.0]),
        Scalar::Real(1.0),
    );
    let (records, axes) = planted(&[k, tau], |at| {
        0.01 * at[0].as_real().unwrap() + 0.02 * (at[1].as_real().unwrap() - 1.0).abs()
    });
    let (analysis, output) = analysed(&records, &axes);
    assert_eq!(analysis.ablations.ablations.len(), 2);
    let [grid] = &analysis.ablations.grids[..] else {
        panic!("one grid")
    };
    assert_eq!((grid.means.len(), grid.means[0].len()), (3, 2));
    assert_eq!(grid.standing, (1, 1));
    let cell = |row: usize, column: usize| grid.means[row][column].unwrap();
    assert!((cell(1, 1) - cell(1, 0) - 0.02).abs() < 0.002);
    assert!((cell(2, 0) - cell(1, 0) - 0.02).abs() < 0.002);
    assert!(
        output
            .figures
            .iter()
            .any(|(name, _)| { name == "ablation_grid_k_tau_softmax-regression" })
    );
}

#[test]
fn one_member_stands_for_a_grid_unless_the_entry_expands() {
    let k = || {
        swept(
            Role::Resample,
            "k",
            numbers(&[9.0, 3.0, 5.0]),
            Scalar::Real(5.0),
        )
    };
    let (records, mut axes) = planted(&[k()], |_| 0.0);
    let ids = |analysis: &Analysis| -> Vec<String> {
        let ranked = analysis.overall[0].ranked.iter();
        let mut ids: Vec<String> = ranked
            .map(|r| analysis.correction(r.correction).to_owned())
            .collect();
        ids.sort();
        ids
    };
    let (analysis, output) = analysed(&records, &axes);
    assert_eq!(ids(&analysis), ["grid[k=5]", "none"]);
    assert_eq!(analysis.all.corrections.len(), 4);
    let said = "<code>grid[k=5]</code> for the 3 members of <code>grid</code>";
    assert!(output.index_html.contains(said));
    assert!(output.ranking_json.contains("grid[k=5]"));
    assert!(!output.ranking_json.contains("grid[k=9]"));
    axes[0].expand = true;
    let (analysis, _) = analysed(&records, &axes);
    assert_eq!(ids(&analysis).len(), 4);
}

#[test]
fn a_default_outside_the_grid_gives_no_gain_and_the_middle_stands() {
    let values = numbers(&[1.0, 0.01, 10.0, 100.0]);
    let l2 = swept(Role::Model, "l2", values, Scalar::Real(0.5));
    let (records, axes) = planted(&[l2], |at| 0.01 * at[0].as_real().unwrap().log10().abs());
    let (analysis, output) = analysed(&records, &axes);
    let own = &analysis.ablations.ablations[0];
    assert_eq!((own.kind, own.plain), (Kind::Model, true));
    assert_eq!((own.default, own.gain), (None, None));
    assert_eq!(own.verdict, AblationVerdict::Matters);
    assert!((number(own, own.best) - 1.0).abs() < 1e-12);
    // The second of four in the order of the file.
    assert_eq!(analysis.models.len(), 1);
    assert_eq!(analysis.model(0), "grid[l2=0.01]");
    let names: Vec<&str> = output
        .figures
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let doubled = |name: &&&str| name.contains("--") || name.ends_with('-');
    assert!(!names.iter().any(|name| doubled(&name)), "{names:?}");
    assert!(names.contains(&"ablation_model_l2"));
}

#[test]
fn a_sweep_without_grids_has_no_section_on_them() {
    let plain = records(&Design {
        models: vec![0],
        ..Design::full()
    });
    let (analysis, output) = analysed(&plain, &[]);
    assert_eq!(analysis.data.corrections, analysis.all.corrections);
    assert_eq!(analysis.data.models.len(), analysis.all.models.len());
    assert!(!output.index_html.contains("id=\"ablations\""));
    assert!(SWEEP.contains("mock") && !CATALOGUE.metrics.is_empty());
}
