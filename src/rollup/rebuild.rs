//! Makes every aggregate anew that raw events still cover.

use rustc_hash::FxHashSet;

use super::verify::{ledger_of_day, sessions_of_raw};
use super::{EVER, Report, run};
use crate::model::Millis;
use crate::store::{LocalDays, SessionKey, Store, StoreError, Txn};

/// Computes all buckets, ledger days and sessions from raw, from `since` on.
///
/// What raw covers only in part (a day that straddles its floor, a session that
/// began before it) is left as it is.
///
/// # Errors
/// When the store fails; what is done stays done, and is right.
pub fn rebuild(
    store: &mut Store,
    since: Millis,
    progress: impl FnMut(&Report),
) -> Result<Report, StoreError> {
    let from = store.write(|txn| {
        let from = txn.floors()?.raw.max(since.floor(Millis::HOUR));
        txn.mark_for_rebuild(from)?;
        Ok::<_, StoreError>(from)
    })?;
    let mut report = run(store, EVER.until, progress)?;
    let mut next = Some(from);
    while let Some(from) = next {
        next = store.write(|txn| rebuild_ledger_day(txn, from, &mut report))?;
    }
    store.write(|txn| rebuild_sessions(txn, &mut report))?;
    Ok(report)
}

/// Rebuilds the first local day with events from `from` on; says where to go on.
fn rebuild_ledger_day(
    txn: &Txn<'_>,
    from: Millis,
    report: &mut Report,
) -> Result<Option<Millis>, StoreError> {
    let Some(first) = txn.first_event(from)? else {
        return Ok(None);
    };
    let settings = txn.settings()?;
    let mut days = LocalDays::new(settings.zone);
    let day = days.day(first);
    let span = days.span_of(day);
    let covered = span.from >= from && span.from >= txn.floors()?.raw;
    if covered && txn.dirty_minutes(span, 1)?.is_empty() {
        txn.drop_ledger(day..day + 1)?;
        for (key, sums) in ledger_of_day(txn, &settings, day, span)? {
            txn.add_to_ledger(&key, &sums)?;
            report.ledger_rows += 1;
        }
    }
    Ok(Some(span.until.max(first.plus(1))))
}

fn rebuild_sessions(txn: &Txn<'_>, report: &mut Report) -> Result<(), StoreError> {
    let floor = txn.floors()?.raw;
    if !txn.dirty_minutes(EVER, 1)?.is_empty() {
        return Ok(());
    }
    let computed = sessions_of_raw(txn, &txn.settings()?, floor)?;
    let mut older: FxHashSet<SessionKey> = FxHashSet::default();
    let mut gone = Vec::new();
    txn.sessions(floor, |key, sums| {
        if sums.first >= Some(floor) {
            gone.push(*key);
        } else {
            older.insert(*key);
        }
        Ok::<_, StoreError>(())
    })?;
    for key in &gone {
        txn.drop_session(key)?;
    }
    for (key, sums) in computed.iter().filter(|(key, _)| !older.contains(*key)) {
        txn.add_to_session(key, sums)?;
        report.ledger_rows += 1;
    }
    Ok(())
}
