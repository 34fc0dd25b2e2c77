//! What a fit gives beside its records: the choice of its learner from a grid, bounds of what its scores
//! can reach, curves over many decisions, and kept scores.

use counterweight_core::side_table::{
    Bins, CellBins, CellCurve, CellReliability, CellScores, Side,
};
use counterweight_core::{
    Calib, CellId, ClassCounts, Confusion, Deadline, DecideContext, Decided, Details, Judged, Note,
    Prior, ScoreKind, ScoredRows, Scores, StageError, StageResult,
};
use counterweight_numeric::offsets::OffsetRules;

use super::guard::{Budget, guarded};
use super::judge::{self, Verdict};
use super::unit::{Choices, Inner, Resampled, Scored, Work};
use crate::config::sweep::{Correction, Curve, Select};
use crate::plan::FitGroup;

/// Rounds of the oracle's ascent for more than two classes.
const ORACLE_ROUNDS: usize = 5;

/// Values of a metric closer than this are equal, and the first point of the grid stands.
const EQUAL: f64 = 1e-12;

/// The learner of a cell.
pub(super) struct Chosen {
    /// Its place among the candidates.
    pub(super) at: usize,
    pub(super) details: Details,
    pub(super) notes: Vec<Note>,
    /// Seconds of cross-fitting and judging all that there is to choose from.
    pub(super) seconds: f64,
}

impl Chosen {
    /// Where there is nothing to choose.
    pub(super) fn only() -> Self {
        Self {
            at: 0,
            details: Details::new(),
            notes: Vec::new(),
            seconds: 0.0,
        }
    }
}

