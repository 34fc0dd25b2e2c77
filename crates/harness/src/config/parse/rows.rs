//! Columns of a dataset that are no features: what they say of each row.

use counterweight_config::Section;
use counterweight_core::ReadOptions;

/// The column of the groups.
pub(super) fn read_group(
    target: Option<&str>,
    [ignore, numeric]: [&[String]; 2],
    s: &mut Section<'_, '_>,
) -> Option<String> {
    let column = s.text("group")?;
    let taken = if target == Some(column.as_str()) {
        "is the target"
    } else if ignore.contains(&column) {
        "is also ignored"
    } else if numeric.contains(&column) {
        "is also a column of numbers, and groups have names"
    } else {
        return Some(column);
    };
    let hint = "name a column that says which rows belong together";
    s.error("group", format!("`{column}` {taken}"), Some(hint.into()));
    None
}

/// The column of the weights, once the group is known.
pub(super) fn read_weight(reading: &ReadOptions, s: &mut Section<'_, '_>) -> Option<String> {
    let column = s.text("weight")?;
    let taken = if reading.target == column {
        "is the target"
    } else if reading.group.as_ref() == Some(&column) {
        "is also the group"
    } else if reading.ignore.contains(&column) {
        "is also ignored"
    } else if reading.nominal.contains(&column) {
        "is also a column of names, and weights are numbers"
    } else {
        return Some(column);
    };
    let hint = "name a column of numbers of at least 0";
    s.error("weight", format!("`{column}` {taken}"), Some(hint.into()));
    None
}
