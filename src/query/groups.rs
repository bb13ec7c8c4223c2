//! Which events are selected, and to which group of the answer they belong.

use rustc_hash::FxHashMap;

use crate::model::{Dimension, Resolution, Selector, Signal};
use crate::store::{BucketKey, NameId, SeriesId, SeriesLabels, StoreError, Stored, Txn};

/// The values of a group, in the order of the dimensions asked for; `""` is a
/// label that was not said.
pub(super) type Group = Vec<String>;

/// Sorts events and buckets into groups.
pub(super) struct Groups<'t> {
    txn: &'t Txn<'t>,
    selector: &'t Selector,
    by: &'t [Dimension],
    needs: PerEvent,
    groups: Vec<Group>,
    index: FxHashMap<Group, usize>,
    by_bucket: FxHashMap<BucketKey, Option<usize>>,
    by_event: FxHashMap<EventKey, Option<usize>>,
    names: FxHashMap<NameId, String>,
}

/// What an event says besides its series, as far as it is asked for.
#[derive(Clone, Copy)]
struct PerEvent {
    user: bool,
    session: bool,
    status: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct EventKey {
    series: SeriesId,
    user: NameId,
    session: NameId,
    status: Option<bool>,
}

/// The dimensions that a question touches, each once.
pub(super) fn touched(selector: &Selector, by: &[Dimension]) -> Vec<Dimension> {
    let asked = |d: &Dimension| by.contains(d) || selector.dimensions().any(|s| s == *d);
    Dimension::ALL.into_iter().filter(asked).collect()
}

/// The coarsest tier whose buckets tell a dimension apart.
pub(super) fn coarsest_tier(dimension: Dimension) -> Resolution {
    match dimension {
        Dimension::Provider | Dimension::Model | Dimension::Role => Resolution::Day,
        Dimension::User
        | Dimension::Project
        | Dimension::Session
        | Dimension::Endpoint
        | Dimension::ErrorType
        | Dimension::LimitType
        | Dimension::StatusCode
        | Dimension::Status => Resolution::Raw,
    }
}

impl<'t> Groups<'t> {
    pub(super) fn new(txn: &'t Txn<'t>, selector: &'t Selector, by: &'t [Dimension]) -> Groups<'t> {
        let touched = touched(selector, by);
        let mut groups = Groups {
            txn,
            selector,
            by,
            needs: PerEvent {
                user: touched.contains(&Dimension::User),
                session: touched.contains(&Dimension::Session),
                status: touched.contains(&Dimension::Status),
            },
            groups: Vec::new(),
            index: FxHashMap::default(),
            by_bucket: FxHashMap::default(),
            by_event: FxHashMap::default(),
            names: FxHashMap::default(),
        };
        if by.is_empty() {
            groups.number(Group::new());
        }
        groups
    }

    /// The groups that were seen, by their numbers. Without a group-by there is
    /// always the one.
    pub(super) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    /// The only provider that can be selected, when the selector names just one.
    pub(super) fn only_provider(&self) -> Result<OnlyProvider, StoreError> {
        let named = self
            .selector
            .matchers
            .iter()
            .find_map(|m| match m.patterns() {
                [one] if m.dimension() == Dimension::Provider && !m.is_negated() => one.exact(),
                _ => None,
            });
        match named {
            None | Some("") => Ok(OnlyProvider::Any),
            Some(name) => Ok(self
                .txn
                .find_name(name)?
                .map_or(OnlyProvider::Unknown, OnlyProvider::Known)),
        }
    }

    /// The group of a bucket; `None` when it is not selected.
    pub(super) fn of_bucket(&mut self, key: BucketKey) -> Result<Option<usize>, StoreError> {
        if let Some(group) = self.by_bucket.get(&key) {
            return Ok(*group);
        }
        let labels = SeriesLabels {
            provider: key.provider,
            model: key.model,
            role: key.role,
            ..SeriesLabels::default()
        };
        let group = self.place(&labels, NameId::NONE, NameId::NONE, None)?;
        self.by_bucket.insert(key, group);
        Ok(group)
    }

    /// The group of an event; `None` when it is not selected.
    pub(super) fn of_event(&mut self, stored: &Stored) -> Result<Option<usize>, StoreError> {
        let status = match stored.event.signal {
            Signal::Request { success } => Some(success),
            Signal::Cache(_) | Signal::RateLimit(_) => None,
        };
        let key = EventKey {
            series: stored.series,
            user: if self.needs.user {
                stored.user
            } else {
                NameId::NONE
            },
            session: if self.needs.session {
                stored.session
            } else {
                NameId::NONE
            },
            status: if self.needs.status { status } else { None },
        };
        if let Some(group) = self.by_event.get(&key) {
            return Ok(*group);
        }
        let labels = self.txn.series(stored.series)?;
        let group = self.place(&labels, key.user, key.session, key.status)?;
        self.by_event.insert(key, group);
        Ok(group)
    }

    fn place(
        &mut self,
        labels: &SeriesLabels,
        user: NameId,
        session: NameId,
        status: Option<bool>,
    ) -> Result<Option<usize>, StoreError> {
        let mut values = [const { String::new() }; Dimension::ALL.len()];
        for dimension in touched(self.selector, self.by) {
            values[dimension as usize] = match dimension {
                Dimension::Provider => self.name(labels.provider)?,
                Dimension::Model => self.name(labels.model)?,
                Dimension::Role => self.name(labels.role)?,
                Dimension::Project => self.name(labels.project)?,
                Dimension::Endpoint => self.name(labels.endpoint)?,
                Dimension::ErrorType => self.name(labels.error_type)?,
                Dimension::LimitType => self.name(labels.limit_type)?,
                Dimension::User => self.name(user)?,
                Dimension::Session => self.name(session)?,
                Dimension::StatusCode => {
                    labels.status_code.map_or(String::new(), |s| s.to_string())
                }
                Dimension::Status => match status {
                    Some(true) => "ok".to_owned(),
                    Some(false) => "error".to_owned(),
                    None => String::new(),
                },
            };
        }
        if !self.selector.matches(|d| values[d as usize].as_str()) {
            return Ok(None);
        }
        let group = self
            .by
            .iter()
            .map(|d| values[*d as usize].clone())
            .collect();
        Ok(Some(self.number(group)))
    }

    fn number(&mut self, group: Group) -> usize {
        let next = self.groups.len();
        let number = *self.index.entry(group.clone()).or_insert(next);
        if number == next {
            self.groups.push(group);
        }
        number
    }

    fn name(&mut self, id: NameId) -> Result<String, StoreError> {
        if let Some(text) = self.names.get(&id) {
            return Ok(text.clone());
        }
        let text = self.txn.name(id)?.unwrap_or_default();
        self.names.insert(id, text.clone());
        Ok(text)
    }
}

/// What the selector says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnlyProvider {
    /// Several may be selected.
    Any,
    /// Just this one.
    Known(NameId),
    /// One that never occurred.
    Unknown,
}
