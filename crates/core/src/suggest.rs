//! "Did you mean": the nearest valid name.

/// The candidate nearest to `word`, if one is near enough to be a likely slip: at most a third of
/// its letters away by Damerau-Levenshtein distance, or beginning with `word`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let mut distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        if lower.len() >= 3 && candidate.to_lowercase().starts_with(&lower) {
            distance = distance.min(1);
        }
        let allowed = (candidate.chars().count().max(lower.chars().count()) / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["smote", "smote-nc", "random-over", "random-under"];
        assert_eq!(nearest("smoet", names), Some("smote"));
        assert_eq!(nearest("SMOTE", names), Some("smote"));
        assert_eq!(nearest("random-ovr", names), Some("random-over"));
        assert_eq!(nearest("xgboost", names), None);
        assert_eq!(nearest("a", []), None);
    }
}
