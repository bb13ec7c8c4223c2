//! Why an answer was read from where it was read.

use std::fmt;

use super::groups::{coarsest_tier, touched};
use super::measured::{Cut, Inquiry, Measured};
use super::question::{Source, Step};
use crate::model::{Dimension, Resolution, Span};

/// What was read of one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which tier.
    pub tier: Resolution,
    /// From the first part that was read to the last.
    pub span: Span,
    /// Stretches of time that were read.
    pub parts: usize,
    /// Rows read.
    pub rows: u64,
    /// Why no coarser tier would do; empty where the coarsest did.
    pub because: Vec<Because>,
}

/// Why a coarser tier would not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The label is kept with raw events only.
    Label(Dimension),
    /// The window begins or ends inside a bucket of this tier.
    Edge(Resolution),
    /// The answer is cut more finely than this tier.
    Step(Resolution),
    /// A bucket of this tier is not up to date.
    NotRolledUp(Resolution),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Label(dimension) => write!(f, "{dimension} is kept with raw events only"),
            Because::Edge(tier) => write!(f, "the window cuts a bucket of {}", tier.name()),
            Because::Step(tier) => write!(f, "the step cuts buckets of {}", tier.name()),
            Because::NotRolledUp(tier) => {
                write!(
                    f,
                    "{} is not up to date: some minutes are not rolled up",
                    tier.name()
                )
            }
        }
    }
}

/// What was read to answer, coarsest tier first.
pub fn explain(inquiry: &Inquiry, told: &Measured) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for source in &told.sources {
        let because = because(inquiry, told, source);
        match readings.iter_mut().find(|r| r.tier == source.tier) {
            Some(reading) => reading.add(source, because),
            None => readings.push(Reading {
                tier: source.tier,
                span: source.span,
                parts: 1,
                rows: source.rows,
                because,
            }),
        }
    }
    readings.sort_by_key(|reading| std::cmp::Reverse(reading.tier));
    readings
}

impl Reading {
    fn add(&mut self, source: &Source, because: Vec<Because>) {
        self.span.from = self.span.from.min(source.span.from);
        self.span.until = self.span.until.max(source.span.until);
        self.parts += 1;
        self.rows += source.rows;
        let new = because.into_iter().filter(|b| !self.because.contains(b));
        let new: Vec<Because> = new.collect();
        self.because.extend(new);
    }
}

fn because(inquiry: &Inquiry, told: &Measured, source: &Source) -> Vec<Because> {
    let Some(coarser) = coarser(source.tier) else {
        return Vec::new();
    };
    let mut labels = inquiry
        .asked
        .iter()
        .flat_map(|a| touched(&a.selector, &inquiry.by));
    if let Some(label) = labels.find(|label| coarsest_tier(*label) == Resolution::Raw) {
        return vec![Because::Label(label)];
    }
    let trailing = inquiry
        .asked
        .iter()
        .filter_map(|a| a.measure.spec().trailing_ms);
    let reach = told.span.from.plus(-trailing.max().unwrap_or(0));
    let window = Span::new(reach, told.span.until);
    let step = coarser.step_ms();
    let first = source.span.from;
    let last = source.span.until.plus(-1);
    let inner = first.ceil(step).min(last);
    let mut found = Vec::new();
    for at in [first, inner, last] {
        let bucket = Span::new(at.floor(step), at.floor(step).plus(step));
        let why = if bucket.from < window.from || bucket.until > window.until {
            Because::Edge(coarser)
        } else if told.step.is_some_and(|step| cuts(step, bucket)) || folds(inquiry.cut, bucket) {
            Because::Step(coarser)
        } else {
            Because::NotRolledUp(coarser)
        };
        if !found.contains(&why) {
            found.push(why);
        }
    }
    found
}

fn coarser(tier: Resolution) -> Option<Resolution> {
    Resolution::BUCKETS
        .into_iter()
        .find(|coarser| *coarser > tier)
}

/// Whether the calendar parts a span.
fn folds(cut: Cut, span: Span) -> bool {
    match cut {
        Cut::Calendar(zone, by) => by.slot(zone, span.from) != by.slot(zone, span.until.plus(-1)),
        Cut::Whole | Cut::Auto(_) | Cut::Into(_) => false,
    }
}

/// Whether a border of the step lies inside the span.
fn cuts(step: Step, span: Span) -> bool {
    match step {
        Step::Fixed(ms) => span.from.floor(ms).plus(ms) < span.until,
        Step::LocalDay(zone) => zone.date_of(span.from) != zone.date_of(span.until.plus(-1)),
    }
}
