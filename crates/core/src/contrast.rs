//! Which classes of a table stand against which: a table as a two-class task.

use crate::dataset::Dataset;
use crate::labels::Labels;
use crate::suggest::nearest;

/// Two sides of a table's classes. The positive side is the last class of the task; a side of several
/// classes is called by their names joined by `+`, all others together `not` and the positive name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contrast {
    /// The rarest class against all others.
    Rarest,
    /// Given classes against others.
    Classes {
        /// Classes of the positive side, at least one.
        positive: Vec<String>,
        /// Classes of the negative side: rows of neither side are left out. Empty for all others.
        negative: Vec<String>,
    },
}

/// Why a table has no such task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ContrastError {
    /// The key that is wrong: `positive`, `negative` or `rarest_vs_rest`.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

/// Most classes that a hint lists.
const LISTED: usize = 12;

impl Contrast {
    /// The two-class task, and the rows of `data` that it holds where some were left out. O(cells).
    ///
    /// # Errors
    /// [`ContrastError`] when a class has no rows or stands on both sides, or a side is empty.
    ///
    /// # Examples
    /// ```
    /// use counterweight_core::{Contrast, Dataset, Labels};
    /// let data = Dataset::new(Vec::new(), Labels::from_texts(&["a", "b", "c", "a"]))?;
    /// let pair = Contrast::Classes { positive: vec!["b".into()], negative: vec!["a".into()] };
    /// let (task, rows) = pair.apply(data)?;
    /// assert_eq!(task.labels().names().to_vec(), ["a", "b"]);
    /// assert_eq!(rows, Some(vec![0, 1, 3]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&self, data: Dataset) -> Result<(Dataset, Option<Vec<usize>>), ContrastError> {
        let labels = data.labels();
        let side = self.sides(labels)?;
        let names = names(labels, &side);
        let rows: Vec<usize> = (0..labels.len())
            .filter(|&row| side[labels.class(row)].is_some())
            .collect();
        let left_out = rows.len() < labels.len();
        let data = if left_out { data.select(&rows) } else { data };
        let labels = data.labels().as_sides(&side, names);
        Ok((data.with_labels(labels), left_out.then_some(rows)))
    }

    /// The side of each class: 1 is positive, `None` is left out.
    fn sides(&self, labels: &Labels) -> Result<Vec<Option<u32>>, ContrastError> {
        let counts = labels.counts();
        let mut side = vec![None; labels.n_classes()];
        let (positive, negative) = match self {
            Self::Rarest => {
                if let Some(rarest) = counts.rarest() {
                    side[rarest] = Some(1);
                }
                (&[][..], &[][..])
            }
            Self::Classes { positive, negative } => (positive.as_slice(), negative.as_slice()),
        };
        for (key, own, list) in [("positive", 1, positive), ("negative", 0, negative)] {
            for name in list {
                let class = labels.names().iter().position(|known| known == name);
                let Some(class) = class.filter(|&class| counts.as_slice()[class] > 0) else {
                    return Err(unknown(key, name, labels));
                };
                if let Some(known) = side[class] {
                    let (message, hint) = if known == own {
                        (format!("class `{name}` is named twice"), "name it once")
                    } else {
                        let message = format!("class `{name}` is both positive and negative");
                        (message, "keep it in one of the two lists")
                    };
                    return Err(ContrastError {
                        key,
                        message,
                        hint: Some(hint.into()),
                    });
                }
                side[class] = Some(own);
            }
        }
        if negative.is_empty() {
            for side in &mut side {
                *side = side.or(Some(0));
            }
        }
        let held =
            |own| (side.iter().zip(counts.as_slice())).any(|(s, &n)| *s == Some(own) && n > 0);
        if held(1) && !held(0) {
            return Err(ContrastError {
                key: "positive",
                message: "`positive` names every class of the table, so nothing stands against it"
                    .into(),
                hint: Some("leave one out of `positive`".into()),
            });
        }
        Ok(side)
    }
}

