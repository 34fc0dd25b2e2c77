//! A day of the calendar: exemptions expire.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// A day of the Gregorian calendar, checked by the TOML reader; days compare by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(toml::value::Date);

impl Date {
    /// The day of a moment, in UTC. Days are counted in eras of 400 years from 1 March of the year 0,
    /// so that the leap day is the last of its year (the usual "civil from days" computation).
    pub fn of(time: SystemTime) -> Option<Self> {
        let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let days = i64::try_from(seconds / 86_400).ok()? + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = u8::try_from(of_year - (153 * shifted + 2) / 5 + 1).ok()?;
        let month = u8::try_from(if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        })
        .ok()?;
        let year = u16::try_from(year + era * 400 + i64::from(month <= 2)).ok()?;
        Some(Self(toml::value::Date { year, month, day }))
    }
}

impl From<toml::value::Date> for Date {
    fn from(date: toml::value::Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.parse::<toml::value::Datetime>().ok();
        let day = day
            .filter(|day| day.time.is_none())
            .and_then(|day| day.date);
        day.map(Self)
            .ok_or_else(|| format!("`{text}` is not a day, written as 2027-01-31"))
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_those_of_the_calendar() {
        let at = |seconds| Date::of(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        assert_eq!(at(0).to_string(), "1970-01-01");
        assert_eq!(at(951_782_399).to_string(), "2000-02-28");
        assert_eq!(at(951_782_400).to_string(), "2000-02-29");
        assert_eq!(at(1_735_689_599).to_string(), "2024-12-31");
        assert_eq!(at(4_107_542_400).to_string(), "2100-03-01");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let date: Date = "2028-02-29".parse().unwrap();
        assert!(date > "2027-12-31".parse().unwrap());
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "2027-1-1",
            "tomorrow",
            "2027-00-10",
            "",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
