//! Measures over a window: which events each speaks of, which parts of the store
//! they need, and one answer for all of them.
//!
//! How a number is shown is not known here, nor who asked.

use rustc_hash::FxHashMap;

use super::calendar::{Fold, FoldedRow, Slot, fold, unfoldable};
use super::question::{QueryError, Question, Row, Source, Step, ask_in};
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
    /// By the hour of the day or the day of the week, on the clocks of the zone.
    Calendar(Zone, Fold),
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
    /// One line per bucket (or slot of the calendar) and group, in this order.
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
    /// The hour or weekday, when the window was cut by the calendar.
    pub slot: Slot,
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
    store.read(|txn| measured_in(txn, inquiry))
}

/// Answers for all measures inside a transaction.
pub(super) fn measured_in(txn: &Txn<'_>, inquiry: &Inquiry) -> Result<Measured, QueryError> {
    match inquiry.cut {
        Cut::Whole => measured(txn, inquiry, None),
        Cut::Into(step) => measured(txn, inquiry, Some(step)),
        Cut::Auto(zone) => fitted(txn, inquiry, zone),
        Cut::Calendar(zone, by) => folded(txn, inquiry, zone, by),
    }
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
        let answer = ask_in(txn, question)?;
        told.span = answer.span;
        told.sources.extend(answer.sources);
        told.notes.extend(answer.notes);
        for row in &answer.rows {
            sheet.enter(row, Slot::default(), row.span.length_ms(), measures);
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

fn folded(txn: &Txn<'_>, inquiry: &Inquiry, zone: Zone, by: Fold) -> Result<Measured, QueryError> {
    if let Some(measure) = unfoldable(inquiry.asked.iter().map(|a| a.measure)) {
        return Err(QueryError::NotFoldable(measure));
    }
    let mut sheet = Sheet::new(&inquiry.asked);
    let mut told = Measured {
        span: inquiry.span,
        step: None,
        lines: Vec::new(),
        sources: Vec::new(),
        notes: Vec::new(),
    };
    for (question, measures) in questions(inquiry, None) {
        let answer = fold(txn, &question, zone, by)?;
        told.span = answer.span;
        told.sources.extend(answer.sources);
        told.notes.extend(answer.notes);
        for FoldedRow {
            slot,
            length_ms,
            row,
        } in &answer.rows
        {
            sheet.enter(row, *slot, *length_ms, &measures);
        }
    }
    told.notes.dedup();
    told.lines = sheet.lines;
    told.lines
        .sort_by_cached_key(|line| (line.slot, line.group.clone()));
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
    places: FxHashMap<(Millis, Slot, Vec<String>), usize>,
}

impl<'a> Sheet<'a> {
    fn new(asked: &'a [Asked]) -> Sheet<'a> {
        Sheet {
            asked,
            lines: Vec::new(),
            places: FxHashMap::default(),
        }
    }

    /// Enters what a row tells of these measures; it speaks of `window_ms` milliseconds.
    fn enter(&mut self, row: &Row, slot: Slot, window_ms: i64, measures: &[usize]) {
        let asked = self.asked;
        let line = self.line(row, slot, window_ms);
        for number in measures {
            line.values[*number] = asked[*number].measure.value(&row.stats, window_ms);
        }
        line.requests = line.requests.max(row.stats.requests);
        line.is_empty &= row.stats.is_empty();
    }

    /// The line of a bucket and group; a new one speaks of nothing.
    fn line(&mut self, row: &Row, slot: Slot, window_ms: i64) -> &mut Line {
        let key = (row.span.from, slot, row.group.clone());
        let next = self.lines.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            let nothing = Stats::default();
            let values = self.asked.iter();
            self.lines.push(Line {
                span: row.span,
                slot,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Labels, Matcher, Signal, Usd};
    use crate::store::{Dedupe, testing};

    const NOON: Millis = Millis(1_769_860_800_000);

    /// An hour before noon: a request a minute to claude for a cent, each slower than the one
    /// before, and one to openai every ten minutes.
    fn hour() -> testing::Temporary {
        let mut temporary = testing::empty();
        let request = |provider: &'static str, minute: i64, cost| {
            let at = NOON.plus((minute - 60) * Millis::MINUTE);
            let mut event = Event::new(at, Signal::Request { success: true });
            event.labels = Labels {
                provider: Some(provider.into()),
                ..Labels::default()
            };
            event.latency_us = Some(minute * 1_000_000);
            event.cost_reported = cost;
            event
        };
        let claude = (0..60).map(|m| request("claude", m, Some(Usd::dollars(1))));
        let openai = (0..60).step_by(10).map(|m| request("openai", m, None));
        let events: Vec<Event<'_>> = claude.chain(openai).collect();
        testing::append(&mut temporary.store, &events, Dedupe::TimeId, false);
        temporary
    }

    fn inquiry(measures: &[Measure], cut: Cut, by: &[Dimension]) -> Inquiry {
        let asked = measures.iter().map(|measure| Asked {
            measure: *measure,
            selector: Selector::default(),
        });
        Inquiry {
            asked: asked.collect(),
            span: Span::new(NOON.plus(-Millis::HOUR), NOON),
            cut,
            by: by.to_vec(),
            ranked: false,
        }
    }

    #[test]
    fn a_whole_window_has_one_line_a_group_the_busiest_first() {
        let measures = [Measure::Requests, Measure::MaxLatency, Measure::Throughput];
        let inquiry = inquiry(&measures, Cut::Whole, &[Dimension::Provider]);
        let told = measure(&mut hour().store, &inquiry).unwrap();
        let values = |nth: usize| {
            (
                told.lines[nth].group[0].as_str(),
                &told.lines[nth].values[..],
            )
        };
        let expected = [
            Value::Int(60),
            Value::Float(59_000.0),
            Value::Float(60.0 / 3_600.0),
        ];
        assert_eq!(values(0), ("claude", &expected[..]));
        let expected = [
            Value::Int(6),
            Value::Float(50_000.0),
            Value::Float(6.0 / 3_600.0),
        ];
        assert_eq!(values(1), ("openai", &expected[..]));
        assert_eq!(told.lines.len(), 2);
    }

    #[test]
    fn a_measure_that_looks_back_stands_beside_one_that_does_not() {
        let quarter = Cut::Into(Step::Fixed(15 * Millis::MINUTE));
        let inquiry = inquiry(&[Measure::Cost, Measure::HourlyCost], quarter, &[]);
        let told = measure(&mut hour().store, &inquiry).unwrap();
        let dollars: Vec<[f64; 2]> = told
            .lines
            .iter()
            .map(|line| [0, 1].map(|nth| line.values[nth].as_f64().unwrap()))
            .collect();
        assert_eq!(
            dollars,
            [[15.0, 15.0], [15.0, 30.0], [15.0, 45.0], [15.0, 60.0]]
        );
    }

    #[test]
    fn each_measure_speaks_of_its_own_events() {
        let half = Cut::Into(Step::Fixed(30 * Millis::MINUTE));
        let mut inquiry = inquiry(
            &[Measure::Requests, Measure::Cost],
            half,
            &[Dimension::Provider],
        );
        let openai = Matcher::equal(Dimension::Provider, "openai");
        inquiry.asked[0].selector.matchers.push(openai.clone());
        inquiry.asked[1].selector.matchers.push(openai.negate());
        let told = measure(&mut hour().store, &inquiry).unwrap();
        let lines: Vec<(&str, &Value, f64)> = told
            .lines
            .iter()
            .map(|l| {
                (
                    l.group[0].as_str(),
                    &l.values[0],
                    l.values[1].as_f64().unwrap(),
                )
            })
            .collect();
        let half = [
            ("claude", &Value::Int(0), 30.0),
            ("openai", &Value::Int(3), 0.0),
        ];
        assert_eq!(lines, [half, half].concat());
    }

    #[test]
    fn no_more_is_read_than_the_measures_need() {
        for (measures, needed) in [
            (&[Measure::Cost, Measure::ErrorRate][..], Parts::Sums),
            (&[Measure::P95Latency, Measure::AvgLatency], Parts::Latency),
            (&[Measure::P95Latency, Measure::Cost], Parts::All),
            (&[Measure::P95Ttft], Parts::All),
        ] {
            assert_eq!(parts(measures.iter().copied()), needed, "{measures:?}");
        }
    }

    #[test]
    fn nothing_in_the_window_is_silence() {
        let mut inquiry = inquiry(&[Measure::Requests], Cut::Whole, &[]);
        let mut store = hour();
        assert!(!measure(&mut store.store, &inquiry).unwrap().is_silent());
        inquiry.span = Span::new(NOON, NOON.plus(Millis::HOUR));
        let told = measure(&mut store.store, &inquiry).unwrap();
        assert!(told.is_silent());
        assert_eq!(told.lines[0].values, [Value::Int(0)]);
    }
}
