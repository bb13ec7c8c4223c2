//! Raw events one by one: which are wanted, page by page or all of them.
//!
//! The labels that statistics are filtered by select here as well, and beside
//! them what only a whole event tells. What a row looks like is not known here.

use std::ops::ControlFlow;

use super::groups::Groups;
use crate::model::{EventRef, Millis, Pattern, Selector, Span};
use crate::store::{Order, Record, StoreError, Txn};

/// Which events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// By their labels.
    pub selector: Selector,
    /// By their type: `request`, `cache`, `rate_limit`; empty for all.
    pub types: Vec<String>,
    /// By what their metadata says; all of these must hold.
    pub tags: Vec<Tag>,
}

/// A condition on one member of an event's metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tag {
    /// The member.
    pub key: String,
    /// Its value fits one of these, if there are any; a missing one is `""`.
    pub accepted: Vec<Pattern>,
    /// Its value fits none of these.
    pub excluded: Vec<Pattern>,
}

impl Tag {
    fn holds(&self, metadata: &serde_json::Map<String, serde_json::Value>) -> bool {
        let value = match metadata.get(&self.key) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let fits = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(&value));
        (self.accepted.is_empty() || fits(&self.accepted)) && !fits(&self.excluded)
    }
}

/// Some events, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The events.
    pub records: Vec<Record>,
    /// After which event the next page begins; `None` at the end.
    pub next: Option<EventRef>,
}

/// The wanted events of a span from `after` on, `limit` at most (0: all).
///
/// # Errors
/// When the store cannot be read.
pub fn page(
    txn: &Txn<'_>,
    wanted: &Wanted,
    span: Span,
    order: Order,
    after: Option<EventRef>,
    limit: usize,
) -> Result<Page, StoreError> {
    let mut page = Page {
        records: Vec::new(),
        next: None,
    };
    each(txn, wanted, span, order, after, |record| {
        if limit > 0 && page.records.len() == limit {
            page.next = page.records.last().map(|last| last.name);
            return Ok(ControlFlow::Break(()));
        }
        page.records.push(record);
        Ok::<_, StoreError>(ControlFlow::Continue(()))
    })?;
    Ok(page)
}

/// Calls `visit` with each wanted event of a span, from `after` on, until it has enough.
///
/// # Errors
/// What `visit` says, and when the store cannot be read.
pub fn each<E: From<StoreError>>(
    txn: &Txn<'_>,
    wanted: &Wanted,
    span: Span,
    order: Order,
    after: Option<EventRef>,
    mut visit: impl FnMut(Record) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let mut groups = Groups::new(txn, &wanted.selector, &[]);
    let (start, bound) = limits(span, order, after);
    txn.records(order, start, bound, |found| {
        let name = found.stored.event.signal.name();
        let is_wanted = (wanted.types.is_empty() || wanted.types.iter().any(|t| t == name))
            && groups.of_event(found.stored)?.is_some()
            && (wanted.tags.is_empty() || tagged(&wanted.tags, found.metadata()?));
        match is_wanted {
            true => visit(found.record()?),
            false => Ok(ControlFlow::Continue(())),
        }
    })
}

fn tagged(tags: &[Tag], metadata: Option<String>) -> bool {
    let metadata = metadata.and_then(|text| serde_json::from_str(&text).ok());
    let metadata = metadata.unwrap_or_default();
    tags.iter().all(|tag| tag.holds(&metadata))
}

/// Where reading begins, that event not included, and the moment where it ends.
fn limits(span: Span, order: Order, after: Option<EventRef>) -> (EventRef, Millis) {
    let before = |at| EventRef::all_at(at).0;
    match order {
        Order::Descending => {
            let end = before(span.until);
            (after.map_or(end, |after| after.min(end)), span.from)
        }
        // The last reference there can be of the moment before.
        Order::Ascending => {
            let start = EventRef::all_at(Millis(span.from.0.saturating_sub(1))).1;
            (after.map_or(start, |after| after.max(start)), span.until)
        }
    }
}
