//! How one stored event is named in text: its time and its h, in hexadecimal.
//!
//! Time comes first, so that the texts sort like the events and the beginning
//! of one names a short span of time. How h is made is not known here.

use std::fmt;

use super::Millis;

/// The name of a stored event: `19c8a4f6d80-0123456789abcdef`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventRef {
    /// When it happened.
    pub at: Millis,
    /// What tells it from others of that time.
    pub h: i64,
}

/// The fewest characters of a shortened reference.
pub const SHORTEST_REF: usize = 6;

/// Hexadecimal digits of moments from 2000 to 9999, and those of h.
const TIME_DIGITS: std::ops::RangeInclusive<usize> = 10..=12;
const H_DIGITS: usize = 16;

impl EventRef {
    /// The first and the last reference there can be at a moment.
    pub fn all_at(at: Millis) -> (EventRef, EventRef) {
        let of = |h| EventRef { at, h };
        (of(i64::MIN), of(i64::MAX))
    }

    /// Reads a whole reference.
    pub fn parse(text: &str) -> Option<EventRef> {
        let (time, h) = text.split_once('-')?;
        let whole = TIME_DIGITS.contains(&time.len()) && h.len() == H_DIGITS;
        Some(EventRef {
            at: Millis(digits(time)? as i64),
            h: digits(h)? as i64,
        })
        .filter(|_| whole)
    }

    /// The references that begin with this text, from the first to the last of each
    /// range; none when the text is too short, or the beginning of no reference.
    pub fn beginning_with(text: &str) -> Vec<(EventRef, EventRef)> {
        let (time, h) = match text.split_once('-') {
            Some((time, h)) => (time, Some(h)),
            None => (text, None),
        };
        let Some(number) = digits(time).filter(|_| text.len() >= SHORTEST_REF) else {
            return Vec::new();
        };
        match h {
            Some(h) if TIME_DIGITS.contains(&time.len()) => {
                ending_like(Millis(number as i64), h).into_iter().collect()
            }
            Some(_) => Vec::new(),
            None => TIME_DIGITS
                .filter_map(|length| Some(4 * length.checked_sub(time.len())?))
                .map(|missing| {
                    let first = (number << missing) as i64;
                    let last = first + ((1 << missing) - 1);
                    (
                        EventRef::all_at(Millis(first)).0,
                        EventRef::all_at(Millis(last)).1,
                    )
                })
                .collect(),
        }
    }
}

/// The references of a moment whose h begins with these digits.
fn ending_like(at: Millis, h: &str) -> Option<(EventRef, EventRef)> {
    if h.is_empty() {
        return Some(EventRef::all_at(at));
    }
    let missing = 4 * H_DIGITS.checked_sub(h.len())?;
    let first = digits(h)? << missing;
    let last = first | ((1_u64 << missing) - 1);
    let of = |h: u64| EventRef { at, h: h as i64 };
    Some((of(first), of(last)))
}

/// Lower case only: one event has one name.
fn digits(text: &str) -> Option<u64> {
    let known = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let number = u64::from_str_radix(text, 16).ok()?;
    text.bytes().all(known).then_some(number)
}

impl fmt::Display for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:016x}", self.at.0, self.h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "19c8a4f6d80",
            "19c8a4f6d80-",
            "19c8a4f6d80-1",
            "19C8a4f6d80-0123456789abcdef",
            "+19c8a4f6d8-0123456789abcdef",
            "19c8a4f6d80-0123456789abcdef0",
        ] {
            assert_eq!(EventRef::parse(text), None, "{text}");
        }
        assert!(EventRef::beginning_with("19c8a").is_empty());
        assert!(EventRef::beginning_with("19c8a4-0").is_empty());
        assert!(EventRef::beginning_with("claude").is_empty());
    }

    proptest! {
        #[test]
        fn a_reference_is_read_back_and_found_by_every_beginning(
            at in 946_684_800_000_i64..253_402_300_800_000, h in any::<i64>(), length in SHORTEST_REF..=29,
        ) {
            let event = EventRef { at: Millis(at), h };
            let text = event.to_string();
            prop_assert_eq!(EventRef::parse(&text), Some(event));
            let beginning = &text[..length.min(text.len())];
            let found = EventRef::beginning_with(beginning);
            let inside = found.iter().any(|(first, last)| *first <= event && event <= *last);
            prop_assert!(inside, "{} {:?}", beginning, found);
        }
    }
}
