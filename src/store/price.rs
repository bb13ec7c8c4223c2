//! The user's own prices.

use rusqlite::{Row, named_params, params_from_iter};

use super::{StoreError, Txn};
use crate::model::{Millis, Price, PriceClass, PriceTier, Rates, ServiceTier, Usd};

const ALL: &str = "SELECT provider, model, from_ms, service, above, until_ms, source, read_ms,
 input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, audio_input, audio_output, image_input, request
 FROM price ORDER BY provider, model, from_ms, service, above";
const REMOVE: &str =
    "DELETE FROM price WHERE provider = :provider AND model = :model AND from_ms = :from";
const REMOVE_ALL: &str = "DELETE FROM price WHERE provider = :provider AND model = :model";
const ADD: &str = "INSERT INTO price(provider, model, from_ms, service, above, until_ms, source, read_ms,
 input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, audio_input, audio_output, image_input, request)
 VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const NOTE: &str = "INSERT INTO price_book(at_ms, what, prices) VALUES(:at, :what, :prices)";
const REVISION: &str = "SELECT max(revision) FROM price_book";

/// Where the rates begin among the columns of [`ALL`].
const FIRST_RATE: usize = 8;

impl Txn<'_> {
    /// All prices of the user.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn prices(&self) -> Result<Vec<Price>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ALL)?;
        let mut rows = stmt.query([])?;
        let mut prices: Vec<Price> = Vec::new();
        while let Some(row) = rows.next()? {
            let (price, tier) = price_from_row(row)?;
            match prices.last_mut() {
                Some(last) if same(last, &price) => last.tiers.push(tier),
                Some(_) | None => prices.push(Price {
                    tiers: vec![tier],
                    ..price
                }),
            }
        }
        Ok(prices)
    }

    /// Puts prices into the table, in the place of those of the same model and first
    /// moment; gives the number of the change.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_prices(&self, prices: &[Price], what: &str, now: Millis) -> Result<i64, StoreError> {
        let mut remove = self.conn.prepare_cached(REMOVE)?;
        let mut add = self.conn.prepare_cached(ADD)?;
        for price in prices {
            let from = moment(price.from);
            remove.execute(named_params! {
                ":provider": price.provider, ":model": price.model, ":from": from,
            })?;
            for tier in &price.tiers {
                let mut values: Vec<rusqlite::types::Value> = vec![
                    price.provider.clone().into(),
                    price.model.clone().into(),
                    from.into(),
                    tier.service.name().to_owned().into(),
                    (tier.above as i64).into(),
                    price.until.map(|at| at.0).into(),
                    price.source.clone().into(),
                    price.read_at.unwrap_or(now).0.into(),
                ];
                let nano = |class| tier.rates.get(class).map(|usd| usd.0 as i64);
                values.extend(PriceClass::ALL.map(|class| nano(class).into()));
                add.execute(params_from_iter(values))?;
            }
        }
        self.note(what, prices.len(), now)
    }

    /// Takes all prices of a model away; says how many rows there were.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn delete_prices(
        &self,
        provider: &str,
        model: &str,
        now: Millis,
    ) -> Result<usize, StoreError> {
        let params = named_params! { ":provider": provider, ":model": model };
        let gone = self.conn.prepare_cached(REMOVE_ALL)?.execute(params)?;
        if gone > 0 {
            self.note("delete", gone, now)?;
        }
        Ok(gone)
    }

    /// The number of the last change; `None` while there was none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn price_revision(&self) -> Result<Option<i64>, StoreError> {
        let mut stmt = self.conn.prepare_cached(REVISION)?;
        Ok(stmt.query_row([], |row| row.get(0))?)
    }

    fn note(&self, what: &str, prices: usize, now: Millis) -> Result<i64, StoreError> {
        let params = named_params! { ":at": now.0, ":what": what, ":prices": prices as i64 };
        self.conn.prepare_cached(NOTE)?.execute(params)?;
        Ok(self.conn.last_insert_rowid())
    }
}

fn same(one: &Price, other: &Price) -> bool {
    one.provider == other.provider && one.model == other.model && one.from == other.from
}

fn moment(at: Option<Millis>) -> i64 {
    at.map_or(i64::MIN, |at| at.0)
}

fn price_from_row(row: &Row<'_>) -> Result<(Price, PriceTier), StoreError> {
    let service: String = row.get("service")?;
    let service = ServiceTier::parse(&service)
        .ok_or_else(|| StoreError::Damaged(format!("a price has the service {service:?}")))?;
    let mut rates = Rates::default();
    for (place, class) in PriceClass::ALL.into_iter().enumerate() {
        if let Some(nano) = row.get::<_, Option<i64>>(FIRST_RATE + place)? {
            rates.set(class, Usd(nano.into()));
        }
    }
    let price = Price {
        provider: row.get("provider")?,
        model: row.get("model")?,
        from: Some(row.get("from_ms")?)
            .filter(|ms| *ms > i64::MIN)
            .map(Millis),
        until: row.get::<_, Option<i64>>("until_ms")?.map(Millis),
        source: row.get("source")?,
        read_at: Some(Millis(row.get("read_ms")?)),
        tiers: Vec::new(),
    };
    let tier = PriceTier {
        service,
        above: row.get::<_, i64>("above")?.unsigned_abs(),
        rates,
    };
    Ok((price, tier))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::Store;

    /// A price that is set, set again, read and taken away.
    pub(in crate::store) fn live_with_a_price(
        store: &mut Store,
        now: Millis,
    ) -> Result<(), StoreError> {
        let mut rates = Rates::default();
        rates.set(PriceClass::Input, Usd(1));
        let tier = |service, above| PriceTier {
            service,
            above,
            rates: rates.clone(),
        };
        let price = Price {
            provider: "house".into(),
            model: "h1".into(),
            from: None,
            until: Some(now),
            source: "user".into(),
            read_at: Some(now),
            tiers: vec![tier(ServiceTier::Batch, 0), tier(ServiceTier::Standard, 9)],
        };
        let later = Price {
            from: Some(now),
            until: None,
            ..price.clone()
        };
        store.write(|txn| {
            let before = txn.price_revision()?;
            txn.put_prices(std::slice::from_ref(&price), "set", now)?;
            let revision = txn.put_prices(&[price.clone(), later.clone()], "set", now)?;
            assert_eq!(txn.prices()?, [price, later]);
            assert_eq!(txn.delete_prices("house", "h1", now)?, 4);
            assert_eq!(txn.price_revision()?, Some(revision + 1));
            assert!(before < Some(revision));
            Ok(())
        })
    }
}
