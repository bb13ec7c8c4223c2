//! What is said when a statement has no answer.

use serde_json::json;

use super::Patience;
use crate::cli::failure::{Failure, Kind};
use crate::model::line_and_column;
use crate::store::SqlError;

/// The error of a statement that stands in a text of this name.
pub(super) fn failure(error: SqlError, name: &str, text: &str, patience: &Patience) -> Failure {
    let message = error.to_string();
    match error {
        SqlError::Store(error) => error.into(),
        SqlError::Empty => Failure::usage("sql_invalid", message)
            .hint("write one in quotes: obs query --sql 'SELECT count(*) FROM metrics_raw'"),
        SqlError::Several => Failure::usage("sql_invalid", message)
            .hint("give one at a time; `obs sql` runs all that it reads from a pipe"),
        SqlError::Invalid { at, nearest, .. } => {
            let failure = Failure::usage("sql_invalid", format!("cannot run SQL: {message}"));
            let list = "`echo .tables | obs sql` lists tables, `.schema NAME` their columns";
            let failure = match (nearest, message.starts_with("no such")) {
                (Some(name), _) => failure.hint(format!("did you mean {name}? {list}")),
                (None, true) => failure.hint(list),
                (None, false) => failure,
            };
            let Some(at) = at else {
                return failure;
            };
            let (line, column) = line_and_column(text, at);
            failure
                .at(format!("{name}:{line}:{column}"))
                .showing(text, line, column)
                .details(json!({ "line": line, "column": column }))
        }
        SqlError::Forbidden(_) => Failure::usage("sql_forbidden", message).hint(
            "SQL can ask anything and change nothing; `obs --help` lists what changes a store",
        ),
        SqlError::TooLarge(_) => Failure::new(Kind::Failed, "sql_too_large", message)
            .hint("narrow it down in time, or group it"),
        SqlError::Stopped if patience.was_interrupted() => {
            Failure::new(patience.signals.kind(), "interrupted", "interrupted")
        }
        SqlError::Stopped => {
            let message = format!(
                "the statement was stopped after {}",
                crate::render::human::duration_ms(patience.timeout.as_millis() as i64)
            );
            Failure::new(Kind::Failed, "sql_timeout", message)
                .hint("narrow it down with a range of timestamp, or give it longer with --timeout")
        }
    }
}
