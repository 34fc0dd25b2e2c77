//! Every figure of the gallery, by name.

use counterweight_plots::{
    Ablations, Figure, HeatMap, Measure, PlotError, RatioCurves, Spacing, Theme, ablations,
    calibration_front, comparison_matrix, cost_benefit, critical_difference, gain_scatter,
    heat_map, leak_arrows, rank_slope, ratio_curves, recall_dots, reliability_grid,
};

use crate::data::{
    CORRECTIONS, MODELS, RATIOS, cost_data, datasets, front_data, gain_data, heat_data, leak_data,
    long_names, matrix_data, names, rank_data, ratio_data, recall_data, reliability_data,
    slope_data, tau_data,
};

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
    let error = Measure::Metric;
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

fn heat_figures(out: &mut Vec<(String, Figure)>) -> Result<(), PlotError> {
    let mut add = |name: &str, theme: &Theme, data: &HeatMap| -> Result<(), PlotError> {
        out.push((
            name.to_owned(),
            heat_map(data, &theme.clone().with_prefix(name))?,
        ));
        Ok(())
    };
    let (page, column) = (Theme::page(), Theme::column());
    add(
        "heat-8x6",
        &page,
        &heat_data(datasets(8), names(&CORRECTIONS[1..7])),
    )?;
    add(
        "heat-60x13",
        &page,
        &heat_data(datasets(60), names(&CORRECTIONS[1..])),
    )?;
    add(
        "heat-1x1",
        &page,
        &heat_data(datasets(1), names(&CORRECTIONS[1..2])),
    )?;
    add(
        "heat-column",
        &column,
        &heat_data(datasets(20), names(&CORRECTIONS[1..])),
    )?;
    add(
        "heat-long",
        &page,
        &heat_data(long_names(6), long_names(14)),
    )?;
    let mut zero = heat_data(datasets(3), names(&CORRECTIONS[1..4]));
    zero.cells = vec![vec![Some(0.0); 3], vec![None; 3], vec![Some(-0.0); 3]];
    add("heat-zero", &page, &zero)?;
    add("heat-empty", &page, &heat_data(Vec::new(), Vec::new()))
}

