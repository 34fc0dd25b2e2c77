//! Numbers in words: one place, so that a sentence, a table and a figure show the same digits.
//!
//! Errors and recalls are fractions everywhere in the data and percentages here; a difference of two
//! percentages is in points. A number that rounds to zero has no sign.

/// A fraction as a percentage with two decimals: 0.18077 is `18.08`.
pub fn percent(fraction: f64) -> String {
    fixed(fraction * 100.0, 2)
}

/// A difference of fractions in points with one decimal and its sign: -0.0712 is `-7.1`.
pub fn points(difference: f64) -> String {
    let text = fixed(difference * 100.0, 1);
    if text.starts_with('-') || is_zero(&text) {
        text
    } else {
        format!("+{text}")
    }
}

/// The size of a difference in points: -0.0712 is `7.1`.
pub fn size(difference: f64) -> String {
    fixed(difference.abs() * 100.0, 1)
}

/// A difference of values that are no fractions (log loss), with its sign.
pub fn signed(difference: f64) -> String {
    let text = fixed(difference, 3);
    if text.starts_with('-') || is_zero(&text) {
        text
    } else {
        format!("+{text}")
    }
}

/// A mean rank.
pub fn rank(rank: f64) -> String {
    fixed(rank, 2)
}

/// A p value: `<.001`, `.013`, `1`.
pub fn p_value(p: f64) -> String {
    if p < 0.0005 {
        return "<.001".to_owned();
    }
    let text = fixed(p, 3);
    text.strip_prefix('0')
        .map_or(text.clone(), str::to_owned)
        .replace("1.000", "1")
}

/// An imbalance ratio: whole where it is one, else one decimal.
pub fn ratio(ratio: f64) -> String {
    if (ratio - ratio.round()).abs() < 1e-9 {
        fixed(ratio, 0)
    } else {
        fixed(ratio, 1)
    }
}

/// A number with `decimals` decimals and no negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if is_zero(rest) => rest.to_owned(),
        _ => text,
    }
}

fn is_zero(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0' | '.'))
}

/// A whole number with a comma between thousands.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 dataset`, `2 datasets`.
pub fn plural(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {noun}s", count(n))
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The first `most` of the items, and how many others: `a, b and 3 others`.
pub fn list_up_to(items: &[String], most: usize) -> String {
    if items.len() <= most + 1 {
        return list(items);
    }
    let shown = items.get(..most).unwrap_or_default().join(", ");
    format!("{shown} and {} others", items.len() - most)
}

/// Seconds in a readable unit.
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{} ms", fixed(seconds * 1000.0, 1))
    } else {
        format!("{} s", fixed(seconds, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_written() {
        assert_eq!(percent(0.180_770_286), "18.08");
        assert_eq!(
            [points(-0.0712), points(0.0712), points(-0.0001)],
            ["-7.1", "+7.1", "0.0"]
        );
        assert_eq!(
            [size(-0.0712), signed(-0.0123), rank(2.0)],
            ["7.1", "-0.012", "2.00"]
        );
        assert_eq!(
            [p_value(0.000_01), p_value(0.0134), p_value(1.0)],
            ["<.001", ".013", "1"]
        );
        assert_eq!([ratio(10.0), ratio(9.87)], ["10", "9.9"]);
        assert_eq!(
            [count(7), count(1_234_567), count(123)],
            ["7", "1,234,567", "123"]
        );
        assert_eq!(
            [plural(1, "dataset"), plural(2, "dataset")],
            ["1 dataset", "2 datasets"]
        );
    }

    #[test]
    fn lists_read_as_spoken() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(list(&names[..1]), "a");
        assert_eq!(list(&names[..3]), "a, b and c");
        assert_eq!(list_up_to(&names, 2), "a, b and 3 others");
        assert_eq!(list_up_to(&names[..3], 2), "a, b and c");
    }
}
