//! What a token costs: which price is in force for a model of a provider.
//!
//! A [`PriceTable`] holds the prices of the user and, behind them, those that are
//! built in. Names are resolved by rules that are written down (`name`, `provider`)
//! and by no likeness: a model that is not found has no price. How a price becomes an
//! amount is known to [`Price::cost`](crate::model::Price::cost).
//!
//! Floor 1, on `model`. It does not know where the user's prices are kept.

mod built_in;
mod diff;
mod list;
mod name;
mod provider;

use rustc_hash::FxHashMap;

use crate::model::{Millis, Price, Usd};

pub use built_in::{Source, sources};
pub use diff::Change;
pub use list::{ListError, ListFormat, read_list};
pub use provider::canonical;

/// Pairs of provider and model whose prices are remembered. There are some dozens in
/// practice; who sends a new name with each event does not make memory grow.
const REMEMBERED: usize = 4_096;

/// All prices that are in force, for as long as one run lasts.
#[derive(Debug, Default)]
pub struct PriceTable {
    own: Vec<Price>,
    found: FxHashMap<Box<str>, FxHashMap<Box<str>, Vec<Price>>>,
    remembered: usize,
}

impl PriceTable {
    /// The built-in prices, and before them these of the user.
    pub fn with(mut own: Vec<Price>) -> PriceTable {
        own.sort_by(|a, b| {
            let names = |p: &Price| (p.provider.clone(), p.model.clone());
            names(a).cmp(&names(b)).then(b.from.cmp(&a.from))
        });
        PriceTable {
            own,
            ..PriceTable::default()
        }
    }

    /// The price in force at the moment for a model, by the names an event gives;
    /// `None` when no rule leads to one.
    pub fn find(&mut self, provider: Option<&str>, model: &str, at: Millis) -> Option<&Price> {
        let known = provider.unwrap_or_default();
        if self.found.get(known).is_none_or(|m| !m.contains_key(model)) {
            self.remember(provider, model);
        }
        let prices = self.found.get(known)?.get(model)?;
        prices.iter().find(|price| price.holds_at(at))
    }

    /// All prices of a model in the order in which they are asked: the user's before
    /// those built in, the newest first.
    pub fn history(&self, provider: Option<&str>, model: &str) -> Vec<Price> {
        let is_known = |provider: &str| {
            built_in::has_provider(provider) || self.own.iter().any(|p| p.provider == provider)
        };
        let mut prices = Vec::new();
        for (provider, name) in name::candidates(provider, model, is_known) {
            let stated = built_in::find(&provider, &name);
            let names = [Some(name.as_str()), stated.as_ref().and_then(|s| s.alias)];
            for name in names.into_iter().flatten() {
                let its = |p: &&Price| p.provider == provider && p.model == name;
                prices.extend(self.own.iter().filter(its).cloned());
            }
            prices.extend(stated.into_iter().flat_map(|s| s.prices));
        }
        prices
    }

    /// The price of each model that is in force at the moment.
    pub fn in_force(&self, at: Millis) -> Vec<Price> {
        let own = self.own.iter().filter(|price| price.holds_at(at));
        let mut prices: Vec<Price> = own.cloned().collect();
        for entry in built_in::entries() {
            let is_own = |p: &Price| p.provider == entry.provider && p.model == entry.name;
            if !self.own.iter().any(|p| is_own(p) && p.holds_at(at)) {
                prices.extend(entry.prices.into_iter().find(|price| price.holds_at(at)));
            }
        }
        prices
    }

    fn remember(&mut self, provider: Option<&str>, model: &str) {
        if self.remembered >= REMEMBERED {
            self.found.clear();
            self.remembered = 0;
        }
        let prices = self.history(provider, model);
        let models = self.found.entry(provider.unwrap_or_default().into());
        models.or_default().insert(model.into(), prices);
        self.remembered += 1;
    }
}

/// Dollars for a million, written as a plain decimal number; `None` when they are not, are
/// negative, or are more than a price can be.
pub fn amount(text: &str) -> Option<Usd> {
    let usd = Usd::parse(text.trim()).ok()?;
    (usd >= Usd::ZERO && i64::try_from(usd.0).is_ok()).then_some(usd)
}

/// The first moment of a day in UTC: `2026-01-31`.
fn midnight(day: &str) -> Option<Millis> {
    let day = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let moment = day.and_time(chrono::NaiveTime::MIN).and_utc();
    Some(Millis(moment.timestamp_millis()))
}

#[cfg(test)]
mod tests;
