//! Names in a filter that no event says: slips of the fingers, mostly.

use std::collections::BTreeSet;

use crate::model::{Dimension, Selector, nearest};
use crate::store::{NameId, SeriesLabels, Store, StoreError, Txn};

/// A name that was asked for and that no event says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unheard {
    /// Of what it should be the name.
    pub dimension: Dimension,
    /// The name.
    pub name: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
}

/// Which kinds of names are kept where.
enum Kept {
    /// With each combination of labels, of which there are few.
    InSeries(fn(&SeriesLabels) -> NameId),
    /// With events, among all names.
    InEvents,
    /// As a number.
    AsNumber,
}

fn kept(dimension: Dimension) -> Kept {
    match dimension {
        Dimension::Provider => Kept::InSeries(|labels| labels.provider),
        Dimension::Model => Kept::InSeries(|labels| labels.model),
        Dimension::Role => Kept::InSeries(|labels| labels.role),
        Dimension::Project => Kept::InSeries(|labels| labels.project),
        Dimension::Endpoint => Kept::InSeries(|labels| labels.endpoint),
        Dimension::ErrorType => Kept::InSeries(|labels| labels.error_type),
        Dimension::LimitType => Kept::InSeries(|labels| labels.limit_type),
        Dimension::User | Dimension::Session => Kept::InEvents,
        Dimension::StatusCode | Dimension::Status => Kept::AsNumber,
    }
}

/// The names in these selectors that no event says; patterns and what is excluded
/// do not count.
///
/// # Errors
/// When the store cannot be read.
pub fn unheard<'a>(
    store: &mut Store,
    selectors: impl IntoIterator<Item = &'a Selector>,
) -> Result<Vec<Unheard>, StoreError> {
    let matchers = selectors.into_iter().flat_map(|s| &s.matchers);
    let wanted: BTreeSet<(Dimension, &str)> = matchers
        .filter(|matcher| !matcher.is_negated())
        .flat_map(|m| m.patterns().iter().map(|p| (m.dimension(), p.exact())))
        .filter_map(|(dimension, name)| Some((dimension, name.filter(|n| !n.is_empty())?)))
        .collect();
    store.read(|txn| {
        let found = wanted
            .into_iter()
            .map(|(dimension, name)| look(txn, dimension, name));
        found.filter_map(Result::transpose).collect()
    })
}

fn look(txn: &Txn<'_>, dimension: Dimension, name: &str) -> Result<Option<Unheard>, StoreError> {
    let heard = match kept(dimension) {
        Kept::InSeries(label) => names(txn, label)?,
        Kept::InEvents if txn.find_name(name)?.is_none() => BTreeSet::new(),
        Kept::InEvents | Kept::AsNumber => return Ok(None),
    };
    Ok((!heard.contains(name)).then(|| Unheard {
        dimension,
        name: name.to_owned(),
        nearest: nearest(name, heard.iter().map(String::as_str)).map(str::to_owned),
    }))
}

/// The names of a label that lies with series; no other is listed.
pub(super) fn known(txn: &Txn<'_>, dimension: Dimension) -> Result<BTreeSet<String>, StoreError> {
    match kept(dimension) {
        Kept::InSeries(label) => names(txn, label),
        Kept::InEvents | Kept::AsNumber => Ok(BTreeSet::new()),
    }
}

fn names(
    txn: &Txn<'_>,
    label: fn(&SeriesLabels) -> NameId,
) -> Result<BTreeSet<String>, StoreError> {
    let series = txn.all_series()?;
    let ids: BTreeSet<NameId> = series.iter().map(|(_, labels)| label(labels)).collect();
    let names = ids.into_iter().map(|id| txn.name(id));
    names.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Labels, Matcher, Millis, Signal};
    use crate::store::{Dedupe, testing};

    #[test]
    fn a_slip_in_a_provider_is_told_from_one_that_was_silent() {
        let mut store = testing::empty();
        let mut event = Event::new(Millis(1), Signal::Request { success: true });
        event.labels = Labels {
            provider: Some("claude".into()),
            ..Labels::default()
        };
        testing::append(&mut store.store, &[event], Dedupe::TimeId, false);

        let names = ["cluade", "claude", "!gemini", "gr*"].map(str::to_owned);
        let mut matchers = Matcher::from_values(Dimension::Provider, &names);
        matchers.push(Matcher::equal(Dimension::User, "u1"));
        let told = unheard(&mut store.store, [&Selector { matchers }]).unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|u| (u.dimension, u.name.as_str(), u.nearest.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (Dimension::Provider, "cluade", Some("claude")),
                (Dimension::User, "u1", None)
            ]
        );
    }
}
