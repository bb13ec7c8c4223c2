//! Stores for tests.

use super::pack::Origin;
use super::{Dedupe, EventWriter, Options, Packer, Store};
use crate::model::{Event, Millis};

/// A store in its own folder, which ends with it.
pub(crate) struct Temporary {
    pub store: Store,
    _folder: tempfile::TempDir,
}

/// An empty store.
pub(crate) fn empty() -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("obs.db"), Options::default()).unwrap();
    Temporary {
        store,
        _folder: folder,
    }
}

/// Writes events in one transaction, without duplicates among events that have no id.
pub(crate) fn append(
    store: &mut Store,
    events: &[Event<'_>],
    dedupe: Dedupe,
    backfill: bool,
) -> super::BatchCounts {
    let mut packer = Packer::new(dedupe, i64::MIN);
    for (i, event) in events.iter().enumerate() {
        let origin = Origin {
            line: i as u64 + 1,
            byte_offset: i as u64,
            bytes: b"",
            nonce: Some(7),
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
