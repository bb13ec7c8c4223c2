//! Laws of answers: they do not depend on when cron ran, and what the store no
//! longer knows is refused, not guessed.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::{Answer, QueryError, Question, Step, ask};
use crate::model::{Dimension, Event, Matcher, Millis, Resolution, Selector, Signal, Span, Zone};
use crate::store::testing::account::account;
use crate::store::testing::history::{ZONES, history};
use crate::store::testing::witness::{BEGINNING, Past};
use crate::store::testing::{Temporary, append, empty};
use crate::store::{Dedupe, Floors, Parts, Retention};
use crate::{retention, rollup};

const MINUTE: i64 = Millis::MINUTE;
const HOUR: i64 = Millis::HOUR;
const DAY: i64 = Millis::DAY;

fn matchers() -> impl Strategy<Value = Vec<Matcher>> {
    use Dimension::*;
    let one = select(vec![
        Matcher::equal(Provider, "claude"),
        Matcher::equal(Provider, "nobody"),
        Matcher::equal(Provider, ""),
        Matcher::equal(Provider, "openai").negate(),
        Matcher::like(Provider, "cl*|open*"),
        Matcher::like(Model, "gpt*|opus"),
        Matcher::equal(Role, "coder"),
        Matcher::equal(User, "ada"),
        Matcher::equal(Status, "error"),
        Matcher::equal(StatusCode, "200"),
        Matcher::like(Session, "s*").negate(),
    ]);
    prop_oneof![
        2 => Just(Vec::new()),
        3 => prop::collection::vec(one, 1..3),
    ]
}

fn by() -> impl Strategy<Value = Vec<Dimension>> {
    use Dimension::*;
    select(vec![
        vec![],
        vec![],
        vec![Provider],
        vec![Provider, Model],
        vec![Role],
        vec![User, Provider],
        vec![Session, Status],
        vec![StatusCode],
    ])
}

fn step() -> impl Strategy<Value = Option<Step>> {
    let fixed = select(&[1, 5, 60, 90, 360, 1_440, 2_880][..]);
    prop_oneof![
        2 => Just(None),
        3 => fixed.prop_map(|minutes| Some(Step::Fixed(minutes * MINUTE))),
        2 => select(&ZONES[..]).prop_map(|zone| Some(Step::LocalDay(Zone::parse(zone).unwrap()))),
    ]
}

prop_compose! {
    /// A window between a week before and a week after the beginning, on any edge.
    fn span()(
        from in -7 * DAY..7 * DAY,
        length in prop_oneof![1..2 * HOUR, 1..5 * DAY],
        grid in select(&[1, MINUTE, HOUR, DAY][..]),
    ) -> Span {
        let from = Millis(BEGINNING + from).floor(grid);
        Span::new(from, from.plus(length).ceil(grid))
    }
}

prop_compose! {
    fn question()(
        matchers in matchers(),
        by in by(),
        span in span(),
        step in step(),
        parts in select(&[Parts::All, Parts::All, Parts::Sums, Parts::Latency][..]),
        trailing_ms in prop::option::weighted(0.3, select(&[HOUR, 10 * MINUTE, 25 * HOUR][..])),
    ) -> Question {
        let step = match step {
            // A minute is a fine cut; the window need not be long.
            Some(Step::Fixed(ms)) if span.length_ms() / ms > 600 => Some(Step::Fixed(HOUR)),
            step => step,
        };
        Question { selector: Selector { matchers }, span, step, by, parts, trailing_ms }
    }
}

fn value(event: &Event<'_>, dimension: Dimension) -> String {
    let l = &event.labels;
    let text = match dimension {
        Dimension::Provider => &l.provider,
        Dimension::Model => &l.model,
        Dimension::Role => &l.role,
        Dimension::Project => &l.project,
        Dimension::Endpoint => &l.endpoint,
        Dimension::ErrorType => &l.error_type,
        Dimension::LimitType => &l.limit_type,
        Dimension::User => &event.user,
        Dimension::Session => &event.session,
        Dimension::StatusCode => {
            return l.status_code.map_or(String::new(), |code| code.to_string());
        }
        Dimension::Status => {
            return match event.signal {
                Signal::Request { success: true } => "ok".to_owned(),
                Signal::Request { success: false } => "error".to_owned(),
                Signal::Cache(_) | Signal::RateLimit(_) => String::new(),
            };
        }
    };
    text.as_deref().unwrap_or_default().to_owned()
}

fn is_selected(question: &Question, event: &Event<'_>) -> bool {
    let accepted = |m: &Matcher| m.accepts(&value(event, m.dimension()));
    question.selector.matchers.iter().all(accepted)
}