fn unknown(key: &'static str, name: &str, labels: &Labels) -> ContrastError {
    let known: Vec<&str> = labels.names().iter().map(String::as_str).collect();
    let hint = match nearest(name, known.iter().copied().filter(|known| *known != name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() <= LISTED => format!("its classes are {}", known.join(", ")),
        None => {
            let (some, more) = (known[..LISTED].join(", "), known.len() - LISTED);
            format!("its classes are {some} and {more} others")
        }
    };
    ContrastError {
        key,
        message: format!("`{key}` names `{name}`, and no row of the table has that class"),
        hint: Some(hint),
    }
}

/// What the two sides are called, the negative one first.
fn names(labels: &Labels, side: &[Option<u32>]) -> [String; 2] {
    let of = |own: u32| -> Vec<&str> {
        let classes = labels.names().iter().zip(side);
        classes
            .filter(|(_, side)| **side == Some(own))
            .map(|(name, _)| name.as_str())
            .collect()
    };
    let positive = of(1).join("+");
    let all = side.iter().all(Option::is_some);
    let negative = match of(0).as_slice() {
        [one] if *one != positive => (*one).to_owned(),
        several if all || several.join("+") == positive => format!("not {positive}"),
        several => several.join("+"),
    };
    [negative, positive]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(texts: &[&str]) -> Dataset {
        Dataset::new(Vec::new(), Labels::from_texts(texts)).unwrap()
    }

    fn classes(positive: &[&str], negative: &[&str]) -> Contrast {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Contrast::Classes {
            positive: own(positive),
            negative: own(negative),
        }
    }

    #[test]
    fn sides_are_named_by_their_classes() {
        let table = ["a", "b", "b", "c", "c", "c", "d"];
        for (contrast, names, counts) in [
            (classes(&["b"], &[]), ["not b", "b"], [5, 2]),
            (classes(&["d", "a"], &[]), ["not a+d", "a+d"], [5, 2]),
            (classes(&["b"], &["c"]), ["c", "b"], [3, 2]),
            (classes(&["c"], &["d", "a"]), ["a+d", "c"], [2, 3]),
            (classes(&["a", "b", "c"], &[]), ["d", "a+b+c"], [1, 6]),
            (classes(&["a"], &["b", "c", "d"]), ["not a", "a"], [6, 1]),
            (Contrast::Rarest, ["not d", "d"], [6, 1]),
        ] {
            let (task, _) = contrast.apply(data(&table)).unwrap();
            assert_eq!(task.labels().names().to_vec(), names, "{contrast:?}");
            assert_eq!(task.labels().counts().as_slice(), counts, "{contrast:?}");
        }
        // A class may be called what two others joined are.
        let clash = classes(&["a", "b"], &["a+b"]);
        let (task, _) = clash.apply(data(&["a", "b", "a+b", "c"])).unwrap();
        assert_eq!(task.labels().names().to_vec(), ["not a+b", "a+b"]);
    }

    #[test]
    fn ties_go_to_the_rarer_side() {
        let (task, _) = classes(&["b"], &[]).apply(data(&["a", "b", "b"])).unwrap();
        assert!(task.labels().ties().rank(0) > task.labels().ties().rank(1));
        let (task, _) = classes(&["a"], &[]).apply(data(&["a", "b", "b"])).unwrap();
        assert!(task.labels().ties().rank(1) > task.labels().ties().rank(0));
    }

    #[test]
    fn what_is_no_task_is_refused() {
        for (contrast, message, hint) in [
            (
                classes(&["ME4"], &[]),
                "no row of the table has that class",
                "did you mean `ME2`?",
            ),
            (
                classes(&["ME2"], &["zzz"]),
                "`negative` names `zzz`",
                "its classes are CYT, ME2",
            ),
            (
                classes(&["ME2"], &["ME2"]),
                "both positive and negative",
                "one of the two",
            ),
            (
                classes(&["ME2", "CYT"], &[]),
                "names every class",
                "leave one out",
            ),
        ] {
            let error = contrast.apply(data(&["ME2", "CYT", "CYT"])).unwrap_err();
            assert!(error.message.contains(message), "{error}");
            assert!(error.hint.unwrap().contains(hint));
        }
        // A class without rows, as that of a pair's other part may be.
        let absent = data(&["a", "b", "third"]).select(&[0, 1]);
        let error = classes(&["third"], &[]).apply(absent).unwrap_err();
        assert!(error.hint.unwrap().contains("its classes are a, b"));
    }
}
