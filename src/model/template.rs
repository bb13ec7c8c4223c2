//! Texts with places to fill: `{{ value }} of {{ labels.provider }} is above {{ threshold }}`.
//!
//! It knows which places there are and not what stands in them: whoever fills a
//! text says so, place by place (`alert::annotations` does, in human units).

use std::collections::BTreeMap;

use super::cursor::{ExprError, choices, is_name, shown};
use super::{Rule, nearest};

/// What can be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `rule`: its name.
    Rule,
    /// `condition`: as it is written.
    Condition,
    /// `value`: what was measured.
    Value,
    /// `threshold`: what it is compared with.
    Threshold,
    /// `window`: over how long it was measured.
    Window,
    /// `for`: how long it must hold.
    For,
    /// `severity`.
    Severity,
    /// `since`: when it began.
    Since,
    /// `labels.NAME`: a label of the group or of the rule.
    Label(String),
}

/// The places with a fixed name.
const NAMED: [(&str, Placeholder); 8] = [
    ("rule", Placeholder::Rule),
    ("condition", Placeholder::Condition),
    ("value", Placeholder::Value),
    ("threshold", Placeholder::Threshold),
    ("window", Placeholder::Window),
    ("for", Placeholder::For),
    ("severity", Placeholder::Severity),
    ("since", Placeholder::Since),
];
const LABELS: &str = "labels.";

/// A text with places to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// With where its name stands in the text.
    Placeholder(Placeholder, usize),
}

impl Template {
    /// Reads a text. Braces stand for themselves unless two of them open.
    ///
    /// # Errors
    /// When a place has no end or is unknown.
    pub fn parse(text: &str) -> Result<Template, ExprError> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|found| at + found) {
            if open > at {
                pieces.push(Piece::Text(text[at..open].to_owned()));
            }
            let inside = &text[open + 2..];
            let Some(length) = inside.find("}}") else {
                let error = ExprError::new(open, "this place has no end".to_owned());
                return Err(error.hint("close it with }}"));
            };
            let name = inside[..length].trim();
            let name_at = open + 2 + (length - inside[..length].trim_start().len());
            pieces.push(Piece::Placeholder(place(name, name_at)?, name_at));
            at = open + 2 + length + 2;
        }
        if at < text.len() {
            pieces.push(Piece::Text(text[at..].to_owned()));
        }
        Ok(Template { pieces })
    }

    /// Reads a text that speaks of a rule: labels must be those of its groups or its own.
    ///
    /// # Errors
    /// As [`Template::parse`], and when the rule has no such label.
    pub fn parse_for(rule: &Rule, text: &str) -> Result<Template, ExprError> {
        let template = Template::parse(text)?;
        let of_groups = rule.condition.expr.by.iter().map(|d| d.name());
        let own = rule.labels.keys().map(String::as_str);
        let known: Vec<&str> = of_groups.chain(own).collect();
        for piece in &template.pieces {
            if let Piece::Placeholder(Placeholder::Label(name), at) = piece
                && !known.contains(&name.as_str())
            {
                let message = format!("alerts of this rule have no label {:?}", shown(name));
                let likeliest = nearest(name, known.iter().copied());
                return Err(ExprError::new(*at, message).hint(match known.as_slice() {
                    [] => "add `by (…)` to the condition, or a label to the rule".to_owned(),
                    known => choices(&known.join(", "), likeliest),
                }));
            }
        }
        Ok(template)
    }

    /// The text with every place filled.
    pub fn fill(&self, mut what: impl FnMut(&Placeholder) -> String) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(place, _) => what(place),
        });
        pieces.collect()
    }
}

/// The texts of a rule, filled. A text that cannot be read, which no command lets in,
/// stays as it is.
pub fn fill_all(
    texts: &BTreeMap<String, String>,
    mut what: impl FnMut(&Placeholder) -> String,
) -> BTreeMap<String, String> {
    let mut filled = |text: &String| match Template::parse(text) {
        Ok(template) => template.fill(&mut what),
        Err(_) => text.clone(),
    };
    let named = texts
        .iter()
        .map(|(name, text)| (name.clone(), filled(text)));
    named.collect()
}

fn place(name: &str, at: usize) -> Result<Placeholder, ExprError> {
    if let Some((_, place)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Ok(place.clone());
    }
    match name.strip_prefix(LABELS) {
        Some(label) if !label.is_empty() && label.chars().all(is_name) => {
            Ok(Placeholder::Label(label.to_owned()))
        }
        Some(_) | None => Err(unknown(name, at)),
    }
}

fn unknown(name: &str, at: usize) -> ExprError {
    // Elsewhere it is `{{ $value }}` and `{{ $labels.provider }}`.
    let bare = name.trim_start_matches(['$', '.']);
    let names = NAMED.map(|(name, _)| name);
    let label = bare.strip_prefix(LABELS).map(|_| bare);
    let likeliest = label.filter(|label| *label != name);
    let likeliest = likeliest.or_else(|| nearest(bare, names));
    ExprError::new(at, format!("unknown place {:?}", shown(name))).hint(choices(
        &format!("{}, labels.NAME", names.join(", ")),
        likeliest,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Condition;
    use super::*;

    fn refused(text: &str) -> (usize, String, String) {
        let condition = Condition::parse("p95_latency by (provider) > 2s").unwrap();
        let error = Template::parse_for(&Rule::new("slow", condition), text).unwrap_err();
        (error.at, error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn every_place_is_filled_and_the_rest_stays() {
        let text = "{a} {{value}} > {{ threshold }} at {{ labels.provider }}}";
        let filled = Template::parse(text).unwrap().fill(|place| match place {
            Placeholder::Value => "2.5 s".to_owned(),
            Placeholder::Threshold => "2 s".to_owned(),
            Placeholder::Label(name) => format!("<{name}>"),
            other => panic!("{other:?}"),
        });
        assert_eq!(filled, "{a} 2.5 s > 2 s at <provider>}");
    }

    #[test]
    fn what_cannot_be_filled_is_refused_with_its_place() {
        let (at, message, hint) = refused("is {{ valeu }}");
        assert_eq!((at, message.as_str()), (6, "unknown place \"valeu\""));
        assert!(hint.ends_with("(did you mean \"value\"?)"), "{hint}");
        let (_, _, hint) = refused("{{ $labels.provider }}");
        assert!(
            hint.ends_with("(did you mean \"labels.provider\"?)"),
            "{hint}"
        );
        let (at, message, hint) = refused("{{ labels.provder }}");
        assert_eq!(
            (at, message.as_str()),
            (3, "alerts of this rule have no label \"provder\"")
        );
        assert_eq!(hint, "use one of provider (did you mean \"provider\"?)");
        assert_eq!(refused("up {{ value").1, "this place has no end");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|[{} a-z.$é]{0,30}") {
            match Template::parse(&text) {
                Ok(template) => { template.fill(|_| String::new()); }
                Err(error) => prop_assert!(text.is_char_boundary(error.at)),
            }
        }
    }
}
