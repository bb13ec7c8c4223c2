//! A window folded onto the clock or the week: all Mondays together, all hours
//! from nine to ten.
//!
//! The window is cut where the local hour or day changes, and what lies between is
//! merged by its slot, which is exact. How slots are named is not known here.

use std::collections::BTreeMap;

use chrono::Datelike;
use rustc_hash::FxHashSet;

use super::frame::{Frame, Kept, MOST_BUCKETS};
use super::question::{QueryError, Question, Row, Source, Summed, kept, sum_up};
use crate::model::{Measure, Millis, Span, Stats, Zone};
use crate::store::Txn;

/// By what a window is folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// By the day of the week.
    pub weekday: bool,
    /// By the hour of the day.
    pub hour: bool,
}

/// A place on the clock or in the week; what it is not told by is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The day of the week, from Monday = 1 to Sunday = 7.
    pub weekday: Option<u8>,
    /// The hour of the day, from 0 to 23.
    pub hour: Option<u8>,
}

/// Local hours and days begin at multiples of this, in every zone since 1972.
const GRAIN_MS: i64 = 15 * Millis::MINUTE;

impl Fold {
    /// The slot of a moment on the clocks of a zone. An hour that comes twice, where
    /// clocks are put back, is one slot.
    pub fn slot(self, zone: Zone, at: Millis) -> Slot {
        let weekday = || zone.date_of(at).weekday().number_from_monday() as u8;
        Slot {
            weekday: self.weekday.then(weekday),
            hour: self.hour.then(|| zone.hour_of(at)),
        }
    }

    /// The moments inside a span at which the slot changes.
    fn changes(self, zone: Zone, span: Span) -> Result<Vec<Millis>, QueryError> {
        if span.length_ms() / Millis::HOUR > MOST_BUCKETS as i64 {
            return Err(QueryError::TooManyBuckets);
        }
        let mut changes = Vec::new();
        let mut slot = self.slot(zone, span.from);
        let first = span.from.plus(1).ceil(GRAIN_MS);
        for at in (first.0..span.until.0)
            .step_by(GRAIN_MS as usize)
            .map(Millis)
        {
            let next = self.slot(zone, at);
            if next != slot {
                changes.push(at);
                slot = next;
            }
        }
        Ok(changes)
    }
}

/// What is answered.
pub(super) struct Folded {
    /// The window that was answered.
    pub span: Span,
    /// A row for each slot of the window and each group, in this order.
    pub rows: Vec<FoldedRow>,
    pub sources: Vec<Source>,
    pub notes: Vec<String>,
}

/// A row, and how much of the window lies in its slot.
pub(super) struct FoldedRow {
    pub slot: Slot,
    pub length_ms: i64,
    pub row: Row,
}

/// Answers a question, folded.
pub(super) fn fold(
    txn: &Txn<'_>,
    question: &Question,
    zone: Zone,
    fold: Fold,
) -> Result<Folded, QueryError> {
    let kept = kept(txn, question)?;
    let mut notes = Vec::new();
    let borders = Frame::new(question, &kept, &mut notes)?.borders;
    let span = Span::new(borders[0], borders[1]);
    let edges = edges(&kept, span, zone, fold)?;
    let Summed {
        cells,
        groups,
        sources,
    } = sum_up(txn, question, &kept, &edges)?;

    let slot = |segment: usize| fold.slot(zone, edges[segment]);
    let mut lengths: BTreeMap<Slot, i64> = BTreeMap::new();
    for (segment, edge) in edges.windows(2).enumerate() {
        *lengths.entry(slot(segment)).or_default() += edge[1].0 - edge[0].0;
    }
    let happened: FxHashSet<usize> = cells.keys().map(|(_, group)| *group).collect();
    let mut merged: BTreeMap<(Slot, usize), Stats> = BTreeMap::new();
    for ((segment, group), stats) in &cells {
        merged
            .entry((slot(*segment), *group))
            .or_default()
            .merge(stats);
    }
    let mut seen: Vec<usize> = (0..groups.len())
        .filter(|g| question.by.is_empty() || happened.contains(g))
        .collect();
    seen.sort_by(|a, b| groups[*a].cmp(&groups[*b]));
    let row = |slot: Slot, length_ms: i64, group: usize| FoldedRow {
        slot,
        length_ms,
        row: Row {
            span,
            group: groups[group].clone(),
            stats: merged.get(&(slot, group)).cloned().unwrap_or_default(),
        },
    };
    let rows = lengths
        .iter()
        .flat_map(|(slot, ms)| seen.iter().map(move |group| (*slot, *ms, *group)))
        .map(|(slot, ms, group)| row(slot, ms, group))
        .collect();
    Ok(Folded {
        span,
        rows,
        sources,
        notes,
    })
}

