//! What is let go: raw events, buckets, ledger and names that outlived their age.
//!
//! Nothing raw is deleted before it is rolled up. The floor of raw events is raised
//! first, in one transaction; what lies below it is then swept, a slice at a time, so
//! that a clean-up does not hold up a writer, and one that is cut short is completed
//! by the next. It does not know when it is run.

use crate::model::{Millis, Resolution, Span};
use crate::store::{Floors, LocalDays, Retention, Store, StoreError, Txn};

/// Raw events deleted in one transaction: a writer beside it waits 19 ms at most
/// (benches/RESULTS.md, a clean-up beside a writer).
const EVENTS_AT_ONCE: u32 = 5_000;

/// A setting under which a finer tier would outlive a coarser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{finer} would be kept longer than {coarser}")]
pub struct Unordered {
    /// The finer tier.
    pub finer: &'static str,
    /// The coarser one.
    pub coarser: &'static str,
}

/// What one tier lost, or would lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// `raw`, `1min`, `1hour`, `1day`, `session`, `ledger`.
    pub tier: &'static str,
    /// How long it is kept, in milliseconds; `None`: for ever.
    pub kept_ms: Option<i64>,
    /// Everything before it is gone; `None`: nothing ever was.
    pub floor: Option<Millis>,
    /// Rows deleted.
    pub rows: u64,
}

/// What a clean-up did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By tier, finest first.
    pub cuts: Vec<Cut>,
    /// Minutes that outlived raw but wait for a roll-up, for which raw was kept.
    pub held_back_minutes: u64,
    /// Names that nothing used any more.
    pub names: u64,
    /// Bytes given back to the file system.
    pub freed_bytes: u64,
}

/// Checks that raw <= 1min <= 1hour <= 1day <= ledger.
///
/// # Errors
/// Naming the first pair that is out of order.
pub fn check(retention: &Retention) -> Result<(), Unordered> {
    let Retention {
        raw,
        minute,
        hour,
        day,
        ledger,
    } = *retention;
    let tiers = [
        ("raw", raw),
        ("1min", minute),
        ("1hour", hour),
        ("1day", day),
        ("ledger", ledger),
    ];
    let length = |kept: Option<i64>| kept.unwrap_or(i64::MAX);
    match tiers
        .windows(2)
        .find(|pair| length(pair[0].1) > length(pair[1].1))
    {
        Some(pair) => Err(Unordered {
            finer: pair[0].0,
            coarser: pair[1].0,
        }),
        None => Ok(()),
    }
}

/// How far each tier would be cut now: the floors of raw, minutes, hours and days.
///
/// Raw stops at the first hour that is not rolled up. The floor of a tier never falls.
///
/// # Errors
/// When the store cannot be read.
pub fn plan(txn: &Txn<'_>, now: Millis) -> Result<Floors, StoreError> {
    let retention = txn.retention()?;
    let floors = txn.floors()?;
    let due = |tier: Resolution, grid: i64| match retention.of(tier) {
        Some(kept) => floors.of(tier).max(now.plus(-kept).floor(grid)),
        None => floors.of(tier),
    };
    let waiting = txn.dirty_minutes(Span::new(floors.raw, Millis(i64::MAX)), 1)?;
    let rolled_up = waiting
        .first()
        .map_or(Millis(i64::MAX), |(minute, _)| minute.floor(Millis::HOUR));
    let raw = due(Resolution::Raw, Millis::HOUR).min(rolled_up);
    // A coarser tier never ends before a finer one, whatever was set in between.
    let minute = due(Resolution::Minute, Millis::HOUR).min(raw);
    let hour = due(Resolution::Hour, Millis::DAY).min(minute.floor(Millis::DAY));
    let day = due(Resolution::Day, Millis::DAY).min(hour);
    Ok(Floors {
        raw,
        minute: minute.max(floors.minute),
        hour: hour.max(floors.hour),
        day: day.max(floors.day),
    })
}

/// Deletes what outlived its age.
///
/// # Errors
/// When the store fails; what is done stays done.
pub fn run(store: &mut Store, now: Millis) -> Result<Report, StoreError> {
    let (target, retention) =
        store.read(|txn| Ok::<_, StoreError>((plan(txn, now)?, txn.retention()?)))?;
    let mut report = Report {
        held_back_minutes: held_back(store, &retention, now, &target)?,
        ..Report::default()
    };
    for tier in [
        Resolution::Raw,
        Resolution::Minute,
        Resolution::Hour,
        Resolution::Day,
    ] {
        let rows = match tier {
            Resolution::Raw => let_go_raw(store, target.raw, EVENTS_AT_ONCE, u32::MAX)?,
            Resolution::Minute | Resolution::Hour | Resolution::Day => {
                cut(store, tier, target.of(tier))?
            }
        };
        let floor = Some(target.of(tier)).filter(|floor| floor.0 > i64::MIN);
        report.cuts.push(Cut {
            tier: tier.name(),
            kept_ms: retention.of(tier),
            floor,
            rows,
        });
    }
    report
        .cuts
        .extend(store.write(|txn| cut_ledger(txn, &retention, now))?);
    if let Some(kept) = retention.raw {
        store.write(|txn| txn.forget_batches(now.plus(-kept - Millis::DAY)))?;
    }
    if report.cuts.iter().any(|cut| cut.rows > 0) {
        report.names = store.collect_names()?;
        report.freed_bytes = shrink(store)?;
    }
    Ok(report)
}

