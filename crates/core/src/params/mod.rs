//! Parameters of methods: specified once, beside the method; checked before anything runs.
//!
//! A [`ParamSpec`] list is what `list`, `schema`, error messages and the generated documentation
//! read. [`check`] turns what a sweep file says into [`Params`], with every default filled in and
//! every error collected, so that a method's constructor sees nothing unchecked.

use crate::suggest::nearest;

mod checked;
mod declare;
mod nested;
mod value;

pub use checked::{Params, check};
pub use declare::{
    Declared, Parameter, PerClass, Reals, Rows, Texts, Wholes, checked, count, joined,
};
pub use nested::nested;
pub use value::{ParamError, ParamValue, Range};

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A real number; whole numbers serve.
    Real(Range),
    /// A whole number.
    Whole(Range),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// True or false.
    Flag,
    /// Any text but an empty one.
    Text,
    /// A list of such texts.
    Texts,
    /// A list of numbers.
    Reals(Range),
    /// A list of whole numbers.
    Wholes(Range),
    /// A square table of numbers as a list of rows.
    Rows(Range),
    /// Which prior a loss or decision starts from: one of the words, or a number per class.
    Prior(&'static [&'static str]),
    /// A resampling target: `auto`, `minority`, `majority`, `not-majority`, `not-minority`, `all`, a
    /// ratio in (0, 1], or a table of counts per class.
    Strategy,
    /// A stage inside a stage: `{ kind = ..., ... }`, or its kind alone; checked by the one that builds
    /// it.
    Stage,
}

impl ParamKind {
    /// Numbers of this kind, in this range only.
    ///
    /// # Panics
    /// For what is no number: in a constant that is an error of the compiler.
    #[expect(
        clippy::panic,
        reason = "evaluated by the compiler, in constants of specifications"
    )]
    #[must_use]
    pub const fn within(self, range: Range) -> Self {
        match self {
            Self::Real(_) => Self::Real(range),
            Self::Whole(_) => Self::Whole(range),
            Self::Reals(_) => Self::Reals(range),
            Self::Wholes(_) => Self::Wholes(range),
            _ => panic!("only a number has a range"),
        }
    }

    /// These words only.
    ///
    /// # Panics
    /// For what is no word: in a constant that is an error of the compiler.
    #[expect(
        clippy::panic,
        reason = "evaluated by the compiler, in constants of specifications"
    )]
    #[must_use]
    pub const fn among(self, words: &'static [&'static str]) -> Self {
        match self {
            Self::Choice(_) => Self::Choice(words),
            Self::Prior(_) => Self::Prior(words),
            _ => panic!("only a choice has words"),
        }
    }
}

/// The words that [`ParamKind::Strategy`] takes.
pub const STRATEGIES: &[&str] = &[
    "auto",
    "minority",
    "majority",
    "not-majority",
    "not-minority",
    "all",
];

/// One parameter of a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Its key in the sweep file.
    pub name: &'static str,
    /// What it may be.
    pub kind: ParamKind,
    /// Its default; `None` when it has to be given (or when absence itself has a meaning, said in
    /// `about`, see `required`).
    pub default: Option<Default>,
    /// Whether leaving it out is an error.
    pub required: bool,
    /// What it does, with its unit.
    pub about: &'static str,
    /// Values that the contract suites try besides the default.
    pub probes: &'static [Default],
    /// What the probes need beside them to have a say.
    pub beside: &'static [(&'static str, Default)],
}

