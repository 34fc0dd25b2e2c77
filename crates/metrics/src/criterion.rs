//! What decisions are tuned for: a metric of the registry, evaluated on counted decisions.
//!
//! Counted and not weighted: tuning sees the out-of-fold scores of all training rows, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight_core::params::{self, Default};
use counterweight_core::{
    ClassCounts, Confusion, Declared, Judged, Metric, ParamError, ParamKind, ParamSpec, Params,
    Range, StageError, StageResult, find,
};

use crate::ALL;

/// Words beside the ids, as sweep files have them since before the ids were criteria.
const OTHER: [&str; 5] = ["balanced-error", "g-mean", "macro-f1", "worst-recall", COST];
const COST: &str = "cost";

/// A metric to tune for.
#[derive(Clone, Debug)]
pub struct Criterion {
    metric: Arc<dyn Metric>,
    lower_is_better: bool,
    /// Classes that a cost matrix is for.
    costs_for: Option<usize>,
}

impl Declared for Criterion {
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::new(
            "metric",
            ParamKind::Choice(Self::WORDS),
            Default::Text("balanced-error"),
            "what to tune for",
        )
        .probed(&[
            Default::Text("g-mean"),
            Default::Text("macro-f1"),
            Default::Text("mcc"),
            Default::Text("worst-recall"),
        ]),
        ParamSpec::optional(
            "costs",
            ParamKind::Rows(Range::FINITE),
            "for metric = cost: the cost of each decision (column) for each truth (row)",
        )
        .probed(&[Default::Rows(&[&[0.0, 1.0], &[4.0, 0.0]])])
        .beside(&[("metric", Default::Text(COST))]),
    ];
}

/// Fails when only one of `metric = "cost"` and `costs` is given, or decisions do not change the metric.
impl TryFrom<&Params> for Criterion {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let metric = params.text("metric");
        let costs = params.rows("costs");
        match (metric, costs.is_empty()) {
            (COST, false) => Ok(Self::cost(costs)),
            (COST, true) => Err(ParamError {
                key: "metric".into(),
                problem: "`cost` needs a cost matrix".into(),
                hint: Some("add `costs = [[0, 1], [5, 0]]`: a row a true class".into()),
            }),
            (_, false) => Err(ParamError {
                key: "costs".into(),
                problem: format!("`{metric}` has no costs"),
                hint: Some("leave `costs` out or set `metric = \"cost\"`".into()),
            }),
            (word, true) => Self::new(word).map_err(|problem| ParamError {
                key: "metric".into(),
                problem,
                hint: Some("tune for a metric of decisions, such as `balanced-error`".into()),
            }),
        }
    }
}

/// A metric of decisions that a rule can be tuned for, as a type: no name that could be misspelt.
macro_rules! criteria {
    ($($name:ident = $id:literal,)+) => {$(
        #[doc = concat!("The metric `", $id, "`, to tune for.")]
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl From<$name> for Criterion {
            fn from(_: $name) -> Self {
                Self::new($id).expect("it is a metric of decisions")
            }
        }
    )+};
}

criteria! {
    BalancedError = "balanced_error",
    ErrorRate = "error_rate",
    GMean = "g_mean",
    Kappa = "kappa",
    MacroF1 = "macro_f1",
    Mcc = "mcc",
    MinorityF1 = "minority_f1",
    WorstRecall = "worst_recall",
}

