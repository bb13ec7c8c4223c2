//! An alert: one rule and one set of labels for which something is wrong, or was.
//!
//! What leads from one state to the next is not known here (see `alert`), nor how
//! an alert is kept or told.

use std::collections::BTreeMap;
use std::fmt;

use super::{Dimension, Millis, Severity};

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// The condition holds, but not yet for long enough.
    Pending,
    /// It is wrong now.
    Firing,
    /// It is wrong now, and somebody knows.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// Every state, in the order of a life.
    pub const ALL: [AlertState; 4] = [
        AlertState::Pending,
        AlertState::Firing,
        AlertState::Acknowledged,
        AlertState::Resolved,
    ];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            AlertState::Acknowledged => "acknowledged",
            AlertState::Resolved => "resolved",
        }
    }

    /// The state of that name; `triggered`, as some systems say, is `firing`.
    pub fn parse(name: &str) -> Option<AlertState> {
        match name {
            "triggered" => Some(AlertState::Firing),
            name => AlertState::ALL.into_iter().find(|s| s.name() == name),
        }
    }

    /// Whether it was told that something is wrong, and not yet that it is over.
    pub fn is_firing(self) -> bool {
        match self {
            AlertState::Firing | AlertState::Acknowledged => true,
            AlertState::Pending | AlertState::Resolved => false,
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an alert came to its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The condition holds.
    Holds,
    /// The condition has held for long enough.
    HeldLongEnough,
    /// The condition does not hold any more.
    Cleared,
    /// There is nothing to measure any more, or too little to believe it.
    NoData,
    /// Somebody acknowledged it.
    Acknowledged,
    /// Somebody resolved it.
    ResolvedByHand,
    /// The condition of its rule is another one now.
    RuleChanged,
    /// Its rule is not evaluated any more.
    RuleDisabled,
    /// Its rule is gone.
    RuleDeleted,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 9] = [
        Reason::Holds,
        Reason::HeldLongEnough,
        Reason::Cleared,
        Reason::NoData,
        Reason::Acknowledged,
        Reason::ResolvedByHand,
        Reason::RuleChanged,
        Reason::RuleDisabled,
        Reason::RuleDeleted,
    ];

    /// Its one name.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Holds => "holds",
            Reason::HeldLongEnough => "held_long_enough",
            Reason::Cleared => "cleared",
            Reason::NoData => "no_data",
            Reason::Acknowledged => "acknowledged",
            Reason::ResolvedByHand => "resolved_by_hand",
            Reason::RuleChanged => "rule_changed",
            Reason::RuleDisabled => "rule_disabled",
            Reason::RuleDeleted => "rule_deleted",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// The labels of a group; `""` was not said. Without `by` it is empty, and there is
/// one alert for the rule.
pub type LabelSet = BTreeMap<Dimension, String>;

/// The number of an alert; it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub i64);

/// The number of a rule; it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub i64);

/// One rule and one set of labels for which something is wrong, or was.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: AlertId,
    /// The rule that found it.
    pub rule_id: RuleId,
    /// The name of the rule when it began.
    pub rule_name: String,
    /// The version of the rule when it began.
    pub rule_version: i64,
    /// Where it stands.
    pub state: AlertState,
    /// How bad it is.
    pub severity: Severity,
    /// For which group.
    pub labels: LabelSet,
    /// The value at its last change, in the unit of the measure (milliseconds, fraction,
    /// dollars, …); `None`: no data.
    pub value: Option<f64>,
    /// What the value was compared with, in the same unit.
    pub threshold: f64,
    /// The values that made it fire, as JSON.
    pub context: String,
    /// Since when the condition holds: the end of the first minute for which it did.
    pub started_at: Millis,
    /// When it fired; `None`: it never did.
    pub fired_at: Option<Millis>,
    /// When, by whom and with which words it was acknowledged.
    pub acknowledged: Option<Acknowledgement>,
    /// When it ended; `None`: it is open.
    pub resolved_at: Option<Millis>,
    /// Firing still, but clear since then (see `Rule::keep_firing_for_ms`).
    pub clear_since: Option<Millis>,
    /// Resolved by hand while the condition held: there is no new one before this
    /// moment, unless the condition has ended meanwhile.
    pub hold_until: Option<Millis>,
    /// When its last change holds, in the time of events.
    pub changed_at: Millis,
    /// When its last change was decided.
    pub observed_at: Millis,
    /// Why it came to its state.
    pub reason: Reason,
    /// Who brought it there: a person, or `obs`.
    pub actor: String,
}

/// That somebody knows of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When.
    pub at: Millis,
    /// Who.
    pub by: String,
    /// With which words.
    pub note: Option<String>,
}
