//! Silences: for how long nobody wants to hear of some alerts. What a silence keeps back
//! is not known here.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::{StoreError, Txn};
use crate::model::{LabelTest, Millis, Silence, SilenceId};

macro_rules! columns {
    () => {
        "id, matchers, from_ms, until_ms, note, actor, created_at_ms"
    };
}
const ADD: &str = "INSERT INTO silence(matchers, from_ms, until_ms, note, actor, created_at_ms)
 VALUES(:matchers, :from, :until, :note, :actor, :created_at)";
const ENDING_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM silence WHERE until_ms > :at ORDER BY until_ms, id"
);
const ONE: &str = concat!("SELECT ", columns!(), " FROM silence WHERE id = :id");
const END: &str = "UPDATE silence SET until_ms = :at WHERE id = :id";
const FORGET: &str = "DELETE FROM silence WHERE until_ms < :before";

impl Txn<'_> {
    /// Adds a silence; it is given a number, whatever it says of that.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add_silence(&self, silence: &Silence) -> Result<SilenceId, StoreError> {
        let tests = silence.tests.iter();
        let texts: BTreeMap<&String, &str> = tests.map(|(name, t)| (name, t.text())).collect();
        self.conn.prepare_cached(ADD)?.execute(named_params! {
            ":matchers": serde_json::json!(texts).to_string(), ":from": silence.from.0,
            ":until": silence.until.0, ":note": silence.note, ":actor": silence.actor,
            ":created_at": silence.created_at.0,
        })?;
        Ok(SilenceId(self.conn.last_insert_rowid()))
    }

    /// Silences that end after a moment, the first to end first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one cannot be understood.
    pub fn silences_after(&self, at: Millis) -> Result<Vec<Silence>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ENDING_AFTER)?;
        let mut rows = stmt.query(named_params! { ":at": at.0 })?;
        let mut silences = Vec::new();
        while let Some(row) = rows.next()? {
            silences.push(silence_from_row(row)?);
        }
        Ok(silences)
    }

    /// One silence.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be understood.
    pub fn silence(&self, id: SilenceId) -> Result<Option<Silence>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ONE)?;
        let mut rows = stmt.query(named_params! { ":id": id.0 })?;
        rows.next()?.map(silence_from_row).transpose()
    }

    /// Lets a silence end at a moment.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_silence(&self, id: SilenceId, at: Millis) -> Result<(), StoreError> {
        let params = named_params! { ":id": id.0, ":at": at.0 };
        self.conn.prepare_cached(END)?.execute(params)?;
        Ok(())
    }

    /// Deletes silences that ended before a moment; returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_silences(&self, before: Millis) -> Result<usize, StoreError> {
        let params = named_params! { ":before": before.0 };
        Ok(self.conn.prepare_cached(FORGET)?.execute(params)?)
    }
}

fn silence_from_row(row: &Row<'_>) -> Result<Silence, StoreError> {
    let matchers: String = row.get("matchers")?;
    let texts: BTreeMap<String, String> = serde_json::from_str(&matchers)
        .map_err(|_| StoreError::Damaged(format!("{matchers:?} says of no alert whether")))?;
    let test = |(name, text): (String, String)| (name, LabelTest::parse(&text));
    Ok(Silence {
        id: SilenceId(row.get("id")?),
        tests: texts.into_iter().map(test).collect(),
        from: Millis(row.get("from_ms")?),
        until: Millis(row.get("until_ms")?),
        note: row.get("note")?,
        actor: row.get("actor")?,
        created_at: Millis(row.get("created_at_ms")?),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::empty;
    use super::*;

    /// A silence that is made, ends early and is forgotten.
    pub(in super::super) fn keep_still(txn: &Txn<'_>, now: Millis) -> Result<(), StoreError> {
        let mut silence = Silence {
            id: SilenceId(0),
            tests: [("model".to_owned(), LabelTest::parse("gpt-4*|\"o3\""))].into(),
            from: now,
            until: now.plus(Millis::HOUR),
            note: "an upgrade".to_owned(),
            actor: "ada".to_owned(),
            created_at: now,
        };
        silence.id = txn.add_silence(&silence)?;
        assert_eq!(txn.silence(silence.id)?.as_ref(), Some(&silence));
        assert_eq!(txn.silences_after(now)?, [silence.clone()]);
        txn.end_silence(silence.id, now)?;
        assert_eq!(txn.silences_after(now)?, []);
        assert_eq!(txn.forget_silences(now)?, 0);
        assert_eq!(txn.forget_silences(now.plus(1))?, 1);
        Ok(())
    }

    #[test]
    fn a_silence_reads_back_the_same_until_it_is_ended() {
        empty()
            .store
            .write(|txn| keep_still(txn, Millis(5)))
            .unwrap();
    }
}
