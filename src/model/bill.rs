//! What a request costs by a price: a line for each class, and their exact sum.
//!
//! Nothing is guessed. Where a token has no price there is no bill but the reason
//! why, and the request is unpriced, which is not $0. Four rules fill in what price
//! lists leave out; a line says which of them it rests on:
//!
//! - reasoning is charged as output, and an image as input, by a price that has none
//!   of their own at any size: providers bill them so. Audio is not: it costs a
//!   multiple of text wherever it is counted apart;
//! - tokens told only as a total are input where output has no price: an embedding;
//! - a cache written for an hour costs twice the input where one of five minutes costs
//!   a quarter more than the input, which is how Anthropic's caches are sold.

use super::price::{Price, PriceClass, PriceTier, Rates, ServiceTier};
use super::{Tokens, Usd};

/// A price is for so many tokens.
const MILLION: i128 = 1_000_000;

/// What a request costs, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill<'p> {
    /// The price by which it is charged: whose, since when, by whom stated.
    pub price: &'p Price,
    /// Which of its tiers.
    pub tier: &'p PriceTier,
    /// A line for each class that has tokens.
    pub lines: Vec<Line>,
    /// The sum of the lines, rounded once, half to even.
    pub total: Usd,
}

/// The tokens of one class and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The class.
    pub class: PriceClass,
    /// How many tokens.
    pub tokens: u64,
    /// The price of a million of them.
    pub per_million: Usd,
    /// Where that price comes from.
    pub basis: Basis,
}

/// What the price of a line rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The price list has one for this class.
    Stated,
    /// The list has none; the class is charged as this one.
    As(PriceClass),
    /// Twice the price of input.
    TwiceInput,
}

impl Line {
    /// The amount in millionths of a nano-dollar: exact.
    pub fn exact(&self) -> i128 {
        i128::from(self.tokens) * self.per_million.0
    }

    /// The amount, rounded for itself. Only the bill's total counts.
    pub fn amount(&self) -> Usd {
        rounded(self.exact())
    }
}

/// Why a request has no bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// A class that the request used has no price.
    #[error("no price for {} tokens", .0.name())]
    Class(PriceClass),
    /// Tokens of which nobody said on which side they lie.
    #[error("only a total of tokens was told")]
    Unclassified,
    /// The price list does not have this way of being served, or not for this size.
    #[error("no price for service tier {} with more than {above} input tokens", service.name())]
    Tier {
        /// How it was served.
        service: ServiceTier,
        /// The size it passed.
        above: u64,
    },
    /// More money than an event can hold.
    #[error("the amount is out of range")]
    OutOfRange,
}

impl Price {
    /// What these tokens cost, served in this way.
    ///
    /// # Errors
    /// When something that was used has no price.
    pub fn cost(&self, tokens: &Tokens, service: ServiceTier) -> Result<Bill<'_>, Unpriced> {
        let input = tokens.input_total() + u128::from(tokens.unclassified);
        let tier = self.tier_for(input, service)?;
        let tokens = &classified(tokens, &tier.rates)?;
        let mut lines = Vec::with_capacity(4);
        for (class, count) in charged(tokens) {
            if count == 0 || (class == PriceClass::Request && tier.rates.get(class).is_none()) {
                continue;
            }
            let (per_million, basis) = self.rate(tier, class).ok_or(Unpriced::Class(class))?;
            lines.push(Line {
                class,
                tokens: count,
                per_million,
                basis,
            });
        }
        // 64 bits of tokens times 64 bits of price, ten times: it fits.
        let total = rounded(lines.iter().map(Line::exact).sum());
        if total.0 > i128::from(i64::MAX) {
            return Err(Unpriced::OutOfRange);
        }
        Ok(Bill {
            price: self,
            tier,
            lines,
            total,
        })
    }

    /// The tier of a request with so much input. A size that changes the usual price
    /// changes that of every service, so a list that does not say to what is silent.
    fn tier_for(&self, input: u128, service: ServiceTier) -> Result<&PriceTier, Unpriced> {
        let passed = |t: &&PriceTier| t.above == 0 || u128::from(t.above) < input;
        let largest = |service| {
            let its = self.tiers.iter().filter(|t| t.service == service);
            its.filter(passed).max_by_key(|t| t.above)
        };
        let above = largest(ServiceTier::Standard).map_or(0, |t| t.above);
        largest(service)
            .filter(|t| t.above >= above)
            .ok_or(Unpriced::Tier { service, above })
    }

    /// The price of a class in a tier, by what is stated there or by a rule above.
    fn rate(&self, tier: &PriceTier, class: PriceClass) -> Option<(Usd, Basis)> {
        if let Some(stated) = tier.rates.get(class) {
            return Some((stated, Basis::Stated));
        }
        let charged_as = |other| {
            let has_its_own = self.tiers.iter().any(|t| t.rates.get(class).is_some());
            let price = tier.rates.get(other).filter(|_| !has_its_own)?;
            Some((price, Basis::As(other)))
        };
        match class {
            PriceClass::Reasoning => charged_as(PriceClass::Output),
            PriceClass::ImageInput => charged_as(PriceClass::Input),
            PriceClass::CacheWrite1h => {
                let input = tier.rates.get(PriceClass::Input)?;
                let write = tier.rates.get(PriceClass::CacheWrite5m)?;
                let sold_so = write.0 * 4 == input.0 * 5;
                sold_so.then_some((Usd(input.0 * 2), Basis::TwiceInput))
            }
            PriceClass::Input
            | PriceClass::Output
            | PriceClass::CacheRead
            | PriceClass::CacheWrite5m
            | PriceClass::AudioInput
            | PriceClass::AudioOutput
            | PriceClass::Request => None,
        }
    }
}

