//! Stores for tests, looks into them, and random histories with a witness of them.

pub(crate) mod account;
pub(crate) mod history;
pub(crate) mod witness;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::types::Value;

use super::{
    BucketKey, Dedupe, Durability, EventWriter, NameId, Options, Order, Origin, Packer, Parts,
    Place, Store, StoreError, Txn, Which,
};
use crate::model::{Event, Millis, Resolution, Span, Stats};
use crate::query::events::{self, Wanted};

/// A store in its own folder, which ends with it.
pub(crate) struct Temporary {
    pub store: Store,
    _folder: tempfile::TempDir,
}

/// An empty store.
pub(crate) fn empty() -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        durability: Durability::Normal,
        ..Options::default()
    };
    let store = Store::create(&folder.path().join("obs.db"), options).unwrap();
    Temporary {
        store,
        _folder: folder,
    }
}

/// A number that no other input of this run has.
static NONCE: AtomicU64 = AtomicU64::new(1);

/// Writes events in one transaction, without duplicates among events that have no id.
pub(crate) fn append(
    store: &mut Store,
    events: &[Event<'_>],
    dedupe: Dedupe,
    backfill: bool,
) -> super::BatchCounts {
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
    let mut packer = Packer::new(dedupe, i64::MIN);
    for (i, event) in events.iter().enumerate() {
        let origin = Origin {
            line: i as u64 + 1,
            byte_offset: i as u64,
            bytes: b"",
            place: Place::Pipe { nonce },
        };
        packer.add(event, origin);
    }
    let mut writer = EventWriter::new("test".into(), dedupe, backfill);
    store
        .write(|txn| {
            let mut batch = txn.append(&mut writer, Millis(0))?;
            batch.write(packer.take())?;
            batch.finish()
        })
        .unwrap()
        .counts
}

/// Asks for everything that is told of a store as a file; it must be sound.
pub(crate) fn look_at_all(store: &mut Store, now: Millis) {
    store.vitals(now).unwrap();
    assert_eq!(store.flaws(true), []);
    store
        .read(|txn| {
            super::Part::ALL.iter().try_for_each(|part| {
                txn.bytes(*part)?;
                txn.extent(*part).map(drop)
            })
        })
        .unwrap();
}

/// Runs plain SQL that a test needs and the program does not.
pub(crate) fn sql(store: &Store, sql: &str) {
    store.conn.execute_batch(sql).unwrap();
}

/// All rows of a question in SQL, each value as it is stored.
pub(crate) fn rows(store: &Store, sql: &str) -> Vec<Vec<Value>> {
    let mut stmt = store.conn.prepare(sql).unwrap();
    let columns = stmt.column_count();
    let rows = stmt
        .query_map([], |row| (0..columns).map(|i| row.get(i)).collect())
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// How many raw events there are, swept or not.
pub(crate) fn events(store: &Store) -> usize {
    rows(store, "SELECT at_ms FROM event").len()
}

/// Reads events and dead letters by every statement that there is, and lets letters go.
pub(crate) fn look_through(store: &mut Store, now: Millis) {
    let day = Span::new(now.plus(-Millis::DAY), now);
    for order in [Order::Ascending, Order::Descending] {
        let asked = |txn: &Txn<'_>| {
            let page = events::page(txn, &Wanted::default(), day, order, None, 3)?;
            if let Some(last) = page.next {
                txn.records_between(last, last, 1)?;
            }
            txn.events_with([1, 2, 3], day.from, day.until, 3)
        };
        store.read(asked).unwrap();
    }
    let all = Which {
        since: Millis(0),
        until: now,
        code: None,
        source: None,
    };
    let letters = |txn: &Txn<'_>| {
        for buried in txn.letters(&all, None, 3)? {
            txn.letter(buried.id)?;
            txn.note_reason(&buried)?;
        }
        txn.letter(-1)?;
        txn.unbury(-1)?;
        txn.count_letters(&all)?;
        txn.drop_letters(&all)
    };
    store.write(letters).unwrap();
}

/// All that is told of raw events, but when they were stored.
pub(crate) fn told(store: &Store) -> Vec<Vec<Value>> {
    let sql = "SELECT r.*, e.audio_input, e.audio_output, e.image_input, e.unclassified, e.total_told
        FROM metrics_raw r JOIN event e ON printf('%x-%016x', e.at_ms, e.h) = r.ref ORDER BY r.timestamp, r.ref";
    let columns = rows(store, "SELECT name FROM pragma_table_info('metrics_raw')");
    let stored_at = columns
        .iter()
        .position(|row| row[0] == Value::Text("created_at".into()));
    let mut told = rows(store, sql);
    for row in &mut told {
        row.remove(stored_at.unwrap());
    }
    told
}

/// Everything that roll-ups write, byte by byte.
pub(crate) fn aggregates(store: &Store) -> Vec<Vec<Vec<Value>>> {
    [
        "bucket_1min",
        "bucket_1hour",
        "bucket_1day",
        "ledger",
        "session",
        "dirty",
    ]
    .map(|table| rows(store, &format!("SELECT * FROM {table}")))
    .to_vec()
}

/// The texts by which an aggregate is told apart; `""`: not said.
pub(crate) type Names = Vec<String>;

fn texts<const N: usize>(txn: &Txn<'_>, ids: [NameId; N]) -> Result<Names, StoreError> {
    let text = |id| Ok(txn.name(id)?.unwrap_or_default());
    ids.into_iter().map(text).collect()
}

/// The buckets of a tier, by their beginning and their provider, model and role.
pub(crate) fn buckets(store: &mut Store, tier: Resolution) -> BTreeMap<(i64, Names), Stats> {
    let ever = Span::new(Millis(i64::MIN), Millis(i64::MAX));
    store
        .read(|txn| {
            let mut found = BTreeMap::new();
            txn.buckets(tier, ever, None, Parts::All, |bucket| {
                let BucketKey {
                    provider,
                    model,
                    role,
                } = bucket.key;
                let key = (bucket.at.0, texts(txn, [provider, model, role])?);
                bucket.add_to(found.entry(key).or_default())
            })?;
            Ok::<_, StoreError>(found)
        })
        .unwrap()
}

/// The ledger, by local day and provider, model, user and project.
pub(crate) fn ledger(store: &mut Store) -> BTreeMap<(i32, Names), Stats> {
    store
        .read(|txn| {
            let mut found = BTreeMap::new();
            txn.ledger(i32::MIN..i32::MAX, |key, sums| {
                let names = texts(txn, [key.provider, key.model, key.user, key.project])?;
                found.insert((key.day, names), sums.clone());
                Ok::<_, StoreError>(())
            })?;
            Ok::<_, StoreError>(found)
        })
        .unwrap()
}

/// Sessions, by session, provider, model, user and project.
pub(crate) fn sessions(store: &mut Store) -> BTreeMap<Names, Stats> {
    store
        .read(|txn| {
            let mut found = BTreeMap::new();
            txn.sessions(Millis(i64::MIN), |key, sums| {
                let ids = [key.session, key.provider, key.model, key.user, key.project];
                found.insert(texts(txn, ids)?, sums.clone());
                Ok::<_, StoreError>(())
            })?;
            Ok::<_, StoreError>(found)
        })
        .unwrap()
}