fn group(question: &Question, event: &Event<'_>) -> Vec<String> {
    question.by.iter().map(|d| value(event, *d)).collect()
}

/// How finely a moment is still known, in milliseconds.
fn grain(floors: &Floors, at: Millis) -> Option<i64> {
    let tiers = [
        (floors.raw, 1),
        (floors.minute, MINUTE),
        (floors.hour, HOUR),
        (floors.day, DAY),
    ];
    let kept = tiers.into_iter().find(|(floor, _)| at >= *floor);
    kept.map(|(_, grain)| grain)
}

/// Whether only raw events can tell.
fn is_raw(question: &Question) -> bool {
    let in_buckets =
        |d: Dimension| [Dimension::Provider, Dimension::Model, Dimension::Role].contains(&d);
    let by_raw = question.by.iter().any(|d| !in_buckets(*d));
    by_raw || question.selector.dimensions().any(|d| !in_buckets(d))
}

/// The window that a row speaks of.
fn window(question: &Question, span: Span) -> Span {
    match question.trailing_ms {
        None => span,
        Some(ms) => Span::new(span.until.plus(-ms), span.until),
    }
}

fn judge(past: &Past, question: &Question, answer: &Answer) -> Result<(), String> {
    let mut spans: Vec<Span> = answer.rows.iter().map(|row| row.span).collect();
    spans.dedup();
    let selected = |span: Span| {
        let span = window(question, span);
        past.during(span, move |e| is_selected(question, e))
    };
    let groups: BTreeSet<Vec<String>> = if question.by.is_empty() {
        BTreeSet::from([vec![]])
    } else {
        let all = spans.iter().flat_map(|span| selected(*span));
        all.map(|event| group(question, event)).collect()
    };
    if answer.rows.len() != groups.len() * spans.len() {
        return Err(format!("rows for {groups:?}: {:#?}", answer.rows));
    }
    for row in &answer.rows {
        let events = selected(row.span).filter(|event| group(question, event) == row.group);
        let expected = account(events);
        match question.parts {
            Parts::All => expected.against(&row.stats),
            Parts::Sums => expected.sums_against(&row.stats),
            Parts::Latency => expected.times_against("latency", &row.stats.latency),
        }
        .map_err(|e| format!("{:?} {:?}: {e}", row.span, row.group))?;
    }
    Ok(())
}

fn judge_frame(past: &Past, question: &Question, answer: &Answer) -> Result<(), String> {
    let Span { from, until } = question.span;
    let wrong = |what: &str| Err(format!("{what}: {:?}, {:?}", answer.span, answer.notes));
    if answer.span.from > from || answer.span.until < until {
        return wrong("narrower than asked");
    }
    let grain = |at| {
        if is_raw(question) {
            Some(1)
        } else {
            grain(&past.floors, at)
        }
    };
    let last = until.ceil(grain(until.plus(-1)).unwrap_or(1));
    if answer.span.until != last {
        return wrong("the end is not the nearest");
    }
    if (last != until) != answer.notes.iter().any(|n| n.contains("widened"))
        && question.step.is_some()
    {
        return wrong("a moved end is told");
    }
    let mut spans: Vec<Span> = answer.rows.iter().map(|row| row.span).collect();
    spans.dedup();
    if spans.windows(2).any(|pair| pair[0].until != pair[1].from) {
        return wrong("the buckets are not neighbours");
    }
    let is_utc_days = answer.notes.iter().any(|n| n.contains("UTC days"));
    for span in spans {
        let is_first = span.from == answer.span.from;
        let is_last = span.until == answer.span.until;
        let fits = match question.step {
            None => is_first && is_last && span.from == from.floor(grain(from).unwrap_or(1)),
            Some(Step::Fixed(ms)) => on_grid(span, ms, is_first, is_last),
            Some(Step::LocalDay(_)) if is_utc_days => on_grid(span, DAY, is_first, is_last),
            Some(Step::LocalDay(zone)) => {
                let date = |at: Millis| zone.date_of(at);
                let starts = date(span.from) != date(span.from.plus(-1));
                let ends = date(span.until) != date(span.from);
                date(span.from) == date(span.until.plus(-1))
                    && (is_first || starts)
                    && (is_last || ends)
            }
        };
        if !fits {
            return wrong("a bucket off the grid");
        }
    }
    Ok(())
}

fn on_grid(span: Span, ms: i64, is_first: bool, is_last: bool) -> bool {
    span.length_ms() <= ms
        && (is_first || span.from.floor(ms) == span.from)
        && (is_last || span.until.floor(ms) == span.until)
}

