//! Dates as numbers: ISO 8601 (`2024-02-29`, `2024/02/29`, with `T` or a blank and `12:30[:15[.25]]`, `Z` or
//! `+01:00` behind it), months by their English names (`29 Feb 2024`, `29-February-2024`, `Feb 29, 2024`), and `29/02/2024`,
//! `29.02.2024` or `02-29-2024` where the cells of a column have one order between them in which all are dates: nothing
//! else tells 1 February from 2 January. Years have four digits.

/// A date as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Date {
    /// Days since 1970-01-01, with the time of day in UTC as a fraction.
    Days(f64),
    /// Numbers of which the year is the last: its days where the day is the first, and where the month is.
    Turned(Option<f64>, Option<f64>),
    /// The same with two digits of a year.
    Short,
}

/// Reads a date; `None` for what is none.
pub(crate) fn date(text: &str) -> Option<Date> {
    let text = text.trim_matches([' ', '\t']);
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some(days) = named(text) {
        return Some(Date::Days(days));
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mark = date.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = date.split(mark);
    let parts = [
        parts.next()?,
        parts.next()?,
        parts.next().filter(|_| parts.next().is_none())?,
    ];
    let seconds = time.map_or(Some(0.0), seconds)?;
    let of =
        |[year, month, day]: [&str; 3]| on([digits(year)?, digits(month)?, digits(day)?], seconds);
    let [a, b, c] = parts;
    let small = a.len() <= 2 && b.len() <= 2;
    match (mark, [a.len(), c.len()]) {
        ('-' | '/', [4, _]) => of([a, b, c]).map(Date::Days),
        ('-' | '/' | '.', [_, 4]) if small => match [of([c, b, a]), of([c, a, b])] {
            [None, None] => None,
            [day, month] => Some(Date::Turned(day, month)),
        },
        ('-' | '/' | '.', [_, 2]) if small => {
            let there = [["2000", b, a], ["2000", a, b]].map(of) != [None; 2];
            (there && digits(c).is_some()).then_some(Date::Short)
        }
        _ => None,
    }
}

/// A date with the name of its month.
fn named(text: &str) -> Option<f64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let month = |word: &str| {
        let word = word.to_ascii_lowercase();
        let word = if word == "sept" { "sep" } else { &word };
        let at = MONTHS
            .iter()
            .position(|name| *name == word || name[..3] == *word);
        at.and_then(|at| i64::try_from(at + 1).ok())
    };
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let mut words = text
        .split([' ', ',', '-', '/', '.'])
        .filter(|word| !word.is_empty());
    let words = [
        words.next()?,
        words.next()?,
        words.next().filter(|_| words.next().is_none())?,
    ];
    let [year, month, day] = match words {
        [day, name, year] if month(name).is_some() => [year, name, day],
        [name, day, year] => [year, name, day],
    }
    .map(|word| month(word).or_else(|| digits(word)));
    let full = words
        .iter()
        .any(|word| word.len() == 4 && digits(word).is_some());
    on([year?, month?, day?], 0.0).filter(|_| full)
}

/// Days of dates (`None` is missing: NaN) that are read in one order of day and month; of `any` order where none
/// can be told.
pub(crate) fn in_one_order(dates: &[Option<Date>], any: bool) -> Option<Vec<f64>> {
    let turned = |date: &Option<Date>| match date {
        Some(Date::Turned(day, month)) => Some([*day, *month]),
        _ => None,
    };
    let all = |order: usize| {
        dates
            .iter()
            .filter_map(turned)
            .all(|days| days[order].is_some())
    };
    let equal = || {
        dates
            .iter()
            .filter_map(turned)
            .all(|[day, month]| day == month)
    };
    let order = match [all(0), all(1)] {
        [true, true] if equal() => 0,
        [true, false] => 0,
        [false, true] => 1,
        _ if any => 0,
        _ => return None,
    };
    let days = |date: &Option<Date>| match date {
        None => Some(f64::NAN),
        Some(Date::Days(days)) => Some(*days),
        Some(Date::Turned(day, month)) => [*day, *month][order].or(*day).or(*month),
        Some(Date::Short) => None,
    };
    dates.iter().map(days).collect()
}

