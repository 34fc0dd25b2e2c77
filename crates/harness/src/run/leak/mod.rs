//! What leakage would claim: each `[[leak]]` of the sweep, measured beside the honest protocol.
//!
//! A leaky notebook prepares and resamples all its rows, splits what comes out, fits, and scores the test
//! part, copies and synthetic rows included. Three numbers take its premium apart:
//!
//! | number | fitted on | scored on |
//! |---|---|---|
//! | reported | resampled training part | resampled test part |
//! | original rows | the same fit | rows of the original data that it was not fitted on |
//! | honest | training part, resampled after the split | original test part |
//!
//! The second less the first is what scoring on resampled rows hides; the third less the second is what the
//! fit knows of its test rows. Rows that the resampler dropped are dealt to the test parts of the second: a
//! method that cleans hard rows away must not be judged without them.
//!
//! Results go to the side files and never become records. The conversion that makes test rows of resampled
//! rows is in a module of its own, out of reach of everything that runs an arm:
//!
//! ```compile_fail
//! use counterweight_harness::run::leak::resample_before_split::ResampledBeforeSplit; // private
//! ```

mod resample_before_split;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use counterweight_core::side_table::{LEAK_METRICS, LeakClaim, Side};
use counterweight_core::{Dataset, Note, Outcome, StageError, StageResult, StreamKey};
use counterweight_data::profile::{Ratio, counts_within, thin};
use rayon::prelude::*;

use self::resample_before_split::{Fit, Numbers, ResampledBeforeSplit, Turns};
use super::guard::{Budget, guarded};
use super::judge::{self, Shown};
use super::memory::Ceiling;
use super::prepare::UnitData;
use super::unit::{Resampled, Turn, Work};
use super::{Outlets, RunError, Tally, failure};
use crate::config::sweep::{Correction, RatioSpec, SplitSpec};
use crate::plan::{Claim, FitGroup, InputKind, Plan, ResampleGroup, Unit};

/// Measures every claim for which `todo` is true, on `jobs` threads; gives whether it was told to stop
/// before the end. Claims do not depend on `jobs`, on the order of work, or on which of them are to do.
///
/// # Errors
/// [`RunError`] when threads cannot be started or a claim cannot be kept.
pub fn measure(
    plan: &Plan,
    todo: &[bool],
    jobs: usize,
    outlets: Outlets<'_>,
) -> Result<bool, RunError> {
    let pool = super::pool(jobs, outlets.control)?;
    // By split and leak: these share the resampled rows of both sides.
    let mut groups: BTreeMap<(usize, usize), Vec<&Claim>> = BTreeMap::new();
    for (claim, _) in plan.claims.iter().zip(todo).filter(|(_, todo)| **todo) {
        let key = (claim.unit, claim.leak);
        groups.entry(key).or_default().push(claim);
    }
    let mut units: BTreeMap<usize, Vec<Vec<&Claim>>> = BTreeMap::new();
    for ((unit, _), claims) in groups {
        units.entry(unit).or_default().push(claims);
    }
    let units: Vec<(usize, Vec<Vec<&Claim>>)> = units.into_iter().collect();
    let tally = Tally::new(outlets, Ceiling::new(plan, jobs));
    let kept = AtomicUsize::new(0);
    pool.install(|| {
        units.par_iter().with_max_len(1).for_each(|(unit, leaks)| {
            if tally.stopped() {
                return;
            }
            let unit = &plan.units[*unit];
            let deadline = Budget::new(plan.sweep.protocol.timeout).deadline();
            let data = guarded(deadline, || UnitData::new(plan, unit)).0;
            leaks.par_iter().with_max_len(1).for_each(|claims| {
                if !tally.stopped() {
                    let at = Site {
                        plan,
                        unit,
                        tally: &tally,
                    };
                    kept.fetch_add(at.measure(&data, claims), Ordering::Relaxed);
                }
            });
        });
    });
    let wanted = todo.iter().filter(|wanted| **wanted).count();
    let left = tally.finish(0)?.left;
    Ok(kept.into_inner() + left < wanted)
}

