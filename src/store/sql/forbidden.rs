//! What a statement may do: read. SQLite asks for each thing that it would do, and
//! the first that is refused is remembered in words.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Pragmas that tell something of the schema and change nothing.
const TELLING: [&str; 7] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "function_list",
];

/// Functions that reach beyond the statement. The last three come with the shell of
/// SQLite, not with its library; whoever links them in by accident is safe too.
const REACHING: [&str; 5] = [
    "load_extension",
    "fts3_tokenizer",
    "readfile",
    "writefile",
    "edit",
];

/// The guard of a connection; it notes what it refused.
pub(super) fn guard(
    denied: Arc<Mutex<Option<String>>>,
) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static {
    move |context| match forbidden(context.action) {
        None => Authorization::Allow,
        Some(what) => {
            let mut denied = denied.lock().unwrap_or_else(PoisonError::into_inner);
            denied.get_or_insert(what);
            Authorization::Deny
        }
    }
}

/// What is forbidden about it, if anything.
fn forbidden(action: AuthAction<'_>) -> Option<String> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name } => is_in(&REACHING, function_name)
            .then(|| format!("the function {}()", function_name.to_ascii_lowercase())),
        AuthAction::Pragma { pragma_name, .. } => (!is_in(&TELLING, pragma_name))
            .then(|| format!("PRAGMA {}", pragma_name.to_ascii_lowercase())),
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => Some(match table_name.starts_with("sqlite_") {
            true => "changing the schema".into(),
            false => format!("writing to {table_name}"),
        }),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("attaching another file".into())
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("a transaction".into())
        }
        // The enum is open; what it does not name yet is no reading.
        _ => Some("changing the schema".into()),
    }
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}
