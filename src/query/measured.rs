//! Measures over a window: which events each speaks of, which parts of the store
//! they need, and one answer for all of them.
//!
//! How a number is shown is not known here, nor who asked.

use rustc_hash::FxHashMap;

use super::question::{QueryError, Question, Row, Source, Step, answer};
use crate::model::{Dimension, Kind, Measure, Millis, Needs, Selector, Span, Stats, Value, Zone};
use crate::store::{Parts, Store, Txn};

/// One measure, and the events it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which number.
    pub measure: Measure,
    /// Of which events.
    pub selector: Selector,
}

/// How a window is cut in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// As suits the window and what is kept; days are those of the zone.
    Auto(Zone),
    /// Into buckets of this step.
    Into(Step),
}

/// Measures that are asked for together.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The measures, in the order of the answer's values.
    pub asked: Vec<Asked>,
    /// When.
    pub span: Span,
    /// Cut into buckets.
    pub cut: Cut,
    /// Cut into groups.
    pub by: Vec<Dimension>,
    /// Whether [`Line::requests`] must be right, which may mean to read more. For
    /// groups of a window as a whole it always is: they are told in its order.
    pub ranked: bool,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The window that was answered; wider than asked where events are gone.
    pub span: Span,
    /// The step, unless the window was left whole.
    pub step: Option<Step>,
    /// One line per bucket and group, in this order.
    pub lines: Vec<Line>,
    /// Where the numbers come from.
    pub sources: Vec<Source>,
    /// What the reader should know about the answer.
    pub notes: Vec<String>,
}

impl Measured {
    /// Whether nothing at all happened.
    pub fn is_silent(&self) -> bool {
        self.lines.iter().all(|line| line.is_empty)
    }
}

/// The values of one bucket and group.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The bucket, or the whole window.
    pub span: Span,
    /// The group, in the order of the dimensions asked for; `""`: not said.
    pub group: Vec<String>,
    /// A value for each measure.
    pub values: Vec<Value>,
    /// Requests of the selected events, if they were asked for.
    pub requests: u64,
    /// Whether nothing at all happened.
    pub is_empty: bool,
}

/// Answers for all measures, on one unchanging state of the store.
///
/// # Errors
/// When the store no longer knows, or cannot be read.
pub fn measure(store: &mut Store, inquiry: &Inquiry) -> Result<Measured, QueryError> {
    store.read(|txn| match inquiry.cut {
        Cut::Whole => measured(txn, inquiry, None),
        Cut::Into(step) => measured(txn, inquiry, Some(step)),
        Cut::Auto(zone) => fitted(txn, inquiry, zone),
    })
}

/// Where the fitting step is finer than what is kept, it gives way.
fn fitted(txn: &Txn<'_>, inquiry: &Inquiry, zone: Zone) -> Result<Measured, QueryError> {
    let by = |least_ms| {
        let step = Step::fitting(inquiry.span, zone, least_ms);
        measured(txn, inquiry, Some(step))
    };
    match by(0) {
        Err(QueryError::StepTooFine { kept, .. }) => by(kept.step_ms()),
        told => told,
    }
}

fn measured(txn: &Txn<'_>, inquiry: &Inquiry, step: Option<Step>) -> Result<Measured, QueryError> {
    let mut sheet = Sheet::new(&inquiry.asked);
    let mut told = Measured {
        span: inquiry.span,
        step,
        lines: Vec::new(),
        sources: Vec::new(),
        notes: Vec::new(),
    };
    let questions = questions(inquiry, step);
    for (question, measures) in &questions {
        let answer = answer(txn, question)?;
        told.span = answer.span;
        told.sources.extend(answer.sources);
        told.notes.extend(answer.notes);
        for row in &answer.rows {
            sheet.enter(row, measures);
        }
    }
    told.notes.dedup();
    told.lines = sheet.lines;
    if step.is_some() && questions.len() > 1 {
        let place = |line: &Line| (line.span.from, line.group.clone());
        told.lines.sort_by_cached_key(place);
    }
    Ok(told)
}

/// The fewest questions that answer for all measures, each with the numbers of
/// the measures it answers for.
fn questions(inquiry: &Inquiry, step: Option<Step>) -> Vec<(Question, Vec<usize>)> {
    let mut questions: Vec<(Question, Vec<usize>)> = Vec::new();
    for (number, asked) in inquiry.asked.iter().enumerate() {
        let trailing_ms = asked.measure.spec().trailing_ms;
        let same = |(question, _): &&mut (Question, Vec<usize>)| {
            question.selector == asked.selector && question.trailing_ms == trailing_ms
        };
        if let Some((_, measures)) = questions.iter_mut().find(same) {
            measures.push(number);
            continue;
        }
        let question = Question {
            selector: asked.selector.clone(),
            span: inquiry.span,
            step,
            by: inquiry.by.clone(),
            parts: Parts::All,
            trailing_ms,
        };
        questions.push((question, vec![number]));
    }
    let in_order_of_requests = inquiry.ranked || (step.is_none() && !inquiry.by.is_empty());
    for (question, measures) in &mut questions {
        if !in_order_of_requests {
            question.parts = parts(measures.iter().map(|m| inquiry.asked[*m].measure));
        }
    }
    questions
}

/// What must be read to know these measures.
fn parts(measures: impl Iterator<Item = Measure> + Clone) -> Parts {
    let is_latency =
        |m: Measure| m.spec().kind == Kind::Latency && m.spec().field.starts_with("latency_");
    let is_sum = |m: Measure| match m.spec().needs {
        Needs::Sums => true,
        Needs::Times | Needs::Sketches => false,
    };
    if measures.clone().all(is_sum) {
        Parts::Sums
    } else if measures.clone().all(is_latency) {
        Parts::Latency
    } else {
        Parts::All
    }
}

/// Lines in the making.
struct Sheet<'a> {
    asked: &'a [Asked],
    lines: Vec<Line>,
    places: FxHashMap<(Millis, Vec<String>), usize>,
}

impl<'a> Sheet<'a> {
    fn new(asked: &'a [Asked]) -> Sheet<'a> {
        Sheet {
            asked,
            lines: Vec::new(),
            places: FxHashMap::default(),
        }
    }

    /// Enters what a row tells of these measures.
    fn enter(&mut self, row: &Row, measures: &[usize]) {
        let window_ms = row.span.length_ms();
        let asked = self.asked;
        let line = self.line(row);
        for number in measures {
            line.values[*number] = asked[*number].measure.value(&row.stats, window_ms);
        }
        line.requests = line.requests.max(row.stats.requests);
        line.is_empty &= row.stats.is_empty();
    }

    /// The line of a bucket and group; a new one speaks of nothing.
    fn line(&mut self, row: &Row) -> &mut Line {
        let key = (row.span.from, row.group.clone());
        let next = self.lines.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            let nothing = Stats::default();
            let window_ms = row.span.length_ms();
            let values = self.asked.iter();
            self.lines.push(Line {
                span: row.span,
                group: row.group.clone(),
                values: values
                    .map(|a| a.measure.value(&nothing, window_ms))
                    .collect(),
                requests: 0,
                is_empty: true,
            });
        }
        &mut self.lines[place]
    }
}
