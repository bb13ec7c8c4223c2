//! Reads the parts of a window and adds them up by segment and group.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::cover::Part;
use super::groups::{Groups, OnlyProvider};
use super::question::Source;
use crate::model::{CostMode, Millis, Resolution, Stats};
use crate::store::{Parts, StoreError, Txn};

/// Stats by segment between edges and by group, both by number.
pub(super) type Cells = FxHashMap<(usize, usize), Stats>;

/// Cells for which room is made ahead: a day of minutes and more.
const MOST_AHEAD: usize = 4_096;

/// Adds up what the parts hold.
pub(super) fn gather(
    txn: &Txn<'_>,
    parts: &[Part],
    edges: &[Millis],
    groups: &mut Groups<'_>,
    wanted: Parts,
    mode: CostMode,
) -> Result<(Cells, Vec<Source>), StoreError> {
    // A series has a cell for each of its buckets, and stats are large to move.
    let mut cells = Cells::with_capacity_and_hasher(edges.len().min(MOST_AHEAD), FxBuildHasher);
    let mut sources = Vec::new();
    let provider = match groups.only_provider()? {
        OnlyProvider::Any => None,
        OnlyProvider::Known(id) => Some(id),
        OnlyProvider::Unknown => return Ok((cells, sources)),
    };
    for part in parts {
        let mut segments = Segments { edges, at: 0 };
        let mut rows = 0;
        match part.tier {
            Resolution::Raw => txn.scan(part.span, |stored| {
                rows += 1;
                if let Some(group) = groups.of_event(stored)? {
                    let cell = cells
                        .entry((segments.of(stored.event.at), group))
                        .or_default();
                    cell.observe(&stored.event, mode);
                }
                Ok::<_, StoreError>(())
            })?,
            Resolution::Minute | Resolution::Hour | Resolution::Day => {
                txn.buckets(part.tier, part.span, provider, wanted, |bucket| {
                    rows += 1;
                    match groups.of_bucket(bucket.key)? {
                        Some(group) => {
                            bucket.add_to(cells.entry((segments.of(bucket.at), group)).or_default())
                        }
                        None => Ok(()),
                    }
                })?
            }
        }
        sources.push(Source {
            tier: part.tier,
            span: part.span,
            rows,
        });
    }
    Ok((cells, sources))
}

/// Finds the segment of moments that come in order.
struct Segments<'a> {
    edges: &'a [Millis],
    at: usize,
}

impl Segments<'_> {
    fn of(&mut self, at: Millis) -> usize {
        let inside = |i: usize| self.edges[i] <= at && at < self.edges[i + 1];
        if !inside(self.at) {
            self.at = self
                .edges
                .partition_point(|edge| *edge <= at)
                .saturating_sub(1);
        }
        self.at
    }
}
