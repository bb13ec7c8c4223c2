//! A question and its answer.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cover::Terrain;
use super::frame::{Frame, Kept, MOST_BUCKETS};
use super::gather::{Cells, gather};
use super::groups::{Group, Groups, coarsest_tier, touched};
use crate::model::{Dimension, Measure, Millis, Resolution, Selector, Span, Stats, Zone};
use crate::store::{Parts, Store, StoreError, Txn};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which events.
    pub selector: Selector,
    /// When.
    pub span: Span,
    /// Cut into buckets; `None`: the window as a whole.
    pub step: Option<Step>,
    /// Cut into groups.
    pub by: Vec<Dimension>,
    /// What must be read to answer.
    pub parts: Parts,
    /// Each value speaks of that many milliseconds that end with its bucket,
    /// instead of the bucket.
    pub trailing_ms: Option<i64>,
}

/// How a window is cut in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Buckets of so many milliseconds, aligned to multiples of it (UTC).
    Fixed(i64),
    /// Calendar days of a zone: 23, 24 or 25 hours.
    LocalDay(Zone),
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The window that was answered; wider than asked where events are gone.
    pub span: Span,
    /// One row per bucket and group, in this order.
    pub rows: Vec<Row>,
    /// Where the numbers come from.
    pub sources: Vec<Source>,
    /// What the reader should know about the answer.
    pub notes: Vec<String>,
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    /// The bucket, or the whole window.
    pub span: Span,
    /// The group, in the order of the dimensions asked for; `""`: not said.
    pub group: Group,
    /// What happened in it.
    pub stats: Stats,
}

/// A part of the store that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Which tier.
    pub tier: Resolution,
    /// Which part of the window.
    pub span: Span,
    /// Rows read.
    pub rows: u64,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The label is known for raw events only, and they do not reach back that far.
    #[error("{dimension} is kept with raw events only, and those begin at {floor}")]
    BeyondRaw {
        /// Which label.
        dimension: Dimension,
        /// Where raw events begin.
        floor: Millis,
    },
    /// Nothing is kept from so long ago.
    #[error("the window begins at {from}; aggregates are kept from {floor} on")]
    BeyondTiers {
        /// Where the window begins.
        from: Millis,
        /// Where the coarsest tier begins.
        floor: Millis,
    },
    /// The step is finer than what is kept from so long ago.
    #[error("at {from} only buckets of {} are kept", kept.name())]
    StepTooFine {
        /// Where the window begins.
        from: Millis,
        /// The finest tier there.
        kept: Resolution,
    },
    /// Hours or days of the zone begin inside what is kept from so long ago.
    #[error("at {from} only buckets of {} are kept, and the hours or days of {zone} cut them", kept.name())]
    FoldTooFine {
        /// Whose hours and days.
        zone: Zone,
        /// Where one begins.
        from: Millis,
        /// The finest tier there.
        kept: Resolution,
        /// Where the next finer tier begins.
        floor: Millis,
    },
    /// The measure looks back over the border of an hour or a day.
    #[error("{} reaches back into the hour before, and cannot be told by hour or weekday", .0.spec().id)]
    NotFoldable(Measure),
    /// The step cuts the window into too many pieces.
    #[error("the step cuts the window into more than {MOST_BUCKETS} buckets")]
    TooManyBuckets,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers a question on one unchanging state of the store.
///
/// # Errors
/// When the store no longer knows, or cannot be read.
pub fn ask(store: &mut Store, question: &Question) -> Result<Answer, QueryError> {
    store.read(|txn| ask_in(txn, question))
}

/// Answers a question inside a transaction.
///
/// # Errors
/// As [`ask`].
pub fn ask_in(txn: &Txn<'_>, question: &Question) -> Result<Answer, QueryError> {
    let kept = kept(txn, question)?;
    let mut notes = Vec::new();
    let Frame { borders, edges } = &Frame::new(question, &kept, &mut notes)?;
    let Summed {
        cells,
        groups,
        sources,
    } = sum_up(txn, question, &kept, edges)?;
    let cells = match question.trailing_ms {
        None => cells,
        Some(ms) => trail(&cells, edges, borders, ms),
    };
    Ok(Answer {
        span: Span::new(borders[0], borders[borders.len() - 1]),
        rows: rows(question, borders, cells, groups),
        sources,
        notes,
    })
}