/// A default value, in a form that a constant can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// A real number.
    Real(f64),
    /// A whole number.
    Whole(i64),
    /// A word.
    Text(&'static str),
    /// True or false.
    Flag(bool),
    /// A list of whole numbers.
    Wholes(&'static [i64]),
    /// A list of numbers.
    Reals(&'static [f64]),
    /// A square table.
    Rows(&'static [&'static [f64]]),
}

impl From<Default> for ParamValue {
    fn from(default: Default) -> Self {
        match default {
            Default::Real(value) => Self::Real(value),
            Default::Whole(value) => Self::Whole(value),
            Default::Text(text) => Self::Text(text.to_owned()),
            Default::Flag(flag) => Self::Flag(flag),
            Default::Wholes(values) => Self::List(values.iter().map(|&v| Self::Whole(v)).collect()),
            Default::Reals(values) => Self::reals(values),
            Default::Rows(rows) => Self::List(rows.iter().map(|row| Self::reals(row)).collect()),
        }
    }
}

impl ParamSpec {
    /// An optional parameter with a default.
    pub const fn new(
        name: &'static str,
        kind: ParamKind,
        default: Default,
        about: &'static str,
    ) -> Self {
        Self {
            default: Some(default),
            ..Self::optional(name, kind, about)
        }
    }

    /// A parameter that has to be given.
    pub const fn required(name: &'static str, kind: ParamKind, about: &'static str) -> Self {
        Self {
            required: true,
            ..Self::optional(name, kind, about)
        }
    }

    /// A parameter that may be left out and then has no value.
    pub const fn optional(name: &'static str, kind: ParamKind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            default: None,
            required: false,
            about,
            probes: &[],
            beside: &[],
        }
    }

    /// The same parameter, with values that the contract suites try besides the default.
    #[must_use]
    pub const fn probed(self, probes: &'static [Default]) -> Self {
        Self { probes, ..self }
    }

    /// The same parameter, with what its probes need beside them.
    #[must_use]
    pub const fn beside(self, beside: &'static [(&'static str, Default)]) -> Self {
        Self { beside, ..self }
    }

    /// What the contract suites try: each probe, or where there are none each word or flag but the
    /// default and two ratios of a strategy; together with what it needs beside it.
    pub fn trials(&self) -> Vec<Vec<(&'static str, ParamValue)>> {
        let values: Vec<ParamValue> = match self.kind {
            ParamKind::Choice(words) if self.probes.is_empty() => {
                let words = words.iter().map(|word| Default::Text(word));
                let others = words.filter(|word| Some(*word) != self.default);
                others.map(ParamValue::from).collect()
            }
            ParamKind::Flag if self.probes.is_empty() => {
                vec![ParamValue::Flag(self.default != Some(Default::Flag(true)))]
            }
            ParamKind::Strategy if self.probes.is_empty() => {
                vec![ParamValue::Real(0.5), ParamValue::Real(0.8)]
            }
            _ => self.probes.iter().map(|&probe| probe.into()).collect(),
        };
        let beside = self.beside.iter().map(|&(key, value)| (key, value.into()));
        values
            .into_iter()
            .map(|value| beside.clone().chain([(self.name, value)]).collect())
            .collect()
    }

    /// Whether a list in the sweep file is one value of this parameter, not a grid over it.
    pub fn takes_list(&self) -> bool {
        matches!(
            self.kind,
            ParamKind::Texts
                | ParamKind::Reals(_)
                | ParamKind::Wholes(_)
                | ParamKind::Rows(_)
                | ParamKind::Prior(_)
        )
    }

    /// Checks one value and brings it to its canonical form.
    ///
    /// # Errors
    /// [`ParamError`] when the value has another type or lies outside its range.
    pub fn check(&self, value: &ParamValue) -> Result<ParamValue, ParamError> {
        let wrong = |expected: String, hint: Option<String>| ParamError {
            key: self.name.to_owned(),
            problem: format!("expected {expected}, found {} `{value}`", value.type_name()),
            hint,
        };
        let real = |value: &ParamValue, range: Range| {
            value
                .as_real()
                .filter(|v| range.contains(*v))
                .map(ParamValue::Real)
                .ok_or_else(|| wrong(format!("a number in {range}"), None))
        };
        let whole = |value: &ParamValue, range: Range| match value {
            ParamValue::Whole(v) if range.contains(*v as f64) => Ok(ParamValue::Whole(*v)),
            _ => Err(wrong(format!("a whole number in {range}"), None)),
        };
        let word = |value: &ParamValue, words: &'static [&'static str], also: &str| match value {
            ParamValue::Text(text) if words.contains(&text.as_str()) => Ok(value.clone()),
            ParamValue::Text(text) => Err(wrong(
                format!("one of {}{also}", words.join(", ")),
                nearest(text, words.iter().copied()).map(|word| format!("did you mean `{word}`?")),
            )),
            _ => Err(wrong(format!("one of {}{also}", words.join(", ")), None)),
        };
        let some = |value: &ParamValue| matches!(value, ParamValue::Text(text) if !text.is_empty());
        match (self.kind, value) {
            (ParamKind::Text, _) if some(value) => Ok(value.clone()),
            (ParamKind::Text, _) => Err(wrong("text".into(), None)),
            (ParamKind::Texts, ParamValue::List(items))
                if !items.is_empty() && items.iter().all(some) =>
            {
                Ok(value.clone())
            }
            (ParamKind::Texts, _) => Err(wrong("a list of texts".into(), None)),
            (ParamKind::Real(range), _) => real(value, range),
            (ParamKind::Whole(range), _) => whole(value, range),
            (ParamKind::Choice(words), _) => word(value, words, ""),
            (ParamKind::Flag, ParamValue::Flag(_)) | (ParamKind::Stage, ParamValue::Text(_)) => {
                Ok(value.clone())
            }
            // A table of nothing but its kind is that word: one stage, one canonical text.
            (ParamKind::Stage, ParamValue::Table(fields)) => match fields.get("kind") {
                Some(kind @ ParamValue::Text(_)) if fields.len() == 1 => Ok(kind.clone()),
                _ => Ok(value.clone()),
            },
            (ParamKind::Flag, _) => Err(wrong("true or false".into(), None)),
            (ParamKind::Reals(range), ParamValue::List(items)) if !items.is_empty() => items
                .iter()
                .map(|item| real(item, range))
                .collect::<Result<_, _>>()
                .map(ParamValue::List),
            (ParamKind::Reals(_), _) => Err(wrong("a list of numbers".into(), None)),
            (ParamKind::Wholes(range), ParamValue::List(items)) if !items.is_empty() => items
                .iter()
                .map(|item| whole(item, range))
                .collect::<Result<_, _>>()
                .map(ParamValue::List),
            (ParamKind::Wholes(_), _) => Err(wrong("a list of whole numbers".into(), None)),
            (ParamKind::Rows(range), ParamValue::List(rows)) if !rows.is_empty() => rows
                .iter()
                .map(|row| match row {
                    ParamValue::List(items) if items.len() == rows.len() => items
                        .iter()
                        .map(|item| real(item, range))
                        .collect::<Result<_, _>>()
                        .map(ParamValue::List),
                    _ => Err(wrong(
                        format!("{} rows of as many numbers each", rows.len()),
                        None,
                    )),
                })
                .collect::<Result<_, _>>()
                .map(ParamValue::List),
            (ParamKind::Rows(_), _) => Err(wrong(
                "a list of rows, as many as each has numbers".into(),
                None,
            )),
            (ParamKind::Prior(_), ParamValue::List(items)) if !items.is_empty() => items
                .iter()
                .map(|item| real(item, Range::POSITIVE))
                .collect::<Result<_, _>>()
                .map(ParamValue::List),
            (ParamKind::Prior(words), _) => word(value, words, ", or a positive number per class"),
            (ParamKind::Strategy, ParamValue::Real(_) | ParamValue::Whole(_)) => {
                real(value, Range::new(0.0, false, 1.0, true))
            }
            (ParamKind::Strategy, ParamValue::Table(counts)) => {
                for count in counts.values() {
                    whole(count, Range::AT_LEAST_ONE)?;
                }
                Ok(value.clone())
            }
            (ParamKind::Strategy, _) => word(
                value,
                STRATEGIES,
                ", a ratio in (0, 1], or a table of counts per class",
            ),
            (ParamKind::Stage, _) => Err(wrong("a kind or a table { kind = ... }".into(), None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SPECS: &[ParamSpec] = &[
        ParamSpec::new(
            "tau",
            ParamKind::Real(Range::FINITE),
            Default::Real(1.0),
            "strength",
        ),
        ParamSpec::new(
            "k",
            ParamKind::Whole(Range::AT_LEAST_ONE),
            Default::Whole(5),
            "neighbours",
        ),
        ParamSpec::required("scheme", ParamKind::Choice(&["a", "bee"]), "which"),
    ];

    fn given(pairs: &[(&str, ParamValue)]) -> BTreeMap<String, ParamValue> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect()
    }

    #[test]
    fn another_point_of_a_grid_is_what_it_would_be_by_itself() {
        let point = |tau: f64| {
            let tau = ("tau", ParamValue::Real(tau));
            let whole = [
                tau,
                ("k", ParamValue::Whole(3)),
                ("scheme", ParamValue::Text("a".into())),
            ];
            check(SPECS, &given(&whole)).unwrap()
        };
        let first = point(1.0);
        let other = ParamValue::Real(2.0);
        let second = first.with(SPECS, [("tau", &other)].into_iter()).unwrap();
        assert_eq!(second, point(2.0));
        assert_ne!(second, first);
        assert_eq!((second.real("tau"), second.whole("k")), (2.0, 3));
        let third = second
            .with(SPECS, [("k", &ParamValue::Whole(4))].into_iter())
            .unwrap();
        assert_eq!(
            third.canonical(","),
            "k=4,scheme=a,tau=1",
            "the rest is the first's"
        );
        let wrong = first.with(SPECS, [("k", &ParamValue::Whole(0))].into_iter());
        assert_eq!(wrong.unwrap_err().len(), 1);
    }

    #[test]
    fn every_error_is_reported_at_once() {
        let errors = check(
            SPECS,
            &given(&[
                ("tua", ParamValue::Real(1.0)),
                ("k", ParamValue::Whole(0)),
                ("scheme", ParamValue::Text("be".into())),
            ]),
        )
        .unwrap_err();
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 3);
        assert_eq!(errors[0].hint.as_deref(), Some("did you mean `tau`?"));
        assert_eq!(errors[2].hint.as_deref(), Some("did you mean `bee`?"));
    }

    #[test]
    fn spellings_of_a_number_have_one_canonical_form() {
        let a = given(&[
            ("tau", ParamValue::Whole(1)),
            ("scheme", ParamValue::Text("a".into())),
        ]);
        let b = given(&[
            ("tau", ParamValue::Real(1.0)),
            ("scheme", ParamValue::Text("a".into())),
        ]);
        let (a, b) = (check(SPECS, &a).unwrap(), check(SPECS, &b).unwrap());
        assert_eq!(a, b);
        assert_eq!(a.canonical(";"), "k=5;scheme=a;tau=1");
        assert!((a.real("tau") - 1.0).abs() < f64::EPSILON);
        assert_eq!(a.whole("k"), 5);
    }

    #[test]
    fn a_stage_of_nothing_but_its_kind_is_a_word() {
        let spec = ParamSpec::required("then", ParamKind::Stage, "what follows");
        let word = ParamValue::Text("a".into());
        let table = |pairs: &[(&str, ParamValue)]| ParamValue::Table(given(pairs));
        let kind = ("kind", word.clone());
        assert_eq!(spec.check(&word).as_ref(), Ok(&word));
        assert_eq!(
            spec.check(&table(std::slice::from_ref(&kind))).as_ref(),
            Ok(&word)
        );
        let more = table(&[kind, ("tau", ParamValue::Real(0.5))]);
        assert_eq!(spec.check(&more).as_ref(), Ok(&more));
        assert_eq!(more.to_string(), "kind=a+tau=0.5");
        assert!(spec.check(&ParamValue::Whole(1)).is_err());
    }

    #[test]
    fn tables_are_square() {
        let rows = ParamSpec::required("c", ParamKind::Rows(Range::FINITE), "costs");
        let row =
            |items: &[f64]| ParamValue::List(items.iter().map(|&v| ParamValue::Real(v)).collect());
        let square = ParamValue::List(vec![row(&[0.0, 1.0]), row(&[5.0, 0.0])]);
        assert_eq!(rows.check(&square), Ok(square));
        for odd in [
            row(&[0.0, 1.0]),
            ParamValue::List(vec![row(&[0.0, 1.0]), row(&[5.0])]),
            ParamValue::List(vec![]),
            ParamValue::List(vec![row(&[f64::NAN])]),
        ] {
            assert!(rows.check(&odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn nan_is_in_no_range() {
        assert!(!Range::FINITE.contains(f64::NAN));
        assert!(!Range::FINITE.contains(f64::INFINITY));
        assert!(SPECS[0].check(&ParamValue::Real(f64::NAN)).is_err());
    }
}