/// Whether it was right to refuse; `None`: the question should have an answer.
fn judge_refusal(past: &Past, question: &Question, why: &QueryError) -> Result<(), String> {
    let Span { from, .. } = question.span;
    let floors = &past.floors;
    let step = match question.step {
        Some(Step::Fixed(ms)) => ms,
        Some(Step::LocalDay(_)) => 2 * DAY,
        None => DAY,
    };
    let trails = question
        .trailing_ms
        .is_some_and(|ms| from.plus(-ms - step) < floors.raw);
    let right = match why {
        QueryError::BeyondRaw { floor, .. } => {
            is_raw(question) && *floor == floors.raw && (from < floors.raw || trails)
        }
        QueryError::BeyondTiers { .. } => {
            !is_raw(question) && (grain(floors, from).is_none() || trails)
        }
        QueryError::StepTooFine { kept, .. } => {
            let too_fine = match (question.step, grain(floors, from)) {
                (Some(Step::Fixed(ms)), Some(grain)) => ms % grain != 0,
                _ => false,
            };
            !is_raw(question) && *kept != Resolution::Raw && (too_fine || trails)
        }
        QueryError::FoldTooFine { .. }
        | QueryError::NotFoldable(_)
        | QueryError::TooManyBuckets
        | QueryError::Store(_) => false,
    };
    if right {
        Ok(())
    } else {
        Err(format!("refused: {why}"))
    }
}

