//! The exact errors of a linear rule on a population that has them in closed form.

use counterweight_core::{
    ClassCounts, Decided, Details, Matrix, Population, Prior, Rule, ScoreKind, Scores,
};
use counterweight_data::populations::linear_recalls;

use super::judge::metric_prior;
use super::unit::{Scored, Work};
use crate::plan::InputKind;

/// Log odds that no rule tells from infinite ones.
const FAR: f64 = 800.0;
/// Log odds that are decided at once.
const GRID: usize = 65;
/// Rounds of narrowing the cut, each by the grid: to 1e-12.
const ROUNDS: usize = 9;

impl Work<'_> {
    /// `exact_*` of what a fit and its rule decide: of the rule on every row that the population may draw, in
    /// place of the test rows that it drew. Nothing where the sweep does not ask for it (`exact_errors`), the scores
    /// are not affine in the features, or the population has no closed form.
    pub(super) fn exact(&self, scored: &Scored, decided: &Decided, by_head: bool) -> Details {
        let found = || -> Option<Details> {
            let lines = self.data.lines.as_ref()?;
            let input = &self.plan.inputs[self.unit.input];
            let InputKind::Population(spec) = &input.kind else {
                return None;
            };
            let population = &*spec.population.method;
            // What a rule makes of a linear head is a linear head again, and is decided by its largest score.
            let (scores, cut) = if by_head {
                (&decided.rescored.as_ref()?.scores, 0.0)
            } else {
                (&scored.scores, cut_of(&*decided.fitted.rule)?)
            };
            if scores.kind() != ScoreKind::Probability {
                return None;
            }
            let odds: Vec<f64> = (scores.log().iter_rows())
                .map(|row| row[1] - row[0])
                .collect();
            let (slopes, intercept) = lines.through(&odds)?;
            let recalls = linear_recalls(population, &slopes, cut - intercept)?;
            let prior = metric_prior(self.plan, self.unit, &self.unit.test).ok()?;
            let line = slopes.iter().copied().chain([intercept - cut]);
            Some(details(
                population,
                recalls,
                (&self.unit.train, &prior),
                line,
            ))
        };
        found().unwrap_or_default()
    }
}

fn details(
    population: &dyn Population,
    recalls: [f64; 2],
    (train, prior): (&ClassCounts, &Prior),
    line: impl Iterator<Item = f64>,
) -> Details {
    let mut details = Details::new();
    let mut add = |name: &str, value: f64| details.insert(format!("exact_{name}"), value);
    let error = 0.5 * ((1.0 - recalls[0]) + (1.0 - recalls[1]));
    add("balanced_error", error);
    if let Some(least) = population.bayes_error() {
        add("regret", error - least);
    }
    let shares = prior.as_slice();
    let wrong = |class: usize| shares[class] * (1.0 - recalls[class]);
    add("error_rate", wrong(0) + wrong(1));
    let rare = train.rarest().unwrap_or(1);
    let found = shares[rare] * recalls[rare];
    add("recall", recalls[rare]);
    if found + wrong(1 - rare) > 0.0 {
        add("precision", found / (found + wrong(1 - rare)));
    }
    // The rule decides class 1 where this line is above 0.
    let line: Vec<f64> = line.collect();
    if let [slopes @ .., offset] = &line[..]
        && slopes.len() <= 10
        && offset.is_finite()
    {
        add("offset", *offset);
        for (j, slope) in slopes.iter().enumerate() {
            add(&format!("slope[{j}]"), *slope);
        }
    }
    details
}

/// The log odds of class 1 from which on a rule decides it; infinite where it decides one class for all, `None` where
/// it is no cut.
fn cut_of(rule: &dyn Rule) -> Option<f64> {
    let (mut low, mut high) = (-FAR, FAR);
    for _ in 0..ROUNDS {
        let step = (high - low) / (GRID - 1) as f64;
        let at = |i: usize| low + step * i as f64;
        let odds = Matrix::from_fn(GRID, 2, |i, k| at(i) * (k as f64 - 0.5));
        let decided = rule.decide(&Scores::logits(odds).ok()?).ok()?;
        let decided = decided.as_slice();
        let first = decided.iter().position(|&class| class == 1);
        let Some(first) = first else {
            return Some(f64::INFINITY);
        };
        if decided[first..].contains(&0) {
            return None;
        }
        if first == 0 {
            return Some(if low <= -FAR { f64::NEG_INFINITY } else { low });
        }
        (low, high) = (at(first - 1), at(first));
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Decisions, StageResult};

    /// Decides class 1 between two log odds.
    #[derive(Debug)]
    struct Between(f64, f64);

    impl Rule for Between {
        fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
            let inside = |row: &[f64]| {
                let odds = row[1] - row[0];
                u32::from(odds >= self.0 && odds <= self.1)
            };
            Ok(Decisions::new(
                scores.log().iter_rows().map(inside).collect(),
            ))
        }
    }

    #[test]
    fn cuts_are_found_to_the_last_digits_and_only_where_there_is_one() {
        for cut in [-20.0, -0.1, 1e-7, 2.944_438_979_166_44, 600.0] {
            let found = cut_of(&Between(cut, f64::INFINITY)).unwrap();
            assert!((found - cut).abs() < 1e-11, "{cut}: {found}");
        }
        assert_eq!(cut_of(&Between(1e4, 1e5)), Some(f64::INFINITY));
        assert_eq!(cut_of(&Between(-1e4, 1e4)), Some(f64::NEG_INFINITY));
        assert_eq!(cut_of(&Between(0.0, 100.0)), None);
    }
}
