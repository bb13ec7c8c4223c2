//! The outbox: what is to be told, and what became of it.
//!
//! A row is written in the transaction that decides, once for each key. Whoever tells
//! it takes a lease first, so that two do not tell it at once, and so that it is told
//! by the next one when the first comes to an end on the way. What a channel is, is not
//! known here.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};
use serde_json::{Value, json};

use super::{StoreError, Txn};
use crate::model::{AlertId, Millis, Notice, NoticeId, NoticeKind, NoticeState, Severity};

/// A notice as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredNotice {
    /// Its number; later ones have higher ones.
    pub id: NoticeId,
    /// What is told and to which channel; no two notices have the same.
    pub key: String,
    /// Through which channel.
    pub channel: String,
    /// What became of it.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// Queued: not to be told before.
    pub due_at: Millis,
    /// Why it could not be told at the last attempt.
    pub last_error: Option<String>,
    /// When it was decided.
    pub created_at: Millis,
    /// When it was told, given up or left out; `None`: it waits.
    pub done_at: Option<Millis>,
    /// What is told.
    pub notice: Notice,
}

/// What a channel was told of an alert, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The number of the notice.
    pub id: NoticeId,
    /// Through which channel.
    pub channel: String,
    /// What it tells.
    pub kind: NoticeKind,
    /// What became of it.
    pub state: NoticeState,
}

macro_rules! columns {
    () => {
        "id, key, channel, kind, alert_id, payload, state, attempts, due_at_ms, last_error, created_at_ms, done_at_ms"
    };
}
const PUT: &str = "INSERT INTO notice(key, channel, kind, alert_id, payload, state, due_at_ms, created_at_ms, done_at_ms)
 VALUES(:key, :channel, :kind, :alert_id, :payload, :state, :now, :now, :done_at) ON CONFLICT(key) DO NOTHING";
const HEARD: &str =
    "SELECT id, channel, kind, state FROM notice WHERE alert_id = :alert_id ORDER BY id";
const MERGE: &str = "UPDATE notice SET state = 'merged', done_at_ms = :now WHERE alert_id = :alert_id
 AND channel = :channel AND state = 'queued' AND kind IN ('firing', 'repeat') AND ifnull(lease_until_ms, 0) <= :now";
const DUE_CHANNELS: &str =
    "SELECT DISTINCT channel FROM notice WHERE state = 'queued' AND due_at_ms <= :now
 AND ifnull(lease_until_ms, 0) <= :now ORDER BY channel";
/// A notice waits while an earlier one of its alert waits or is being told. The plus
/// lets SQLite look for what is due instead of walking along the numbers.
const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notice AS n WHERE state = 'queued' AND due_at_ms <= :now AND channel = :channel
 AND ifnull(lease_until_ms, 0) <= :now AND NOT EXISTS (SELECT 1 FROM notice AS earlier
  WHERE earlier.alert_id = n.alert_id AND earlier.channel = n.channel AND earlier.state = 'queued' AND earlier.id < n.id
  AND (earlier.due_at_ms > :now OR ifnull(earlier.lease_until_ms, 0) > :now)) ORDER BY +id LIMIT :most"
);
const LEASE: &str =
    "UPDATE notice SET lease_until_ms = :until, attempts = attempts + 1 WHERE id = :id";
const SETTLE: &str = "UPDATE notice SET state = :state, due_at_ms = :due_at, lease_until_ms = NULL, last_error = :error,
 done_at_ms = :done_at WHERE id = :id AND state = 'queued' AND (attempts = :attempts OR :state = 'sent')";
const REQUEUE: &str =
    "UPDATE notice SET state = 'queued', attempts = 0, due_at_ms = :now, done_at_ms = NULL
 WHERE id = :id AND state IN ('queued', 'failed') AND ifnull(lease_until_ms, 0) <= :now";
const SINCE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notice WHERE created_at_ms >= :since ORDER BY created_at_ms DESC, id DESC"
);

