//! The one small language in which measures are asked for, and its reader:
//!
//! ```text
//! expr      = measure [ "{" matcher { "," matcher } [","] "}" ] [ "by" "(" dimension { "," dimension } ")" ]
//! matcher   = dimension ( "=" | "!=" | "=~" | "!~" ) text
//! condition = expr operator threshold                          (see `condition`)
//! measure   = letter or "_", then letters, digits, "_" and "."
//! text      = double quotes around any characters
//! ```
//!
//! `=` compares the text as it is. `=~` takes it as patterns: `*` is any run of
//! characters and `|` stands between alternatives; it is no regular expression.
//! In either, a backslash before `"`, `\`, `*`, `|` or `!` makes it a plain character.
//!
//! Which measures exist is not known here: a name is only checked for its form.

use std::fmt;

use super::cursor::{Cursor, ExprError, choices, is_name, shown};
use super::selector::unescape;
use super::{Dimension, Matcher, Selector, nearest};

/// A measure asked for: `p95_latency{provider="claude"} by (model)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// The name of the measure, well-formed but not known to exist.
    pub measure: String,
    /// Which events count.
    pub selector: Selector,
    /// The dimensions by which the answer is split, each once.
    pub by: Vec<Dimension>,
}

impl Expr {
    /// Reads an expression that is the whole text.
    ///
    /// # Errors
    /// When it is malformed or names an unknown dimension.
    pub fn parse(text: &str) -> Result<Expr, ExprError> {
        let mut cursor = Cursor::new(text);
        let expr = cursor.expr()?;
        let after = if expr.by.is_empty() {
            "\"by\" or the end"
        } else {
            "the end"
        };
        cursor.end(after).map_err(|wrong| {
            let is_condition = cursor.rest().starts_with(['<', '>', '=', '!']);
            if is_condition {
                wrong.hint("leave the comparison out: it belongs in an alert rule")
            } else {
                wrong
            }
        })?;
        Ok(expr)
    }
}