/// What is kept of the labels that a question touches.
pub(super) fn kept(txn: &Txn<'_>, question: &Question) -> Result<Kept, StoreError> {
    let touched = touched(&question.selector, &question.by);
    let raw_only = |d: &Dimension| coarsest_tier(*d) == Resolution::Raw;
    Ok(Kept {
        floors: txn.floors()?,
        raw_label: touched.into_iter().find(raw_only),
    })
}

/// What lies between neighbouring edges.
pub(super) struct Summed {
    /// By the number of the segment and of the group.
    pub cells: Cells,
    /// The groups by their numbers.
    pub groups: Vec<Group>,
    /// Where it was read.
    pub sources: Vec<Source>,
}

/// Reads what is kept between edges, at which it can be cut.
pub(super) fn sum_up(
    txn: &Txn<'_>,
    question: &Question,
    kept: &Kept,
    edges: &[Millis],
) -> Result<Summed, StoreError> {
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    let dirty: Vec<Millis> = txn
        .dirty_minutes(
            Span::new(first.floor(Millis::DAY), last.ceil(Millis::DAY)),
            u32::MAX,
        )?
        .into_iter()
        .map(|(minute, _)| minute)
        .collect();
    let terrain = Terrain {
        floors: kept.floors,
        dirty: &dirty,
        coarsest: kept.raw_label.map_or(Resolution::Day, coarsest_tier),
    };
    let parts = terrain.cover(edges);
    let mut groups = Groups::new(txn, &question.selector, &question.by);
    let mode = txn.settings()?.cost_mode;
    let (cells, sources) = gather(txn, &parts, edges, &mut groups, question.parts, mode)?;
    Ok(Summed {
        cells,
        groups: groups.into_groups(),
        sources,
    })
}

/// Adds up, for every bucket, the segments of the window that ends with it.
fn trail(cells: &Cells, edges: &[Millis], buckets: &[Millis], ms: i64) -> Cells {
    let mut by_segment: FxHashMap<usize, Vec<(usize, &Stats)>> = FxHashMap::default();
    for ((segment, group), stats) in cells {
        by_segment
            .entry(*segment)
            .or_default()
            .push((*group, stats));
    }
    let place = |at: Millis| edges.partition_point(|edge| *edge < at);
    let mut trailed = Cells::default();
    for (bucket, end) in buckets[1..].iter().enumerate() {
        for segment in place(end.plus(-ms))..place(*end) {
            for (group, stats) in by_segment.get(&segment).into_iter().flatten() {
                trailed.entry((bucket, *group)).or_default().merge(stats);
            }
        }
    }
    trailed
}

/// One row per bucket and group in which something happened; without a group-by
/// there is always the one.
fn rows(question: &Question, buckets: &[Millis], mut cells: Cells, groups: Vec<Group>) -> Vec<Row> {
    let happened: FxHashSet<usize> = cells.keys().map(|(_, group)| *group).collect();
    let mut seen: Vec<usize> = (0..groups.len())
        .filter(|g| question.by.is_empty() || happened.contains(g))
        .collect();
    seen.sort_by(|a, b| groups[*a].cmp(&groups[*b]));
    if question.step.is_none() {
        let requests = |g: &usize| cells.get(&(0, *g)).map_or(0, |stats| stats.requests);
        seen.sort_by_key(|g| std::cmp::Reverse(requests(g)));
    }
    let mut rows = Vec::with_capacity(seen.len() * (buckets.len() - 1));
    for (bucket, border) in buckets.windows(2).enumerate() {
        for group in &seen {
            rows.push(Row {
                span: Span::new(border[0], border[1]),
                group: groups[*group].clone(),
                stats: cells.remove(&(bucket, *group)).unwrap_or_default(),
            });
        }
    }
    rows
}