/// Asks, and compares the answer or the refusal with the witness.
fn examine(past: &mut Past, question: &Question) -> Result<(), String> {
    let Span { from, .. } = question.span;
    match ask(&mut past.temporary.store, question) {
        Err(why) => judge_refusal(past, question, &why),
        Ok(answer) => {
            judge_frame(past, question, &answer)?;
            judge(past, question, &answer)?;
            let too_fine = match question.step {
                Some(Step::Fixed(ms)) => grain(&past.floors, from).is_some_and(|g| ms % g != 0),
                Some(Step::LocalDay(_)) | None => false,
            };
            let is_gone = match is_raw(question) {
                true => from < past.floors.raw,
                false => grain(&past.floors, from).is_none() || too_fine,
            };
            if is_gone {
                Err("an answer from nothing".to_owned())
            } else {
                Ok(())
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn an_answer_does_not_depend_on_when_cron_ran(
        history in history(10),
        questions in prop::collection::vec(question(), 12),
    ) {
        let mut past = Past::new(history.zone, history.keeping);
        for (i, deed) in history.deeds.iter().enumerate() {
            past.befall(deed).map_err(TestCaseError::fail)?;
            for question in &questions {
                examine(&mut past, question).map_err(|e| {
                    TestCaseError::fail(format!("after deed {i}, floors {:?}: {e}\n{question:?}", past.floors))
                })?;
            }
        }
    }
}

// What went wrong once

fn request(at: i64) -> Event<'static> {
    Event::new(Millis(BEGINNING + at), Signal::Request { success: true })
}

/// A store that rolled these events up, and at `now` let go what it does not keep:
/// raw and minutes for an hour, hours for so long.
fn outlived(now: i64, hour: Option<i64>, events: &[i64]) -> Temporary {
    kept(Some(HOUR), hour, now, events)
}

fn kept(minute: Option<i64>, hour: Option<i64>, now: i64, events: &[i64]) -> Temporary {
    let mut temporary = empty();
    let store = &mut temporary.store;
    let keeping = Retention {
        raw: Some(HOUR),
        minute,
        hour,
        day: None,
        ledger: None,
    };
    store.write(|txn| txn.set_retention(&keeping)).unwrap();
    let events: Vec<_> = events.iter().map(|at| request(*at)).collect();
    append(store, &events, Dedupe::TimeId, false);
    rollup::run(store, Millis(i64::MAX), |_| {}).unwrap();
    retention::run(store, Millis(BEGINNING + now)).unwrap();
    temporary
}

fn all_of(from: i64, until: i64) -> Question {
    Question {
        selector: Selector::default(),
        span: Span::new(Millis(BEGINNING + from), Millis(BEGINNING + until)),
        step: None,
        by: Vec::new(),
        parts: Parts::Sums,
        trailing_ms: None,
    }
}

fn local_days(zone: &str) -> Option<Step> {
    Some(Step::LocalDay(Zone::parse(zone).unwrap()))
}

/// The beginning of each bucket, from the beginning on, and its requests.
fn requests(temporary: &mut Temporary, question: &Question) -> Vec<(i64, u64)> {
    let answer = ask(&mut temporary.store, question).unwrap();
    let told = answer.rows.iter();
    told.map(|row| (row.span.from.0 - BEGINNING, row.stats.requests))
        .collect()
}

#[test]
fn a_late_event_just_before_the_window_does_not_hide_those_inside() {
    let mut store = kept(Some(DAY), None, DAY, &[]);
    let late = [request(5 * MINUTE), request(6 * MINUTE)];
    append(&mut store.store, &late, Dedupe::TimeId, true);
    assert_eq!(
        requests(&mut store, &all_of(6 * MINUTE, HOUR)),
        [(6 * MINUTE, 1)]
    );
    assert_eq!(requests(&mut store, &all_of(0, 6 * MINUTE)), [(0, 1)]);
}

#[test]
fn a_local_day_that_began_the_utc_day_before_is_fresh() {
    let mut store = empty();
    append(
        &mut store.store,
        &[request(-10 * HOUR)],
        Dedupe::TimeId,
        false,
    );
    rollup::run(&mut store.store, Millis(i64::MAX), |_| {}).unwrap();
    append(
        &mut store.store,
        &[request(-10 * HOUR)],
        Dedupe::TimeId,
        false,
    );
    let question = Question {
        step: local_days("America/New_York"),
        ..all_of(2 * HOUR, 3 * HOUR)
    };
    assert_eq!(requests(&mut store, &question), [(-19 * HOUR, 2)]);
}

#[test]
fn a_quarter_of_an_hour_is_not_cut_out_of_an_hour() {
    let events = [18 * HOUR + 10 * MINUTE, 18 * HOUR + 20 * MINUTE];
    let mut store = outlived(3 * DAY, None, &events);
    let question = Question {
        step: local_days("Asia/Kathmandu"),
        ..all_of(12 * HOUR, 2 * DAY)
    };
    assert_eq!(requests(&mut store, &question), [(0, 2), (DAY, 0)]);
    let notes = ask(&mut store.store, &question).unwrap().notes;
    assert!(notes[0].starts_with("days are UTC days"), "{notes:?}");
}

#[test]
fn a_local_day_is_not_cut_out_of_a_utc_day() {
    let events = [
        DAY + 2 * HOUR,
        DAY + 6 * HOUR,
        2 * DAY + HOUR,
        2 * DAY + 6 * HOUR,
    ];
    let mut store = outlived(3 * DAY, Some(DAY), &events);
    let question = Question {
        step: local_days("America/New_York"),
        ..all_of(2 * DAY + 2 * HOUR, 3 * DAY)
    };
    // The clocks were put forward the day before: midnight is at 04:00Z.
    let expected = [(2 * DAY, 1), (2 * DAY + 4 * HOUR, 1)];
    assert_eq!(requests(&mut store, &question), expected);
}

#[test]
fn a_trailing_window_is_not_cut_out_of_hours() {
    let mut store = outlived(DAY, None, &[22 * HOUR + 10 * MINUTE, 23 * HOUR + MINUTE]);
    let hourly = |step| Question {
        step: Some(Step::Fixed(step)),
        trailing_ms: Some(HOUR),
        ..all_of(23 * HOUR, 24 * HOUR)
    };
    let refused = ask(&mut store.store, &hourly(5 * MINUTE)).unwrap_err();
    let kept = Resolution::Hour;
    assert!(
        matches!(refused, QueryError::StepTooFine { kept: k, .. } if k == kept),
        "{refused}"
    );
    assert_eq!(requests(&mut store, &hourly(HOUR)), [(23 * HOUR, 1)]);
}

#[test]
fn the_first_bucket_begins_where_its_events_do() {
    let mut store = outlived(DAY, None, &[HOUR, 23 * HOUR + 5 * MINUTE]);
    let question = Question {
        step: Some(Step::Fixed(DAY)),
        by: vec![Dimension::User],
        ..all_of(23 * HOUR + 10 * MINUTE, 24 * HOUR)
    };
    assert_eq!(requests(&mut store, &question), [(23 * HOUR, 1)]);
}

#[test]
fn a_group_outside_all_trailing_windows_has_no_rows() {
    let mut store = empty();
    append(
        &mut store.store,
        &[request(30 * HOUR)],
        Dedupe::TimeId,
        false,
    );
    let question = Question {
        step: Some(Step::Fixed(DAY)),
        by: vec![Dimension::Provider],
        trailing_ms: Some(HOUR),
        ..all_of(0, 2 * DAY)
    };
    assert_eq!(requests(&mut store, &question), []);
}
