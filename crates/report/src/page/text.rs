//! Sentences as markup: ids between backticks become code, hyphens before digits minus signs.

use maud::{Markup, html};

/// A sentence with its ids set as code.
pub(super) fn rich(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (minus(part)) }
        }
    }
}

/// The text with a true minus sign wherever a hyphen begins a number.
pub(crate) fn minus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let starts = matches!(before, ' ' | '[' | '(');
        let number = rest
            .peek()
            .is_some_and(|next| next.is_ascii_digit() || *next == '.');
        out.push(if c == '-' && starts && number {
            '\u{2212}'
        } else {
            c
        });
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_get_a_minus_sign() {
        assert_eq!(
            minus("-7.1 points [-8.3, -5.9]"),
            "−7.1 points [−8.3, −5.9]"
        );
        assert_eq!(
            minus("logit-adjust is best-ranked, 5-10"),
            "logit-adjust is best-ranked, 5-10"
        );
    }

    #[test]
    fn ids_become_code_and_markup_is_escaped() {
        assert_eq!(rich("a `b<c` -1").into_string(), "a <code>b&lt;c</code> −1");
    }
}
