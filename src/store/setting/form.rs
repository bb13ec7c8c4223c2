//! How the values of settings are written: as people write them, and as they are kept.
//!
//! Which settings there are is not known here.

use std::borrow::Cow;

use chrono::Weekday;

use crate::model::{CostMode, Threshold, ThresholdUnit, Zone, parse_duration};

/// A kind of value that a setting can have.
pub trait Form: Clone {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// With what to write instead.
    fn parse(text: &str) -> Result<Self, String>;
    /// As a person writes it; [`Form::parse`] reads it back.
    fn shown(&self) -> String;
    /// As it is kept.
    fn kept(&self) -> String {
        self.shown()
    }
    /// Reads what is kept; `None` when it means nothing.
    fn recall(kept: &str) -> Option<Self> {
        Self::parse(kept).ok()
    }
}

/// A length of time that is not nothing, in milliseconds; kept as a whole number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub i64);

/// How long something is kept, in milliseconds; `None` = for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Option<i64>);

/// A fraction from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

/// A number of things, one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub u64);

/// One name or several, with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Cow<'static, str>);

impl Names {
    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = String> {
        self.0.split(',').map(str::to_owned)
    }
}

/// Written for "for ever".
const FOREVER: &str = "forever";

impl Form for Length {
    fn parse(text: &str) -> Result<Length, String> {
        let length = parse_duration(text).map_err(|e| e.hint().to_owned())?;
        match length {
            0 => Err("it must be longer than nothing, as 5m is".to_owned()),
            ms => Ok(Length(ms)),
        }
    }

    fn shown(&self) -> String {
        Threshold {
            value: self.0 as f64,
            unit: ThresholdUnit::Milliseconds,
        }
        .to_string()
    }

    fn kept(&self) -> String {
        self.0.to_string()
    }

    fn recall(kept: &str) -> Option<Length> {
        let ms = kept.parse::<i64>().ok();
        ms.filter(|ms| *ms > 0).map(Length)
    }
}

impl Form for Age {
    fn parse(text: &str) -> Result<Age, String> {
        match text {
            FOREVER => Ok(Age(None)),
            text => Length::parse(text)
                .map(|length| Age(Some(length.0)))
                .map_err(|hint| format!("{hint}, or forever")),
        }
    }

    fn shown(&self) -> String {
        let length = |ms| Length(ms).shown();
        self.0.map_or(FOREVER.to_owned(), length)
    }

    fn kept(&self) -> String {
        let length = |ms| Length(ms).kept();
        self.0.map_or(FOREVER.to_owned(), length)
    }

    fn recall(kept: &str) -> Option<Age> {
        match kept {
            FOREVER => Some(Age(None)),
            kept => Length::recall(kept).map(|length| Age(Some(length.0))),
        }
    }
}

impl Form for Names {
    fn parse(text: &str) -> Result<Names, String> {
        let mut names: Vec<&str> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if name.is_empty() {
                return Err("write names with commas between them, such as slack,stdout".to_owned());
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Names(names.join(",").into()))
    }

    fn shown(&self) -> String {
        self.0.clone().into_owned()
    }
}

impl Form for Share {
    fn parse(text: &str) -> Result<Share, String> {
        let share = Threshold::parse(text.trim()).ok().filter(|t| match t.unit {
            ThresholdUnit::Plain | ThresholdUnit::Ratio => (0.0..=1.0).contains(&t.value),
            ThresholdUnit::Milliseconds | ThresholdUnit::Usd => false,
        });
        let share = share.map(|threshold| Share(threshold.value));
        share.ok_or_else(|| "write a share from 0% to 100%, such as 95% or 0.95".to_owned())
    }

    fn shown(&self) -> String {
        Threshold {
            value: self.0,
            unit: ThresholdUnit::Ratio,
        }
        .to_string()
    }
}

impl Form for Number {
    fn parse(text: &str) -> Result<Number, String> {
        let number = text.trim().parse::<u32>().ok().filter(|n| *n > 0);
        let number = number.map(|n| Number(n.into()));
        number.ok_or_else(|| "write a whole number, 1 or more".to_owned())
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

impl Form for Zone {
    fn parse(text: &str) -> Result<Zone, String> {
        Zone::parse(text).map_err(|e| e.hint())
    }

    fn shown(&self) -> String {
        self.name().to_owned()
    }
}

impl Form for CostMode {
    fn parse(text: &str) -> Result<CostMode, String> {
        CostMode::parse(text).ok_or_else(|| "use one of auto, reported, computed".to_owned())
    }

    fn shown(&self) -> String {
        self.name().to_owned()
    }
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];

impl Form for Weekday {
    fn parse(text: &str) -> Result<Weekday, String> {
        let text = text.to_lowercase();
        let named = |name: &str| name == text || name[..3] == text;
        let day = WEEKDAYS.into_iter().find(|(_, name)| named(name));
        day.map(|(day, _)| day)
            .ok_or_else(|| "use a day such as monday or sunday".to_owned())
    }

    fn shown(&self) -> String {
        let (_, name) = WEEKDAYS[self.num_days_from_monday() as usize];
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads, shows and keeps a value.
    fn round<T: Form + PartialEq + std::fmt::Debug>(text: &str) -> (String, String) {
        let value = T::parse(text).unwrap();
        assert_eq!(T::parse(&value.shown()).unwrap(), value, "{text}");
        assert_eq!(T::recall(&value.kept()).unwrap(), value, "{text}");
        (value.shown(), value.kept())
    }

    #[test]
    fn what_is_written_is_kept_and_shown_the_same() {
        let pair = |shown: &str, kept: &str| (shown.to_owned(), kept.to_owned());
        assert_eq!(round::<Length>("1h30m"), pair("90m", "5400000"));
        assert_eq!(round::<Age>("1w"), pair("7d", "604800000"));
        assert_eq!(round::<Age>("forever"), pair("forever", "forever"));
        assert_eq!(round::<Share>("0.999"), pair("99.9%", "99.9%"));
        assert_eq!(round::<Share>("7%"), pair("7%", "7%"));
        assert_eq!(round::<Number>("5"), pair("5", "5"));
        assert_eq!(round::<Weekday>("Sun"), pair("sunday", "sunday"));
        assert_eq!(round::<CostMode>("computed"), pair("computed", "computed"));
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_to_write() {
        assert!(Length::parse("0s").is_err() && Length::parse("5").is_err());
        assert!(Age::parse("never").unwrap_err().ends_with("or forever"));
        for text in ["101%", "-1%", "2", "5ms", "$1", "NaN", ""] {
            assert!(Share::parse(text).is_err(), "{text}");
        }
        assert!(Number::parse("0").is_err() && Number::parse("-5").is_err());
        assert!(Weekday::parse("noday").is_err() && Weekday::parse("mö").is_err());
    }
}
