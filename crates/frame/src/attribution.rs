//! The table of sources in the README of a datasets folder, made from the index so that the two
//! never differ.

use crate::library::Entry;

const BEGIN: &str = "<!-- begin: written by import_suite from index.json -->";
const END: &str = "<!-- end -->";

/// The table: one row a dataset.
pub fn table(entries: &[Entry]) -> String {
    let mut text = String::from(
        "| set | rows | features (numeric + nominal) | classes | ratio | licence of the data | \
         taken from | cite |\n|---|---:|---|---:|---:|---|---|---|\n",
    );
    for entry in entries {
        let row = [
            entry.name.clone(),
            entry.rows.to_string(),
            format!("{} + {}", entry.numeric, entry.nominal),
            entry.classes.len().to_string(),
            format!("{:.1}", entry.imbalance_ratio),
            entry.licence.clone(),
            format!("{} ({})", entry.package, entry.package_licence),
            entry.citation.clone(),
        ];
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str("| ");
        text.push_str(&cells.join(" | "));
        text.push_str(" |\n");
    }
    text
}

/// `readme` with the table between its markers replaced; `None` without the markers.
pub fn replace(readme: &str, entries: &[Entry]) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", table(entries)))
}
