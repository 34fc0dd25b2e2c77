//! Made-up but realistic numbers for every figure, shared by the gallery and the tests.

use counterweight_plots::{
    AblationCurve, AblationPanel, Ablations, BestSetting, CalibrationFront, CalibrationPoint,
    Comparison, ComparisonMatrix, CostBenefit, CostPoint, CriticalDifference, Figure, GainPanel,
    GainPoint, GainScatter, HeatMap, LeakArrows, LeakPanel, Measure, PlotError, RankChange,
    RankSlope, RatioCurves, RatioLine, RatioPanel, RatioPoint, RecallDots, RecallRow,
    ReliabilityDot, ReliabilityGrid, ReliabilityPanel, Spacing, Theme, TrendPoint, ablations,
    calibration_front, comparison_matrix, cost_benefit, critical_difference, gain_scatter,
    heat_map, leak_arrows, rank_slope, ratio_curves, recall_dots, reliability_grid,
};

/// A fixed sequence of numbers between 0 and 1; quality does not matter here.
#[derive(Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    pub(crate) fn around(&mut self, width: f64) -> f64 {
        (self.next() + self.next() + self.next() - 1.5) * width
    }
}

pub(crate) const CORRECTIONS: [&str; 14] = [
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

pub(crate) const MODELS: [&str; 9] = [
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

pub(crate) fn long_names(n: usize) -> Vec<String> {
    (0..n)
        .map(|i| format!("smote-nc(k=5,ratio=1.0)+logit-adjusted(tau={i}.25)+calibrated(isotonic)"))
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

pub(crate) fn ratio_data(
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

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn datasets(n: usize) -> Vec<String> {
    const SOME: [&str; 12] = [
        "abalone-19",
        "adult",
        "car-evaluation",
        "ecoli-imu",
        "glass",
        "letter-a",
        "mammography",
        "optical-digits-8",
        "ozone-level-1hr",
        "us-crime",
        "wine-quality-white",
        "yeast-me2",
    ];
    (0..n)
        .map(|i| {
            if i < SOME.len() {
                SOME[i].to_owned()
            } else {
                format!("openml-{:05}-{}", 1000 + i * 37, SOME[i % SOME.len()])
            }
        })
        .collect()
}

pub(crate) fn heat_data(rows: Vec<String>, columns: Vec<String>) -> HeatMap {
    let mut noise = Noise::new(11);
    let cells = (0..rows.len())
        .map(|_| {
            let scale = noise.next().powi(2) * 0.2;
            columns
                .iter()
                .map(|c| {
                    (noise.next() > 0.06).then(|| -scale * (1.0 - left(c)) + noise.around(0.02))
                })
                .collect()
        })
        .collect();
    HeatMap {
        by: ["dataset", "correction"].map(str::to_owned),
        baseline: "none".to_owned(),
        measure: "balanced error".to_owned(),
        rows,
        columns,
        cells,
        missing: "not applicable, or fewer rows than the correction needs".to_owned(),
    }
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

pub(crate) fn tau_data(models: &[&str], curves: usize, steps: u32) -> Ablations {
    let mut noise = Noise::new(3);
    let panels = models
        .iter()
        .enumerate()
        .map(|(m, model)| AblationPanel {
            title: (*model).to_owned(),
            reference: None,
            curves: (0..curves)
                .map(|c| {
                    let best = 1.0 + 0.12 * m as f64 - 0.1 * c as f64;
                    let floor = 0.08 + 0.02 * c as f64 + 0.01 * m as f64;
                    let at = |tau: f64| {
                        floor + 0.06 * (1.0 + c as f64) * (1.0 - (-(tau - best).powi(2)).exp())
                    };
                    let points = (0..=steps)
                        .map(|i| {
                            let tau = 3.0 * f64::from(i) / f64::from(steps);
                            let value = at(tau) + noise.around(0.0005);
                            (tau, value, Some((value - 0.008, value + 0.008)))
                        })
                        .collect();
                    AblationCurve {
                        name: format!("ratio {}", [100, 10, 50, 200, 20][c % 5]),
                        points,
                        best: Some(BestSetting {
                            at: best,
                            value: at(best),
                            interval: Some((best - 0.2, best + 0.25)),
                        }),
                    }
                })
                .collect(),
        })
        .collect();
    Ablations {
        parameter: "tau".to_owned(),
        spacing: Spacing::Linear,
        panels,
        default: Some(1.0),
    }
}

pub(crate) fn rank_data(n: usize, long: bool) -> CriticalDifference {
    let long_names = long_names(n);
    let methods = (0..n)
        .map(|i| {
            let name = if long {
                long_names[i].clone()
            } else {
                CORRECTIONS[(i * 5) % 14].to_owned()
            };
            (
                name,
                1.3 + (n as f64 - 2.2) * (i as f64 / n as f64).powf(0.8)
                    + if i % 3 == 0 { 0.15 } else { 0.0 },
            )
        })
        .collect();
    let mut cliques: Vec<Vec<usize>> = (0..n.saturating_sub(2))
        .step_by(2)
        .map(|i| vec![i, i + 1, i + 2])
        .collect();
    if n > 5 {
        cliques.push(vec![1, 3, 5]);
    }
    CriticalDifference {
        methods,
        cliques,
        critical_difference: (!long).then_some(1.2),
        datasets: 54,
        test: "Wilcoxon signed-rank, Holm, level .05".to_owned(),
    }
}

#[expect(clippy::needless_range_loop, reason = "a pair fills two cells")]
pub(crate) fn matrix_data(methods: Vec<String>) -> ComparisonMatrix {
    let mut noise = Noise::new(5);
    let n = methods.len();
    let mut cells = vec![vec![None; n]; n];
    for i in 0..n {
        for j in i + 1..n {
            let difference = -0.012 * (j - i) as f64 + noise.around(0.006);
            let wins = 27 + (j - i) * 2;
            let p = Some((-(difference.abs() * 300.0)).exp());
            let losses = 54_usize.saturating_sub(wins + 3);
            cells[i][j] = Some(Comparison {
                difference,
                wins,
                ties: 3,
                losses,
                p,
            });
            cells[j][i] = Some(Comparison {
                difference: -difference,
                wins: losses,
                ties: 3,
                losses: wins,
                p,
            });
        }
    }
    if n > 4 {
        cells[1][3] = None;
        cells[3][1] = None;
    }
    ComparisonMatrix {
        methods,
        cells,
        level: 0.05,
        test: "Wilcoxon signed-rank, Holm".to_owned(),
    }
}

pub(crate) fn gain_data(panels: &[&str], n: usize) -> GainScatter {
    let mut noise = Noise::new(17);
    let names = datasets(n);
    let panels = panels
        .iter()
        .map(|name| {
            let points: Vec<GainPoint> = names
                .iter()
                .map(|dataset| {
                    let ratio = 10_f64.powf(noise.next() * 2.4);
                    let gain =
                        0.05 * ratio.log10() * (1.0 - left(name)) - 0.01 + noise.around(0.04);
                    GainPoint {
                        dataset: dataset.clone(),
                        ratio,
                        gain,
                    }
                })
                .collect();
            let trend = if n < 5 {
                Vec::new()
            } else {
                (0..8)
                    .map(|i| {
                        let ratio = 10_f64.powf(f64::from(i) / 7.0 * 2.3);
                        let gain = 0.05 * ratio.log10() * (1.0 - left(name)) - 0.01;
                        TrendPoint {
                            ratio,
                            gain,
                            band: Some((gain - 0.012, gain + 0.012)),
                        }
                    })
                    .collect()
            };
            GainPanel {
                name: (*name).to_owned(),
                points,
                trend,
            }
        })
        .collect();
    GainScatter {
        panels,
        trend_name: if n < 5 {
            String::new()
        } else {
            "medians of eight bins and their 95 % bootstrap interval".to_owned()
        },
    }
}

pub(crate) fn recall_data(corrections: Vec<String>) -> RecallDots {
    let rows = corrections
        .into_iter()
        .enumerate()
        .map(|(i, correction)| {
            let rest = left(&correction);
            let estimate =
                |value: f64| Some((value, Some((value - 0.02, (value + 0.02).min(1.0)))));
            RecallRow {
                correction,
                many: estimate(0.86 + 0.1 * rest),
                medium: if i == 3 {
                    None
                } else {
                    estimate(0.8 - 0.15 * rest)
                },
                few: estimate(0.75 - 0.5 * rest),
            }
        })
        .collect();
    RecallDots {
        scope: "softmax-regression".to_owned(),
        groups: names(&[
            "many (> 100 training rows)",
            "medium (20 to 100)",
            "few (< 20)",
        ])
        .try_into()
        .unwrap_or_default(),
        rows,
    }
}

/// Probabilities that are too high by a shift of the log-odds, and those after it is taken back.
pub(crate) fn reliability_data(corrections: Vec<String>) -> ReliabilityGrid {
    let mut noise = Noise::new(29);
    let mut dots = |shift: f64| -> Vec<ReliabilityDot> {
        let shares = (0..15).map(|i| (-0.5 * f64::from(i)).exp() * 0.4);
        (0..15)
            .zip(shares)
            .map(|(i, share)| {
                let p = (f64::from(i) + 0.5) / 15.0;
                let logit = (p / (1.0 - p)).ln() - shift;
                let observed = 1.0 / (1.0 + (-logit).exp());
                ReliabilityDot {
                    share,
                    predicted: p,
                    observed: (observed + noise.around(0.03)).clamp(0.0, 1.0),
                }
            })
            .collect()
    };
    ReliabilityGrid {
        scope: "softmax-regression".to_owned(),
        baseline: dots(0.0),
        panels: corrections
            .into_iter()
            .enumerate()
            .map(|(i, correction)| ReliabilityPanel {
                correction,
                fitted: dots(0.3 * i as f64),
                corrected: if i % 4 == 3 { Vec::new() } else { dots(0.0) },
            })
            .collect(),
    }
}

pub(crate) fn front_data(corrections: Vec<String>) -> CalibrationFront {
    const FAMILIES: [&str; 4] = ["none", "reweighting", "resampling", "thresholding"];
    let mut noise = Noise::new(31);
    let values: Vec<(f64, f64)> = corrections
        .iter()
        .enumerate()
        .map(|(i, _)| (0.3 + 0.04 * i as f64, 0.32 - 0.1 * noise.next()))
        .collect();
    let better = |a: (f64, f64), b: (f64, f64)| a != b && a.0 <= b.0 && a.1 <= b.1;
    CalibrationFront {
        scope: "softmax-regression".to_owned(),
        points: corrections
            .into_iter()
            .zip(&values)
            .enumerate()
            .map(|(i, (correction, &own))| CalibrationPoint {
                correction,
                family: FAMILIES[i % 4].to_owned(),
                log_loss: own.0,
                error: own.1,
                front: !values.iter().any(|&other| better(other, own)),
            })
            .collect(),
    }
}

pub(crate) fn cost_data(corrections: Vec<String>) -> CostBenefit {
    let mut noise = Noise::new(23);
    let points = corrections
        .into_iter()
        .enumerate()
        .map(|(i, correction)| {
            let seconds = 0.02
                * [
                    1.0, 1.1, 1.1, 2.0, 0.2, 4.0, 1.0, 1.0, 6.0, 1.02, 1.4, 4.2, 1.1, 9.0,
                ][i % 14]
                * (1.0 + 0.1 * noise.next());
            let error = 0.12 + 0.2 * left(&correction) + noise.around(0.004);
            CostPoint {
                correction,
                seconds,
                seconds_band: Some((seconds * 0.9, seconds * 1.15)),
                error,
                error_band: Some((error - 0.008, error + 0.008)),
            }
        })
        .collect();
    CostBenefit {
        scope: "softmax-regression".to_owned(),
        points,
    }
}

pub(crate) fn slope_data(n: usize, long: bool) -> RankSlope {
    let mut noise = Noise::new(29);
    let long_names = long_names(n);
    let methods = (0..n)
        .map(|i| {
            let before = 1.4 + i as f64 * 0.8;
            let changed = i % 5 == 2;
            RankChange {
                correction: if long {
                    long_names[i].clone()
                } else {
                    CORRECTIONS[i % 14].to_owned()
                },
                before: (i != 6).then_some(before),
                after: (i != 7).then_some(if changed {
                    before * 0.4 + 2.0
                } else {
                    before + noise.around(0.3)
                }),
                changed,
            }
        })
        .collect();
    RankSlope {
        before: "baseline".to_owned(),
        after: "this change".to_owned(),
        methods,
    }
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

/// Resamplers before the split: `panels` of them, on so many datasets and models.
fn leak_data(panels: &[String], datasets: usize, models: usize) -> LeakArrows {
    let mut noise = Noise::new(41);
    let arrows = |noise: &mut Noise| -> Vec<Vec<Option<(f64, f64)>>> {
        (0..datasets)
            .map(|dataset| {
                (0..models)
                    .map(|model| {
                        let honest = 0.1 + 0.4 * noise.next();
                        let reported = (honest - 0.3 * noise.next()).max(0.0);
                        // Ends within an arrow's head of each other, and a model that could not run.
                        match (dataset % 5, model) {
                            (3, 0) => Some((honest, honest + 0.002)),
                            (4, 1) => None,
                            _ => Some((honest, reported)),
                        }
                    })
                    .collect()
            })
            .collect()
    };
    LeakArrows {
        models: names(&MODELS[..models]),
        datasets: (0..datasets)
            .map(|at| match at {
                0 => "a_dataset_whose_name_is_very_much_longer_than_usual".to_owned(),
                _ => format!("dataset_{at}"),
            })
            .collect(),
        panels: panels
            .iter()
            .map(|resample| LeakPanel {
                resample: resample.clone(),
                arrows: arrows(&mut noise),
            })
            .collect(),
    }
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
