//! Which events: conditions on the labels an event carries.
//!
//! Values are compared as they are written, letter case included. A label that
//! an event lacks counts as the empty text. How a selector is asked of the
//! store is not known here, nor where its text was written (see `expr`).

use std::fmt;
use std::iter;
use std::mem;

use super::Dimension;

/// The marks that a backslash before them makes plain characters.
const MARKS: [char; 5] = ['\\', '"', '*', '|', '!'];

/// The characters of a text as it was typed, each with whether a backslash made it plain.
///
/// A backslash before anything but a mark is a character like any other.
fn unescaped(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut chars = text.chars().peekable();
    iter::from_fn(move || {
        let c = chars.next()?;
        let mark = chars.next_if(|next| c == '\\' && MARKS.contains(next));
        Some(mark.map_or((c, false), |mark| (mark, true)))
    })
}

/// A text as it was typed, without the backslashes that make marks plain.
pub(super) fn unescape(text: &str) -> String {
    unescaped(text).map(|(c, _)| c).collect()
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str, marks: &[char]) -> fmt::Result {
    for c in text.chars() {
        if marks.contains(&c) {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    Ok(())
}

/// A text in which `*` stands for any run of characters, also for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// What comes before the first star; all of it when there is no star.
    head: String,
    /// What follows each star. Only the last may be empty.
    tail: Vec<String>,
}

impl Pattern {
    /// The pattern that accepts just this value.
    pub fn exactly(value: impl Into<String>) -> Pattern {
        Pattern {
            head: value.into(),
            tail: Vec::new(),
        }
    }

    /// Reads `gpt-4*`; `\*` is a plain star and `\\` a plain backslash.
    pub fn parse(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        for (c, plain) in unescaped(text) {
            pattern.push(c, plain);
        }
        pattern
    }

    /// Reads `gpt-4*|o3`: patterns with `|` between them; `\|` is a plain bar.
    pub fn parse_alternatives(text: &str) -> Vec<Pattern> {
        let mut all = Vec::new();
        let mut current = Pattern::default();
        for (c, plain) in unescaped(text) {
            if c == '|' && !plain {
                all.push(mem::take(&mut current));
            } else {
                current.push(c, plain);
            }
        }
        all.push(current);
        all
    }

    fn push(&mut self, c: char, plain: bool) {
        let is_star = c == '*' && !plain;
        let last = self.tail.last_mut();
        match last {
            Some(piece) if is_star && piece.is_empty() => {}
            _ if is_star => self.tail.push(String::new()),
            Some(piece) => piece.push(c),
            None => self.head.push(c),
        }
    }

    /// The only value it accepts, or `None` when it has a star.
    pub fn exact(&self) -> Option<&str> {
        self.tail.is_empty().then_some(self.head.as_str())
    }

    /// Whether the whole value fits. The first fit of each piece is the best
    /// one, so there is nothing to go back to and the time is linear.
    pub fn matches(&self, value: &str) -> bool {
        let Some((last, between)) = self.tail.split_last() else {
            return self.head == value;
        };
        let ends_cut = value
            .strip_prefix(self.head.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()));
        let left = between.iter().try_fold(ends_cut, |rest, piece| {
            let (_, after) = rest?.split_once(piece.as_str())?;
            Some(Some(after))
        });
        left.flatten().is_some()
    }
}

impl fmt::Display for Pattern {
    /// The text that [`Pattern::parse`] reads, fit to stand between double quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GLOB_MARKS: [char; 4] = ['\\', '"', '*', '|'];
        write_escaped(f, &self.head, &GLOB_MARKS)?;
        for piece in &self.tail {
            f.write_str("*")?;
            write_escaped(f, piece, &GLOB_MARKS)?;
        }
        Ok(())
    }
}

/// One condition: the label fits one of the patterns, or (negated) none of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    dimension: Dimension,
    /// Never empty.
    patterns: Vec<Pattern>,
    negated: bool,
}

impl Matcher {
    /// The label is exactly this value.
    pub fn equal(dimension: Dimension, value: impl Into<String>) -> Matcher {
        Matcher {
            dimension,
            patterns: vec![Pattern::exactly(value)],
            negated: false,
        }
    }

    /// The label fits one of the patterns in a text such as `gpt-4*|o3`.
    pub fn like(dimension: Dimension, alternatives: &str) -> Matcher {
        Matcher {
            dimension,
            patterns: Pattern::parse_alternatives(alternatives),
            negated: false,
        }
    }

    /// The opposite condition.
    pub fn negate(self) -> Matcher {
        Matcher {
            negated: !self.negated,
            ..self
        }
    }

    /// The values of a repeated flag: `--model 'gpt-4*' --model o3 --model '!gpt-4-32k'`.
    ///
    /// Plain values are alternatives and become one matcher; those behind `!`
    /// are all excluded and become another. A bar is a plain character here.
    pub fn from_values(dimension: Dimension, values: &[String]) -> Vec<Matcher> {
        let (mut accepted, mut excluded) = (Vec::new(), Vec::new());
        for value in values {
            match value.strip_prefix('!') {
                Some(value) => excluded.push(Pattern::parse(value)),
                None => accepted.push(Pattern::parse(value)),
            }
        }
        [(accepted, false), (excluded, true)]
            .into_iter()
            .filter(|(patterns, _)| !patterns.is_empty())
            .map(|(patterns, negated)| Matcher {
                dimension,
                patterns,
                negated,
            })
            .collect()
    }

    /// The label it looks at.
    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// The patterns, of which there is at least one.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether a value that fits a pattern is refused rather than accepted.
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Whether the condition holds for this value; an absent label is `""`.
    pub fn accepts(&self, value: &str) -> bool {
        self.patterns.iter().any(|p| p.matches(value)) != self.negated
    }
}

