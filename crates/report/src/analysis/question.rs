//! The question of the sweep, and what the records answer.
//!
//! A check is about one number a draw: a repeat of a population, or a real dataset. Its records of a draw are
//! averaged, a contrast is taken draw by draw, and the interval of the mean is Student's at a level by which the
//! intervals of all checks hold together at 95 % (Bonferroni).

use std::collections::BTreeMap;

use counterweight_core::{Arm, Check, Expect, Question, Record, Show};
use counterweight_plots::format;
use counterweight_stats::{Level, student_interval};

use crate::error::{ReportError, Result};

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The whole interval lies where it should.
    Yes,
    /// The whole interval lies where it should not.
    No,
    /// Neither, or there are no two draws.
    Open,
}

impl Held {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "holds",
            Self::No => "does not hold",
            Self::Open => "not settled",
        }
    }
}

/// A check and what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The check.
    pub check: Check,
    /// Mean over the draws, its standard error and the ends of its interval; `None` without two draws.
    pub measured: Option<Measured>,
    /// Draws.
    pub n: usize,
    /// What became of it.
    pub held: Held,
}

/// A mean over draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The question.
    pub question: Question,
    /// Its checks, in order.
    pub checks: Vec<Checked>,
}

impl Answered {
    /// Computes every check.
    ///
    /// # Errors
    /// [`ReportError::Stats`](crate::ReportError::Stats) for numbers that are not finite.
    pub fn of(question: &Question, records: &[Record]) -> Result<Self> {
        let level = Level::FIVE_PERCENT.bonferroni(question.checks.len());
        let checked = |check: &Check| -> Result<Checked> {
            let values = values(check, records);
            let interval =
                student_interval(&values, level).map_err(|source| ReportError::Stats {
                    what: format!("check `{}`", check.id),
                    source,
                })?;
            let measured = interval.map(|(interval, error)| Measured {
                mean: interval.estimate,
                error,
                lower: interval.lower,
                upper: interval.upper,
            });
            Ok(Checked {
                held: measured.map_or(Held::Open, |measured| judge(check, measured)),
                check: check.clone(),
                measured,
                n: values.len(),
            })
        };
        Ok(Self {
            checks: question.checks.iter().map(checked).collect::<Result<_>>()?,
            question: question.clone(),
        })
    }

    /// Whether every check holds; no, where one does not.
    pub fn held(&self) -> Held {
        let any = |held| self.checks.iter().any(|checked| checked.held == held);
        match (any(Held::No), any(Held::Open)) {
            (true, _) => Held::No,
            (false, true) => Held::Open,
            (false, false) => Held::Yes,
        }
    }

    /// The answer in a line or a few: that of the sweep file with its numbers if every check holds, else what does
    /// not.
    pub fn answer(&self) -> String {
        let of = |held| {
            let own = self
                .checks
                .iter()
                .filter(move |checked| checked.held == held);
            own.map(|checked| checked.check.says.clone())
                .collect::<Vec<_>>()
        };
        match self.held() {
            Held::Yes => self
                .checks
                .iter()
                .fold(self.question.answer.clone(), |text, checked| {
                    text.replace(&format!("{{{}}}", checked.check.id), &checked.shown())
                }),
            Held::No => format!(
                "Not as expected. What does not hold: {}.",
                of(Held::No).join("; ")
            ),
            Held::Open => format!(
                "Not settled by these records: {}.",
                of(Held::Open).join("; ")
            ),
        }
    }
}

impl Checked {
    /// The mean.
    pub fn shown(&self) -> String {
        self.measured.map_or_else(
            || "no number".into(),
            |measured| with_unit(self.check.show, measured.mean),
        )
    }

    /// What was expected of it.
    pub fn expected(&self) -> String {
        let check = &self.check;
        let theory = with_unit(check.show, check.theory);
        let within = with_unit(check.show, check.within);
        match (check.expect, check.within > 0.0) {
            (Expect::Equal, true) => format!("{theory}, to {within}"),
            (Expect::Equal, false) => theory,
            (Expect::Above, true) => format!("above {theory} by over {within}"),
            (Expect::Above, false) => format!("above {theory}"),
            (Expect::Below, true) => format!("below {theory} by over {within}"),
            (Expect::Below, false) => format!("below {theory}"),
        }
    }

    /// Mean, standard error and interval.
    pub fn found(&self) -> String {
        let Some(Measured {
            mean,
            error,
            lower,
            upper,
        }) = self.measured
        else {
            return "no number".into();
        };
        let show = self.check.show;
        let [error, lower, upper] = [error, lower, upper].map(|value| number(show, value));
        format!("{} ± {error} [{lower}, {upper}]", with_unit(show, mean))
    }
}

/// Three decimals of a hundredth, or four significant digits.
fn number(show: Show, value: f64) -> String {
    match show {
        Show::Percent | Show::Points => format::fixed(100.0 * value, 3),
        Show::Number => {
            let size = value.abs();
            if size > 0.0 && !(1e-3..1e5).contains(&size) {
                return format!("{value:.2e}");
            }
            let whole = if size >= 1.0 {
                size.log10().floor()
            } else {
                0.0
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 4"
            )]
            format::fixed(value, (4.0 - whole) as usize)
        }
    }
}