/// Those of some metrics that are kept.
fn kept(metrics: Vec<(String, f64)>) -> BTreeMap<String, f64> {
    metrics
        .into_iter()
        .filter(|(name, _)| LEAK_METRICS.contains(&name.as_str()))
        .collect()
}

/// A split, and where its claims go.
struct Site<'a> {
    plan: &'a Plan,
    unit: &'a Unit,
    tally: &'a Tally<'a>,
}

impl Site<'_> {
    /// Measures claims that share their resampled rows; gives how many were kept.
    fn measure(&self, data: &StageResult<UnitData>, claims: &[&Claim]) -> usize {
        let mut kept = 0;
        let mut keep = |claim: LeakClaim| {
            kept += usize::from(self.tally.keep_beside(&Side::Leak(claim)));
        };
        let (settled, open): (Vec<&Claim>, Vec<&Claim>) =
            claims.iter().partition(|claim| claim.settled.is_some());
        for claim in settled {
            if let Some((outcome, reason)) = &claim.settled {
                keep(nothing(claim, *outcome, reason));
            }
        }
        let Some(first) = open.first() else {
            return kept;
        };
        let data = match data {
            Ok(data) => data,
            Err(error) => {
                let (outcome, reason) = failure("prepare", error);
                for claim in open {
                    keep(nothing(claim, outcome, &reason));
                }
                return kept;
            }
        };
        let plan = self.plan;
        // The resampler as it runs on these columns (`smote` becomes `smote-nc`).
        let arm = Correction {
            resample: first.resampler.clone(),
            ..plan.sweep.leaks[first.leak].arm.clone()
        };
        let budget = Budget::new(plan.sweep.protocol.timeout);
        let group = ResampleGroup {
            resampler: arm.resample.clone(),
            fits: Vec::new(),
        };
        let work = Work {
            plan,
            unit: self.unit,
            data,
            group: &group,
            arm: Some(&arm),
            todo: &[],
            tally: self.tally,
        };
        let (resampled, seconds) = work.resample(&data.outer, budget, None);
        // What the honest side cannot afford, the leaky one cannot either.
        let leaky = match &resampled {
            Err(error @ StageError::OutOfMemory(_)) => Err(error.clone()),
            _ => self.resample_before_split(data, &arm, budget),
        };
        for claim in open {
            if self.tally.stopped() {
                break;
            }
            let model = &plan.sweep.models[claim.model];
            let honest = resampled
                .as_ref()
                .map_err(|error| ("resample", error.clone()))
                .and_then(|resampled| {
                    let budget = budget.after(seconds);
                    honest(&work, claim.model, resampled, budget).map_err(|error| ("fit", error))
                });
            let leaky = leaky
                .as_ref()
                .map_err(|error| ("resample", error.clone()))
                .and_then(|rows| {
                    if let Err((stage, error @ StageError::OutOfMemory(_))) = &honest {
                        return Err((*stage, error.clone()));
                    }
                    let fit = Fit {
                        plan,
                        model,
                        arm: &arm,
                        budget,
                        unit: self.unit,
                    };
                    rows.measure(fit).map_err(|error| ("fit", error))
                });
            keep(claimed(claim, &self.unit.notes, leaky, honest));
        }
        kept
    }

    /// The rows of the leaky side. A population's notebook has the training draw and splits it; a real
    /// one has all rows, at the ratio that is asked for, and the fold is the one of the same number.
    fn resample_before_split(
        &self,
        data: &UnitData,
        arm: &Correction,
        budget: Budget,
    ) -> StageResult<ResampledBeforeSplit> {
        let Self { plan, unit, .. } = *self;
        let input = &plan.inputs[unit.input];
        let protocol = &plan.sweep.protocol;
        let seed = plan.sweep.seed;
        let ratio = match unit.ratio {
            RatioSpec::Natural => "natural".to_owned(),
            RatioSpec::Induced(ratio) => ratio.to_string(),
        };
        if unit.shifted || self.holds_evenly() {
            let reason =
                "the test rows are drawn to shares of their own: there is nothing to split again";
            return Err(StageError::NotApplicable(reason.into()));
        }
        if unit.table.is_some() {
            let reason = "a ladder holds its test rows: there is nothing to split again";
            return Err(StageError::NotApplicable(reason.into()));
        }
        let own: Dataset;
        // Folds of a repeat share their rows, so that no key but the learner's may know the fold.
        let (pool, key, turns) = match &input.kind {
            InputKind::Population(_) => {
                let turns = Turns::All(protocol.split);
                own = data.raw_train();
                (&own, unit.key.clone(), turns)
            }
            InputKind::Real(whole) => {
                let key = format!(
                    "{}|{}|ratio={ratio}|repeat={}",
                    input.hash.hex(),
                    unit.profile,
                    unit.repeat
                );
                let turns = match input.pair_train {
                    None => Turns::Only(protocol.split, unit.fold),
                    // Somebody's split, undone: as many test rows as it has.
                    Some(n_train) => {
                        let share = 1.0 - n_train as f64 / whole.n_rows() as f64;
                        Turns::Only(SplitSpec::HoldOut(share), 0)
                    }
                };
                let RatioSpec::Induced(ratio) = unit.ratio else {
                    return self.resampled((whole, turns), arm, budget, &key);
                };
                let failed =
                    |error: &dyn std::fmt::Display| StageError::NotApplicable(error.to_string());
                let profile = plan.sweep.datasets[input.spec].profile;
                let thinning = unit.thinning.unwrap_or_else(|| profile.into());
                let stream = seed.stage("leak imbalance").text(&key);
                let everything: Vec<usize> = (0..whole.n_rows()).collect();
                let ratio = Ratio::new(ratio).map_err(|error| failed(&error))?;
                let target = counts_within(thinning, &whole.labels().counts(), ratio)
                    .map_err(|error| failed(&error))?;
                let rows = thin(whole.labels(), &everything, &target, &stream)
                    .map_err(|error| failed(&error))?;
                own = whole.select(&rows);
                (&own, key, turns)
            }
        };
        self.resampled((pool, turns), arm, budget, &key)
    }

    /// Whether the test rows were held out with equal shares.
    fn holds_evenly(&self) -> bool {
        let input = &self.plan.inputs[self.unit.input];
        match input.kind {
            InputKind::Real(_) => self.plan.sweep.datasets[input.spec]
                .test_per_class
                .is_some(),
            InputKind::Population(_) => false,
        }
    }

    fn resampled(
        &self,
        (pool, turns): (&Dataset, Turns),
        arm: &Correction,
        budget: Budget,
        key: &str,
    ) -> StageResult<ResampledBeforeSplit> {
        let Self { plan, unit, .. } = *self;
        let method = arm.rows_canonical();
        let stream =
            |stage: &str| -> StreamKey { plan.sweep.seed.stage(stage).text(&method).text(key) };
        let keys = [
            stream("leak resample"),
            stream("leak split"),
            stream("leak learner").number(unit.fold),
        ];
        let preprocess = plan.inputs[unit.input].preprocess;
        let small_class = plan.sweep.protocol.small_class;
        let deadline = budget.deadline();
        let rows = || {
            let pool = (pool, preprocess);
            ResampledBeforeSplit::new(
                pool,
                (arm, &plan.catalogue),
                turns,
                (small_class, budget),
                keys,
            )
        };
        guarded(deadline, rows).0
    }
}

