//! A table under a header, and how it is mapped: the first line holds the rules,
//! parted by semicolons (`+field=value` sets, `field=column` maps), the rest is CSV.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obs::input::{Body, Decoder, Format, Lines, Mapping, Options};
use obs::model::Millis;

/// 2026-03-01T12:00:00Z.
const NOW: Millis = Millis(1_772_366_400_000);

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let rules = parts.next().and_then(|rules| str::from_utf8(rules).ok());
    let (Some(rules), Some(table)) = (rules, parts.next()) else {
        return;
    };
    let mut mapping = Mapping::default();
    for rule in rules.split(';') {
        // A rule that is refused is not part of the mapping.
        let _ = match rule.strip_prefix('+') {
            Some(rule) => mapping.set(rule),
            None => mapping.map(rule),
        };
    }
    let options = Options {
        mapping,
        default_to_now: true,
        ..Options::new(NOW)
    };
    let Ok(mut decoder) = Decoder::new(Format::Csv, options) else {
        return;
    };
    let mut lines = Lines::new(table, Format::Csv, 4_096);
    while let Some(chunk) = lines.next_chunk().expect("bytes can be read") {
        for line in chunk {
            if let Body::Whole(record) = line.body
                && decoder.decode(record).is_err()
            {
                return;
            }
        }
    }
});
