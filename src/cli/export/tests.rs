//! The law of an export: what is read back from it is what was stored.

use std::ops::ControlFlow;

use super::{EVER, write_events};
use crate::input::{Decoded, Decoder, Format, Options};
use crate::model::{Event, Millis, Usd};
use crate::query::events::{Wanted, each};
use crate::render::native;
use crate::render::sheet::Sheet;
use crate::store::testing::{Temporary, append, empty, history, told, witness::BEGINNING};
use crate::store::{Dedupe, Order, StoreError};
use proptest::prelude::*;

/// Texts that an export must carry unharmed.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,12}",
        "[a-z\"\\\\,;\n\r\t'=+@\u{1b}\u{202e}]{1,12}",
        "[ ]{1,3}x"
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "req_[0-9a-f]{24}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9]{1,20}",
        hostile()
    ]
}

prop_compose! {
    /// An event as ingest could have made it.
    fn event()(
        mut event in history::event(),
        late in 0..5_000_i64,
        id in prop::option::of(id()),
        texts in prop::collection::vec(prop::option::of(hostile()), 5),
        metadata in prop::option::of(prop::collection::hash_map(hostile(), hostile(), 1..3)),
        numbers in prop::option::of((0..i64::MAX, 0..i64::MAX, 0..Millis::DAY)),
    ) -> Event<'static> {
        event.at = Millis(BEGINNING + late);
        event.id = id.map(Into::into);
        let mut texts = texts.into_iter().map(|text| text.map(Into::into));
        for field in [&mut event.error_message, &mut event.request_id, &mut event.limit_key,
            &mut event.tools, &mut event.labels.endpoint] {
            *field = texts.next().flatten();
        }
        event.metadata = metadata.map(|m| serde_json::to_string(&m).unwrap().into());
        if let Some((remaining, limit, reset)) = numbers {
            event.limit_remaining = Some(remaining);
            event.limit_max = Some(limit);
            event.limit_reset = Some(Millis(BEGINNING + reset));
        }
        for us in [&mut event.latency_us, &mut event.ttft_us].into_iter().flatten() {
            *us %= 86_400_000_000;
        }
        for cost in [&mut event.cost_reported, &mut event.cost_computed, &mut event.saved_cost].into_iter().flatten() {
            *cost = Usd(cost.0 % (10_000 * Usd::NANO));
        }
        event.labels.status_code = event.labels.status_code.map(|code| code % 1_000);
        if let Some(tokens) = &mut event.tokens && tokens.output_total() > i64::MAX as u128 {
            tokens.output = 0;
        }
        event.total_told = event.total_told.filter(|told| event.tokens.is_some_and(|t| t.total() != u128::from(*told)));
        event
    }
}

/// The events of an export, read as ingest reads them.
fn read_back(export: &[u8], format: Format) -> Vec<Event<'static>> {
    let mut decoder = Decoder::new(format, Options::new(Millis(BEGINNING + Millis::DAY))).unwrap();
    let mut lines = crate::input::Lines::new(
        Box::new(std::io::Cursor::new(export.to_vec())),
        format,
        crate::input::MAX_LINE,
    );
    let mut events = Vec::new();
    while let Some(chunk) = lines.next_chunk().unwrap() {
        for line in chunk {
            let crate::input::Body::Whole(bytes) = line.body else {
                panic!("too long")
            };
            let bytes: &'static [u8] = bytes.to_vec().leak();
            match decoder.decode(bytes).unwrap() {
                Decoded::Event(event) => events.push(event),
                Decoded::Header => {}
                Decoded::Rejected(reject) => {
                    panic!("{reject}: {}", String::from_utf8_lossy(bytes))
                }
            }
        }
    }
    events
}

fn exported(temporary: &mut Temporary, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sheet = match format {
        Format::Jsonl => Sheet::lines(&mut out, false),
        Format::Csv => Sheet::csv(&mut out, native::names()).unwrap(),
    };
    let write =
        |txn: &crate::store::Txn<'_>| write_events(txn, &Wanted::default(), EVER, &mut sheet);
    temporary.store.read(write).unwrap();
    sheet.finish().unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_export_that_is_read_back_makes_an_equal_store(
        events in prop::collection::vec(event(), 1..30), content_too in any::<bool>(),
    ) {
        let dedupe = if content_too { Dedupe::Content } else { Dedupe::TimeId };
        for format in [Format::Jsonl, Format::Csv] {
            let (mut from, mut into) = (empty(), empty());
            append(&mut from.store, &events, dedupe, false);
            let export = exported(&mut from, format);
            let read = read_back(&export, format);
            append(&mut into.store, &read, Dedupe::TimeId, false);
            prop_assert_eq!(told(&into.store), told(&from.store));
            prop_assert_eq!(exported(&mut into, format), export);
        }
    }
}

#[test]
fn an_event_without_an_id_comes_from_an_export_once() {
    let mut from = empty();
    let nameless = Event::new(
        Millis(BEGINNING),
        crate::model::Signal::Request { success: true },
    );
    append(
        &mut from.store,
        &[nameless.clone(), nameless],
        Dedupe::TimeId,
        false,
    );
    let export = exported(&mut from, Format::Jsonl);
    let read = read_back(&export, Format::Jsonl);
    let mut into = empty();
    for _ in 0..2 {
        append(&mut into.store, &read, Dedupe::TimeId, false);
    }
    let mut count = 0;
    let counted = into.store.read(|txn| {
        each(
            txn,
            &Wanted::default(),
            EVER,
            Order::Ascending,
            None,
            |_| {
                count += 1;
                Ok::<_, StoreError>(ControlFlow::Continue(()))
            },
        )
    });
    counted.unwrap();
    assert_eq!(count, 2);
}
