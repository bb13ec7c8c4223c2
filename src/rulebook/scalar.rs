//! Single values: texts, yes or no, whole numbers; and the words of YAML that mean
//! something else than they seem to.

use super::fault::{Complaint, Fault};
use super::yaml::{Content, Node};
use crate::model::nearest;

/// What YAML 1.1 takes for true or false, and other readers for a text.
const YES: [&str; 4] = ["yes", "on", "y", "true"];
const NO: [&str; 4] = ["no", "off", "n", "false"];
const NULL: [&str; 3] = ["null", "~", ""];

/// What a scalar says, whatever it looks like: for conditions, durations and words of a
/// closed set, which are checked further.
///
/// # Errors
/// When it is a list or a map, or says nothing.
pub(super) fn written<'n>(node: &'n Node, what: &str) -> Result<&'n str, Fault> {
    match &node.content {
        Content::Scalar { text, plain } if *plain && NULL.contains(&text.as_str()) => {
            Err(Fault::new(node.mark, format!("{what} is empty"))
                .hint("leave the key out, or give it a value"))
        }
        Content::Scalar { text, .. } => Ok(text),
        Content::List(_) | Content::Map(_) => Err(Fault::new(
            node.mark,
            format!("{what} is one value, found {}", node.what()),
        )),
    }
}

/// A text. What could be taken for something else must stand in quotes.
///
/// # Errors
/// When it is none.
pub(super) fn text<'n>(node: &'n Node, what: &str) -> Result<&'n str, Fault> {
    let said = written(node, what)?;
    let Content::Scalar { plain: true, .. } = node.content else {
        return Ok(said);
    };
    let taken_for = |other: &str| {
        let message = format!("{what} is a text, and YAML takes {said} for {other}");
        Err(Fault::new(node.mark, message).hint(format!("put it in quotes: \"{said}\"")))
    };
    let lower = said.to_lowercase();
    if YES.contains(&lower.as_str()) {
        return taken_for("true");
    }
    if NO.contains(&lower.as_str()) {
        return taken_for("false");
    }
    let mut chars = said.chars();
    let is_number = chars
        .next()
        .is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c))
        && said.chars().any(|c| c.is_ascii_digit())
        && said
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "+-._xo:".contains(c));
    match is_number {
        true => taken_for("a number or a time"),
        false => Ok(said),
    }
}

/// `true` or `false`.
pub(super) fn truth(said: &str) -> Result<bool, Complaint> {
    match said {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            let lower = other.to_lowercase();
            let complaint = Complaint::new(format!("{other:?} is neither true nor false"));
            Err(
                match (YES.contains(&lower.as_str()), NO.contains(&lower.as_str())) {
                    (true, _) => complaint.hint("write true"),
                    (_, true) => complaint.hint("write false"),
                    (false, false) => complaint.hint("write true or false"),
                },
            )
        }
    }
}

/// A whole number from 1.
pub(super) fn number(said: &str) -> Result<u64, Complaint> {
    let number = said.parse::<u32>().ok().filter(|number| *number > 0);
    number.map(u64::from).ok_or_else(|| {
        let complaint = Complaint::new(format!("{said:?} is no whole number from 1"));
        complaint.hint("write it like 20")
    })
}

/// A word of a closed set.
pub(super) fn word<T>(
    said: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[&str],
) -> Result<T, Complaint> {
    parse(said).ok_or_else(|| {
        let list = format!("use one of {}", all.join(", "));
        Complaint::new(format!("unknown word {said:?}")).hint(
            match nearest(said, all.iter().copied()) {
                Some(word) => format!("{list} (did you mean {word:?}?)"),
                None => list,
            },
        )
    })
}