impl Txn<'_> {
    /// Puts a notice into the outbox; false when one of that key is there already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_notice(
        &self,
        key: &str,
        channel: &str,
        notice: &Notice,
        state: NoticeState,
        now: Millis,
    ) -> Result<bool, StoreError> {
        let done_at = (state != NoticeState::Queued).then_some(now.0);
        let written = self.conn.prepare_cached(PUT)?.execute(named_params! {
            ":key": key, ":channel": channel, ":kind": notice.kind.name(),
            ":alert_id": notice.alert.map(|id| id.0), ":payload": written(notice),
            ":state": state.name(), ":now": now.0, ":done_at": done_at,
        })?;
        Ok(written == 1)
    }

    /// What was told of an alert and what waits, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn heard_of(&self, alert: AlertId) -> Result<Vec<Heard>, StoreError> {
        let mut stmt = self.conn.prepare_cached(HEARD)?;
        let mut rows = stmt.query(named_params! { ":alert_id": alert.0 })?;
        let mut heard = Vec::new();
        while let Some(row) = rows.next()? {
            heard.push(Heard {
                id: NoticeId(row.get("id")?),
                channel: row.get("channel")?,
                kind: word(row, "kind", NoticeKind::parse)?,
                state: word(row, "state", NoticeState::parse)?,
            });
        }
        Ok(heard)
    }

    /// Lets what nobody told yet of an alert, and nobody is telling, be told by a later
    /// notice; returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn merge_notices(
        &self,
        alert: AlertId,
        channel: &str,
        now: Millis,
    ) -> Result<usize, StoreError> {
        let params = named_params! { ":alert_id": alert.0, ":channel": channel, ":now": now.0 };
        Ok(self.conn.prepare_cached(MERGE)?.execute(params)?)
    }

    /// The channels for which something is due.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn due_channels(&self, now: Millis) -> Result<Vec<String>, StoreError> {
        let mut stmt = self.conn.prepare_cached(DUE_CHANNELS)?;
        let channels = stmt.query_map(named_params! { ":now": now.0 }, |row| row.get(0))?;
        Ok(channels.collect::<Result<_, _>>()?)
    }

    /// Takes what is due for a channel, oldest first. Until `until` nobody else gets it.
    ///
    /// # Errors
    /// When the store cannot be written, or a notice cannot be understood.
    pub fn claim_notices(
        &self,
        channel: &str,
        most: usize,
        now: Millis,
        until: Millis,
    ) -> Result<Vec<StoredNotice>, StoreError> {
        let mut stmt = self.conn.prepare_cached(DUE)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let params = named_params! { ":channel": channel, ":now": now.0, ":most": most };
        let mut rows = stmt.query(params)?;
        let mut claimed = Vec::new();
        while let Some(row) = rows.next()? {
            claimed.push(notice_from_row(row)?);
        }
        for notice in &mut claimed {
            let params = named_params! { ":id": notice.id.0, ":until": until.0 };
            self.conn.prepare_cached(LEASE)?.execute(params)?;
            notice.attempts += 1;
        }
        Ok(claimed)
    }

    /// Gives a claimed notice back: told, given up, or to be tried again at `due_at`. That
    /// it was told counts always, the rest only while nobody else has claimed it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn settle_notice(
        &self,
        claimed: &StoredNotice,
        state: NoticeState,
        error: Option<&str>,
        due_at: Millis,
        now: Millis,
    ) -> Result<(), StoreError> {
        let done_at = (state != NoticeState::Queued).then_some(now.0);
        self.conn.prepare_cached(SETTLE)?.execute(named_params! {
            ":id": claimed.id.0, ":state": state.name(), ":error": error, ":due_at": due_at.0,
            ":done_at": done_at, ":attempts": claimed.attempts,
        })?;
        Ok(())
    }

    /// Queues a notice again that waits or was given up, as if it had never been tried;
    /// false when there is no such notice, or somebody is telling it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn requeue_notice(&self, id: NoticeId, now: Millis) -> Result<bool, StoreError> {
        let params = named_params! { ":id": id.0, ":now": now.0 };
        Ok(self.conn.prepare_cached(REQUEUE)?.execute(params)? == 1)
    }

    /// Notices that were decided since then, newest first.
    ///
    /// # Errors
    /// When the store cannot be read, or a notice cannot be understood.
    pub fn notices_since(&self, since: Millis) -> Result<Vec<StoredNotice>, StoreError> {
        let mut stmt = self.conn.prepare_cached(SINCE)?;
        let mut rows = stmt.query(named_params! { ":since": since.0 })?;
        let mut notices = Vec::new();
        while let Some(row) = rows.next()? {
            notices.push(notice_from_row(row)?);
        }
        Ok(notices)
    }

    /// Notices of the time since then that were given up, newest first.
    ///
    /// # Errors
    /// As [`Txn::notices_since`].
    pub fn failed_notices(&self, since: Millis) -> Result<Vec<StoredNotice>, StoreError> {
        let mut notices = self.notices_since(since)?;
        notices.retain(|notice| notice.state == NoticeState::Failed);
        Ok(notices)
    }
}

