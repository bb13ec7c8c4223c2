//! Why a rule was not taken: a flag that means nothing, a file with faults.

use std::path::Path;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::config::Output;
use crate::model::{Rule, line_and_column};
use crate::rulebook::{self, Complaint, Fault, Faults, Key, Mark};

const CODE: &str = "rule_invalid";

/// A value of a flag that was refused, shown with a mark below the place.
pub(super) fn refused(key: Key, complaint: Complaint, said: &str) -> Failure {
    let what = match key {
        Key::Condition => "condition".to_owned(),
        Key::Channels => "--channel".to_owned(),
        Key::Labels => "--label".to_owned(),
        Key::Annotations => "--annotation".to_owned(),
        key => format!("--{}", key.name().replace('_', "-")),
    };
    let (line, column) = line_and_column(said, complaint.at);
    let failure = Failure::usage(CODE, complaint.message)
        .at(format!("{what}:{line}:{column}"))
        .details(json!({ "option": key.name(), "line": line, "column": column }))
        .showing(said, line, column);
    match complaint.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Refuses a rule whose options do not go together.
pub(super) fn check(rule: &Rule) -> Result<(), Failure> {
    let Some((key, member, complaint)) = rulebook::check(rule).into_iter().next() else {
        return Ok(());
    };
    let of = |texts: &std::collections::BTreeMap<String, String>, name: &str| {
        texts.get(name).cloned().unwrap_or_default()
    };
    let said = match (key, &member) {
        (Key::Condition, _) => rule.condition.to_string(),
        (Key::Annotations, Some(name)) => of(&rule.annotations, name),
        (_, Some(name)) => name.clone(),
        (_, None) => rulebook::shown(rule, key).unwrap_or_default(),
    };
    Err(refused(key, complaint, &said))
}

/// A file with faults. All of them are told, the last as the failure itself; to
/// programs all at once.
pub(super) fn in_file(ctx: &mut Context<'_>, path: &Path, text: &str, faults: &Faults) -> Failure {
    let path = path.display().to_string();
    let list: Vec<_> = faults
        .0
        .iter()
        .map(|fault| {
            let Mark { line, column } = fault.mark;
            json!({ "line": line, "column": column, "message": fault.message, "hint": fault.hint })
        })
        .collect();
    let failure = |fault: &Fault| {
        let Mark { line, column } = fault.mark;
        let message = format!("cannot read the rules of {path}: {}", fault.message);
        let failure = Failure::usage(CODE, message)
            .at(format!("{path}:{line}:{column}"))
            .showing(text, line, column);
        match &fault.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let for_people = ctx.config.output != Output::Json;
    let (first, last) = match faults.0.as_slice() {
        [before @ .., last] if for_people => (before, last),
        [first, ..] => (&[][..], first),
        [] => return Failure::usage(CODE, format!("cannot read the rules of {path}")),
    };
    for fault in first {
        let told = failure(fault).to_text(ctx.stderr_color());
        // A command does not fail because nobody listens to its remarks.
        let _ = ctx.stderr.write_all(told.as_bytes());
    }
    failure(last).details(json!({ "path": path, "faults": list }))
}
