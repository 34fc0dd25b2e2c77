//! A training and a test file as one set of columns, levels and classes.

use std::path::{Path, PathBuf};

use counterweight_core::{
    Column, ColumnValues, CoreError, Dataset, Format, GivenSplit, Labels, Partition, ReadOptions,
};

use crate::describe::Keys;
use crate::error::FrameError;
use crate::raw::{Kind, Number, RawTable, number};
use crate::read::{check_classes, dataset, dates_dropped, read_raw, remark, taking_format, typed};
use crate::splits::split_error;
use crate::svmlight;

/// What stands for the number of a fold in the names of a family.
const FOLD: &str = "{fold}";

/// Numbers behind a missing fold among which others are looked for.
const FAR: usize = 20;

/// What a family needs.
const WHOLE: &str = "give the training and test files of all folds, as they were published";

/// Whether a name stands for the files of all folds.
pub fn is_family(path: &Path) -> bool {
    path.to_string_lossy().contains(FOLD)
}

/// Reads the pairs of files that are the folds of one table, as KEEL gives them: `name-5-{fold}tra.dat` and
/// `name-5-{fold}tst.dat`, from fold 1 (or 0) as long as there are files. The rows are those of the test files, in
/// the order of the folds, and each training file has to hold those of all others.
///
/// # Errors
/// As [`read_pair`]; [`FrameError::Split`] where the files are no folds of one table.
pub fn read_family(
    train: &Path,
    test: &Path,
    options: &ReadOptions,
) -> Result<(Dataset, Vec<GivenSplit>), FrameError> {
    let of = |path: &Path, fold: usize| {
        PathBuf::from(path.to_string_lossy().replace(FOLD, &fold.to_string()))
    };
    let error = |path: &Path, reason: String, hint: &str| split_error(path, reason, hint);
    if let Some(lone) = [train, test].into_iter().find(|path| !is_family(path)) {
        return Err(error(
            lone,
            format!("no `{FOLD}` in the name, where the other has one"),
            "write `{fold}` in both names, where the number of the fold stands",
        ));
    }
    let pattern = test.to_owned();
    let first = usize::from(!of(test, 0).exists());
    let mut pairs: Vec<(Dataset, Dataset)> = Vec::new();
    for fold in first.. {
        let (train, test) = (of(train, fold), of(test, fold));
        let there = [train.exists(), test.exists()];
        if fold > first && there == [false; 2] {
            // Folds behind a gap are of the family too.
            let later = (fold + 1..fold + FAR).find(|&fold| of(&pattern, fold).exists());
            match later {
                None => break,
                Some(later) => {
                    let reason = format!("fold {fold} is not there, and fold {later} is");
                    return Err(error(&test, reason, WHOLE));
                }
            }
        }
        if fold > first && there != [true; 2] {
            let (lone, other) = if there[0] {
                (&test, &train)
            } else {
                (&train, &test)
            };
            let reason = format!("not there, where {} is", other.display());
            return Err(error(lone, reason, WHOLE));
        }
        pairs.push(read_pair(&train, &test, options)?);
    }
    let mut tests = pairs.iter().map(|(_, test)| test);
    let Some(start) = tests.next().filter(|_| pairs.len() > 1) else {
        return Err(error(&pattern, "one fold is no family".into(), WHOLE));
    };
    let unlike = |source: CoreError| {
        error(
            &pattern,
            format!("the folds are of different tables: {source}"),
            WHOLE,
        )
    };
    let all = tests
        .try_fold(start.clone(), |all, test| all.stack(test))
        .map_err(unlike)?;
    let keys = Keys::of(&all);
    let row = |at: usize| (keys.get(at), all.labels().ids()[at]);
    let (mut given, mut begin) = (Vec::new(), 0);
    for (fold, (own, test)) in pairs.iter().enumerate() {
        let end = begin + test.n_rows();
        let others: Vec<usize> = (0..begin).chain(end..all.n_rows()).collect();
        let own_keys = Keys::of(own);
        let mut trained: Vec<_> = own_keys
            .iter()
            .zip(own.labels().ids().iter().copied())
            .collect();
        let mut expected: Vec<_> = others.iter().map(|&at| row(at)).collect();
        trained.sort_unstable();
        expected.sort_unstable();
        let file = of(train, fold + first);
        if trained != expected {
            let reason = "its rows are not those of the test files of the other folds";
            return Err(error(&file, reason.into(), WHOLE));
        }
        let rows = Partition::new(all.n_rows(), others, (begin..end).collect());
        let rows = rows.map_err(|source| error(&file, source.to_string(), WHOLE))?;
        given.push(GivenSplit {
            repeat: 0,
            fold,
            rows,
        });
        begin = end;
    }
    Ok((all, given))
}