/// What a clean-up would let go, without doing it.
///
/// # Errors
/// When the store cannot be read.
pub fn rehearse(store: &mut Store, now: Millis) -> Result<Report, StoreError> {
    let (target, retention) =
        store.read(|txn| Ok::<_, StoreError>((plan(txn, now)?, txn.retention()?)))?;
    let mut report = Report {
        held_back_minutes: held_back(store, &retention, now, &target)?,
        ..Report::default()
    };
    store.read(|txn| {
        let floors = txn.floors()?;
        for tier in [
            Resolution::Raw,
            Resolution::Minute,
            Resolution::Hour,
            Resolution::Day,
        ] {
            let span = Span::new(floors.of(tier), target.of(tier));
            let floor = Some(target.of(tier)).filter(|floor| floor.0 > i64::MIN);
            let rows = txn.count_rows(tier, span)?;
            report.cuts.push(Cut {
                tier: tier.name(),
                kept_ms: retention.of(tier),
                floor,
                rows,
            });
        }
        Ok(report)
    })
}

/// Minutes that should have gone with raw but are not rolled up yet.
fn held_back(
    store: &mut Store,
    retention: &Retention,
    now: Millis,
    target: &Floors,
) -> Result<u64, StoreError> {
    let Some(kept) = retention.raw else {
        return Ok(0);
    };
    let span = Span::new(target.raw, now.plus(-kept).floor(Millis::HOUR));
    store.read(|txn| Ok(txn.dirty_minutes(span, u32::MAX)?.len() as u64))
}

/// Raises the floor of raw events, then deletes those below it in at most so many
/// slices of so many events each. Where it ends early, the next clean-up goes on.
pub(crate) fn let_go_raw(
    store: &mut Store,
    target: Millis,
    events: u32,
    slices: u32,
) -> Result<u64, StoreError> {
    store.write(|txn| {
        let floor = txn.floors()?.raw;
        // Events may have come in since the plan was made; the next run takes them.
        let waiting = txn.dirty_minutes(Span::new(floor, target), 1)?;
        let target = match waiting.first() {
            Some((minute, _)) => minute.floor(Millis::HOUR),
            None => target,
        };
        if floor < target {
            txn.raise_floor(Resolution::Raw, target)?;
        }
        Ok::<_, StoreError>(())
    })?;
    let (mut rows, mut from) = (0, Millis(i64::MIN));
    for _ in 0..slices {
        let Some((deleted, next)) = store.write(|txn| txn.sweep(from, events))? else {
            break;
        };
        rows += deleted;
        from = next;
        store.let_others_write();
    }
    Ok(rows)
}

/// Cuts a tier of buckets, piece by piece.
fn cut(store: &mut Store, tier: Resolution, target: Millis) -> Result<u64, StoreError> {
    let piece = match tier {
        Resolution::Raw | Resolution::Minute => Millis::HOUR,
        Resolution::Hour | Resolution::Day => Millis::DAY,
    };
    let mut rows = 0;
    loop {
        let (more, deleted) = store.write(|txn| cut_piece(txn, tier, piece, target))?;
        rows += deleted;
        if !more {
            return Ok(rows);
        }
        store.let_others_write();
    }
}

/// Deletes the first piece below the target and raises the floor to its end; says
/// whether there is more to do.
fn cut_piece(
    txn: &Txn<'_>,
    tier: Resolution,
    piece: i64,
    target: Millis,
) -> Result<(bool, u64), StoreError> {
    let floors = txn.floors()?;
    let floor = floors.of(tier);
    // Late events may have held up the finer tier since the plan was made; it must
    // stay the shorter one, for this tier is made of it.
    let target = match tier.finer() {
        Some(finer) => target.min(floors.of(finer).floor(piece)),
        None => target,
    };
    if floor >= target {
        return Ok((false, 0));
    }
    let Some(from) = txn
        .first_bucket(tier, floor)?
        .map(|at| at.floor(piece))
        .filter(|from| *from < target)
    else {
        txn.raise_floor(tier, target)?;
        return Ok((false, 0));
    };
    let span = Span::new(from, from.plus(piece).min(target));
    let rows = txn.drop_buckets(tier, span)?;
    txn.raise_floor(tier, span.until)?;
    Ok((true, rows))
}

/// Sums are raised by what is new and never made whole again, so that none is let go
/// that raw events still add to.
fn cut_ledger(txn: &Txn<'_>, retention: &Retention, now: Millis) -> Result<Vec<Cut>, StoreError> {
    let raw = txn.floors()?.raw;
    let due = |kept: i64| now.plus(-kept).min(raw);
    let sessions = match retention.day {
        Some(kept) => (Some(due(kept)), txn.drop_sessions(due(kept))?),
        None => (None, 0),
    };
    let ledger = match retention.ledger {
        Some(kept) => {
            let mut days = LocalDays::new(txn.settings()?.zone);
            let first = days.day(due(kept));
            (
                Some(days.span_of(first).from),
                txn.drop_ledger(i32::MIN..first)?,
            )
        }
        None => (None, 0),
    };
    Ok(vec![
        Cut {
            tier: "session",
            kept_ms: retention.day,
            floor: sessions.0,
            rows: sessions.1,
        },
        Cut {
            tier: "ledger",
            kept_ms: retention.ledger,
            floor: ledger.0,
            rows: ledger.1,
        },
    ])
}

/// Gives pages back when more than a quarter of the file is free.
fn shrink(store: &mut Store) -> Result<u64, StoreError> {
    let before = store.footprint()?;
    if before.free_bytes * 4 <= before.bytes {
        return Ok(0);
    }
    while store.give_back_pages()? {
        store.let_others_write();
    }
    Ok(before.bytes.saturating_sub(store.footprint()?.bytes))
}

#[cfg(test)]
mod tests;