impl fmt::Display for Expr {
    /// The canonical text, which reads back the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.measure, self.selector)?;
        let Some((first, others)) = self.by.split_first() else {
            return Ok(());
        };
        write!(f, " by ({first}")?;
        for dimension in others {
            write!(f, ", {dimension}")?;
        }
        f.write_str(")")
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn expr(&mut self) -> Result<Expr, ExprError> {
        self.next_at();
        let named = self.rest().starts_with(|c| is_name(c) && !starts_number(c));
        if !named {
            return Err(self
                .expected("the name of a measure")
                .hint("begin with a measure, such as p95_latency"));
        }
        let measure = self.take_while(is_name).to_string();
        let matchers = if self.eat('{') {
            self.matchers()?
        } else {
            Vec::new()
        };
        Ok(Expr {
            measure,
            selector: Selector { matchers },
            by: self.by()?,
        })
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, ExprError> {
        let mut matchers = Vec::new();
        while !self.eat('}') {
            matchers.push(self.matcher()?);
            if self.eat('}') {
                break;
            }
            if !self.eat(',') {
                return Err(self.expected("\",\" or \"}\""));
            }
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, ExprError> {
        let dimension = self.dimension()?;
        let at = self.next_at();
        let operator = self.operator();
        let text_at = self.next_at();
        let matcher = match operator {
            "=" => Matcher::equal(dimension, unescape(self.quoted()?)),
            "!=" => Matcher::equal(dimension, unescape(self.quoted()?)).negate(),
            "=~" => Matcher::like(dimension, self.quoted()?),
            "!~" => Matcher::like(dimension, self.quoted()?).negate(),
            "" => return Err(self.expected("one of = != =~ !~")),
            other => return Err(unknown_matcher(at, other)),
        };
        check_status(&matcher, text_at)?;
        Ok(matcher)
    }

    fn by(&mut self) -> Result<Vec<Dimension>, ExprError> {
        let mut by = Vec::new();
        if !self.eat_word("by") {
            return Ok(by);
        }
        if !self.eat('(') {
            return Err(self
                .expected("\"(\"")
                .hint("write the dimensions in parentheses: by (provider, model)"));
        }
        loop {
            let at = self.next_at();
            let dimension = self.dimension()?;
            if by.contains(&dimension) {
                let twice = format!("{:?} is named twice", dimension.name());
                return Err(ExprError::new(at, twice).hint("name each dimension once"));
            }
            by.push(dimension);
            if self.eat(')') {
                return Ok(by);
            }
            if !self.eat(',') {
                return Err(self.expected("\",\" or \")\""));
            }
        }
    }

    fn dimension(&mut self) -> Result<Dimension, ExprError> {
        let at = self.next_at();
        let word = self.next_word();
        if !word.starts_with(is_name) {
            return Err(self.expected("a dimension").hint(dimensions(None)));
        }
        let name = self.take_while(is_name);
        Dimension::parse(name).ok_or_else(|| {
            let likeliest = nearest(name, Dimension::ALL.map(Dimension::name));
            ExprError::new(at, format!("unknown dimension {:?}", shown(name)))
                .hint(dimensions(likeliest))
        })
    }
}

fn starts_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn dimensions(likeliest: Option<&str>) -> String {
    choices(&Dimension::ALL.map(Dimension::name).join(", "), likeliest)
}

fn unknown_matcher(at: usize, operator: &str) -> ExprError {
    let likeliest = match operator {
        "==" | "===" => Some("="),
        "~" | "~=" | "=~=" => Some("=~"),
        "!" | "!==" | "<>" | "=!" | "≠" => Some("!="),
        "~!" | "!=~" => Some("!~"),
        _ => None,
    };
    ExprError::new(at, format!("unknown operator {:?}", shown(operator)))
        .hint(choices("= != =~ !~", likeliest))
}

/// Refuses `status="failed"`, which would quietly select nothing.
fn check_status(matcher: &Matcher, at: usize) -> Result<(), ExprError> {
    const STATUSES: [&str; 3] = ["", "ok", "error"];
    let wrong = matcher
        .patterns()
        .iter()
        .filter(|_| matcher.dimension() == Dimension::Status)
        .filter_map(|pattern| pattern.exact())
        .find(|value| !STATUSES.contains(value));
    match wrong {
        Some(value) => {
            let message = format!("a status is ok or error, found {:?}", shown(value));
            let hint = "for single HTTP codes use status_code";
            Err(ExprError::new(at, message).hint(hint))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, subsequence};

    use super::*;

    fn canonical(text: &str) -> String {
        Expr::parse(text).unwrap().to_string()
    }

    fn refused(text: &str) -> (usize, String, String) {
        let error = Expr::parse(text).unwrap_err();
        (error.at, error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn a_measure_alone_is_an_expression() {
        let expr = Expr::parse(" api.response_time.p95 ").unwrap();
        assert_eq!(expr.measure, "api.response_time.p95");
        assert_eq!(expr.selector, Selector::default());
        assert_eq!(expr.by, []);
    }

    #[test]
    fn filters_and_groups_are_read_and_shown_in_one_form() {
        let text = r#"p95_latency{ provider = "claude",model!="x",user_id=~"u1*|u2", }by(provider ,model)"#;
        let shown =
            r#"p95_latency{provider="claude", model!="x", user=~"u1*|u2"} by (provider, model)"#;
        assert_eq!(canonical(text), shown);
        assert_eq!(canonical(shown), shown);
        assert_eq!(canonical("cost{}"), "cost");
        assert_eq!(canonical("by by (model)"), "by by (model)");
        assert_eq!(
            canonical(r#"cost{model=~"o3"}"#),
            r#"cost{model="o3"}"#,
            "a pattern without a star is a plain text"
        );
    }

    #[test]
    fn a_backslash_makes_marks_plain() {
        let accepts = |text: &str, value: &str| {
            Expr::parse(text).unwrap().selector.matchers[0].accepts(value)
        };
        assert!(accepts(r#"cost{user="say \"hi\""}"#, r#"say "hi""#));
        assert!(accepts(r#"cost{user="a\\"}"#, r"a\"));
        assert!(accepts(r#"cost{user="auth0|1*"}"#, "auth0|1*"));
        assert!(accepts(r#"cost{user=~"auth0\|*"}"#, "auth0|17"));
        assert!(accepts(r#"cost{user=~"2\*3|x"}"#, "2*3"));
        assert!(accepts(r#"cost{user!~"u*"}"#, ""));
    }

    #[test]
    fn an_error_says_where_what_and_what_else() {
        for (text, at, message, hint) in [
            (
                "",
                0,
                "expected the name of a measure, found the end",
                "p95_latency",
            ),
            (
                "95",
                0,
                "expected the name of a measure, found \"95\"",
                "p95_latency",
            ),
            (
                r#"cost{provder="x"}"#,
                5,
                "unknown dimension \"provder\"",
                "(did you mean \"provider\"?)",
            ),
            (
                "cost by (modle)",
                9,
                "unknown dimension \"modle\"",
                "(did you mean \"model\"?)",
            ),
            (
                r#"cost{provider=="x"}"#,
                13,
                "unknown operator \"==\"",
                "use one of = != =~ !~ (did you mean \"=\"?)",
            ),
            (
                "cost{provider=claude}",
                14,
                "expected a text in double quotes, found \"claude\"",
                "write \"claude\"",
            ),
            (
                r#"cost{provider="x}"#,
                14,
                "this text has no end",
                "close it",
            ),
            (
                r#"cost{provider="x""#,
                17,
                "expected \",\" or \"}\", found the end",
                "",
            ),
            (
                r#"cost{provider="x" model="y"}"#,
                18,
                "expected \",\" or \"}\", found \"model\"",
                "",
            ),
            (
                "cost{provider}",
                13,
                "expected one of = != =~ !~, found \"}\"",
                "",
            ),
            (
                "cost by model",
                8,
                "expected \"(\", found \"model\"",
                "by (provider, model)",
            ),
            (
                "cost by ()",
                9,
                "expected a dimension, found \")\"",
                "provider, model",
            ),
            (
                "cost by (model, model)",
                16,
                "\"model\" is named twice",
                "once",
            ),
            (
                "p95 latency",
                4,
                "expected \"by\" or the end, found \"latency\"",
                "",
            ),
            (
                "cost > $10",
                5,
                "expected \"by\" or the end, found \">\"",
                "alert rule",
            ),
            (
                r#"cost{status="failed"}"#,
                12,
                "a status is ok or error, found \"failed\"",
                "status_code",
            ),
        ] {
            let (found_at, found_message, found_hint) = refused(text);
            assert_eq!((found_at, found_message.as_str()), (at, message), "{text}");
            assert!(found_hint.contains(hint), "{text}: {found_hint}");
        }
    }

    #[test]
    fn a_place_is_told_by_line_and_column_in_characters() {
        let text = "cost\n  {model=\"größe\" x}";
        let error = Expr::parse(text).unwrap_err();
        assert_eq!(error.line_and_column(text), (2, 18));
    }

    #[test]
    fn a_long_wrong_word_is_not_repeated_in_full() {
        let (_, message, _) = refused(&format!("cost {}", "x".repeat(1_000_000)));
        assert!(message.len() < 100, "{message}");
        let (_, message, _) = refused(&format!("cost{{{}=\"\"}}", "x".repeat(1_000_000)));
        assert!(message.len() < 100, "{message}");
    }

    fn matcher() -> impl Strategy<Value = Matcher> {
        let dimension = proptest::sample::select(
            Dimension::ALL
                .into_iter()
                .filter(|d| *d != Dimension::Status)
                .collect::<Vec<_>>(),
        );
        (
            dimension,
            "\\PC{0,6}|[a*|\"\\\\!]{0,8}",
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(dimension, text, like, negated)| {
                let matcher = if like {
                    Matcher::like(dimension, &text)
                } else {
                    Matcher::equal(dimension, text)
                };
                if negated { matcher.negate() } else { matcher }
            })
    }

    /// Any expression there is.
    pub(in super::super) fn exprs() -> impl Strategy<Value = Expr> {
        let by = subsequence(Dimension::ALL.to_vec(), 0..=3).prop_shuffle();
        ("[A-Za-z_][A-Za-z0-9_.]{0,12}", vec(matcher(), 0..4), by).prop_map(
            |(measure, matchers, by)| Expr {
                measure,
                selector: Selector { matchers },
                by,
            },
        )
    }

    /// Texts that are nearly right: a good one with a piece cut out or put in.
    pub(in super::super) fn mutated(
        good: impl Strategy<Value = String>,
    ) -> impl Strategy<Value = String> {
        let piece = "\\PC{0,3}|[{}()=!~<>\"\\\\,*| ]{0,4}";
        (good, any::<Index>(), 0..3_usize, piece).prop_map(|(good, place, cut, piece)| {
            let characters: Vec<char> = good.chars().collect();
            let from = place.index(characters.len() + 1);
            let until = (from + cut).min(characters.len());
            let (before, after) = (&characters[..from], &characters[until..]);
            let text: String = before.iter().copied().chain(piece.chars()).collect();
            text + &after.iter().collect::<String>()
        })
    }

    proptest! {
        #[test]
        fn a_printed_expression_reads_back_the_same(expr in exprs()) {
            prop_assert_eq!(Expr::parse(&expr.to_string()), Ok(expr));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|(?s).{0,40}") {
            let _ = Expr::parse(&text);
        }

        #[test]
        fn an_error_points_into_the_text(text in mutated(exprs().prop_map(|e| e.to_string()))) {
            if let Err(error) = Expr::parse(&text) {
                prop_assert!(text.is_char_boundary(error.at), "{}", error);
                let (line, column) = error.line_and_column(&text);
                prop_assert!(line >= 1 && column >= 1);
            }
        }
    }
}
