//! How failures read: to people, to programs, and to nobody.

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {path}")]
struct CannotOpen {
    path: &'static str,
    source: io::Error,
}

fn refused(kind: io::ErrorKind) -> CannotOpen {
    CannotOpen {
        path: "/var/lib/obs/obs.db",
        source: io::Error::from(kind),
    }
}

#[test]
fn a_failure_says_what_where_why_and_what_to_try() {
    let error = refused(io::ErrorKind::PermissionDenied);
    let failure = Failure::from_error(Kind::Unusable, "store_unreadable", &error)
        .at("obs.toml:2")
        .hint("choose another file with --db or OBS_DB");
    assert_eq!(
        failure.to_text(false),
        "error: cannot open the database /var/lib/obs/obs.db\n  \
           --> obs.toml:2\n  \
           caused by: permission denied\n\
         hint: choose another file with --db or OBS_DB\n"
    );
    assert_eq!(failure.kind().exit_code(), 7);
}

#[test]
fn a_program_reads_the_same_failure_as_json() {
    let failure = Failure::usage("rule_invalid", "unknown operator \"=>\"")
        .details(json!({ "operator": "=>" }));
    let read: Value = serde_json::from_str(&failure.to_json()).unwrap();
    assert_eq!(read["error"]["code"], "rule_invalid");
    assert_eq!(read["error"]["message"], "unknown operator \"=>\"");
    assert_eq!(read["error"]["details"]["operator"], "=>");
    assert_eq!(read["error"]["hint"], Value::Null);
}

#[test]
fn a_closed_pipe_deep_in_the_chain_is_a_quiet_success() {
    let error = refused(io::ErrorKind::BrokenPipe);
    let failure = Failure::from_error(Kind::Failed, "output_failed", &error);
    assert!(failure.is_silent());
    assert_eq!(failure.kind().exit_code(), 0);
}

#[test]
fn a_store_that_is_missing_or_busy_says_what_to_do() {
    let missing = Failure::from(StoreError::Missing("/data/obs.db".into()));
    assert_eq!(missing.kind().exit_code(), 7);
    assert_eq!(
        missing.to_text(false),
        "error: there is no store at /data/obs.db\n\
         hint: `obs init` makes one; --db or OBS_DB names another\n"
    );
    let busy = Failure::from(StoreError::Busy);
    assert_eq!(busy.kind().exit_code(), 6);
    assert!(busy.to_text(false).contains("--busy-timeout"));
}

#[test]
fn the_number_of_a_system_error_is_not_for_people() {
    let failure = Failure::from(io::Error::from_raw_os_error(28));
    assert_eq!(
        failure.to_text(false),
        "error: cannot write the answer\n  caused by: no space left on device\n"
    );
}

#[test]
fn an_escape_sequence_in_a_message_stays_inert() {
    let failure = Failure::usage("usage", "unknown provider \"\x1b]0;pwned\x07\"");
    assert!(!failure.to_text(false).contains('\x1b'));
    assert!(
        failure
            .to_text(true)
            .starts_with("\x1b[1;31merror:\x1b[0m ")
    );
}

#[test]
fn a_layer_that_repeats_its_cause_is_said_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("disk on fire")]
    struct Again(#[source] io::Error);
    let error = Again(io::Error::other("disk on fire"));
    let failure = Failure::from_error(Kind::Failed, "fire", &error);
    assert_eq!(failure.to_text(false), "error: disk on fire\n");
}
