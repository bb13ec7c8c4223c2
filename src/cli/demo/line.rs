//! The lines of the simulated week, in the native format as any program writes it.

use serde::{Serialize, Serializer};

use crate::model::{Millis, Usd};

/// One event.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Request(Request),
    Cache(Cache),
    RateLimit(RateLimit),
}

#[derive(Serialize)]
pub(super) struct Request {
    #[serde(serialize_with = "text")]
    pub timestamp: Millis,
    pub id: String,
    pub provider: &'static str,
    pub model: &'static str,
    pub user_id: &'static str,
    pub project: &'static str,
    pub latency: u64,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    Answered(Answered),
    Failed(Failed),
}

#[derive(Serialize)]
pub(super) struct Answered {
    pub success: bool,
    pub ttft_ms: u64,
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
    #[serde(serialize_with = "dollars")]
    pub cost: Usd,
}

#[derive(Serialize)]
pub(super) struct Failed {
    pub success: bool,
    pub status_code: u16,
    pub error_type: &'static str,
    pub error_message: &'static str,
    #[serde(serialize_with = "dollars")]
    pub cost: Usd,
}

#[derive(Serialize)]
pub(super) struct Cache {
    #[serde(serialize_with = "text")]
    pub timestamp: Millis,
    pub id: String,
    pub event: &'static str,
    pub provider: &'static str,
    pub model: &'static str,
    #[serde(flatten)]
    pub saved: Option<Saved>,
}

#[derive(Serialize)]
pub(super) struct Saved {
    pub saved_tokens: u64,
    #[serde(serialize_with = "dollars")]
    pub saved_cost: Usd,
}

#[derive(Serialize)]
pub(super) struct RateLimit {
    #[serde(serialize_with = "text")]
    pub timestamp: Millis,
    pub id: String,
    pub event: &'static str,
    pub provider: &'static str,
    pub model: &'static str,
    pub rate_limit_type: &'static str,
    pub key: &'static str,
    pub limit: u64,
    pub remaining: u64,
    #[serde(serialize_with = "text")]
    pub reset_at: Millis,
}

fn text<S: Serializer>(at: &Millis, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

fn dollars<S: Serializer>(amount: &Usd, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(amount.to_f64())
}