/// The metrics and notes of the honest protocol: what the record of the same arm holds.
type Honest = (BTreeMap<String, f64>, Vec<Note>);

fn honest(
    work: &Work<'_>,
    model: usize,
    resampled: &Resampled,
    budget: Budget,
) -> StageResult<Honest> {
    let fit = FitGroup {
        model,
        loss_of: 0,
        cells: Vec::new(),
        curves: Vec::new(),
    };
    let turn = Turn {
        rows: &work.data.outer,
        budget,
        inner: None,
    };
    let scored = work.fit_and_score((&fit, 0), resampled, turn)?;
    let Some(arm) = work.arm else {
        return Err(StageError::Failed("a leak without an arm".into()));
    };
    let deadline = budget.after(scored.spent).deadline();
    let verdict = work.decide(arm, resampled, &scored, None, deadline);
    let decisions = match &verdict.decided {
        Ok(decisions) => decisions,
        Err((_, reason)) => return Err(StageError::Failed(reason.clone())),
    };
    let (plan, unit) = (work.plan, work.unit);
    let target = judge::metric_prior(plan, unit, &unit.test).map_err(StageError::Failed)?;
    let shown = Shown {
        labels: verdict.test.labels(),
        decisions,
        scores: verdict.scores,
        prior: verdict.prior,
        train: &unit.train,
        test: &unit.test,
        target: &target,
    };
    let measured = || judge::metrics(plan, &shown).map_err(StageError::Failed);
    let measured = guarded(deadline, measured).0?;
    Ok((kept(measured), verdict.notes))
}