impl fmt::Display for Matcher {
    /// As in an expression: `provider="claude"`, `model!~"gpt-*|o3"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "!" } else { "=" };
        if let [only] = self.patterns.as_slice()
            && let Some(value) = only.exact()
        {
            let operator = if self.negated { "!=" } else { "=" };
            write!(f, "{}{operator}\"", self.dimension)?;
            write_escaped(f, value, &['\\', '"'])?;
            return f.write_str("\"");
        }
        write!(f, "{}{sign}~\"", self.dimension)?;
        for (i, pattern) in self.patterns.iter().enumerate() {
            let bar = if i > 0 { "|" } else { "" };
            write!(f, "{bar}{pattern}")?;
        }
        f.write_str("\"")
    }
}

/// Conditions that must all hold. Without any, every event is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The conditions.
    pub matchers: Vec<Matcher>,
}

impl Selector {
    /// Whether an event is selected, given its labels (`""` for an absent one).
    pub fn matches<'a>(&self, get: impl Fn(Dimension) -> &'a str) -> bool {
        self.matchers.iter().all(|m| m.accepts(get(m.dimension)))
    }

    /// The dimensions it looks at, each once.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> + '_ {
        Dimension::ALL
            .into_iter()
            .filter(|d| self.matchers.iter().any(|m| m.dimension == *d))
    }
}

impl fmt::Display for Selector {
    /// As in an expression, with its braces; nothing when there are no conditions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.matchers.split_first() else {
            return Ok(());
        };
        write!(f, "{{{first}")?;
        for matcher in others {
            write!(f, ", {matcher}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flag(dimension: Dimension, values: &[&str]) -> Selector {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        Selector {
            matchers: Matcher::from_values(dimension, &values),
        }
    }

    fn with_model<'a>(model: &'a str) -> impl Fn(Dimension) -> &'a str {
        move |d| if d == Dimension::Model { model } else { "" }
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, value, fits) in [
            ("gpt-4*", "gpt-4o", true),
            ("gpt-4*", "gpt-4", true),
            ("gpt-4*", "gpt-3.5", false),
            ("*sonnet*", "claude-sonnet-4", true),
            ("*mini", "gpt-4o-mini-2024", false),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("ü*ß", "übergroß", true),
            (r"2\*3", "2*3", true),
            (r"2\*3", "2x3", false),
            (r"C:\tmp\\*", r"C:\tmp\x", true),
        ] {
            assert_eq!(
                Pattern::parse(pattern).matches(value),
                fits,
                "{pattern} {value}"
            );
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let pattern = Pattern::parse(&format!("{}b", "a*".repeat(5_000)));
        assert!(!pattern.matches(&"a".repeat(100_000)));
    }

    #[test]
    fn values_of_one_flag_are_alternatives_and_exclusions_all_count() {
        let selector = flag(Dimension::Model, &["gpt-4*", "o3", "!gpt-4-32k", "!*-mini"]);
        for (model, selected) in [
            ("gpt-4o", true),
            ("o3", true),
            ("gpt-4-32k", false),
            ("gpt-4o-mini", false),
            ("claude", false),
        ] {
            assert_eq!(selector.matches(with_model(model)), selected, "{model}");
        }
    }

    #[test]
    fn different_flags_must_all_hold() {
        let mut selector = flag(Dimension::Model, &["o3"]);
        selector
            .matchers
            .push(Matcher::equal(Dimension::Provider, "openai"));
        assert!(!selector.matches(with_model("o3")));
        assert!(selector.matches(|d| {
            if d == Dimension::Model {
                "o3"
            } else {
                "openai"
            }
        }));
        let asked: Vec<_> = selector.dimensions().collect();
        assert_eq!(asked, [Dimension::Provider, Dimension::Model]);
    }

    #[test]
    fn an_absent_label_is_the_empty_text() {
        assert!(flag(Dimension::Model, &[""]).matches(with_model("")));
        assert!(flag(Dimension::Model, &["!o3"]).matches(with_model("")));
        assert!(!flag(Dimension::Model, &["!"]).matches(with_model("")));
        assert!(flag(Dimension::Model, &[]).matches(with_model("")));
    }

    #[test]
    fn a_user_id_with_a_bar_or_a_leading_exclamation_mark_can_be_named() {
        let bar = Matcher::from_values(Dimension::User, &["auth0|5f7c".to_string()]);
        assert!(bar[0].accepts("auth0|5f7c"));
        let mark = Matcher::from_values(Dimension::User, &[r"\!root".to_string()]);
        assert!(mark[0].accepts("!root") && !mark[0].is_negated());
        assert!(Matcher::like(Dimension::User, r"auth0\|*|u1").accepts("auth0|5f7c"));
    }

    proptest! {
        #[test]
        fn a_pattern_agrees_with_the_plain_definition(
            pattern in "[ab*]{0,6}", value in "[ab]{0,8}",
        ) {
            fn fits(pattern: &[u8], value: &[u8]) -> bool {
                match (pattern, value) {
                    ([], _) => value.is_empty(),
                    ([b'*', rest @ ..], _) => (0..=value.len()).any(|n| fits(rest, &value[n..])),
                    ([p, rest @ ..], [v, more @ ..]) => p == v && fits(rest, more),
                    (_, []) => false,
                }
            }
            let expected = fits(pattern.as_bytes(), value.as_bytes());
            prop_assert_eq!(Pattern::parse(&pattern).matches(&value), expected);
        }

        #[test]
        fn a_shown_pattern_reads_back_the_same(text in r#"[ab*|\\"!]{0,9}"#) {
            let pattern = Pattern::parse(&text);
            prop_assert_eq!(Pattern::parse(&pattern.to_string()), pattern);
        }
    }
}