fn with_unit(show: Show, value: f64) -> String {
    let number = number(show, value);
    match show {
        Show::Percent => format!("{number} %"),
        Show::Points => format!("{number} points"),
        Show::Number => number,
    }
}

fn judge(check: &Check, Measured { lower, upper, .. }: Measured) -> Held {
    let (theory, within) = (check.theory, check.within);
    let (inside, outside) = match check.expect {
        Expect::Equal => (
            lower >= theory - within && upper <= theory + within,
            lower > theory + within || upper < theory - within,
        ),
        Expect::Above => (lower > theory + within, upper <= theory + within),
        Expect::Below => (upper < theory - within, lower >= theory - within),
    };
    match (inside, outside) {
        (true, _) => Held::Yes,
        (_, true) => Held::No,
        _ => Held::Open,
    }
}

/// One number a draw.
fn values(check: &Check, records: &[Record]) -> Vec<f64> {
    let own = means(&check.value, &check.arm, records);
    let Some(against) = &check.against else {
        return own.into_values().collect();
    };
    let theirs = means(&check.value, against, records);
    let paired = own
        .iter()
        .filter_map(|(draw, own)| Some(own - theirs.get(draw)?));
    paired.collect()
}

/// The mean over an arm's records of each draw.
fn means<'a>(value: &str, arm: &Arm, records: &'a [Record]) -> BTreeMap<(&'a str, u64), f64> {
    let mut sums: BTreeMap<(&str, u64), (f64, f64)> = BTreeMap::new();
    let is = |asked: &Option<String>, id: &str| asked.as_deref().is_none_or(|asked| asked == id);
    let own = records.iter().filter(|record| {
        let ratio = |asked: f64| {
            record
                .requested_ratio
                .is_some_and(|own| (own - asked).abs() < 1e-9)
        };
        is(&arm.model, &record.model)
            && is(&arm.correction, &record.correction)
            && is(&arm.dataset, &record.dataset)
            && arm.ratio.is_none_or(ratio)
    });
    for record in own {
        let found = record
            .metrics
            .get(value)
            .or_else(|| record.details.get(value));
        let found = found
            .copied()
            .or_else(|| (value == "regret").then(|| record.regret())?);
        let Some(found) = found else { continue };
        let draw = if record.source == "real" {
            (&*record.dataset, 0)
        } else {
            ("", record.repeat)
        };
        let sum = sums.entry(draw).or_default();
        *sum = (sum.0 + found, sum.1 + 1.0);
    }
    let means = sums.into_iter();
    means.map(|(draw, (sum, n))| (draw, sum / n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expect: Expect, theory: f64, within: f64) -> Check {
        Check {
            id: "a".into(),
            says: "it is so".into(),
            value: "balanced_error".into(),
            arm: Arm::default(),
            against: None,
            expect,
            theory,
            within,
            show: Show::Percent,
        }
    }

    #[test]
    fn a_statement_holds_fails_or_stays_open_by_its_whole_interval() {
        let of = |lower, upper| Measured {
            mean: 0.5 * (lower + upper),
            error: 0.1,
            lower,
            upper,
        };
        for (expect, cases) in [
            (
                Expect::Equal,
                [
                    (0.9, 1.1, Held::Yes),
                    (1.3, 1.4, Held::No),
                    (0.9, 1.3, Held::Open),
                ],
            ),
            (
                Expect::Above,
                [
                    (1.3, 1.4, Held::Yes),
                    (0.9, 1.2, Held::No),
                    (1.1, 1.3, Held::Open),
                ],
            ),
            (
                Expect::Below,
                [
                    (0.5, 0.7, Held::Yes),
                    (0.8, 1.2, Held::No),
                    (0.7, 0.9, Held::Open),
                ],
            ),
        ] {
            for (lower, upper, held) in cases {
                assert_eq!(
                    judge(&check(expect, 1.0, 0.2), of(lower, upper)),
                    held,
                    "{expect:?} {lower}"
                );
            }
        }
        // No variance at all is no lack of evidence.
        assert_eq!(
            judge(&check(Expect::Equal, 0.0, 0.0), of(0.0, 0.0)),
            Held::Yes
        );
    }

    #[test]
    fn answers_say_their_numbers_or_what_does_not_hold() {
        let checked = |held| Checked {
            check: check(Expect::Equal, 0.1, 0.01),
            measured: Some(Measured {
                mean: 0.105,
                error: 0.001,
                lower: 0.103,
                upper: 0.107,
            }),
            n: 5,
            held,
        };
        let answered = |held| Answered {
            question: Question {
                title: "Is it?".into(),
                design: "Some draws.".into(),
                theory: "It should.".into(),
                answer: "Yes: {a}.".into(),
                checks: Vec::new(),
            },
            checks: vec![checked(Held::Yes), checked(held)],
        };
        assert_eq!(answered(Held::Yes).answer(), "Yes: 10.500 %.");
        assert!(answered(Held::No).answer().starts_with("Not as expected"));
        assert_eq!(
            answered(Held::Open).answer(),
            "Not settled by these records: it is so."
        );
        assert_eq!(
            checked(Held::Yes).found(),
            "10.500 % ± 0.100 [10.300, 10.700]"
        );
        assert_eq!(checked(Held::Yes).expected(), "10.000 %, to 1.000 %");
    }
}