/// Both files; those of SVMlight have the columns of both.
fn read_both(
    train: &Path,
    test: &Path,
    options: &ReadOptions,
) -> Result<[RawTable; 2], FrameError> {
    if [
        taking_format(train, options)?,
        taking_format(test, options)?,
    ] != [Format::Svmlight; 2]
    {
        return Ok([read_raw(train, options)?, read_raw(test, options)?]);
    }
    let (first, second) = (
        svmlight::parse(train, options)?,
        svmlight::parse(test, options)?,
    );
    let span = first.span.join(second.span);
    Ok([
        svmlight::table(train, options, first, span)?,
        svmlight::table(test, options, second, span)?,
    ])
}

/// Reads a training and a test file that someone else has split. Both get the same levels and class
/// names (those of either file), and the columns of the test file are put in the training file's
/// order.
///
/// # Errors
/// As [`read_dataset`](crate::read_dataset); [`FrameError::Pair`] when the columns differ by name, or one is numeric in
/// one file and nominal in the other. Only the training file needs two classes.
pub fn read_pair(
    train: &Path,
    test: &Path,
    options: &ReadOptions,
) -> Result<(Dataset, Dataset), FrameError> {
    let [mut first, mut second] = read_both(train, test, options)?;
    let pair_error = |reason: String| FrameError::Pair {
        train: train.to_owned(),
        test: test.to_owned(),
        reason,
    };
    if let Some(reason) = differing_names(&first, &second) {
        return Err(pair_error(reason));
    }

    let train_labels = first.labels(&options.target)?;
    let test_labels = second.labels(&options.target)?;
    let known = Labels::from_texts(&train_labels);
    check_classes(train, options, &known)?;
    let tested = Labels::from_texts(&test_labels);
    let unseen: Vec<&String> = tested
        .names()
        .iter()
        .filter(|name| !known.names().contains(name))
        .collect();
    let respelt = unseen
        .iter()
        .any(|name| known.names().iter().any(|other| alike(name, other)));
    if respelt || unseen.len() == tested.n_classes() {
        return Err(FrameError::PairLabels {
            train: train.to_owned(),
            test: test.to_owned(),
            train_labels: known.names().to_vec(),
            test_labels: tested.names().to_vec(),
        });
    }
    let unseen: Vec<String> = unseen
        .iter()
        .map(|name| {
            format!(
                "no training row has the class `{name}` of the test rows: it can never be predicted"
            )
        })
        .collect();
    let mut remarks = [first.remarks.clone(), second.remarks.clone()];
    let all = Labels::from_texts(&[train_labels.as_slice(), &test_labels].concat());
    let (train_ids, test_ids) = all.ids().split_at(train_labels.len());
    let labels = |path: &Path, ids: &[u32]| {
        all.with_ids(ids.to_vec())
            .map_err(|source| FrameError::Core {
                path: path.to_owned(),
                source,
            })
    };
    let (train_labels, test_labels) = (labels(train, train_ids)?, labels(test, test_ids)?);

    let (mut train_columns, mut test_columns) = (Vec::new(), Vec::new());
    let places = second.places();
    let names = first.columns.iter().map(|column| &column.name);
    let others: Vec<Option<usize>> = names
        .map(|name| places.get(name.as_str()).copied())
        .collect();
    for (at, other) in others.into_iter().enumerate() {
        let name = first.columns[at].name.clone();
        if name == options.target {
            continue;
        }
        let other = other.ok_or_else(|| pair_error("the columns differ".into()))?;
        let judged = [first.judge(at)?, second.judge(other)?];
        for (remarks, judged) in remarks.iter_mut().zip(&judged) {
            remarks.extend(remark(&name, judged));
        }
        let kind = match (judged[0].kind, judged[1].kind) {
            (Kind::Unknown, Kind::Unknown) => Kind::Numeric,
            (Kind::Dates, Kind::Dates | Kind::Unknown) | (Kind::Unknown, Kind::Dates) => {
                remarks[0].push(dates_dropped(&name));
                continue;
            }
            (a, b) if a == b => a,
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (a, b) => {
                let (file, at) = if a == Kind::Nominal {
                    (&first, at)
                } else {
                    (&second, other)
                };
                let example = file.first_name(at).map_or(String::new(), |(place, text)| {
                    format!(" ({place} of {}: `{text}`)", file.path.display())
                });
                return Err(pair_error(format!(
                    "column `{name}` is {} in the first and {} in the second{example}",
                    a.word(),
                    b.word(),
                )));
            }
        };
        let mut values = (
            typed(&mut first, at, kind, &judged[0].reals),
            typed(&mut second, other, kind, &judged[1].reals),
        );
        share_levels(&mut values.0, &mut values.1);
        for (columns, values) in [
            (&mut train_columns, values.0),
            (&mut test_columns, values.1),
        ] {
            columns.push(Column {
                name: name.clone(),
                values,
            });
        }
    }
    Ok((
        dataset(train, train_columns, train_labels)?
            .with_remarks([&remarks[..], &[unseen]].concat().concat()),
        dataset(test, test_columns, test_labels)?,
    ))
}

