//! A question and its answer.

use chrono::{Days, NaiveDate};
use rustc_hash::FxHashMap;

use super::cover::Terrain;
use super::gather::{Cells, gather};
use super::groups::{Group, Groups, coarsest_tier, touched};
use crate::model::{Dimension, Millis, Resolution, Selector, Span, Stats, Zone};
use crate::store::{Parts, Store, StoreError, Txn};

/// Buckets that one answer may have: more than any screen or file of one question.
const MOST_BUCKETS: usize = 200_000;

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
    store.read(|txn| answer(txn, question))
}

/// Answers a question inside a transaction.
pub(super) fn answer(txn: &Txn<'_>, question: &Question) -> Result<Answer, QueryError> {
    let floors = txn.floors()?;
    let reach = question.span.from.plus(-question.trailing_ms.unwrap_or(0));
    let wide = Span::new(
        reach.floor(Millis::DAY),
        question.span.until.ceil(Millis::DAY),
    );
    let dirty: Vec<Millis> = txn
        .dirty_minutes(wide, u32::MAX)?
        .into_iter()
        .map(|(minute, _)| minute)
        .collect();
    let touched = touched(&question.selector, &question.by);
    let coarsest = touched
        .iter()
        .map(|d| coarsest_tier(*d))
        .min()
        .unwrap_or(Resolution::Day);
    let terrain = Terrain {
        floors,
        dirty: &dirty,
        coarsest,
    };
    if coarsest == Resolution::Raw
        && reach < floors.raw
        && let Some(dimension) = touched
            .iter()
            .find(|d| coarsest_tier(**d) == Resolution::Raw)
    {
        return Err(QueryError::BeyondRaw {
            dimension: *dimension,
            floor: floors.raw,
        });
    }
    let mut notes = Vec::new();
    let buckets = buckets(question, &terrain, &mut notes)?;
    let span = Span::new(buckets[0], buckets[buckets.len() - 1]);
    let edges = match question.trailing_ms {
        None => buckets.clone(),
        Some(ms) => trailing_edges(&buckets, ms),
    };
    let parts = within(terrain.cover(&edges), &edges);
    let mut groups = Groups::new(txn, &question.selector, &question.by);
    let mode = txn.settings()?.cost_mode;
    let (cells, sources) = gather(txn, &parts, &edges, &mut groups, question.parts, mode)?;
    let cells = match question.trailing_ms {
        None => cells,
        Some(ms) => trail(&cells, &edges, &buckets, ms),
    };
    Ok(Answer {
        span,
        rows: rows(question, &buckets, cells, groups.into_groups()),
        sources,
        notes,
    })
}

/// Raw events from before their floor lie outside the segments when a trailing
/// window leaves gaps between them.
fn within(mut parts: Vec<super::cover::Part>, edges: &[Millis]) -> Vec<super::cover::Part> {
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    parts.retain(|part| part.span.from >= first && part.span.until <= last);
    parts
}

/// The borders of the buckets, first to last; two of them for a whole window.
fn buckets(
    question: &Question,
    terrain: &Terrain<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Millis>, QueryError> {
    let Span { from, until } = question.span;
    let Some(kept) = terrain.finest(from) else {
        return Err(QueryError::BeyondTiers {
            from,
            floor: terrain.floors.day,
        });
    };
    let step = match question.step {
        Some(Step::LocalDay(zone)) if kept == Resolution::Day && zone != Zone::UTC => {
            notes.push(format!(
                "days are UTC days: hours are kept from {} on",
                terrain.floors.hour
            ));
            Some(Step::Fixed(Millis::DAY))
        }
        step => step,
    };
    let (from, until) = match step {
        None => (from, until),
        Some(Step::Fixed(ms)) => (from.floor(ms), until),
        Some(Step::LocalDay(zone)) => (zone.local_midnight(zone.date_of(from)), until),
    };
    if let Some(Step::Fixed(ms)) = step
        && ms % kept.step_ms() != 0
    {
        return Err(QueryError::StepTooFine { from, kept });
    }
    // Where finer events are gone, a border that cuts a bucket moves outward.
    let first = from.floor(terrain.finest(from).unwrap_or(kept).step_ms());
    let last = until.ceil(terrain.finest(until.plus(-1)).unwrap_or(kept).step_ms());
    if first != from || last != until {
        notes.push(format!(
            "the window was widened to whole buckets of {}",
            kept.name()
        ));
    }
    let inner = match step {
        None => Vec::new(),
        Some(Step::Fixed(ms)) => fixed_borders(first, last, ms)?,
        Some(Step::LocalDay(zone)) => local_midnights(first, last, zone),
    };
    let mut borders = vec![first];
    borders.extend(inner);
    borders.push(last);
    Ok(borders)
}

fn fixed_borders(first: Millis, last: Millis, step: i64) -> Result<Vec<Millis>, QueryError> {
    if (last.0 - first.0) / step > MOST_BUCKETS as i64 {
        return Err(QueryError::TooManyBuckets);
    }
    let next = first.floor(step).plus(step);
    Ok((next.0..last.0)
        .step_by(step as usize)
        .map(Millis)
        .collect())
}

fn local_midnights(first: Millis, last: Millis, zone: Zone) -> Vec<Millis> {
    let days = |date: &NaiveDate| date.checked_add_days(Days::new(1));
    std::iter::successors(days(&zone.date_of(first)), days)
        .map(|date| zone.local_midnight(date))
        .take_while(|midnight| *midnight < last)
        .filter(|midnight| *midnight > first)
        .collect()
}

/// All moments at which a trailing window begins or ends.
fn trailing_edges(buckets: &[Millis], ms: i64) -> Vec<Millis> {
    let ends = &buckets[1..];
    let mut edges: Vec<Millis> = ends.iter().flat_map(|end| [end.plus(-ms), *end]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
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

/// One row per bucket and group. A series has all of them; a whole window only
/// the groups in which something happened.
fn rows(question: &Question, buckets: &[Millis], mut cells: Cells, groups: Vec<Group>) -> Vec<Row> {
    let whole = question.step.is_none();
    let mut seen: Vec<usize> = (0..groups.len())
        .filter(|g| question.by.is_empty() || !whole || cells.contains_key(&(0, *g)))
        .collect();
    seen.sort_by(|a, b| groups[*a].cmp(&groups[*b]));
    if whole {
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
