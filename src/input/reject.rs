//! Why a line is refused, and why an input cannot be read at all.
//!
//! The texts quote the line. They are cut short but otherwise as they came;
//! whoever shows them makes them harmless first.

use crate::model::Millis;

/// Why one line is no event. The others are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The line is not one JSON object.
    #[error("not a JSON object: {reason} (column {column})")]
    BadJson {
        /// What was wrong.
        reason: &'static str,
        /// Where, counted in bytes from 1.
        column: usize,
    },
    /// The line is not text.
    #[error("not UTF-8 at byte {at}")]
    BadUtf8 {
        /// Where, counted from 1.
        at: usize,
    },
    /// The quotes of a CSV record do not match.
    #[error("not a CSV record: {0}")]
    BadCsv(&'static str),
    /// A CSV record is longer or shorter than the header.
    #[error("expected {expected} cells as in the header, found {found}")]
    CellCount {
        /// Columns of the header.
        expected: usize,
        /// Cells of the record.
        found: usize,
    },
    /// One field is told twice.
    #[error("{}", twice(.first, .second))]
    DuplicateKey {
        /// Its name where it came first.
        first: String,
        /// Its name where it came again.
        second: String,
    },
    /// A field is missing without which there is no event.
    #[error("{field}: missing, expected {expected}")]
    Missing {
        /// Its name.
        field: &'static str,
        /// What it could be.
        expected: &'static str,
    },
    /// Nothing says when it happened.
    #[error("timestamp: missing")]
    NoTimestamp,
    /// A value is of the wrong kind.
    #[error("{field}: expected {expected}, found {found}")]
    TypeMismatch {
        /// The field as the line spells it.
        field: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A value is none of the words that are known.
    #[error("{field}: expected {expected}, found {found}{}", did_you_mean(.nearest.as_deref()))]
    UnknownWord {
        /// The field as the line spells it.
        field: String,
        /// The known words.
        expected: &'static str,
        /// What it is.
        found: String,
        /// The known word that is most like it.
        nearest: Option<String>,
        /// Whether the field is the event's type.
        is_type: bool,
    },
    /// A number is negative or larger than anything believable.
    #[error("{field}: expected {expected}, found {found}")]
    OutOfRange {
        /// The field as the line spells it.
        field: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// It happened too long ago or has yet to happen.
    #[error("{field}: {at} lies {bound}")]
    TimeRange {
        /// The field as the line spells it.
        field: String,
        /// The moment that was read.
        at: Millis,
        /// The bound that it passes, in words.
        bound: String,
    },
    /// A label is longer than labels may be.
    #[error("{field}: {bytes} bytes, longer than {limit}")]
    TextTooLong {
        /// The field as the line spells it.
        field: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The line is longer than lines may be.
    #[error("line longer than {limit} bytes")]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// Token counts contradict each other.
    #[error("{0}")]
    Tokens(String),
}

impl Reject {
    /// A short stable word for the reason, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Reject::BadJson { .. } => "bad_json",
            Reject::BadUtf8 { .. } => "bad_utf8",
            Reject::BadCsv(_) => "bad_csv",
            Reject::CellCount { .. } => "cell_count",
            Reject::DuplicateKey { .. } => "duplicate_key",
            Reject::Missing { .. } => "missing_field",
            Reject::NoTimestamp => "no_timestamp",
            Reject::TypeMismatch { .. } => "type_mismatch",
            Reject::UnknownWord { is_type: true, .. } => "unknown_type",
            Reject::UnknownWord { is_type: false, .. } => "unknown_word",
            Reject::OutOfRange { .. } => "out_of_range",
            Reject::TimeRange { .. } => "time_range",
            Reject::TextTooLong { .. } | Reject::LineTooLong { .. } => "too_long",
            Reject::Tokens(_) => "token_mismatch",
        }
    }
}

/// Why an input cannot be read: what was asked for does not fit it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A `--map` or `--set` without an equals sign.
    #[error("expected field=value, found {0:?}")]
    NoEquals(String),
    /// A mapping onto a field that does not exist.
    #[error("unknown field {name:?}{}", did_you_mean(*.nearest))]
    UnknownField {
        /// The name that was given.
        name: String,
        /// The field that is most like it.
        nearest: Option<&'static str>,
    },
    /// A field that is mapped or set twice.
    #[error("field {0} is given twice")]
    FieldTwice(&'static str),
    /// A path into nested JSON that cannot be read.
    #[error("cannot read path {0:?}: it has an empty part or ends in a backslash")]
    BadPath(String),
    /// A column that the header does not have.
    #[error("no column {name:?} in the header{}", did_you_mean(.nearest.as_deref()))]
    NoColumn {
        /// The name that was given.
        name: String,
        /// The column that is most like it.
        nearest: Option<String>,
    },
    /// Two columns of one name.
    #[error("two columns are named {0:?}")]
    ColumnTwice(String),
    /// The first line of a CSV input is no header.
    #[error("cannot read the header: {0}")]
    BadHeader(Reject),
    /// Relative times of an unknown unit.
    #[error("a time base needs a time unit: s, ms, us or ns")]
    BaseWithoutUnit,
}

fn twice(first: &str, second: &str) -> String {
    if first == second {
        format!("{first}: appears twice")
    } else {
        format!("{second}: told before as {first}")
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| format!(", did you mean {word}?"))
}

/// A value as messages show it: at most 40 characters.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &value[..cut]),
        None => value.to_owned(),
    }
}
