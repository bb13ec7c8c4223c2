//! What is wrong with a store and its surroundings, why it matters, and what to do.
//!
//! Facts are gathered once; each check is a pure function of them and a line in
//! [`CHECKS`]. It does not know how a finding is shown, and it changes nothing.

mod checks;
mod place;

use std::path::PathBuf;

pub use checks::CHECKS;
pub use place::{FileFact, Place};

use crate::model::Millis;
use crate::store::{Retention, Vitals};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It will do harm if nobody cares.
    Warning,
    /// It does harm.
    Critical,
}

impl Grade {
    /// Its word, the same everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Critical => "critical",
        }
    }
}

/// What a check has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub what: String,
    /// Why it matters; nothing when all is well.
    pub why: &'static str,
    /// What to do: a command or an edit.
    pub remedy: String,
    /// How `--fix` does it, when it is safe to.
    pub fix: Option<Fix>,
}

/// What can be done without asking: it loses nothing and may be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Work the log into the main file.
    Checkpoint,
    /// Give free pages back in steps.
    GiveBack,
    /// Roll up what waits.
    RollUp,
    /// Make a file its owner's alone.
    MakePrivate(PathBuf),
    /// Remove a copy that was never finished.
    Remove(PathBuf),
}

impl Finding {
    /// All is well.
    pub fn ok(what: impl Into<String>) -> Finding {
        Finding {
            grade: Grade::Ok,
            what: what.into(),
            why: "",
            remedy: String::new(),
            fix: None,
        }
    }

    /// It will do harm.
    pub fn warning(
        what: impl Into<String>,
        why: &'static str,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            grade: Grade::Warning,
            what: what.into(),
            why,
            remedy: remedy.into(),
            fix: None,
        }
    }

    /// It does harm.
    pub fn critical(
        what: impl Into<String>,
        why: &'static str,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            grade: Grade::Critical,
            ..Finding::warning(what, why, remedy)
        }
    }

    /// The same, with what `--fix` does.
    #[must_use]
    pub fn fixed_by(self, fix: Fix) -> Finding {
        Finding {
            fix: Some(fix),
            ..self
        }
    }
}

/// All that is judged.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The present moment.
    pub now: Millis,
    /// How the store is doing, or why it cannot be asked.
    pub store: Result<Vitals, String>,
    /// How long tiers are kept, or which setting of the store means nothing.
    pub retention: Result<Retention, String>,
    /// What is wrong with the configuration.
    pub config_problems: Vec<String>,
    /// Which channels cannot be used, and why.
    pub channel_problems: Vec<String>,
    /// Of the notices of the last week that were given up: how many, and why the last one.
    pub given_up: Option<(usize, String)>,
    /// Whether a power cut may take the last commits.
    pub durability_normal: bool,
    /// The files and the disk.
    pub place: Place,
}

/// A check by its name.
pub type Check = (&'static str, fn(&Facts) -> Vec<Finding>);

/// Every finding, in the order of the checks, with the name of its check. A check that
/// cannot be made says nothing.
pub fn examine(facts: &Facts) -> Vec<(&'static str, Finding)> {
    let of = |(name, check): &Check| {
        let found = check(facts).into_iter();
        found.map(|finding| (*name, finding)).collect::<Vec<_>>()
    };
    CHECKS.iter().flat_map(of).collect()
}