/// The tokens with those that were told only as a total in their class.
fn classified(tokens: &Tokens, rates: &Rates) -> Result<Tokens, Unpriced> {
    let sells_output = rates
        .get(PriceClass::Output)
        .is_some_and(|p| p != Usd::ZERO);
    match tokens.unclassified {
        0 => Ok(*tokens),
        _ if sells_output => Err(Unpriced::Unclassified),
        told => Ok(Tokens {
            input_uncached: tokens.input_uncached.saturating_add(told),
            unclassified: 0,
            ..*tokens
        }),
    }
}

/// How many of each class a request is charged for.
fn charged(tokens: &Tokens) -> [(PriceClass, u64); PriceClass::COUNT] {
    PriceClass::ALL.map(|class| {
        let count = match class {
            PriceClass::Input => tokens.input_uncached,
            PriceClass::Output => tokens.output,
            PriceClass::CacheRead => tokens.cache_read,
            PriceClass::CacheWrite5m => tokens.cache_write_5m,
            PriceClass::CacheWrite1h => tokens.cache_write_1h,
            PriceClass::Reasoning => tokens.reasoning,
            PriceClass::AudioInput => tokens.audio_input,
            PriceClass::AudioOutput => tokens.audio_output,
            PriceClass::ImageInput => tokens.image_input,
            PriceClass::Request => 1,
        };
        (class, count)
    })
}

