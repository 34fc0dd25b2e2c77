//! The analysis as figures: picks what is worth a picture and hands plain numbers to [`plots`](counterweight_plots).

mod ablations;

use std::collections::BTreeSet;

use crate::analysis::{
    Analysis, Comparison, CurveBin, LeakValue, Part, RatioCurve, ReliabilityCurve, mean,
};
use crate::error::{ReportError, Result};
use crate::view::{file_name, free_name};
use counterweight_plots::format::plural;
use counterweight_plots::{self as plots, Figure, PlotError, Theme};

/// A figure with its file name and what stands around it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// File name without its ending.
    pub(crate) name: String,
    /// The model that it is about; `None` for all.
    pub(crate) model: Option<usize>,
    /// Whether it stands in the section on calibration.
    pub(crate) calibration: bool,
    /// Whether it stands in the section on swept parameters.
    pub(crate) ablation: bool,
    /// Whether it shows times, which the page leaves out.
    pub(crate) timed: bool,
    /// What it shows, told apart from all other figures.
    pub(crate) heading: String,
    /// What a reader has to know beyond its description; ids between backticks.
    pub(crate) note: String,
    /// The figure.
    pub(crate) figure: Figure,
}

/// Most subjects (populations, datasets) that get a ratio figure of their own.
const MOST_SUBJECTS: usize = 12;
/// Most corrections of a comparison matrix that can still be read.
const MOST_COMPARED: usize = 12;
/// The name of the figure that stands in the section on leakage.
pub(crate) const LEAK: &str = "leak";
/// What the names of figures of swept parameters begin with.
const ABLATION: &str = "ablation_";
/// What the names of figures begin with that show times.
const TIMED: &str = "cost_";
/// Most datasets of the figure of leaks.
const MOST_LEAKING: usize = 40;
/// Most models of the figure of leaks.
const MOST_MODELS: usize = 5;
/// Most resamplers of the figure of leaks.
const MOST_LEAKS: usize = 6;
/// Most corrections of a heat map.
const MOST_COLUMNS: usize = 24;
/// Most panels of a reliability figure.
const MOST_PANELS: usize = 16;

/// All figures, those about all models first.
///
/// # Errors
/// [`ReportError::Figure`] when one cannot be drawn.
pub(crate) fn figures(analysis: &Analysis) -> Result<Vec<Placed>> {
    let order: Vec<String> = analysis.corrections.iter().map(|c| c.id.clone()).collect();
    let mut theme = Theme::page().with_order(&order);
    theme.quantity = plots::Quantity {
        name: analysis.target.name.clone(),
        percent: analysis.target.percent,
        lower_is_better: analysis.target.lower_is_better,
    };
    if let Some(baseline) = analysis.baseline {
        analysis
            .correction(baseline)
            .clone_into(&mut theme.baseline);
    }
    let mut figures = Figures {
        analysis,
        theme,
        placed: Vec::new(),
    };
    figures.ratios()?;
    for (frame, draw) in ablations::ablations(analysis) {
        figures.add(frame, draw)?;
    }
    figures.gains()?;
    for comparison in &analysis.overall {
        figures.heat_map(comparison)?;
        figures.ranks(comparison)?;
        figures.pairs(comparison)?;
        figures.recalls(comparison)?;
        figures.costs(comparison)?;
        figures.effects(comparison)?;
        figures.reliability(comparison.model)?;
        figures.fronts(comparison.model)?;
    }
    figures.leaks()?;
    Ok(figures.placed)
}

/// What stands around a figure.
struct Frame {
    name: String,
    model: Option<usize>,
    calibration: bool,
    heading: String,
    note: String,
}

struct Figures<'a> {
    analysis: &'a Analysis,
    theme: Theme,
    placed: Vec<Placed>,
}

