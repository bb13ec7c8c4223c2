//! A notice: that something is to be told of an alert, and what.
//!
//! Through which channel, when and how often it is tried is not known here.

use std::collections::BTreeMap;
use std::fmt;

use super::{AlertId, Millis, Severity};

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// Something is wrong.
    Firing,
    /// It is over.
    Resolved,
    /// It is wrong still.
    Repeat,
    /// A budget is used up to a mark.
    Budget,
    /// Nothing: it shows that a channel works.
    Test,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [NoticeKind; 5] = [
        NoticeKind::Firing,
        NoticeKind::Resolved,
        NoticeKind::Repeat,
        NoticeKind::Budget,
        NoticeKind::Test,
    ];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeKind::Firing => "firing",
            NoticeKind::Resolved => "resolved",
            NoticeKind::Repeat => "repeat",
            NoticeKind::Budget => "budget",
            NoticeKind::Test => "test",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<NoticeKind> {
        NoticeKind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Whether it says that something is over.
    pub fn is_over(self) -> bool {
        match self {
            NoticeKind::Resolved => true,
            NoticeKind::Firing | NoticeKind::Repeat | NoticeKind::Budget | NoticeKind::Test => {
                false
            }
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeState {
    /// It waits to be told.
    Queued,
    /// It was told.
    Sent,
    /// Nobody wants to hear of it for now.
    Silenced,
    /// A graver alert speaks for it.
    Inhibited,
    /// It is told by a later notice of the same alert.
    Merged,
    /// It could not be told, and is not tried any more.
    Failed,
}

impl NoticeState {
    /// Every state.
    pub const ALL: [NoticeState; 6] = [
        NoticeState::Queued,
        NoticeState::Sent,
        NoticeState::Silenced,
        NoticeState::Inhibited,
        NoticeState::Merged,
        NoticeState::Failed,
    ];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeState::Queued => "queued",
            NoticeState::Sent => "sent",
            NoticeState::Silenced => "silenced",
            NoticeState::Inhibited => "inhibited",
            NoticeState::Merged => "merged",
            NoticeState::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<NoticeState> {
        NoticeState::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for NoticeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The number of a notice; it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeId(pub i64);

/// What is told, as it was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What it tells.
    pub kind: NoticeKind,
    /// Of which alert; `None`: of none.
    pub alert: Option<AlertId>,
    /// The name of the rule, as it is written.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The labels of the alert's group and of its rule, as events said them.
    pub labels: BTreeMap<String, String>,
    /// Texts for people, with their places filled.
    pub annotations: BTreeMap<String, String>,
    /// The condition as it is written.
    pub condition: String,
    /// The value, in the unit of the measure; `None`: no data.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: f64,
    /// Rule and severity, for people: one line, in which nothing is hidden.
    pub title: String,
    /// What is wrong or over, for people: one line, in which nothing is hidden.
    pub text: String,
    /// Since when the condition held.
    pub started_at: Millis,
    /// Since when it is or was wrong for long enough.
    pub fired_at: Millis,
    /// When it ended; `None`: it is wrong still.
    pub ended_at: Option<Millis>,
}