/// The ends of the window and the changes of slot between them, all of which what is
/// kept can be cut at.
fn edges(kept: &Kept, span: Span, zone: Zone, fold: Fold) -> Result<Vec<Millis>, QueryError> {
    let mut edges = vec![span.from];
    edges.extend(fold.changes(zone, span)?);
    edges.push(span.until);
    for edge in &edges {
        kept.can_be_cut(*edge).map_err(|error| match error {
            QueryError::StepTooFine { from, kept: tier } => QueryError::FoldTooFine {
                zone,
                from,
                kept: tier,
                floor: kept.floors.of(tier.finer().unwrap_or(tier)),
            },
            other => other,
        })?;
    }
    Ok(edges)
}

/// The first of these measures that looks back over the border of a slot.
pub(super) fn unfoldable(measures: impl IntoIterator<Item = Measure>) -> Option<Measure> {
    let trails = |m: &Measure| m.spec().trailing_ms.is_some();
    measures.into_iter().find(trails)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    const BOTH: Fold = Fold {
        weekday: true,
        hour: true,
    };

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Millis {
        Millis(
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis(),
        )
    }

    fn slot(zone_name: &str, text: &str) -> (u8, u8) {
        let slot = BOTH.slot(zone(zone_name), at(text));
        (slot.weekday.unwrap(), slot.hour.unwrap())
    }

    #[test]
    fn a_moment_lies_in_the_hour_its_clock_shows() {
        assert_eq!(slot("UTC", "2026-03-01T23:59:59.999Z"), (7, 23));
        assert_eq!(slot("Asia/Kolkata", "2026-03-01T18:29:59.999Z"), (7, 23));
        assert_eq!(slot("Asia/Kolkata", "2026-03-01T18:30:00Z"), (1, 0));
        // An hour that comes twice is one slot.
        assert_eq!(slot("Europe/Berlin", "2026-10-25T00:30:00Z"), (7, 2));
        assert_eq!(slot("Europe/Berlin", "2026-10-25T01:30:00Z"), (7, 2));
    }

    #[test]
    fn a_window_is_cut_where_the_hour_changes_and_nowhere_else() {
        let changes = |name: &str, from: &str, until: &str| {
            let span = Span::new(at(from), at(until));
            let changes = BOTH.changes(zone(name), span).unwrap();
            changes
                .iter()
                .map(|at| Zone::UTC.format(*at, "%H:%M"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            changes(
                "Asia/Kolkata",
                "2026-03-01T10:00:00Z",
                "2026-03-01T12:30:00Z"
            ),
            "10:30 11:30"
        );
        assert_eq!(
            changes(
                "Europe/Berlin",
                "2026-10-24T23:59:00Z",
                "2026-10-25T03:00:00Z"
            ),
            "00:00 02:00",
            "two hours from two to three"
        );
        assert_eq!(
            changes(
                "Europe/Berlin",
                "2026-03-29T00:00:00Z",
                "2026-03-29T02:00:00Z"
            ),
            "01:00",
            "from one to three"
        );
    }

    #[test]
    fn a_window_without_end_is_refused() {
        let span = Span::new(Millis(0), Millis(i64::MAX));
        assert!(BOTH.changes(Zone::UTC, span).is_err());
    }
}