impl Work<'_> {
    /// Chooses the learner of a correction: each point of the grid is cross-fitted with the correction's
    /// own resample and loss stages, its decision is fitted and made on the out-of-fold scores, and the
    /// metric decides. Test rows have no part in it.
    pub(super) fn choose(
        &self,
        (fit, correction): (&FitGroup, &Correction),
        resampled: &Resampled,
        choices: &mut Choices,
        (budget, inner): (Budget, &Inner),
    ) -> StageResult<Chosen> {
        let Some(select) = &self.model(fit).select else {
            return Ok(Chosen::only());
        };
        let train = self.data.outer.train.counts();
        let prior = self
            .terms(fit, &resampled.seen, &train)?
            .scores_prior_of(&resampled.train.class_mass());
        let lower = self
            .plan
            .metric(select.metric)
            .and_then(|metric| metric.entry.caps.lower_is_better)
            .unwrap_or(true);
        let mut best: Option<(usize, f64)> = None;
        let mut chosen = Chosen::only();
        let mut first_error = None;
        for at in 0..select.candidates.len() {
            if choices.crossfitted[at].is_none() {
                let left = budget.after(chosen.seconds);
                choices.crossfitted[at] = Some(self.cross_fit((fit, at), left, inner));
            }
            let Some((calib, seconds)) = &choices.crossfitted[at] else {
                continue;
            };
            chosen.seconds += seconds;
            let value = match calib {
                Ok((calib, _)) => {
                    let deadline = budget.after(chosen.seconds).deadline();
                    let (value, seconds) = guarded(deadline, || {
                        self.value_of(select, correction, (calib, prior.as_ref()), &train)
                    });
                    chosen.seconds += seconds;
                    value
                }
                Err(error) => Err(error.clone()),
            };
            match value {
                // What is chosen does not depend on how fast a machine is.
                Err(error @ (StageError::Timeout(_) | StageError::OutOfMemory(_))) => {
                    return Err(error);
                }
                Ok(value) => {
                    chosen
                        .details
                        .insert(format!("candidate_metric[{at}]"), value);
                    let better = best.is_none_or(|(_, found)| {
                        if lower {
                            value < found - EQUAL
                        } else {
                            value > found + EQUAL
                        }
                    });
                    if better {
                        best = Some((at, value));
                    }
                }
                Err(error) => {
                    chosen.notes.push(Note::Remark(format!(
                        "`{}` was no candidate: {error}",
                        select.candidates[at].canonical()
                    )));
                    first_error.get_or_insert(error);
                }
            }
        }
        let Some((at, _)) = best else {
            return Err(first_error.unwrap_or_else(|| {
                StageError::Failed("no point of the grid could be judged".into())
            }));
        };
        chosen.at = at;
        chosen.details.insert("selected".into(), at as f64);
        for (key, value) in select.candidates[at].params.iter() {
            let grid = &select.candidates[at].grid;
            if grid.contains(&key)
                && let Some(value) = value.as_real()
            {
                chosen.details.insert(format!("selected_{key}"), value);
            }
        }
        Ok(chosen)
    }

    /// The metric of a correction's decisions on out-of-fold scores.
    fn value_of(
        &self,
        select: &Select,
        correction: &Correction,
        (calib, prior): (&Calib, Option<&Prior>),
        train: &ClassCounts,
    ) -> StageResult<f64> {
        let decide = &correction.decide.method;
        let needs = decide.needs();
        let id = correction.decide.entry.card.id;
        if needs.linear_head {
            return Err(StageError::NotApplicable(format!(
                "`{id}` cannot be judged on out-of-fold scores, which have no linear head"
            )));
        }
        let metric = self
            .plan
            .metric(select.metric)
            .ok_or_else(|| StageError::Failed(format!("there is no metric {}", select.metric)))?;
        let weights = calib.labels().weights();
        let rows = ScoredRows {
            scores: calib.scores(),
            prior,
            source: &format!("`{}`", correction.loss.entry.card.id),
            head: None,
            weights: weights.as_deref(),
            calib: Some(calib),
            train,
        };
        let Decided {
            decisions,
            rescored,
            ..
        } = rows.decide(id, &**decide)?;
        let (scores, prior) = match &rescored {
            Some(rescored) => (&rescored.scores, rescored.prior.as_ref()),
            None => (calib.scores(), prior),
        };
        // Out-of-fold rows have the training shares, so they need no weights but their own, but scores that were
        // learnt under another prior need to be brought to it.
        let no_rows = || StageError::Failed("no training rows".into());
        let target = train.prior().ok_or_else(no_rows)?;
        let mapped: Option<Scores> = match (prior, scores.kind()) {
            (Some(prior), ScoreKind::Probability) => Some(scores.shift_prior(prior, &target)?),
            (None, ScoreKind::Probability) => Some(scores.clone()),
            _ => None,
        };
        let weights = weights.unwrap_or_else(|| vec![1.0; calib.labels().len()]);
        let judged = Judged::new(calib.labels(), &decisions, mapped.as_ref(), &weights, train)?;
        let value = metric.method.value(&judged).map_err(StageError::Failed)?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(StageError::Failed(format!("{} is {value}", select.metric)))
        }
    }

    /// A fit with what its scores reach, within what is left of the `budget` that the fit began with.
    pub(super) fn with_bounds(&self, mut scored: Scored, budget: Budget) -> StageResult<Scored> {
        let deadline = budget.after(scored.spent).deadline();
        let (bounds, seconds) = guarded(deadline, || Ok(self.bounds(&scored)));
        let own = std::mem::replace(&mut scored.details, bounds?);
        scored.details.extend(own);
        scored.spent += seconds;
        Ok(scored)
    }

    /// What the fit's own scores reach with no decision stage, with the prior rule and with the best
    /// offsets on these very test rows. The last is an oracle: it tells how much a threshold could win,
    /// and is never a result.
    fn bounds(&self, scored: &Scored) -> Details {
        let mut details = Details::new();
        let test = self.data.outer.test.labels();
        if scored.scores.kind() == ScoreKind::Vote {
            return details;
        }
        let Ok(rules) = OffsetRules::new(&scored.scores, test) else {
            return details;
        };
        let zero = vec![0.0; scored.scores.n_classes()];
        // The centre comes first: it moves with constants of the scores' classes, and so does what is found.
        let centre = centre(&scored.scores);
        let mut starts: Vec<&[f64]> = vec![&centre, &zero];
        let logs: Option<Vec<f64>> = scored.prior.as_ref().map(|prior| {
            let log = |p: &f64| if *p > 0.0 { p.ln() } else { 0.0 };
            prior.as_slice().iter().map(log).collect()
        });
        starts.extend(logs.as_deref());
        let values = [
            ("argmax_balanced_error", rules.balanced_error(&zero)),
            (
                "prior_rule_balanced_error",
                logs.as_deref().and_then(|logs| rules.balanced_error(logs)),
            ),
            (
                "oracle_balanced_error",
                rules.least_balanced_error(&starts, ORACLE_ROUNDS),
            ),
            (
                "oracle_transfer_balanced_error",
                rules.transferred_balanced_error(&starts, ORACLE_ROUNDS),
            ),
        ];
        for (name, value) in values {
            details.extend(value.map(|value| (name.to_owned(), value)));
        }
        details
    }

    /// What the sweep asks for beside the record of `cell`.
    ///
    /// # Errors
    /// A passed deadline.
    pub(super) fn beside(
        &self,
        fit: &FitGroup,
        cell: usize,
        scored: &Scored,
        verdict: &Verdict<'_>,
    ) -> StageResult<Vec<Side>> {
        let mut beside = Vec::new();
        for (curve, _) in fit.curves.iter().filter(|(_, host)| *host == cell) {
            let curve = &self.plan.sweep.curves[*curve];
            // A curve that cannot be drawn on this fit (no prior, votes, more classes) is an empty one:
            // known, and without points.
            let drawn = guarded(Deadline::current(), || self.draw(curve, scored)).0;
            if let Err(error @ StageError::Timeout(_)) = drawn {
                return Err(error);
            }
            let curve = CellCurve {
                cell: self.plan.cells[cell].id.clone(),
                curve: curve.id.clone(),
                ..drawn.unwrap_or_else(|_not_drawn| empty())
            };
            beside.push(Side::Curve(curve));
        }
        if self.plan.sweep.protocol.keep_scores
            && let Ok(decisions) = &verdict.decided
        {
            let scores = match &verdict.rescored {
                Some(rescored) => &rescored.scores,
                None => verdict.scores,
            };
            let rows = self.plan.test_rows(self.unit);
            let scores = CellScores {
                cell: self.plan.cells[cell].id.clone(),
                rows: rows.iter().map(|&row| row as u64).collect(),
                labels: verdict.test.labels().ids().to_vec(),
                scores: scores.log().as_slice().iter().map(|s| s.exp()).collect(),
                decisions: decisions.as_slice().to_vec(),
            };
            beside.push(Side::Scores(scores));
        }
        Ok(beside)
    }

    /// Keeps the reliability bins of `cell`: once in full for each set of probabilities of the fit, whose
    /// first cells are `hosts`. Gives whether that could be done.
    pub(super) fn keep_bins(
        &self,
        cell: usize,
        bins: Option<&CellBins>,
        hosts: &mut Vec<(CellId, CellBins)>,
    ) -> bool {
        let Some(bins) = bins else { return true };
        let id = &self.plan.cells[cell].id;
        let host = hosts.iter().find(|(_, host)| host == bins);
        let bins = if let Some((host, _)) = host {
            Bins::As(host.clone())
        } else {
            hosts.push((id.clone(), bins.clone()));
            Bins::Own(bins.clone())
        };
        self.tally.keep_beside(&Side::Reliability(CellReliability {
            cell: id.clone(),
            bins,
        }))
    }

    /// Draws a curve on a fit.
    fn draw(&self, curve: &Curve, scored: &Scored) -> StageResult<CellCurve> {
        let train = self.data.outer.train.counts();
        let context = DecideContext {
            scores_prior: scored.prior.as_ref(),
            train: &train,
        };
        let id = curve.decide.entry.card.id;
        let not = |why: &str| StageError::NotApplicable(format!("no curve of `{id}`: {why}"));
        if scored.scores.kind() == ScoreKind::Vote {
            return Err(not("the model gives votes"));
        }
        let line = curve
            .decide
            .method
            .line(&context)?
            .filter(|line| line.parameter == curve.parameter)
            .ok_or_else(|| not("it is no line in that parameter"))?;
        let values = curve.values();
        let points: Vec<Vec<f64>> = values.iter().map(|&value| line.offsets(value)).collect();
        let test = self.data.outer.test.labels();
        let weights = judge::class_weights(self.plan, self.unit).map_err(StageError::Failed)?;
        let mut drawn = empty();
        let metrics = CURVE_METRICS.map(|id| (id, self.plan.metric(id)));
        let mut last: Option<Confusion> = None;
        OffsetRules::new(&scored.scores, test)?.along(&points, |at, counts| {
            if last.as_ref() == Some(counts)
                && let (Some(to), Some(n)) = (drawn.to.last_mut(), drawn.points.last_mut())
            {
                *to = values[at];
                *n += 1;
                return;
            }
            drawn.from.push(values[at]);
            drawn.to.push(values[at]);
            drawn.points.push(1);
            let weighed = counts.weighing(&weights);
            for (id, metric) in &metrics {
                let value = metric.and_then(|metric| metric.method.of_decisions(&weighed, &train));
                let value = value.and_then(Result::ok).filter(|v| v.is_finite());
                drawn.metrics.entry((*id).into()).or_default().push(value);
            }
            last = Some(counts.clone());
        });
        Ok(drawn)
    }
}

fn empty() -> CellCurve {
    CellCurve {
        cell: CellId(String::new()),
        curve: String::new(),
        from: Vec::new(),
        to: Vec::new(),
        points: Vec::new(),
        metrics: CURVE_METRICS.map(|id| (id.to_owned(), Vec::new())).into(),
    }
}

/// The metrics of a curve: those that counts give at once. Those of all rows are at the metric prior.
const CURVE_METRICS: [&str; 5] = [
    "balanced_error",
    "error_rate",
    "g_mean",
    "macro_f1",
    "worst_recall",
];
/// The mean log score of each class against the mean of its row, over the rows whose scores are all finite.
fn centre(scores: &Scores) -> Vec<f64> {
    let (mut centre, mut n) = (vec![0.0; scores.n_classes()], 0.0);
    for row in scores
        .log()
        .iter_rows()
        .filter(|row| row.iter().all(|s| s.is_finite()))
    {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        n += 1.0;
        for (c, s) in centre.iter_mut().zip(row) {
            *c += (s - mean - *c) / n;
        }
    }
    centre
}
