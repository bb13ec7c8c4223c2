//! `--since`, `--until` and `--step`: a moment that is understood lies within the
//! calendar and is printed in a form that reads back to itself.

#![no_main]

use chrono::Weekday;
use libfuzzer_sys::fuzz_target;
use obs::cli::time::{Frame, Side, parse_step, parse_time};
use obs::model::{Millis, Zone, parse_duration};

fuzz_target!(|text: &str| {
    for zone in ["UTC", "America/New_York", "Asia/Kathmandu"] {
        let frame = Frame {
            now: Millis(1_772_366_400_000),
            zone: Zone::parse(zone).expect("the zone exists"),
            week_start: Weekday::Mon,
        };
        for side in [Side::Since, Side::Until] {
            if let Ok(parsed) = parse_time(text, side, &frame) {
                let printed = parsed.at.to_string();
                let again =
                    parse_time(&printed, side, &frame).expect("what is printed can be read");
                assert_eq!(again.at, parsed.at, "{printed}");
            }
        }
    }
    let _ = parse_step(text);
    let _ = parse_duration(text);
});
