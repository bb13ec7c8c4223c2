//! What a model's tokens cost, in one span of time, as one source states it.
//!
//! Money is a whole number of nano-dollars for a million tokens. Which price is in
//! force for an event, and how models are named, is not known here; what it makes of
//! a request's tokens is a [`Bill`](super::Bill).

use super::{Millis, Usd};

/// What a price is for: a class of tokens, or the request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PriceClass {
    /// Text input outside the cache.
    Input,
    /// Text output.
    Output,
    /// Input read from the cache.
    CacheRead,
    /// Input written to a cache that lives 5 minutes.
    CacheWrite5m,
    /// Input written to a cache that lives one hour.
    CacheWrite1h,
    /// Output spent on reasoning.
    Reasoning,
    /// Audio input.
    AudioInput,
    /// Audio output.
    AudioOutput,
    /// Image input.
    ImageInput,
    /// The request itself, whatever its size.
    Request,
}

impl PriceClass {
    /// How many there are.
    pub const COUNT: usize = PriceClass::ALL.len();
    /// All of them, in the order in which price lists write them.
    pub const ALL: [PriceClass; 10] = [
        PriceClass::Input,
        PriceClass::Output,
        PriceClass::CacheRead,
        PriceClass::CacheWrite5m,
        PriceClass::CacheWrite1h,
        PriceClass::Reasoning,
        PriceClass::AudioInput,
        PriceClass::AudioOutput,
        PriceClass::ImageInput,
        PriceClass::Request,
    ];

    /// Its name in data and in files.
    pub fn name(self) -> &'static str {
        match self {
            PriceClass::Input => "input",
            PriceClass::Output => "output",
            PriceClass::CacheRead => "cache_read",
            PriceClass::CacheWrite5m => "cache_write_5m",
            PriceClass::CacheWrite1h => "cache_write_1h",
            PriceClass::Reasoning => "reasoning",
            PriceClass::AudioInput => "audio_input",
            PriceClass::AudioOutput => "audio_output",
            PriceClass::ImageInput => "image_input",
            PriceClass::Request => "request",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<PriceClass> {
        PriceClass::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// How a provider was asked to serve a request, where that changes the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceTier {
    /// As usual.
    #[default]
    Standard,
    /// In a batch, within a day.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
    /// By faster machines.
    Fast,
    /// In a way that no price list knows, such as capacity bought in advance.
    Other,
}

impl ServiceTier {
    /// All of them, in the order of their numbers in the store.
    pub const ALL: [ServiceTier; 6] = [
        ServiceTier::Standard,
        ServiceTier::Batch,
        ServiceTier::Flex,
        ServiceTier::Priority,
        ServiceTier::Fast,
        ServiceTier::Other,
    ];

    /// Its name in data and in files.
    pub fn name(self) -> &'static str {
        match self {
            ServiceTier::Standard => "standard",
            ServiceTier::Batch => "batch",
            ServiceTier::Flex => "flex",
            ServiceTier::Priority => "priority",
            ServiceTier::Fast => "fast",
            ServiceTier::Other => "other",
        }
    }

    /// The tier of that name.
    pub fn parse(name: &str) -> Option<ServiceTier> {
        ServiceTier::ALL.into_iter().find(|t| t.name() == name)
    }
}

/// A price for each class; `None` where there is none, which is not $0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates([Option<Usd>; PriceClass::COUNT]);

impl Rates {
    /// The price of a million tokens (requests) of the class.
    pub fn get(&self, class: PriceClass) -> Option<Usd> {
        self.0[class as usize]
    }

    /// Sets it.
    pub fn set(&mut self, class: PriceClass, per_million: Usd) {
        self.0[class as usize] = Some(per_million);
    }

    /// Whether no class has a price.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// The prices of requests that are served in one way and are larger than a size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTier {
    /// How they are served.
    pub service: ServiceTier,
    /// They count when the request's whole input is more tokens than this; the whole
    /// request is then charged by them.
    pub above: u64,
    /// The prices.
    pub rates: Rates,
}

impl PriceTier {
    /// Its name in data and in files: `standard`, `batch`, `>200000`, `batch>200000`.
    pub fn name(&self) -> String {
        match (self.service, self.above) {
            (service, 0) => service.name().to_owned(),
            (ServiceTier::Standard, above) => format!(">{above}"),
            (service, above) => format!("{}>{above}", service.name()),
        }
    }

    /// The service and the size of that name.
    pub fn parse_name(name: &str) -> Option<(ServiceTier, u64)> {
        let (service, above) = match name.split_once('>') {
            Some((service, above)) => (service, above.parse().ok()?),
            None => (name, 0),
        };
        match service {
            "" => Some((ServiceTier::Standard, above)),
            service => Some((ServiceTier::parse(service)?, above)),
        }
    }
}

/// What one model of one provider costs from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The provider, by its name in the table: `anthropic`.
    pub provider: String,
    /// The model, by its name in the table: `claude-sonnet-4-5`.
    pub model: String,
    /// In force from this moment on; `None`: always was.
    pub from: Option<Millis>,
    /// In force before this moment; `None`: still is.
    pub until: Option<Millis>,
    /// Who states it: `genai-prices 0.2.3`, `user`, the name of a file.
    pub source: String,
    /// When that was read.
    pub read_at: Option<Millis>,
    /// The prices, by service and size. There is a standard one above 0.
    pub tiers: Vec<PriceTier>,
}

impl Price {
    /// Whether it is in force at the moment.
    pub fn holds_at(&self, at: Millis) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// The prices of usual requests of usual size.
    pub fn standard(&self) -> Option<&Rates> {
        self.tier(ServiceTier::Standard, 0).map(|t| &t.rates)
    }

    /// The tier of a service for inputs above a size.
    pub fn tier(&self, service: ServiceTier, above: u64) -> Option<&PriceTier> {
        let is_it = |t: &&PriceTier| t.service == service && t.above == above;
        self.tiers.iter().find(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_found_again_by_its_name() {
        for name in ["standard", ">200000", "batch", "priority>272000"] {
            let (service, above) = PriceTier::parse_name(name).unwrap();
            let tier = PriceTier {
                service,
                above,
                rates: Rates::default(),
            };
            assert_eq!(tier.name(), name);
        }
        assert_eq!(PriceTier::parse_name(""), Some((ServiceTier::Standard, 0)));
        assert_eq!(PriceTier::parse_name("bulk"), None);
        assert_eq!(PriceTier::parse_name("batch>many"), None);
    }

    #[test]
    fn each_class_lies_in_its_place_and_is_found_by_its_name() {
        for (place, class) in PriceClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
            assert_eq!(PriceClass::parse(class.name()), Some(class));
        }
    }
}
