//! The words of `obs`: what an event is, what happened in a span of time, and
//! which numbers can be asked for.
//!
//! Floor 0. It knows no files, no SQL, no clock and no terminal.

mod alert;
mod bill;
mod channel;
mod condition;
mod cursor;
mod dimension;
mod duration;
mod event;
mod event_ref;
mod expr;
mod measure;
mod nearest;
mod notice;
mod price;
mod rule;
mod selector;
mod silence;
mod sketch;
mod stats;
mod template;
mod threshold;
mod time;
mod tokens;
mod unit;
mod usd;
mod zone;

pub use alert::{Acknowledgement, Alert, AlertId, AlertState, LabelSet, Reason, RuleId};
pub use bill::{Basis, Bill, Line, Unpriced};
pub use channel::{ChannelSpec, SpecValue};
pub use condition::{Condition, Op};
pub use cursor::{ExprError, line_and_column};
pub use dimension::Dimension;
pub use duration::{DurationError, duration_text, parse_duration};
pub use event::{CacheEvent, Decision, Event, Labels, Signal};
pub use event_ref::{EventRef, SHORTEST_REF};
pub use expr::Expr;
pub use measure::{Kind, Measure, Needs, Spec, UnknownMeasure, Value};
pub use nearest::nearest;
pub use notice::{Notice, NoticeId, NoticeKind, NoticeState};
pub use price::{Price, PriceClass, PriceTier, Rates, ServiceTier};
pub use rule::{NoData, Rule, Severity, USUAL_WINDOW_MS};
pub use selector::{Matcher, Pattern, Selector};
pub use silence::{LabelTest, Silence, SilenceId};
pub use sketch::{Sketch, SketchError};
pub use stats::{CacheSums, CostSums, Distribution, LimitSums, Stats, TokenSums};
pub use template::{Placeholder, Template, fill_all};
pub use threshold::{Threshold, ThresholdUnit};
pub use time::{Millis, Resolution, Span};
pub use tokens::Tokens;
pub use unit::Unit;
pub use usd::{CostMode, Usd, UsdError};
pub use zone::{Occurs, Zone, ZoneError};
