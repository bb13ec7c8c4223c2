//! How a window is cut into buckets, and what the store still knows that finely.
//!
//! Where only hours are kept, no border may fall inside an hour: a window moves
//! its ends outward, a step that would cut it is refused. It does not read a row.

use chrono::{Days, NaiveDate};

use super::question::{QueryError, Question, Step};
use crate::model::{Dimension, Millis, Resolution, Span, Zone};
use crate::store::Floors;

/// Buckets that one answer may have: more than any screen or file of one question.
pub(super) const MOST_BUCKETS: usize = 200_000;

/// Tiers from the coarsest to the finest.
const COARSEST_FIRST: [Resolution; 4] = [
    Resolution::Day,
    Resolution::Hour,
    Resolution::Minute,
    Resolution::Raw,
];

/// What is kept of the labels in question.
pub(super) struct Kept {
    pub floors: Floors,
    /// A label in question that only raw events know.
    pub raw_label: Option<Dimension>,
}

/// The cut window.
pub(super) struct Frame {
    /// The borders of the buckets, first to last; two of them for a whole window.
    pub borders: Vec<Millis>,
    /// All moments at which something that is asked for begins or ends.
    pub edges: Vec<Millis>,
}

impl Frame {
    /// Cuts the window of a question.
    pub(super) fn new(
        question: &Question,
        kept: &Kept,
        notes: &mut Vec<String>,
    ) -> Result<Frame, QueryError> {
        let borders = borders(question, kept, notes)?;
        let edges = match question.trailing_ms {
            None => borders.clone(),
            Some(ms) => trailing_edges(&borders, ms),
        };
        for edge in &edges {
            kept.can_be_cut(*edge)?;
        }
        Ok(Frame { borders, edges })
    }
}

impl Kept {
    /// The finest tier that still knows a moment; `None` when only the ledger does.
    fn finest(&self, at: Millis) -> Option<Resolution> {
        COARSEST_FIRST
            .into_iter()
            .rev()
            .find(|tier| at >= self.floors.of(*tier))
    }

    /// The tier whose buckets hold a moment.
    fn tier_at(&self, at: Millis) -> Result<Resolution, QueryError> {
        match (self.raw_label, self.finest(at)) {
            (_, Some(Resolution::Raw)) => Ok(Resolution::Raw),
            (Some(dimension), _) => Err(QueryError::BeyondRaw {
                dimension,
                floor: self.floors.raw,
            }),
            (None, Some(tier)) => Ok(tier),
            (None, None) => Err(QueryError::BeyondTiers {
                from: at,
                floor: self.floors.day,
            }),
        }
    }

    /// Refuses a cut through a bucket, or through what is gone.
    pub(super) fn can_be_cut(&self, at: Millis) -> Result<(), QueryError> {
        let kept = self.tier_at(at)?;
        if at.floor(kept.step_ms()) == at {
            Ok(())
        } else {
            Err(QueryError::StepTooFine { from: at, kept })
        }
    }

    /// From where on buckets are kept that cuts at multiples of these lengths leave whole.
    fn floor_for(&self, cuts: &[i64]) -> Millis {
        let fits = |tier: &Resolution| cuts.iter().all(|cut| cut % tier.step_ms() == 0);
        let tier = match self.raw_label {
            Some(_) => None,
            None => COARSEST_FIRST.into_iter().find(fits),
        };
        self.floors.of(tier.unwrap_or(Resolution::Raw))
    }
}

fn borders(
    question: &Question,
    kept: &Kept,
    notes: &mut Vec<String>,
) -> Result<Vec<Millis>, QueryError> {
    let Span { from, until } = question.span;
    let tier = kept.tier_at(from)?;
    let last_tier = kept.tier_at(until.plus(-1)).unwrap_or(tier);
    let last = until.ceil(last_tier.step_ms()).max(from);
    if last != until && !question.span.is_empty() {
        notes.push(widened(last_tier));
    }
    let step = match question.step {
        None => {
            let first = from.floor(tier.step_ms());
            if first != from && last == until {
                notes.push(widened(tier));
            }
            return Ok(vec![first, last]);
        }
        Some(Step::LocalDay(zone)) => {
            let midnights = local_midnights(from, last, zone)?;
            let cuts: Vec<i64> = midnights.iter().map(|at| at.0).collect();
            let floor = kept.floor_for(&cuts);
            if from >= floor {
                return Ok(bordered(midnights, floor, last));
            }
            notes.push(format!(
                "days are UTC days: what {zone} needs is kept from {floor} on"
            ));
            Millis::DAY
        }
        Some(Step::Fixed(ms)) => ms,
    };
    let floor = kept.floor_for(&[step]);
    if from < floor {
        return Err(QueryError::StepTooFine { from, kept: tier });
    }
    Ok(bordered(multiples(from, last, step)?, floor, last))
}

fn widened(tier: Resolution) -> String {
    format!("the window was widened to whole buckets of {}", tier.name())
}

/// Borders from the floor on, closed by the end of the window.
fn bordered(mut borders: Vec<Millis>, floor: Millis, last: Millis) -> Vec<Millis> {
    borders[0] = borders[0].max(floor);
    borders.push(last);
    borders
}

/// The multiple of the step that is not after `from`, and those between it and `last`.
fn multiples(from: Millis, last: Millis, step: i64) -> Result<Vec<Millis>, QueryError> {
    let first = from.floor(step);
    if last.0.saturating_sub(first.0) / step > MOST_BUCKETS as i64 {
        return Err(QueryError::TooManyBuckets);
    }
    let later = (first.plus(step).0..last.0).step_by(step as usize);
    Ok([first.0].into_iter().chain(later).map(Millis).collect())
}

/// The local midnight that is not after `from`, and those between it and `last`.
fn local_midnights(from: Millis, last: Millis, zone: Zone) -> Result<Vec<Millis>, QueryError> {
    if last.0.saturating_sub(from.0) / Millis::DAY > MOST_BUCKETS as i64 {
        return Err(QueryError::TooManyBuckets);
    }
    let next = |date: &NaiveDate| date.checked_add_days(Days::new(1));
    let date = zone.date_of(from);
    let mut midnights = vec![zone.local_midnight(date)];
    midnights.extend(
        std::iter::successors(next(&date), next)
            .map(|date| zone.local_midnight(date))
            .take_while(|midnight| *midnight < last),
    );
    // A date that the place never had begins where the next one does.
    midnights.dedup();
    Ok(midnights)
}

/// All moments at which a trailing window begins or ends.
fn trailing_edges(borders: &[Millis], ms: i64) -> Vec<Millis> {
    let ends = &borders[1..];
    let mut edges: Vec<Millis> = ends.iter().flat_map(|end| [end.plus(-ms), *end]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}