fn other_figures(out: &mut Vec<(String, Figure)>) -> Result<(), PlotError> {
    let theme = |name: &str| {
        let base = if name.ends_with("column") {
            Theme::column()
        } else {
            Theme::page()
        };
        base.with_prefix(name)
    };
    let mut add =
        |name: &str, draw: &dyn Fn(&Theme) -> Result<Figure, PlotError>| -> Result<(), PlotError> {
            out.push((name.to_owned(), draw(&theme(name))?));
            Ok(())
        };
    add("tau-5", &|t| ablations(&tau_data(&MODELS[..5], 1, 60), t))?;
    add("tau-3-ratios", &|t| {
        ablations(&tau_data(&MODELS[..2], 3, 8), t)
    })?;
    add("tau-column", &|t| {
        ablations(&tau_data(&MODELS[..1], 2, 60), t)
    })?;
    add("tau-one-tau", &|t| {
        ablations(
            &Ablations {
                default: None,
                ..tau_data(&MODELS[..1], 1, 1)
            },
            t,
        )
    })?;
    add("tau-words", &|t| {
        let words = ["inverse", "effective", "square root"].map(str::to_owned);
        let mut data = tau_data(&MODELS[..2], 2, 2);
        for panel in &mut data.panels {
            for curve in &mut panel.curves {
                for (place, point) in (1..).zip(&mut curve.points) {
                    point.0 = f64::from(place);
                }
                curve.best = None;
            }
            panel.reference = Some(0.12);
        }
        data.spacing = Spacing::Words(words.to_vec());
        ablations(&data, t)
    })?;
    add("tau-empty", &|t| {
        ablations(
            &Ablations {
                panels: Vec::new(),
                ..tau_data(&[], 0, 1)
            },
            t,
        )
    })?;
    add("cd-6", &|t| critical_difference(&rank_data(6, false), t))?;
    add("cd-14", &|t| critical_difference(&rank_data(14, false), t))?;
    add("cd-long", &|t| critical_difference(&rank_data(9, true), t))?;
    add("cd-column", &|t| {
        critical_difference(&rank_data(6, false), t)
    })?;
    add("cd-14-column", &|t| {
        critical_difference(&rank_data(14, false), t)
    })?;
    add("cd-2", &|t| critical_difference(&rank_data(2, false), t))?;
    add("cd-empty", &|t| {
        critical_difference(&rank_data(0, false), t)
    })?;
    add("mcm-5", &|t| {
        comparison_matrix(&matrix_data(names(&CORRECTIONS[..5])), t)
    })?;
    add("mcm-14", &|t| {
        comparison_matrix(&matrix_data(names(&CORRECTIONS)), t)
    })?;
    add("mcm-long", &|t| {
        comparison_matrix(&matrix_data(long_names(8)), t)
    })?;
    add("mcm-14-column", &|t| {
        comparison_matrix(&matrix_data(names(&CORRECTIONS)), t)
    })?;
    add("mcm-empty", &|t| {
        comparison_matrix(&matrix_data(names(&CORRECTIONS[..1])), t)
    })?;
    add("gain-1", &|t| {
        gain_scatter(&gain_data(&["logit-adjust"], 55), t)
    })?;
    add("gain-4", &|t| {
        gain_scatter(&gain_data(&CORRECTIONS[1..5], 55), t)
    })?;
    add("gain-column", &|t| {
        gain_scatter(&gain_data(&["smote"], 55), t)
    })?;
    add("gain-one-dataset", &|t| {
        gain_scatter(&gain_data(&["smote"], 1), t)
    })?;
    add("gain-empty", &|t| gain_scatter(&gain_data(&[], 0), t))?;
    add("recall-14", &|t| {
        recall_dots(&recall_data(names(&CORRECTIONS)), t)
    })?;
    add("recall-1-column", &|t| {
        recall_dots(&recall_data(names(&CORRECTIONS[..1])), t)
    })?;
    add("recall-long", &|t| {
        recall_dots(&recall_data(long_names(6)), t)
    })?;
    add("recall-empty", &|t| {
        recall_dots(&recall_data(Vec::new()), t)
    })?;
    add("cost-14", &|t| {
        cost_benefit(&cost_data(names(&CORRECTIONS)), t)
    })?;
    add("cost-14-column", &|t| {
        cost_benefit(&cost_data(names(&CORRECTIONS)), t)
    })?;
    add("cost-long", &|t| cost_benefit(&cost_data(long_names(8)), t))?;
    add("cost-1", &|t| {
        cost_benefit(&cost_data(names(&CORRECTIONS[..1])), t)
    })?;
    add("cost-empty", &|t| cost_benefit(&cost_data(Vec::new()), t))?;
    for (name, corrections) in [
        ("reliability-13", names(&CORRECTIONS[1..])),
        ("reliability-5-column", names(&CORRECTIONS[1..6])),
        ("reliability-long", long_names(6)),
        ("reliability-1", names(&CORRECTIONS[1..2])),
        ("reliability-empty", Vec::new()),
    ] {
        add(name, &|t| {
            reliability_grid(&reliability_data(corrections.clone()), t)
        })?;
    }
    for (name, corrections) in [
        ("front-14", names(&CORRECTIONS)),
        ("front-14-column", names(&CORRECTIONS)),
        ("front-long", long_names(8)),
        ("front-1", names(&CORRECTIONS[..1])),
        ("front-empty", Vec::new()),
    ] {
        add(name, &|t| {
            calibration_front(&front_data(corrections.clone()), t)
        })?;
    }
    add("slope-14", &|t| rank_slope(&slope_data(14, false), t))?;
    add("slope-long-column", &|t| {
        rank_slope(&slope_data(6, true), t)
    })?;
    add("slope-1", &|t| rank_slope(&slope_data(1, false), t))?;
    add("slope-empty", &|t| rank_slope(&slope_data(0, false), t))
}

fn leak_figures(out: &mut Vec<(String, Figure)>) -> Result<(), PlotError> {
    let page = Theme::page();
    for (name, theme, data) in [
        (
            "leak-3",
            page.clone(),
            leak_data(&names(&CORRECTIONS[3..6]), 18, 3),
        ),
        (
            "leak-1",
            page.clone(),
            leak_data(&names(&CORRECTIONS[5..6]), 1, 1),
        ),
        ("leak-long", page.clone(), leak_data(&long_names(6), 40, 5)),
        (
            "leak-column",
            Theme::column(),
            leak_data(&names(&CORRECTIONS[3..5]), 6, 5),
        ),
        ("leak-empty", page, leak_data(&[], 0, 0)),
    ] {
        out.push((
            name.to_owned(),
            leak_arrows(&data, &theme.with_prefix(name))?,
        ));
    }
    Ok(())
}

/// Every figure with a name, extremes included.
pub(crate) fn all() -> Result<Vec<(String, Figure)>, PlotError> {
    let mut out = Vec::new();
    ratio_figures(&mut out)?;
    heat_figures(&mut out)?;
    other_figures(&mut out)?;
    leak_figures(&mut out)?;
    Ok(out)
}