impl Criterion {
    /// The names in sweep files: every metric's id, and a few by another spelling. Those of scores are
    /// known, so that they can be refused with the reason.
    pub const WORDS: &'static [&'static str] = &words();

    /// The criterion of that name. `cost` needs costs, see [`Criterion::cost`].
    ///
    /// # Errors
    /// Why it is no criterion: there is no such metric, or decisions do not change it.
    ///
    /// # Examples
    /// ```
    /// use counterweight_core::{ClassCounts, Confusion};
    /// use counterweight_metrics::{Criterion, balanced_error};
    /// let confusion = Confusion::from_counts(2, &[90, 10, 3, 7])?;
    /// let train = ClassCounts::new(vec![100, 10]);
    /// let tuned = Criterion::new("balanced_error")?.value(&confusion, &train)?;
    /// assert_eq!(Some(tuned), balanced_error::of(&confusion));
    /// assert!(Criterion::new("auroc").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(word: &str) -> Result<Self, String> {
        let entry =
            find(ALL, &word.replace('-', "_")).ok_or_else(|| format!("unknown metric `{word}`"))?;
        if entry.caps.probabilities {
            return Err(format!(
                "`{word}` is a metric of scores, which no decision changes"
            ));
        }
        let built = params::check(entry.card.params, &BTreeMap::new())
            .map_err(|problems| format!("{word}: {problems:?}"))
            .and_then(|params| (entry.build)(&params).map_err(|error| error.to_string()))?;
        Ok(Self {
            metric: built.into(),
            lower_is_better: entry.caps.lower_is_better.unwrap_or(true),
            costs_for: None,
        })
    }

    /// The mean cost of a row, by truth (row) and decision (column).
    pub fn cost(costs: Vec<Vec<f64>>) -> Self {
        Self {
            lower_is_better: true,
            costs_for: Some(costs.len()),
            metric: Arc::new(Cost(costs)),
        }
    }

    /// Refuses costs that have no row for each class.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`].
    pub fn check(&self, n_classes: usize) -> StageResult<()> {
        match self.costs_for {
            Some(rows) if rows != n_classes => Err(StageError::NotApplicable(format!(
                "`costs` has {rows} rows for {n_classes} classes; give one row and one column a class, \
                 in class order",
            ))),
            _ => Ok(()),
        }
    }

    /// Whether less is better.
    pub fn lower_is_better(&self) -> bool {
        self.lower_is_better
    }

    /// The metric's value: the very number of a record.
    ///
    /// # Errors
    /// Why it has none.
    pub fn value(&self, confusion: &Confusion, train: &ClassCounts) -> Result<f64, String> {
        self.metric
            .of_decisions(confusion, train)
            .unwrap_or_else(|| Err("is not a metric of decisions".into()))
    }

    /// What tuning maximises: the metric, turned so that more is better. The G-mean is 0 as soon as
    /// one class is never hit, and so is the worst recall, which would leave a search no direction;
    /// there the objective is negative, and rises with fewer classes missed, then with the mean recall.
    /// Negative infinity without a value.
    pub fn objective(&self, confusion: &Confusion, train: &ClassCounts) -> f64 {
        let Ok(value) = self.value(confusion, train) else {
            return f64::NEG_INFINITY;
        };
        if self.metric.zero_when_a_class_is_missed() {
            let missed = confusion.recalls().flatten().filter(|&r| r <= 0.0).count();
            if missed > 0 {
                let sum: f64 = confusion.recalls().flatten().sum();
                return sum / confusion.n_present() as f64 - missed as f64;
            }
        }
        if self.lower_is_better { -value } else { value }
    }
}

const fn words() -> [&'static str; OTHER.len() + ALL.len()] {
    let mut words = [""; OTHER.len() + ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = if at < OTHER.len() {
            OTHER[at]
        } else {
            ALL[at - OTHER.len()].card.id
        };
        at += 1;
    }
    words
}

#[derive(Debug)]
struct Cost(Vec<Vec<f64>>);