fn written(notice: &Notice) -> String {
    json!({
        "rule": notice.rule, "severity": notice.severity.name(), "labels": notice.labels,
        "annotations": notice.annotations, "condition": notice.condition, "value": notice.value,
        "threshold": notice.threshold, "title": notice.title, "text": notice.text,
        "started_at_ms": notice.started_at.0, "fired_at_ms": notice.fired_at.0,
        "ended_at_ms": notice.ended_at.map(|at| at.0),
    })
    .to_string()
}

/// Reads what [`written`] wrote.
fn read(kind: NoticeKind, alert: Option<i64>, payload: &Value) -> Option<Notice> {
    let text = |key: &str| payload[key].as_str().map(str::to_owned);
    let texts = |key: &str| -> Option<BTreeMap<String, String>> {
        let pairs = payload[key].as_object()?.iter();
        pairs
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let moment = |key: &str| payload[key].as_i64().map(Millis);
    Some(Notice {
        kind,
        alert: alert.map(AlertId),
        rule: text("rule")?,
        severity: Severity::parse(payload["severity"].as_str()?)?,
        labels: texts("labels")?,
        annotations: texts("annotations")?,
        condition: text("condition")?,
        value: payload["value"].as_f64(),
        threshold: payload["threshold"].as_f64()?,
        title: text("title")?,
        text: text("text")?,
        started_at: moment("started_at_ms")?,
        fired_at: moment("fired_at_ms")?,
        ended_at: moment("ended_at_ms"),
    })
}

fn notice_from_row(row: &Row<'_>) -> Result<StoredNotice, StoreError> {
    let key: String = row.get("key")?;
    let damaged = || StoreError::Damaged(format!("the notice {key:?} says nothing"));
    let kind = word(row, "kind", NoticeKind::parse)?;
    let payload: String = row.get("payload")?;
    let payload = serde_json::from_str(&payload).map_err(|_| damaged())?;
    Ok(StoredNotice {
        id: NoticeId(row.get("id")?),
        channel: row.get("channel")?,
        state: word(row, "state", NoticeState::parse)?,
        attempts: row.get("attempts")?,
        due_at: Millis(row.get("due_at_ms")?),
        last_error: row.get("last_error")?,
        created_at: Millis(row.get("created_at_ms")?),
        done_at: row.get::<_, Option<i64>>("done_at_ms")?.map(Millis),
        notice: read(kind, row.get("alert_id")?, &payload).ok_or_else(damaged)?,
        key,
    })
}

/// A word of a closed set.
fn word<T>(row: &Row<'_>, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| StoreError::Damaged(format!("{text:?} is no {column} of a notice")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::empty;
    use super::*;
    use crate::model::Alert;

    fn notice(alert: i64, kind: NoticeKind) -> Notice {
        Notice {
            kind,
            alert: Some(AlertId(alert)),
            rule: "slow \u{202e}".to_owned(),
            severity: Severity::Critical,
            labels: [("provider".to_owned(), "clau\"de".to_owned())].into(),
            annotations: BTreeMap::new(),
            condition: "p95_latency > 2s".to_owned(),
            value: Some(2500.0),
            threshold: 2000.0,
            title: "slow (critical)".to_owned(),
            text: "p95 latency 2.5 s > 2 s".to_owned(),
            started_at: Millis(60_000),
            fired_at: Millis(120_000),
            ended_at: None,
        }
    }

    /// A notice that is told, one that is given up and queued again.
    pub(in super::super) fn tell_of(
        txn: &Txn<'_>,
        alert: &Alert,
        now: Millis,
    ) -> Result<(), StoreError> {
        let number = txn.last_change_of(alert.id)?;
        let notice = notice(alert.id.0, NoticeKind::Firing);
        let key = format!("{number} hook");
        txn.put_notice(&key, "hook", &notice, NoticeState::Queued, now)?;
        assert_eq!(txn.due_channels(now)?, ["hook"]);
        let claimed = txn.claim_notices("hook", 10, now, now)?;
        txn.settle_notice(&claimed[0], NoticeState::Failed, None, now, now)?;
        assert_eq!(txn.failed_notices(now)?.len(), 1);
        assert!(txn.requeue_notice(claimed[0].id, now)?);
        assert_eq!(txn.heard_of(alert.id)?.len(), 1);
        assert_eq!(txn.merge_notices(alert.id, "hook", now)?, 1);
        Ok(())
    }

    const LEASE_MS: i64 = 1_000;

    fn claim(txn: &Txn<'_>, now: i64) -> Result<Vec<StoredNotice>, StoreError> {
        txn.claim_notices("hook", 10, Millis(now), Millis(now + LEASE_MS))
    }

    #[test]
    fn a_notice_is_written_once_and_reads_back_the_same() {
        let told = notice(1, NoticeKind::Firing);
        let work = |txn: &Txn<'_>| {
            let put = || txn.put_notice("h1 hook", "hook", &told, NoticeState::Queued, Millis(5));
            assert_eq!((put()?, put()?), (true, false));
            let kept = txn.notices_since(Millis(5))?;
            assert_eq!(kept.len(), 1);
            assert_eq!(kept[0].notice, told);
            assert_eq!(kept[0].state, NoticeState::Queued);
            Ok::<_, StoreError>(())
        };
        empty().store.write(work).unwrap();
    }

    #[test]
    fn what_is_leased_is_not_claimed_again_until_the_lease_ends() {
        let work = |txn: &Txn<'_>| {
            let told = notice(1, NoticeKind::Firing);
            txn.put_notice("h1 hook", "hook", &told, NoticeState::Queued, Millis(5))?;
            let first = claim(txn, 10)?;
            assert_eq!((first.len(), first[0].attempts), (1, 1));
            assert!(claim(txn, 11)?.is_empty());
            assert!(txn.due_channels(Millis(11))?.is_empty());
            let second = claim(txn, 10 + LEASE_MS)?;
            assert_eq!(second[0].attempts, 2);
            // The first comes back late: that it failed counts no more, that it told it does.
            let (failed, sent) = (NoticeState::Failed, NoticeState::Sent);
            txn.settle_notice(&first[0], failed, Some("late"), Millis(0), Millis(99))?;
            assert_eq!(txn.notices_since(Millis(0))?[0].state, NoticeState::Queued);
            txn.settle_notice(&first[0], sent, None, Millis(0), Millis(99))?;
            assert_eq!(txn.notices_since(Millis(0))?[0].state, sent);
            Ok::<_, StoreError>(())
        };
        empty().store.write(work).unwrap();
    }

    #[test]
    fn the_end_of_an_alert_is_not_told_before_its_beginning() {
        let work = |txn: &Txn<'_>| {
            let queued = NoticeState::Queued;
            let firing = notice(1, NoticeKind::Firing);
            txn.put_notice("h1 hook", "hook", &firing, queued, Millis(5))?;
            let first = claim(txn, 10)?;
            let over = notice(1, NoticeKind::Resolved);
            let other = notice(2, NoticeKind::Firing);
            txn.put_notice("h2 hook", "hook", &over, queued, Millis(11))?;
            txn.put_notice("h3 hook", "hook", &other, queued, Millis(11))?;
            let keys = |claimed: Vec<StoredNotice>| -> Vec<String> {
                claimed.into_iter().map(|n| n.key).collect()
            };
            assert_eq!(keys(claim(txn, 12)?), ["h3 hook"]);
            txn.settle_notice(&first[0], queued, Some("500"), Millis(50), Millis(12))?;
            assert!(
                claim(txn, 13)?.is_empty(),
                "the first waits to be tried again"
            );
            assert_eq!(keys(claim(txn, 50)?), ["h1 hook", "h2 hook"]);
            Ok::<_, StoreError>(())
        };
        empty().store.write(work).unwrap();
    }
}