/// Whether two labels are most likely one: they differ by case, blanks or a full stop at the end, or are the
/// same number.
fn alike(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    match (number(a), number(b)) {
        (Number::Finite(a), Number::Finite(b)) => (a - b).abs() <= 0.0,
        _ => bare(a) == bare(b),
    }
}

/// Gives two nominal columns the union of their levels.
fn share_levels(a: &mut ColumnValues, b: &mut ColumnValues) {
    let (
        ColumnValues::Nominal {
            codes: codes_a,
            levels: levels_a,
        },
        ColumnValues::Nominal {
            codes: codes_b,
            levels: levels_b,
        },
    ) = (a, b)
    else {
        return;
    };
    let mut union = [levels_a.as_slice(), levels_b].concat();
    union.sort_unstable();
    union.dedup();
    for (codes, levels) in [(codes_a, levels_a), (codes_b, levels_b)] {
        let map: Vec<u32> = levels
            .iter()
            .map(|level| union.partition_point(|other| other < level))
            .map(|at| u32::try_from(at).expect("fewer levels than 2^32 rows"))
            .collect();
        for code in codes.iter_mut() {
            if let Some(&new) = map.get(*code as usize) {
                *code = new;
            }
        }
        levels.clone_from(&union);
    }
}

fn differing_names(train: &RawTable, test: &RawTable) -> Option<String> {
    let lacking = |from: &RawTable, other: &RawTable| {
        let there = other.places();
        let names = from.columns.iter().map(|column| column.name.as_str());
        names
            .filter(|name| !there.contains_key(name))
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
    };
    let (only_train, only_test) = (lacking(train, test), lacking(test, train));
    let parts: Vec<String> = [("the first", only_train), ("the second", only_test)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(place, names)| format!("only {place} has {}", names.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| format!("the columns differ: {}", parts.join("; ")))
}
