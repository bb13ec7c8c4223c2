//! A line of JSON: it is an event or is refused, never a panic, and the habit that
//! a decoder forms on one line changes nothing about the next.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obs::input::{Decoder, Format, Options};
use obs::model::Millis;

/// 2026-03-01T12:00:00Z.
const NOW: Millis = Millis(1_772_366_400_000);

fn decoder() -> Decoder {
    Decoder::new(Format::Jsonl, Options::new(NOW)).expect("the native format needs no mapping")
}

fuzz_target!(|lines: &[u8]| {
    let mut used = decoder();
    for line in lines.split(|byte| *byte == b'\n') {
        let habitual = used.decode(line).expect("a bad line is no error");
        let mut new = decoder();
        let fresh = new.decode(line).expect("a bad line is no error");
        assert_eq!(habitual, fresh);
    }
});
