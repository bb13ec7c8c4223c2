//! Events to feed: plain lines of all kinds, spread over days, with every field
//! that an aggregate sums. It does not know what becomes of them.

use std::fmt::Write;

/// The moment at which the stories of survival take place.
pub const NOW: &str = "2026-03-01T12:00:00Z";
/// The same in milliseconds.
pub const NOW_MS: i64 = 1_772_366_400_000;

/// The `n`th event of a source: within the last three days, always the same.
pub fn event(source: &str, n: u64) -> String {
    let at = NOW_MS - 1 - ((n * 7_919_333) % (3 * 86_400_000)) as i64;
    let provider = ["claude", "openai", "gemini"][(n % 3) as usize];
    let head = format!(r#""id":"{source}-{n}","timestamp":{at},"provider":"{provider}""#);
    match n % 8 {
        6 => format!(
            r#"{{"type":"cache",{head},"event":"{}","savedCost":0.000{n},"savedTokens":{n}}}"#,
            ["hit", "miss", "store"][(n % 5 % 3) as usize]
        ),
        7 => format!(
            r#"{{"type":"rate_limit",{head},"event":"{}","rateLimitType":"user","key":"u{}"}}"#,
            ["allowed", "denied"][(n % 3 % 2) as usize],
            n % 11
        ),
        kind => format!(
            r#"{{"type":"request",{head},"model":"m{}","role":"r{}","user_id":"u{}","project":"p{}","session_id":"s{}","latency":{},"success":{},"input_tokens":{},"output_tokens":{},"cost":0.00{}}}"#,
            n % 4,
            n % 2,
            n % 11,
            n % 3,
            n % 50,
            50 + n * 37 % 3_000,
            kind != 5,
            100 + n % 900,
            n % 300,
            1 + n % 97,
        ),
    }
}

/// The first `many` events of a source, one a line.
pub fn events(source: &str, many: u64) -> String {
    lines((0..many).map(|n| event(source, n)))
}

/// These texts as lines.
pub fn lines<T: std::fmt::Display>(texts: impl IntoIterator<Item = T>) -> String {
    texts.into_iter().fold(String::new(), |mut all, text| {
        writeln!(all, "{text}").unwrap();
        all
    })
}

/// A request with these further fields, at so many milliseconds before now.
pub fn request(ms_ago: i64, fields: &str) -> String {
    let at = NOW_MS - ms_ago;
    format!(r#"{{"type":"request","timestamp":{at},"provider":"claude","model":"opus",{fields}}}"#)
}