/// Millionths of a nano-dollar as money, rounded half to even.
fn rounded(exact: i128) -> Usd {
    let (whole, rest) = (exact.div_euclid(MILLION), exact.rem_euclid(MILLION));
    let up = rest * 2 > MILLION || (rest * 2 == MILLION && whole % 2 != 0);
    Usd(whole + i128::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model at $3 and $15, $6 and $22.50 above 200,000 tokens of input, with Anthropic's cache.
    fn sonnet() -> Price {
        let tier = |service, above, rates: &[(PriceClass, &str)]| {
            let mut tier = PriceTier {
                service,
                above,
                rates: Rates::default(),
            };
            for (class, dollars) in rates {
                tier.rates.set(*class, Usd::parse(dollars).unwrap());
            }
            tier
        };
        use PriceClass::{CacheRead, CacheWrite5m, Input, Output};
        use ServiceTier::{Batch, Standard};
        Price {
            provider: "anthropic".into(),
            model: "claude-sonnet".into(),
            from: None,
            until: None,
            source: "test".into(),
            read_at: None,
            tiers: vec![
                tier(
                    Standard,
                    0,
                    &[
                        (Input, "3"),
                        (Output, "15"),
                        (CacheRead, "0.3"),
                        (CacheWrite5m, "3.75"),
                    ],
                ),
                tier(
                    Standard,
                    200_000,
                    &[(Input, "6"), (Output, "22.5"), (CacheWrite5m, "7.5")],
                ),
                tier(Batch, 0, &[(Input, "1.5"), (Output, "7.5")]),
            ],
        }
    }

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens {
            input_uncached: input,
            output,
            ..Tokens::default()
        }
    }

    fn total(tokens: &Tokens, service: ServiceTier) -> Result<String, Unpriced> {
        sonnet().cost(tokens, service).map(|b| b.total.to_string())
    }

    #[test]
    fn a_size_that_is_passed_switches_the_whole_request() {
        let standard = ServiceTier::Standard;
        assert_eq!(total(&tokens(250_000, 1_000), standard).unwrap(), "1.5225");
        assert_eq!(total(&tokens(200_000, 1_000), standard).unwrap(), "0.615");
        let cached = Tokens {
            cache_write_5m: 150_000,
            ..tokens(50_001, 0)
        };
        assert_eq!(
            total(&cached, standard).unwrap(),
            "1.425006",
            "what is written to a cache is input"
        );
    }

    #[test]
    fn a_token_without_a_price_leaves_the_request_without_a_bill() {
        let read = Tokens {
            cache_read: 1,
            ..tokens(250_000, 0)
        };
        let standard = ServiceTier::Standard;
        assert_eq!(
            total(&read, standard),
            Err(Unpriced::Class(PriceClass::CacheRead))
        );
        let audio = Tokens {
            audio_input: 1,
            ..Tokens::default()
        };
        assert_eq!(
            total(&audio, standard).unwrap_err().to_string(),
            "no price for audio_input tokens"
        );
        let told = Tokens {
            unclassified: 9,
            ..Tokens::default()
        };
        assert_eq!(total(&told, standard), Err(Unpriced::Unclassified));
        assert_eq!(total(&Tokens::default(), standard).unwrap(), "0");
    }

    #[test]
    fn a_total_alone_is_input_where_nothing_else_is_sold() {
        let mut price = sonnet();
        price.tiers[0].rates = Rates::default();
        price.tiers[0].rates.set(PriceClass::Input, Usd::dollars(2));
        let told = Tokens {
            unclassified: 1_000,
            ..Tokens::default()
        };
        let bill = price.cost(&told, ServiceTier::Standard).unwrap();
        assert_eq!(bill.total.to_string(), "0.002");
    }

    #[test]
    fn a_service_is_priced_by_its_own_list_or_not_at_all() {
        let small = tokens(1_000, 1_000);
        assert_eq!(total(&small, ServiceTier::Batch).unwrap(), "0.009");
        for (tokens, service, above) in [
            (tokens(250_000, 0), ServiceTier::Batch, 200_000),
            (small, ServiceTier::Flex, 0),
            (small, ServiceTier::Other, 0),
        ] {
            assert_eq!(
                total(&tokens, service),
                Err(Unpriced::Tier { service, above })
            );
        }
    }

    #[test]
    fn an_hour_of_cache_costs_twice_the_input_and_reasoning_is_output() {
        let long = Tokens {
            cache_write_1h: 1_000_000,
            reasoning: 1_000_000,
            image_input: 1,
            ..Tokens::default()
        };
        let price = sonnet();
        let bill = price.cost(&long, ServiceTier::Standard).unwrap();
        let lines: Vec<_> = bill
            .lines
            .iter()
            .map(|l| (l.class.name(), l.per_million.to_string(), l.basis))
            .collect();
        assert_eq!(
            lines,
            [
                ("cache_write_1h", "12".to_owned(), Basis::TwiceInput),
                (
                    "reasoning",
                    "22.5".to_owned(),
                    Basis::As(PriceClass::Output)
                ),
                ("image_input", "6".to_owned(), Basis::As(PriceClass::Input)),
            ]
        );
        let mut other = sonnet();
        other.tiers[1].rates.set(PriceClass::CacheWrite5m, Usd(1));
        assert!(
            other.cost(&long, ServiceTier::Standard).is_err(),
            "a cache that is sold otherwise"
        );
    }

    #[test]
    fn a_price_of_its_own_elsewhere_forbids_to_charge_as_something_else() {
        let mut price = sonnet();
        price.tiers[0]
            .rates
            .set(PriceClass::Reasoning, Usd::dollars(30));
        let thinking = Tokens {
            reasoning: 1,
            ..tokens(250_000, 0)
        };
        assert_eq!(
            price.cost(&thinking, ServiceTier::Standard),
            Err(Unpriced::Class(PriceClass::Reasoning))
        );
    }

    #[test]
    fn an_amount_is_rounded_once_half_to_even() {
        for (exact, nano) in [
            (499_999, 0),
            (500_000, 0),
            (500_001, 1),
            (1_500_000, 2),
            (2_500_000, 2),
        ] {
            assert_eq!(rounded(exact), Usd(nano), "{exact}");
        }
        let mut price = sonnet();
        price.tiers[0].rates.set(PriceClass::Input, Usd(300_000));
        price.tiers[0].rates.set(PriceClass::Output, Usd(300_000));
        let bill = price.cost(&tokens(1, 1), ServiceTier::Standard).unwrap();
        assert_eq!(bill.total, Usd(1), "0.3 and 0.3 nano-dollars");
        assert_eq!(bill.lines[0].amount(), Usd(0));
    }

    #[test]
    fn no_count_of_tokens_overflows() {
        let most = i64::MAX as u64;
        assert_eq!(
            total(&tokens(most, most), ServiceTier::Standard),
            Err(Unpriced::OutOfRange)
        );
    }
}