fn nothing(claim: &Claim, outcome: Outcome, reason: &str) -> LeakClaim {
    LeakClaim {
        claim: claim.id.clone(),
        outcome,
        reason: reason.to_owned(),
        reported: BTreeMap::new(),
        original_rows: BTreeMap::new(),
        honest: BTreeMap::new(),
        reported_test_rows: 0,
        original_test_rows: 0,
        linked_share: None,
    }
}

/// Both sides, whatever became of either.
fn claimed(
    claim: &Claim,
    unit_notes: &[Note],
    leaky: Result<Numbers, (&str, StageError)>,
    honest: Result<Honest, (&str, StageError)>,
) -> LeakClaim {
    let mut found = nothing(claim, Outcome::Ok, "");
    let mut reasons: Vec<String> = Vec::new();
    let mut say = |outcome: Outcome, side: &str, words: &str| {
        found.outcome = found.outcome.min(outcome);
        let words = format!("{side}: {words}");
        if !reasons.contains(&words) {
            reasons.push(words);
        }
    };
    for note in unit_notes {
        say(note.outcome(), "split", note.text());
    }
    let leaky = leaky.map_err(|(stage, error)| {
        let (outcome, reason) = failure(stage, &error);
        say(outcome, "leaky", &reason);
    });
    let honest = honest.map_err(|(stage, error)| {
        let (outcome, reason) = failure(stage, &error);
        say(outcome, "honest", &reason);
    });
    if let Ok(numbers) = &leaky {
        for note in &numbers.notes {
            say(note.outcome(), "leaky", note.text());
        }
        for (metrics, what) in [
            (&numbers.reported, "resampled"),
            (&numbers.original_rows, "original"),
        ] {
            if !metrics.contains_key(LEAK_METRICS[0]) {
                let words = format!("fewer than two classes among the {what} test rows");
                say(Outcome::Undefined, "leaky", &words);
            }
        }
    }
    if let Ok((metrics, notes)) = &honest {
        for note in notes.iter().filter(|note| !unit_notes.contains(note)) {
            say(note.outcome(), "honest", note.text());
        }
        if !metrics.contains_key(LEAK_METRICS[0]) {
            let words = "fewer than two classes among the test rows";
            say(Outcome::Undefined, "honest", words);
        }
    }
    found.reason = reasons.join("; ");
    if let Ok(numbers) = leaky {
        found.reported = numbers.reported;
        found.original_rows = numbers.original_rows;
        found.reported_test_rows = numbers.reported_test_rows as u64;
        found.original_test_rows = numbers.original_test_rows as u64;
        found.linked_share = numbers.linked_share;
    }
    if let Ok((metrics, _)) = honest {
        found.honest = metrics;
    }
    found
}
