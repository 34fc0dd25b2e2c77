//! Dates as numbers: ISO 8601 (`2024-02-29`, `2024/02/29`, with `T` or a blank and `12:30[:15[.25]]`, `Z` or
//! `+01:00` behind it). Other orders of day and month are names: nothing tells 1 February from 2 January.

/// Days since 1970-01-01, with the time of day in UTC as a fraction; `None` for what is no date.
pub(crate) fn days(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t']);
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mark = if date.contains('/') { '/' } else { '-' };
    let mut parts = date.split(mark);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (digits(year)?, digits(month)?, digits(day)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let seconds = time.map_or(Some(0.0), seconds)?;
    Some(since_1970(year, month, day) as f64 + seconds / 86_400.0)
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
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("01/02/2023", None),
            ("2023-1", None),
            ("2023-01-01x", None),
            ("20230101", None),
            ("é-01-01", None),
            ("2023-01-01 +é", None),
        ] {
            match (days(text), expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-12, "{text}");
                }
                (found, expected) => assert_eq!(found, expected, "{text}"),
            }
        }
    }
}