impl Figures<'_> {
    fn add(
        &mut self,
        frame: Frame,
        draw: impl FnOnce(&Theme) -> std::result::Result<Figure, PlotError>,
    ) -> Result<()> {
        let Frame {
            name,
            model,
            calibration,
            heading,
            note,
        } = frame;
        let name = free_name(&name, |name| self.placed.iter().any(|p| p.name == name));
        let theme = self.theme.clone().with_prefix(&name);
        let figure = draw(&theme).map_err(|source| ReportError::Figure {
            figure: name.clone(),
            reason: source.to_string(),
        })?;
        self.placed.push(Placed {
            timed: name.starts_with(TIMED),
            ablation: name.starts_with(ABLATION),
            name,
            model,
            calibration,
            heading,
            note,
            figure,
        });
        Ok(())
    }

    /// The frame of a figure about one model.
    fn frame(&self, kind: &str, model: usize, heading: &str, note: &str) -> Frame {
        let id = self.analysis.model(model);
        Frame {
            name: format!("{kind}_{}", file_name(id)),
            model: Some(model),
            calibration: false,
            heading: format!("{heading}: {id}"),
            note: note.to_owned(),
        }
    }

    /// Ratio against balanced error: one figure a subject, one panel a model.
    fn ratios(&mut self) -> Result<()> {
        let analysis = self.analysis;
        let key = |c: &RatioCurve| (c.subject.clone(), c.profile.clone(), c.n_datasets);
        let mut subjects: Vec<Vec<&RatioCurve>> = Vec::new();
        for curve in &analysis.ratios.curves {
            let same = |s: &&mut Vec<&RatioCurve>| s.first().is_some_and(|f| key(f) == key(curve));
            match subjects.iter_mut().find(same) {
                Some(subject) => subject.push(curve),
                None => subjects.push(vec![curve]),
            }
        }
        let single = |curves: &Vec<&RatioCurve>| {
            curves
                .first()
                .is_some_and(|c| !c.synthetic && c.n_datasets == 1)
        };
        // Populations and groups of datasets; single real datasets only where nothing else shows
        // the ratio, since all their numbers are in the table.
        if subjects.iter().any(|curves| !single(curves)) {
            subjects.retain(|curves| !single(curves));
        }
        subjects.truncate(MOST_SUBJECTS);
        for curves in subjects {
            let Some(first) = curves.first() else {
                continue;
            };
            let several = if first.n_datasets > 1 {
                ", means over the datasets"
            } else {
                ""
            };
            let frame = Frame {
                name: format!("ratio_{}_{}", file_name(&first.subject), first.profile),
                model: None,
                calibration: false,
                heading: format!(
                    "Imbalance ratio against {}: {}",
                    analysis.target.name, first.subject
                ),
                note: format!(
                    "Profile {}. Bands are 95 % t intervals over repeats and folds{several}.",
                    first.profile
                ),
            };
            let data = ratio_data(analysis, &curves);
            self.add(frame, |theme| plots::ratio_curves(&data, theme))?;
        }
        Ok(())
    }

    /// Gain of each model's best-ranked correction on real datasets against their ratio.
    fn gains(&mut self) -> Result<()> {
        let analysis = self.analysis;
        let Some(baseline) = analysis.baseline else {
            return Ok(());
        };
        let mut panels = Vec::new();
        for comparison in &analysis.overall {
            let Some(best) = comparison.ranked.iter().find(|r| r.correction != baseline) else {
                continue;
            };
            let value = |point, c| analysis.cube.value(comparison.model, point, c);
            let mut points = Vec::new();
            for (index, point) in analysis.points.iter().enumerate() {
                let real = analysis
                    .datasets
                    .get(point.dataset)
                    .is_some_and(|d| !d.synthetic);
                // Induced ratios of one dataset are not further datasets: its natural one speaks.
                if !real || point.requested_ratio.is_some() {
                    continue;
                }
                if let (Some(own), Some(base), Some(ratio)) = (
                    value(index, best.correction),
                    value(index, baseline),
                    point.imbalance_ratio,
                ) {
                    points.push(plots::GainPoint {
                        dataset: analysis.dataset(point.dataset).to_owned(),
                        ratio,
                        gain: -analysis.target.cost(own - base),
                    });
                }
            }
            if points.len() >= 3 {
                panels.push(plots::GainPanel {
                    name: format!(
                        "{}: {}",
                        analysis.model(comparison.model),
                        analysis.correction(best.correction)
                    ),
                    points,
                    trend: Vec::new(),
                });
            }
        }
        if panels.is_empty() {
            return Ok(());
        }
        let frame = Frame {
            name: "gain".to_owned(),
            model: None,
            calibration: false,
            heading: "Gain against imbalance ratio on real datasets".to_owned(),
            note:
                "The best-ranked correction of each model against no correction, one dot a dataset \
                   at its natural ratio."
                    .to_owned(),
        };
        let data = plots::GainScatter {
            panels,
            trend_name: String::new(),
        };
        self.add(frame, |theme| plots::gain_scatter(&data, theme))
    }

    /// Difference of each correction to none on each dataset.
    fn heat_map(&mut self, comparison: &Comparison) -> Result<()> {
        let analysis = self.analysis;
        let Some(baseline) = analysis.baseline else {
            return Ok(());
        };
        let model = comparison.model;
        let mut columns: Vec<usize> = comparison.against.iter().map(|a| a.correction).collect();
        let all = columns.len();
        columns.truncate(MOST_COLUMNS);
        let difference = |dataset: usize, correction: usize| {
            mean(
                analysis
                    .points
                    .iter()
                    .enumerate()
                    .filter_map(|(index, point)| {
                        let value = |c| analysis.cube.value(model, index, c);
                        (point.dataset == dataset).then_some(())?;
                        Some(value(correction)? - value(baseline)?)
                    }),
            )
        };
        let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
        for (dataset, info) in analysis.datasets.iter().enumerate() {
            let cells: Vec<Option<f64>> = columns
                .iter()
                .map(|&correction| difference(dataset, correction))
                .collect();
            if cells.iter().any(Option::is_some) {
                rows.push((info.id.clone(), cells));
            }
        }
        if rows.is_empty() || columns.is_empty() {
            return Ok(());
        }
        let note = if columns.len() < all {
            format!(
                "The {MOST_COLUMNS} corrections with the largest gains of {all}, largest first."
            )
        } else {
            "Corrections by their mean difference, largest gain first; means over the ratios of a \
             dataset."
                .to_owned()
        };
        let frame = self.frame(
            "heat",
            model,
            "Difference to no correction, dataset by dataset",
            &note,
        );
        let (rows, cells) = rows.into_iter().unzip();
        let data = plots::HeatMap {
            measure: analysis.target.name.clone(),
            rows,
            columns: columns
                .iter()
                .map(|&c| analysis.correction(c).to_owned())
                .collect(),
            cells,
            missing: "not applicable, or no value on some fold".to_owned(),
            by: ["dataset", "correction"].map(str::to_owned),
            baseline: analysis.correction(baseline).to_owned(),
        };
        self.add(frame, |theme| plots::heat_map(&data, theme))
    }

    /// Mean ranks with the groups that no test tells apart.
    fn ranks(&mut self, comparison: &Comparison) -> Result<()> {
        let counted: Vec<_> = comparison
            .ranked
            .iter()
            .filter(|ranked| ranked.same_as.is_none())
            .collect();
        if counted.len() < 2 || comparison.pairs.is_empty() {
            return Ok(());
        }
        let place = |c: &usize| counted.iter().position(|ranked| ranked.correction == *c);
        let data = plots::CriticalDifference {
            methods: counted
                .iter()
                .map(|r| {
                    (
                        self.analysis.correction(r.correction).to_owned(),
                        r.mean_rank,
                    )
                })
                .collect(),
            cliques: comparison
                .cliques
                .iter()
                .map(|clique| clique.iter().filter_map(place).collect())
                .collect(),
            critical_difference: None,
            datasets: comparison.datasets.len(),
            test: "Wilcoxon with Holm".to_owned(),
        };
        let note = if comparison.underpowered {
            "Underpowered: no pair could have differed significantly with so few independent \
             datasets, so the bar says nothing."
        } else {
            "Related datasets count as one in the tests. Corrections that agree on every dataset are \
             shown once."
        };
        let frame = self.frame("ranks", comparison.model, "Mean ranks", note);
        self.add(frame, |theme| plots::critical_difference(&data, theme))
    }

    /// The multi-comparison matrix of the best-ranked corrections.
    fn pairs(&mut self, comparison: &Comparison) -> Result<()> {
        let mut shown: Vec<usize> = comparison
            .ranked
            .iter()
            .filter(|ranked| ranked.same_as.is_none())
            .map(|ranked| ranked.correction)
            .collect();
        let all = shown.len();
        if all < 2 || comparison.pairs.is_empty() {
            return Ok(());
        }
        if all > MOST_COMPARED {
            let baseline = self
                .analysis
                .baseline
                .filter(|baseline| shown.contains(baseline));
            shown.truncate(MOST_COMPARED);
            if let Some(baseline) = baseline.filter(|baseline| !shown.contains(baseline)) {
                shown.pop();
                shown.push(baseline);
            }
        }
        let cell = |row: usize, column: usize| {
            let found = |a, b| {
                comparison
                    .pairs
                    .iter()
                    .find(|pair| (pair.a, pair.b) == (a, b))
            };
            let straight = found(row, column).map(|pair| plots::Comparison {
                difference: pair.mean_difference,
                wins: pair.wins,
                ties: pair.ties,
                losses: pair.losses,
                p: Some(pair.p_holm),
            });
            straight.or_else(|| {
                found(column, row).map(|pair| plots::Comparison {
                    difference: -pair.mean_difference,
                    wins: pair.losses,
                    ties: pair.ties,
                    losses: pair.wins,
                    p: Some(pair.p_holm),
                })
            })
        };
        let data = plots::ComparisonMatrix {
            methods: shown
                .iter()
                .map(|&c| self.analysis.correction(c).to_owned())
                .collect(),
            cells: shown
                .iter()
                .map(|&row| shown.iter().map(|&column| cell(row, column)).collect())
                .collect(),
            level: 0.05,
            test: "Wilcoxon with Holm over all pairs of the model".to_owned(),
        };
        let note = if shown.len() < all {
            format!(
                "The {} best ranked of {all}, with no correction.",
                shown.len()
            )
        } else {
            String::new()
        };
        let frame = self.frame(
            "pairs",
            comparison.model,
            "Every correction against every other",
            &note,
        );
        self.add(frame, |theme| plots::comparison_matrix(&data, theme))
    }

    /// Recall of frequent, medium and rare classes over the datasets of the common ranking.
    fn recalls(&mut self, comparison: &Comparison) -> Result<()> {
        let analysis = self.analysis;
        let groups = ["many_recall", "medium_recall", "few_recall"].map(|id| analysis.metric(id));
        // The same datasets for all corrections of a group, or the group compares datasets.
        let of = |correction: usize, metric: Option<usize>| -> Option<plots::Estimate> {
            let metric = metric?;
            let value = |point: usize, correction: usize| {
                let summary = analysis.cube.get(comparison.model, point, correction)?;
                summary.means.get(metric).copied().flatten()
            };
            let shared: Vec<Vec<usize>> = comparison
                .datasets
                .iter()
                .map(|&dataset| {
                    (0..analysis.points.len())
                        .filter(|&p| analysis.points.get(p).is_some_and(|x| x.dataset == dataset))
                        .filter(|&p| {
                            comparison
                                .ranked
                                .iter()
                                .all(|r| value(p, r.correction).is_some())
                        })
                        .collect()
                })
                .collect();
            let means = shared
                .iter()
                .filter_map(|points| mean(points.iter().filter_map(|&p| value(p, correction))));
            mean(means).map(|mean| (mean, None))
        };
        let rows: Vec<plots::RecallRow> = comparison
            .ranked
            .iter()
            .map(|ranked| {
                let [many, medium, few] = groups.map(|group| of(ranked.correction, group));
                let correction = analysis.correction(ranked.correction).to_owned();
                plots::RecallRow {
                    correction,
                    many,
                    medium,
                    few,
                }
            })
            .collect();
        // One group alone has nothing to be compared with.
        let groups_present = |row: &plots::RecallRow| {
            [row.many, row.medium, row.few]
                .iter()
                .filter(|group| group.is_some())
                .count()
        };
        if rows.len() < 2 || rows.iter().all(|row| groups_present(row) < 2) {
            return Ok(());
        }
        let data = plots::RecallDots {
            scope: analysis.model(comparison.model).to_owned(),
            groups: ["100 and more", "20 to 99", "below 20"].map(str::to_owned),
            rows,
        };
        let frame = self.frame(
            "recall",
            comparison.model,
            "Recall by the training count of the class",
            "Means over the datasets that all ranked corrections share; a group's mean is over those \
             that have classes in it.",
        );
        self.add(frame, |theme| plots::recall_dots(&data, theme))
    }

    /// Gains taken apart into threshold and ranking.
    fn effects(&mut self, comparison: &Comparison) -> Result<()> {
        let analysis = self.analysis;
        let estimate = |part: &Part| (part.mean, part.interval.map(|i| (i.lower, i.upper)));
        let mut rows: Vec<plots::EffectRow> = analysis
            .effects
            .iter()
            .filter(|effect| effect.model == comparison.model)
            .map(|effect| plots::EffectRow {
                correction: analysis.correction(effect.correction).to_owned(),
                threshold: estimate(&effect.threshold),
                ranking: estimate(&effect.ranking),
                gain: estimate(&effect.gain),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let all = rows.len();
        rows.sort_by(|a, b| b.gain.0.total_cmp(&a.gain.0));
        rows.truncate(MOST_COLUMNS);
        let mut note = "Means over datasets with 95 % intervals. Threshold alone: what the best offsets on \
                        the test rows would win on the scores of no correction; an oracle, never ranked. \
                        Ranking: what the correction's scores win beyond any offsets."
            .to_owned();
        if rows.len() < all {
            note =
                format!("The {MOST_COLUMNS} corrections with the largest gains of {all}. {note}");
        }
        let data = plots::EffectDots {
            scope: analysis.model(comparison.model).to_owned(),
            rows,
        };
        let frame = self.frame(
            "effects",
            comparison.model,
            "Is it the correction, or just the threshold?",
            &note,
        );
        self.add(frame, |theme| plots::effect_dots(&data, theme))
    }

    /// From the honest error to what a resampler before the split would report.
    fn leaks(&mut self) -> Result<()> {
        let study = &self.analysis.leaks;
        let (mut leaks, mut models) = (study.leaks(), study.models());
        if leaks.is_empty() {
            return Ok(());
        }
        let mean_premium = |wanted: &dyn Fn(&LeakValue) -> bool| {
            let own = study.values.iter().filter(|value| wanted(value));
            mean(own.map(|value| value.balanced_error.premium())).unwrap_or(f64::NEG_INFINITY)
        };
        let mut left_out = Vec::new();
        if leaks.len() > MOST_LEAKS {
            left_out.push(format!(
                "the {MOST_LEAKS} largest premiums of {}",
                leaks.len()
            ));
            leaks.sort_by(|a, b| {
                mean_premium(&|v| v.leak == *b).total_cmp(&mean_premium(&|v| v.leak == *a))
            });
            leaks.truncate(MOST_LEAKS);
        }
        if models.len() > MOST_MODELS {
            left_out.push(format!(
                "the first {MOST_MODELS} models of {}",
                models.len()
            ));
            models.truncate(MOST_MODELS);
        }
        let datasets: BTreeSet<usize> = study.values.iter().map(|value| value.dataset).collect();
        let mut datasets: Vec<(usize, f64)> = datasets
            .into_iter()
            .map(|dataset| (dataset, mean_premium(&|value| value.dataset == dataset)))
            .collect();
        datasets.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        if datasets.len() > MOST_LEAKING {
            left_out.push(format!(
                "the {MOST_LEAKING} datasets of {} that leak most",
                datasets.len()
            ));
            datasets.truncate(MOST_LEAKING);
        }
        let arrow = |leak: &str, dataset: usize, model: &str| {
            let same = |v: &&LeakValue| v.leak == leak && v.dataset == dataset && v.model == model;
            let found = study.values.iter().find(same)?;
            Some((found.balanced_error.honest, found.balanced_error.reported))
        };
        let data = plots::LeakArrows {
            datasets: datasets
                .iter()
                .map(|(dataset, _)| self.analysis.dataset(*dataset).to_owned())
                .collect(),
            panels: leaks
                .iter()
                .map(|leak| plots::LeakPanel {
                    resample: (*leak).to_owned(),
                    arrows: datasets
                        .iter()
                        .map(|(dataset, _)| {
                            models
                                .iter()
                                .map(|model| arrow(leak, *dataset, model))
                                .collect()
                        })
                        .collect(),
                })
                .collect(),
            models: models.iter().map(|model| (*model).to_owned()).collect(),
        };
        let shown = if left_out.is_empty() {
            String::new()
        } else {
            format!(" Shown: {}.", left_out.join(", "))
        };
        let frame = Frame {
            name: LEAK.to_owned(),
            model: None,
            calibration: false,
            heading: "From the honest error to the reported one".to_owned(),
            note: format!(
                "A marker is the honest balanced error, the tip of its arrow what is reported when rows are \
                 resampled before the split. Datasets with the largest premium come first.{shown}"
            ),
        };
        self.add(frame, |theme| plots::leak_arrows(&data, theme))
    }

    /// Reliability before and after the prior shift, a panel a correction with probabilities of its own.
    fn reliability(&mut self, model: usize) -> Result<()> {
        let analysis = self.analysis;
        let mut curves: Vec<&ReliabilityCurve> = analysis
            .calibration
            .curves
            .iter()
            .filter(|curve| curve.model == model && !curve.fitted.is_empty())
            .collect();
        curves.sort_by_key(|curve| curve.correction);
        let baseline = analysis
            .baseline
            .and_then(|baseline| curves.iter().find(|curve| curve.correction == baseline));
        let baseline = baseline.map_or_else(Vec::new, |curve| curve.fitted.clone());
        // Decisions on one fit share its probabilities: one panel for all of them.
        let mut shown: Vec<&ReliabilityCurve> = Vec::new();
        let alike = |a: &ReliabilityCurve, b: &ReliabilityCurve| {
            a.fitted == b.fitted && a.corrected == b.corrected
        };
        for curve in curves {
            let plain = curve.fitted == baseline && curve.corrected.is_empty();
            if !plain && !shown.iter().any(|other| alike(other, curve)) {
                shown.push(curve);
            }
        }
        let all = shown.len();
        // Where the shift changes something comes first when there are too many.
        if all > MOST_PANELS {
            shown.sort_by_key(|curve| (curve.corrected.is_empty(), curve.correction));
            shown.truncate(MOST_PANELS);
            shown.sort_by_key(|curve| curve.correction);
        }
        if shown.is_empty() {
            return Ok(());
        }
        let datasets = shown.iter().map(|curve| curve.n_datasets).max();
        let mut note = format!(
            "Means over the {} with two classes, each with the same weight, rows weighted to the metric prior; the area \
             of a dot grows with the share of the weight in its bin. On the dashed diagonal probabilities mean what \
             they say. Corrections that share another's probabilities are left out; no blue curve where the \
             prior shift changes nothing.",
            plural(datasets.unwrap_or(0), "dataset")
        );
        if all > MOST_PANELS {
            note = format!("{MOST_PANELS} of {all} corrections. {note}");
        }
        let dots = |bins: &[CurveBin]| -> Vec<plots::ReliabilityDot> {
            bins.iter()
                .map(|bin| plots::ReliabilityDot {
                    share: bin.share,
                    predicted: bin.predicted,
                    observed: bin.observed,
                })
                .collect()
        };
        let data = plots::ReliabilityGrid {
            scope: analysis.model(model).to_owned(),
            baseline: dots(&baseline),
            panels: shown
                .into_iter()
                .map(|curve| plots::ReliabilityPanel {
                    correction: analysis.correction(curve.correction).to_owned(),
                    fitted: dots(&curve.fitted),
                    corrected: dots(&curve.corrected),
                })
                .collect(),
        };
        let frame = Frame {
            calibration: true,
            ..self.frame(
                "reliability",
                model,
                "Reliability before and after the prior correction",
                &note,
            )
        };
        self.add(frame, |theme| plots::reliability_grid(&data, theme))
    }

    /// Balanced error against the log loss of the probabilities as fitted.
    fn fronts(&mut self, model: usize) -> Result<()> {
        let analysis = self.analysis;
        let front = analysis.calibration.fronts.iter();
        let Some(front) = front.into_iter().find(|front| front.model == model) else {
            return Ok(());
        };
        let family = |correction: usize| {
            let info = analysis.corrections.get(correction);
            info.map_or_else(String::new, |info| info.family.clone())
        };
        let data = plots::CalibrationFront {
            scope: analysis.model(model).to_owned(),
            points: front
                .points
                .iter()
                .map(|point| plots::CalibrationPoint {
                    correction: analysis.correction(point.correction).to_owned(),
                    family: family(point.correction),
                    log_loss: point.log_loss,
                    error: point.balanced_error,
                    front: point.front,
                })
                .collect(),
        };
        let note = format!(
            "Means over the {} of the common ranking. Decisions and probabilities can be had from different corrections: \
             a decision rule on the scores of no correction leaves its probabilities as they are. Corrections that \
             agree in both values are shown once, those without probabilities not at all.",
            plural(front.n_datasets, "dataset")
        );
        let frame = Frame {
            calibration: true,
            ..self.frame(
                "calibration",
                model,
                "Balanced error against calibration",
                &note,
            )
        };
        self.add(frame, |theme| plots::calibration_front(&data, theme))
    }

    /// Balanced error against time.
    fn costs(&mut self, comparison: &Comparison) -> Result<()> {
        let analysis = self.analysis;
        let datasets: BTreeSet<usize> = comparison.datasets.iter().copied().collect();
        let points: Vec<plots::CostPoint> = comparison
            .ranked
            .iter()
            .filter_map(|ranked| {
                let own = analysis.own_datasets(comparison.model, ranked.correction);
                let seconds = mean(own.iter().filter(|(d, _)| datasets.contains(d)).filter_map(
                    |(_, points)| {
                        mean(points.iter().filter_map(|&point| {
                            analysis
                                .cube
                                .get(comparison.model, point, ranked.correction)?
                                .seconds
                        }))
                    },
                ))?;
                (seconds > 0.0).then(|| plots::CostPoint {
                    correction: analysis.correction(ranked.correction).to_owned(),
                    seconds,
                    seconds_band: None,
                    error: ranked.mean_value,
                    error_band: None,
                })
            })
            .collect();
        if points.len() < 2 {
            return Ok(());
        }
        let data = plots::CostBenefit {
            scope: analysis.model(comparison.model).to_owned(),
            points,
        };
        let frame = self.frame(
            "cost",
            comparison.model,
            &format!("{} against time", analysis.target.title()),
            "Mean seconds of resampling, fitting, cross-fitting and deciding a cell. Work that cells \
             share is counted in each, so corrections that share a fit cost less together.",
        );
        self.add(frame, |theme| plots::cost_benefit(&data, theme))
    }
}

fn ratio_data(analysis: &Analysis, curves: &[&RatioCurve]) -> plots::RatioCurves {
    let mut panels = Vec::new();
    for model in 0..analysis.models.len() {
        let own: Vec<&&RatioCurve> = curves.iter().filter(|curve| curve.model == model).collect();
        let Some(first) = own.first() else { continue };
        let bayes = own.iter().max_by_key(|curve| curve.bayes.len());
        panels.push(plots::RatioPanel {
            model: analysis.model(model).to_owned(),
            // The heading of the page says the subject once for all panels; the file is read alone.
            note: if panels.is_empty() {
                first.subject.clone()
            } else {
                String::new()
            },
            lines: own
                .iter()
                .map(|curve| plots::RatioLine {
                    correction: analysis.correction(curve.correction).to_owned(),
                    points: curve
                        .points
                        .iter()
                        .map(|point| plots::RatioPoint {
                            ratio: point.ratio,
                            value: point.mean,
                            band: point.band,
                        })
                        .collect(),
                })
                .collect(),
            bayes: bayes.map(|curve| curve.bayes.clone()).unwrap_or_default(),
        });
    }
    plots::RatioCurves {
        measure: plots::Measure::Metric,
        panels,
    }
}