/// Days since 1970-01-01 of year, month and day, if there is such a day, and of the seconds of it.
fn on([year, month, day]: [i64; 3], seconds: f64) -> Option<f64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let there = (1..=length).contains(&day);
    there.then(|| since_1970(year, month, day) as f64 + seconds / 86_400.0)
}

/// One to four digits.
fn digits(text: &str) -> Option<i64> {
    let good = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

/// Days of the Gregorian calendar, counted in years that begin in March.
fn since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Seconds of a time of day, less the offset from UTC that it is given in.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['Z', 'z']);
    let (time, offset) = match text.rfind(['+', '-']) {
        Some(at) => {
            let sign = if text[at..].starts_with('-') {
                -1.0
            } else {
                1.0
            };
            let zone = &text[at + 1..];
            let (hours, minutes) = zone
                .split_once(':')
                .unwrap_or_else(|| zone.split_at_checked(2).unwrap_or((zone, "0")));
            let minutes = if minutes.is_empty() { "0" } else { minutes };
            let offset = digits(hours)? * 60 + digits(minutes)?;
            (&text[..at], sign * 60.0 * offset as f64)
        }
        None => (text, 0.0),
    };
    let mut parts = time.split(':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let seconds = parts.next().unwrap_or("0");
    let plain = seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds: f64 = seconds.parse().ok().filter(|s| plain && *s < 61.0)?;
    if parts.next().is_some() || hours > 24 || minutes > 59 {
        return None;
    }
    Some((hours * 3600 + minutes * 60) as f64 + seconds - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_dates() {
        for (text, expected) in [
            ("1970-01-01", Some(0.0)),
            ("2000/03/01", Some(11_017.0)),
            ("2024-02-29", Some(19_782.0)),
            ("1969-12-31", Some(-1.0)),
            ("1970-01-02T12:00", Some(1.5)),
            ("1970-01-01 00:00:43.2Z", Some(0.0005)),
            ("1970-01-01T01:00:00+01:00", Some(0.0)),
            ("1970-01-01T01:00:00-0200", Some(0.125)),
            ("29 Feb 2024", Some(19_782.0)),
            ("29-february-2024", Some(19_782.0)),
            ("Feb 29, 2024", Some(19_782.0)),
            ("2024-Feb-29", None),
            ("Feb 29 24", None),
            ("feb", None),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("01/02/2023", None),
            ("2023-1", None),
            ("2023-01-01x", None),
            ("20230101", None),
            ("é-01-01", None),
            ("2023-01-01 +é", None),
        ] {
            let found = match date(text) {
                Some(Date::Days(days)) => Some(days),
                _ => None,
            };
            match (found, expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-12, "{text}");
                }
                (found, expected) => assert_eq!(found, expected, "{text}"),
            }
        }
    }
    #[test]
    fn day_and_month_are_told_by_the_column() {
        let read = |texts: &[&str], any| {
            let dates: Option<Vec<_>> = texts.iter().map(|text| date(text).map(Some)).collect();
            in_one_order(&dates?, any)
        };
        assert_eq!(
            read(&["02/01/1970", "13/01/1970"], false),
            Some(vec![1.0, 12.0])
        );
        assert_eq!(
            read(&["01.02.1970", "1.13.1970"], false),
            Some(vec![1.0, 12.0])
        );
        assert_eq!(
            read(&["02-02-1970", "01-01-1970 12:00"], false),
            Some(vec![32.0, 0.5])
        );
        assert_eq!(read(&["02/01/1970", "03/01/1970"], false), None);
        assert_eq!(
            read(&["02/01/1970", "03/01/1970"], true),
            Some(vec![1.0, 2.0])
        );
        assert_eq!(read(&["13/01/1970", "01/13/1970"], false), None);
        assert_eq!(date("01/02/70"), Some(Date::Short));
        for none in ["13/13/1970", "1.2.3", "1/2", "40/01/70", "10.0.0.1", "1-2-"] {
            assert_eq!(date(none), None, "{none}");
        }
    }
}
