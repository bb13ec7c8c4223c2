//! A silence: for how long nobody wants to hear of some alerts.
//!
//! Which labels an alert has is not known here, nor how a notice is kept back.

use std::collections::BTreeMap;

use super::{Millis, Pattern};

/// The number of a silence; it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SilenceId(pub i64);

/// What a label is compared with: `gpt-4*|o3`, or `!gpt-4*` for anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelTest {
    text: String,
    patterns: Vec<Pattern>,
    excludes: bool,
}

impl LabelTest {
    /// Reads patterns with `|` between them; behind a `!` they exclude.
    pub fn parse(text: &str) -> LabelTest {
        let (excludes, patterns) = match text.strip_prefix('!') {
            Some(patterns) => (true, patterns),
            None => (false, text),
        };
        LabelTest {
            text: text.to_owned(),
            patterns: Pattern::parse_alternatives(patterns),
            excludes,
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a label of that value passes; what an alert does not say is the empty text.
    pub fn accepts(&self, value: &str) -> bool {
        self.patterns.iter().any(|p| p.matches(value)) != self.excludes
    }
}

/// For how long nobody wants to hear of alerts with these labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: SilenceId,
    /// What the labels of an alert must be, all of them; `rule` and `severity` count as labels.
    pub tests: BTreeMap<String, LabelTest>,
    /// When it begins.
    pub from: Millis,
    /// When it ends, itself outside.
    pub until: Millis,
    /// Why.
    pub note: String,
    /// By whom.
    pub actor: String,
    /// When it was made.
    pub created_at: Millis,
}

impl Silence {
    /// Whether it lasts at that moment.
    pub fn lasts_at(&self, at: Millis) -> bool {
        self.from <= at && at < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_passes_one_of_the_patterns_or_none_of_the_excluded_ones() {
        let accepted = |text: &str, value: &str| LabelTest::parse(text).accepts(value);
        assert!(accepted("gpt-4*|o3", "gpt-4o"));
        assert!(accepted("gpt-4*|o3", "o3"));
        assert!(!accepted("gpt-4*|o3", "o3-mini"));
        assert!(!accepted("!gpt-4*|o3", "o3"));
        assert!(accepted("!gpt-4*", ""));
        assert!(accepted("*", ""));
    }
}
