//! The labels by which events are filtered and grouped.
//!
//! Their values are not known here, nor in which column of the store they lie.

use std::fmt;

/// A label by which events are filtered and grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Who answered.
    Provider,
    /// Which model.
    Model,
    /// On whose behalf.
    User,
    /// The part the model played in the application.
    Role,
    /// The project that pays.
    Project,
    /// The conversation or run it was part of.
    Session,
    /// The path that was called.
    Endpoint,
    /// The kind of failure.
    ErrorType,
    /// What a rate limiter counts.
    LimitType,
    /// The HTTP status in decimal digits.
    StatusCode,
    /// How a request ended: `ok` or `error`; empty for other events.
    Status,
}

impl Dimension {
    /// Every dimension, in the order in which lists show them.
    pub const ALL: [Dimension; 11] = [
        Dimension::Provider,
        Dimension::Model,
        Dimension::User,
        Dimension::Role,
        Dimension::Project,
        Dimension::Session,
        Dimension::Endpoint,
        Dimension::ErrorType,
        Dimension::LimitType,
        Dimension::StatusCode,
        Dimension::Status,
    ];

    /// Its one name, in expressions and as a column of data.
    pub const fn name(self) -> &'static str {
        match self {
            Dimension::Provider => "provider",
            Dimension::Model => "model",
            Dimension::User => "user",
            Dimension::Role => "role",
            Dimension::Project => "project",
            Dimension::Session => "session",
            Dimension::Endpoint => "endpoint",
            Dimension::ErrorType => "error_type",
            Dimension::LimitType => "limit_type",
            Dimension::StatusCode => "status_code",
            Dimension::Status => "status",
        }
    }

    /// The dimension of that name; `user_id` and `session_id`, as events spell
    /// them, are understood too.
    pub fn parse(name: &str) -> Option<Dimension> {
        let name = match name {
            "user_id" => "user",
            "session_id" => "session",
            other => other,
        };
        Dimension::ALL.into_iter().find(|d| d.name() == name)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_is_known_by_its_name_and_by_the_spelling_of_events() {
        for dimension in Dimension::ALL {
            assert_eq!(Dimension::parse(dimension.name()), Some(dimension));
        }
        assert_eq!(Dimension::parse("user_id"), Some(Dimension::User));
        assert_eq!(Dimension::parse("session_id"), Some(Dimension::Session));
        assert_eq!(Dimension::parse("Provider"), None);
    }
}
