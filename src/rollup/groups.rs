//! Where events are counted: groups of a tier in places of their own, and rows of
//! the ledger. Nothing is written here.

use rustc_hash::FxHashMap;
use std::hash::Hash;

use crate::model::Stats;
use crate::store::{BucketKey, NameId, SeriesId, StoreError, Txn};

/// Gives every group of a tier a slot, found by the series of an event.
pub(super) struct Groups<'t> {
    txn: &'t Txn<'t>,
    by_series: FxHashMap<SeriesId, Group>,
    by_key: FxHashMap<BucketKey, usize>,
    pub keys: Vec<BucketKey>,
    /// Slots in the order of their keys, in which buckets are written.
    order: Vec<usize>,
}

/// Where events of a series are counted.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub slot: usize,
    pub key: BucketKey,
    pub project: NameId,
}

impl<'t> Groups<'t> {
    pub(super) fn new(txn: &'t Txn<'t>) -> Groups<'t> {
        Groups {
            txn,
            by_series: FxHashMap::default(),
            by_key: FxHashMap::default(),
            keys: Vec::new(),
            order: Vec::new(),
        }
    }

    /// The group of a series.
    pub(super) fn of(&mut self, series: SeriesId) -> Result<Group, StoreError> {
        if let Some(group) = self.by_series.get(&series) {
            return Ok(*group);
        }
        let labels = self.txn.series(series)?;
        let key = BucketKey {
            provider: labels.provider,
            model: labels.model,
            role: labels.role,
        };
        let group = Group {
            slot: self.slot(key),
            key,
            project: labels.project,
        };
        self.by_series.insert(series, group);
        Ok(group)
    }

    /// The slot of a group.
    pub(super) fn slot(&mut self, key: BucketKey) -> usize {
        if let Some(slot) = self.by_key.get(&key) {
            return *slot;
        }
        let slot = self.keys.len();
        let place = self.order.partition_point(|other| self.keys[*other] < key);
        self.keys.push(key);
        self.order.insert(place, slot);
        self.by_key.insert(key, slot);
        slot
    }

    /// All slots, in the order of their keys.
    pub(super) fn in_order(&self) -> &[usize] {
        &self.order
    }
}

/// The groups of one bucket, by slot.
#[derive(Clone, Default)]
pub(super) struct Level(Vec<Stats>);

impl Level {
    /// The stats of a group, to add to.
    pub(super) fn of(&mut self, slot: usize) -> &mut Stats {
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, Stats::default);
        }
        &mut self.0[slot]
    }

    /// The stats of a group in which something happened.
    pub(super) fn get(&self, slot: usize) -> Option<&Stats> {
        self.0.get(slot).filter(|stats| !stats.is_empty())
    }

    /// Adds another level, and empties it.
    pub(super) fn absorb(&mut self, other: &mut Level) {
        for (slot, stats) in other.0.iter_mut().enumerate() {
            if !stats.is_empty() {
                self.of(slot).merge(stats);
                stats.clear();
            }
        }
    }
}

/// Sums by key, each of which stays where it was put.
pub(super) struct Tally<K> {
    index: FxHashMap<K, usize>,
    rows: Vec<(K, Stats)>,
}

impl<K> Default for Tally<K> {
    fn default() -> Tally<K> {
        Tally {
            index: FxHashMap::default(),
            rows: Vec::new(),
        }
    }
}

impl<K: Copy + Eq + Hash + Ord> Tally<K> {
    /// The sums of a key, to add to.
    pub(super) fn of(&mut self, key: K) -> &mut Stats {
        let next = self.rows.len();
        let row = *self.index.entry(key).or_insert(next);
        if row == next {
            self.rows.push((key, Stats::default()));
        }
        &mut self.rows[row].1
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// All sums, in the order of their keys.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&K, &Stats)> {
        let mut rows: Vec<&(K, Stats)> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows.into_iter().map(|(key, sums)| (key, sums))
    }
}