impl Metric for Cost {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        self.of_decisions(judged.confusion(), judged.train())
            .unwrap_or_else(|| Err("no value".into()))
    }

    fn of_decisions(
        &self,
        confusion: &Confusion,
        _train: &ClassCounts,
    ) -> Option<Result<f64, String>> {
        let total = confusion.total_weight();
        let mut sum = 0.0;
        for (y, row) in self.0.iter().enumerate() {
            for (j, cost) in row.iter().enumerate() {
                sum += confusion.weight(y, j) * cost;
            }
        }
        Some(if total > 0.0 {
            Ok(sum / total)
        } else {
            Err("the rows weigh nothing".into())
        })
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{Decisions, Labels};

    use super::*;

    fn confusion(pairs: &[(usize, usize)], n_classes: usize) -> Confusion {
        let mut confusion = Confusion::new(n_classes);
        for &(truth, decided) in pairs {
            confusion.add(truth, decided, 1);
        }
        confusion
    }

    #[test]
    fn the_tuned_number_is_the_reported_number_to_the_last_bit() {
        let mut tuned = 0;
        for entry in ALL {
            let Ok(criterion) = Criterion::new(entry.card.id) else {
                assert!(entry.caps.probabilities, "{}", entry.card.id);
                continue;
            };
            tuned += 1;
            let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
            let metric = (entry.build)(&params).unwrap();
            for k in 2..6_u32 {
                for seed in 0..20 {
                    let n = 7 + 13 * seed;
                    let truth: Vec<u32> = (0..n).map(|i| (i * i + seed) % k).collect();
                    let decided: Vec<u32> = (0..n).map(|i| (i * (seed + 2) / 3) % k).collect();
                    let mut counted = Confusion::new(k as usize);
                    for (&y, &j) in truth.iter().zip(&decided) {
                        counted.add(y as usize, j as usize, 1);
                    }
                    let names = (0..k).map(|class| class.to_string()).collect();
                    let labels = Labels::new(truth, names).unwrap();
                    let train = ClassCounts::new((0..k as usize).map(|y| 9 << (2 * y)).collect());
                    let decisions = Decisions::new(decided);
                    let weights = vec![1.0; labels.len()];
                    let judged = Judged::new(&labels, &decisions, None, &weights, &train).unwrap();
                    let (a, b) = (criterion.value(&counted, &train), metric.value(&judged));
                    assert_eq!(
                        a.map(f64::to_bits),
                        b.map(f64::to_bits),
                        "{}",
                        entry.card.id
                    );
                }
            }
        }
        assert!(tuned >= 10, "{tuned}");
    }

    #[test]
    fn the_g_mean_objective_has_a_direction_where_the_metric_is_zero() {
        let train = ClassCounts::new(vec![2, 1, 1]);
        let none = confusion(&[(0, 0), (0, 0), (1, 0), (2, 0)], 3);
        let worse = confusion(&[(0, 0), (0, 1), (1, 0), (2, 0)], 3);
        let one = confusion(&[(0, 0), (0, 1), (1, 1), (2, 0)], 3);
        let all = confusion(&[(0, 0), (0, 1), (1, 1), (2, 2)], 3);
        let criterion = Criterion::new("g-mean").unwrap();
        let of = |c: &Confusion| criterion.objective(c, &train);
        assert!(of(&worse) < of(&none) && of(&none) < of(&one) && of(&one) < 0.0 && 0.0 < of(&all));
        assert!(criterion.value(&one, &train).unwrap() <= 0.0);
    }

    #[test]
    fn correlation_and_cost_by_hand() {
        let train = ClassCounts::new(vec![3, 2]);
        let c = confusion(&[(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)], 2);
        let close = |of: &Criterion, v: f64| (of.value(&c, &train).unwrap() - v).abs() < 1e-15;
        assert!(close(
            &Criterion::new("mcc").unwrap(),
            1.0 / 36.0_f64.sqrt()
        ));
        let costs = Criterion::cost(vec![vec![0.0, 1.0], vec![5.0, -1.0]]);
        assert!(close(&costs, (1.0 + 5.0 - 1.0) / 5.0));
        assert!(costs.objective(&c, &train) < 0.0);
        assert!(costs.check(2).is_ok() && costs.check(3).is_err());
    }

    #[test]
    fn words_name_criteria_and_metrics_of_scores_say_why_they_are_none() {
        for word in Criterion::WORDS.iter().filter(|word| **word != COST) {
            if let Err(reason) = Criterion::new(word) {
                assert!(reason.contains("metric of scores"), "{reason}");
            }
        }
        assert!(Criterion::new("accuracy").is_err_and(|e| e.contains("unknown")));
    }
}
