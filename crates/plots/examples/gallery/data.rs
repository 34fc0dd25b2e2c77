//! Made-up but realistic numbers for every figure, shared by the gallery and the tests.

use counterweight_plots::{
    AblationCurve, AblationPanel, Ablations, BestSetting, CalibrationFront, CalibrationPoint,
    Comparison, ComparisonMatrix, CriticalDifference, Forest, ForestGroup, ForestRow, GainAxis,
    GainCurves, GainDot, GainGroup, GainLine, GainPanel, HeatMap, LeakArrows, LeakPanel,
    PopulationMap, PriceDots, PricePanel, RankChange, RankSlope, ReliabilityDot, ReliabilityGrid,
    ReliabilityPanel, Spacing,
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

pub(crate) const RATIOS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

pub(crate) fn names(of: &[&str]) -> Vec<String> {
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

/// Resamplers before the split: `panels` of them, on so many datasets and models.
pub(crate) fn leak_data(panels: &[String], datasets: usize, models: usize) -> LeakArrows {
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

pub(crate) fn gain_data(models: &[&str], corrections: &[String], ladder: bool) -> GainCurves {
    let mut noise = Noise::new(11);
    let mut dot = |ratio: f64, size: f64| {
        let gain = size * ratio.ln() / 60.0 + 0.01 * (noise.next() - 0.5);
        GainDot {
            place: ratio,
            gain,
            band: Some((gain - 0.01, gain + 0.012)),
            units: 17,
            levels: Some([0.3, 0.3 - gain]),
        }
    };
    let mut group = |heading: &str, joined: bool| GainGroup {
        heading: heading.to_owned(),
        panels: models
            .iter()
            .map(|model| GainPanel {
                title: (*model).to_owned(),
                lines: corrections
                    .iter()
                    .map(|correction| {
                        let size = 1.0 - left(correction);
                        let dots: Vec<GainDot> = RATIOS.iter().map(|&r| dot(r, size)).collect();
                        GainLine {
                            correction: correction.clone(),
                            dots: if joined { Vec::new() } else { dots.clone() },
                            line: if joined { dots } else { Vec::new() },
                        }
                    })
                    .collect(),
                ceiling: if joined {
                    vec![(1.0, 0.0), (200.0, 0.12)]
                } else {
                    Vec::new()
                },
            })
            .collect(),
    };
    let mut groups = vec![group("Real datasets", false)];
    if ladder {
        groups.push(group("Populations", true));
    }
    GainCurves {
        axis: GainAxis::Ratio,
        groups,
    }
}

pub(crate) fn forest_data(models: &[&str], corrections: &[String]) -> Forest {
    let mut noise = Noise::new(12);
    let row = |correction: &String, noise: &mut Noise| {
        let parts = [
            0.05 * noise.next(),
            0.02 * (noise.next() - 0.5),
            0.01 * noise.next(),
        ];
        let gain = parts[0] + parts[1] - parts[2];
        ForestRow {
            correction: correction.clone(),
            gain: (gain, Some((gain - 0.02, gain + 0.02))),
            parts: (noise.next() > 0.2).then_some(parts),
        }
    };
    Forest {
        groups: models
            .iter()
            .map(|model| ForestGroup {
                name: (*model).to_owned(),
                units: 52,
                rows: corrections.iter().map(|c| row(c, &mut noise)).collect(),
            })
            .collect(),
    }
}

/// Classes on a line from corner to corner, with borders between them.
pub(crate) fn map_data(classes: usize) -> PopulationMap {
    let mut random = Noise::new(17);
    let at = |class: usize| class as f64 - 0.5 * (classes as f64 - 1.0);
    let end = 0.5 * classes as f64 + 1.0;
    let border = |shift: f64| {
        let between = (1..classes).map(|class| at(class) - 0.5 + shift);
        between
            .map(|m| vec![(m - 1.0, m + 1.0), (m + 1.0, m - 1.0)])
            .collect()
    };
    let rows: Vec<Vec<(f64, f64)>> = (0..classes)
        .map(|class| {
            let mut place = || at(class) + random.around(0.6);
            (0..20).map(|_| (place(), place())).collect()
        })
        .collect();
    PopulationMap {
        population: "gaussian-line".to_owned(),
        across: ((-end, end), "x1".to_owned()),
        up: ((-end, end), "x2".to_owned()),
        rows,
        densities: Vec::new(),
        balanced: border(0.0),
        accuracy: border(0.3),
        shares: "10 to 1".to_owned(),
    }
}

pub(crate) fn price_data(models: &[&str], corrections: &[String]) -> PriceDots {
    let mut noise = Noise::new(13);
    let names = [
        "balanced error (points)",
        "error rate (points)",
        "log loss (nats)",
    ];
    PriceDots {
        corrections: corrections.to_vec(),
        panels: names
            .iter()
            .map(|name| PricePanel {
                name: (*name).to_owned(),
                gains: corrections
                    .iter()
                    .map(|_| {
                        let gain =
                            |model: &&str| ((*model).to_owned(), 12.0 * (noise.next() - 0.4));
                        models.iter().map(gain).collect()
                    })
                    .collect(),
            })
            .collect(),
    }
}
