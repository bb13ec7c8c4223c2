//! What is wrong with a text of rules, and where.

use std::fmt;

use super::yaml::Mark;
use crate::model::{DurationError, ExprError};

/// What is wrong with one value, wherever it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What was expected and what was found.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where in the value it is wrong, in bytes.
    pub at: usize,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>) -> Complaint {
        Complaint {
            message: message.into(),
            hint: None,
            at: 0,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Complaint {
        Complaint {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl From<ExprError> for Complaint {
    fn from(error: ExprError) -> Complaint {
        Complaint {
            message: error.message,
            hint: error.hint,
            at: error.at,
        }
    }
}

impl From<DurationError> for Complaint {
    fn from(error: DurationError) -> Complaint {
        let hint = error.hint();
        Complaint::new(error.to_string()).hint(hint)
    }
}

/// A complaint with its place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub mark: Mark,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(mark: Mark, message: impl Into<String>) -> Fault {
        Fault {
            mark,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Fault {
        Fault {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Everything that is wrong with a file, in the order of its lines; at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, fault) in self.0.iter().enumerate() {
            let Mark { line, column } = fault.mark;
            let between = if nth == 0 { "" } else { "; " };
            write!(f, "{between}{line}:{column}: {}", fault.message)?;
        }
        Ok(())
    }
}
