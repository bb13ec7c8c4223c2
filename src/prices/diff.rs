//! What a price list would change, class by class.

use super::PriceTable;
use crate::model::{Millis, Price, PriceClass, Usd};

/// A price that a list states otherwise than the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The tier, by its name.
    pub tier: String,
    /// The class.
    pub class: PriceClass,
    /// What the table has; `None` where it has no price.
    pub before: Option<Usd>,
    /// What the list has.
    pub after: Option<Usd>,
}

impl PriceTable {
    /// What would change at that moment if these prices came before all others. Prices
    /// that are not in force then are left out.
    pub fn changes(&self, list: &[Price], at: Millis) -> Vec<Change> {
        let mut changes = Vec::new();
        for price in list.iter().filter(|price| price.holds_at(at)) {
            let known = self.history(Some(&price.provider), &price.model);
            let known = known.iter().find(|known| known.holds_at(at));
            let tiers = known.into_iter().flat_map(|k| &k.tiers).chain(&price.tiers);
            let mut names: Vec<_> = tiers.map(|t| (t.service, t.above)).collect();
            names.sort_unstable();
            names.dedup();
            for (service, above) in names {
                let [before, after] =
                    [known, Some(price)].map(|p| p.and_then(|p| p.tier(service, above)));
                for class in PriceClass::ALL {
                    let [before, after] =
                        [before, after].map(|t| t.and_then(|t| t.rates.get(class)));
                    let tier = [known, Some(price)].into_iter().flatten();
                    let tier = tier.filter_map(|p| p.tier(service, above)).next();
                    if before != after {
                        changes.push(Change {
                            provider: price.provider.clone(),
                            model: price.model.clone(),
                            tier: tier.map(|t| t.name()).unwrap_or_default(),
                            class,
                            before,
                            after,
                        });
                    }
                }
            }
        }
        changes
    }
}
