//! Why a question has no answer, in words: a window that is not kept, a name that
//! nobody knows.

use super::{Failure, Kind};
use crate::health::UnknownProvider;
use crate::model::{Resolution, UnknownMeasure};
use crate::query::QueryError;
use crate::store::setting::UnknownSetting;

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        let message = error.to_string();
        let failure = |code| Failure::usage(code, message);
        match error {
            QueryError::BeyondRaw { dimension, floor } => failure("beyond_raw").hint(format!(
                "ask from there on with --since {floor}, or leave {dimension} out"
            )),
            QueryError::BeyondTiers { floor, .. } => {
                failure("beyond_tiers").hint(format!("ask from there on with --since {floor}"))
            }
            QueryError::StepTooFine { kept, .. } => failure("step_too_fine").hint(format!(
                "take --step {} or a multiple of it, or a later --since",
                step_of(kept)
            )),
            QueryError::FoldTooFine { floor, .. } => failure("fold_too_fine").hint(format!(
                "ask from there on with --since {floor}, or with --utc"
            )),
            QueryError::NotFoldable(_) => failure("measure_not_folded")
                .hint("ask for cost instead, or for a series with --step 1h"),
            QueryError::TooManyBuckets => {
                failure("too_many_buckets").hint("take a longer --step, or a later --since")
            }
            QueryError::Store(error) => error.into(),
        }
    }
}

/// The step that a tier's buckets have, as one writes it.
fn step_of(tier: Resolution) -> &'static str {
    match tier {
        Resolution::Raw => "1ms",
        Resolution::Minute => "1m",
        Resolution::Hour => "1h",
        Resolution::Day => "1d",
    }
}

impl From<UnknownMeasure> for Failure {
    fn from(error: UnknownMeasure) -> Failure {
        let list = "`obs query --list` lists all measures";
        Failure::usage("measure_unknown", error.to_string()).hint(match error.nearest {
            Some(name) => format!("did you mean {name}? {list}"),
            None => list.to_owned(),
        })
    }
}

impl From<UnknownProvider> for Failure {
    fn from(error: UnknownProvider) -> Failure {
        let list = "`obs providers` lists them";
        Failure::new(Kind::NotFound, "provider_unknown", error.to_string()).hint(
            match error.nearest {
                Some(name) => format!("did you mean {name:?}? {list}"),
                None => list.to_owned(),
            },
        )
    }
}

impl From<UnknownSetting> for Failure {
    fn from(error: UnknownSetting) -> Failure {
        let list = "`obs config set --list` lists all settings of the store";
        Failure::usage("setting_unknown", error.to_string()).hint(match error.nearest {
            Some(name) => format!("did you mean {name}? {list}"),
            None => list.to_owned(),
        })
    }
}
