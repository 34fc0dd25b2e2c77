//! Every figure of the gallery, by name.

use counterweight_plots::{
    Ablations, Figure, HeatMap, PlotError, PriceDots, Spacing, Theme, ablations, calibration_front,
    comparison_matrix, critical_difference, forest, gain_curves, heat_map, leak_arrows,
    population_map, price_dots, rank_slope, reliability_grid,
};

use crate::data::{
    CORRECTIONS, MODELS, datasets, forest_data, front_data, gain_data, heat_data, leak_data,
    long_names, map_data, matrix_data, names, price_data, rank_data, reliability_data, slope_data,
    tau_data,
};

fn main_figures(out: &mut Vec<(String, Figure)>) -> Result<(), PlotError> {
    let five = names(&CORRECTIONS[1..6]);
    let narrow = Theme {
        width: 356.0,
        png_scale: 3,
        ..Theme::page()
    };
    for (name, theme, models, corrections) in [
        ("5x5", Theme::page(), &MODELS[..5], five.clone()),
        ("9x5", Theme::page(), &MODELS[..], five.clone()),
        (
            "1x1",
            Theme::page(),
            &MODELS[..1],
            names(&CORRECTIONS[1..2]),
        ),
        ("long", Theme::page(), &MODELS[..3], long_names(5)),
        ("9x5-column", Theme::column(), &MODELS[..], five.clone()),
        ("narrow", narrow, &MODELS[..], five),
        ("empty", Theme::page(), &[], Vec::new()),
    ] {
        let theme = |kind: &str| theme.clone().with_prefix(&format!("{kind}-{name}"));
        let mut add = |kind: &str, figure: Figure| out.push((format!("{kind}-{name}"), figure));
        let gains = gain_data(models, &corrections, name != "1x1");
        add("gain", gain_curves(&gains, &theme("gain"))?);
        add(
            "forest",
            forest(&forest_data(models, &corrections), &theme("forest"))?,
        );
        let prices = match models {
            [] => PriceDots {
                corrections: Vec::new(),
                panels: Vec::new(),
            },
            _ => price_data(models, &corrections),
        };
        add("price", price_dots(&prices, &theme("price"))?);
    }
    Ok(())
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
    add("map-column", &|t| population_map(&map_data(3), t))?;
    add("map-many", &|t| population_map(&map_data(30), t))?;
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
    main_figures(&mut out)?;
    heat_figures(&mut out)?;
    other_figures(&mut out)?;
    leak_figures(&mut out)?;
    Ok(out)
}
