//! Events made ready for the store by another thread than the one that writes.
//!
//! A [`Packer`] turns texts into small numbers (symbols) without asking the
//! store; the writer learns each new symbol once and knows the store's own
//! number for it from then on. Memory is bounded: a dictionary that grows past
//! its limit starts afresh. No SQL is spoken here.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_64;

use super::DeadLetter;
use super::columns::tier_number;
use super::identity::{Dedupe, Origin, identity};
use crate::model::{Event, Labels, ServiceTier, Signal, Usd};

/// Symbols in a dictionary before it starts afresh: beyond some ten thousand,
/// texts are as a rule session ids that never come back.
const DICTIONARY: usize = 50_000;
/// Metadata texts remembered as seen once, and the longest that is worth a number.
const SEEN: usize = 8_192;
const REPEATING_METADATA: usize = 512;
/// Hex digits from which on an id is stored as bytes, and the most of them.
const HEX_DIGITS: std::ops::RangeInclusive<usize> = 16..=48;
/// The longest text before those digits.
const ID_PREFIX: usize = 24;

/// A number for a text, given out by a [`Packer`]; 0 stands for no text.
pub(super) type Symbol = u32;

/// The labels of a series, as symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SymbolicLabels {
    pub provider: Symbol,
    pub model: Symbol,
    pub role: Symbol,
    pub project: Symbol,
    pub endpoint: Symbol,
    pub error_type: Symbol,
    pub limit_type: Symbol,
    pub status_code: Option<u16>,
}

/// Prepared events and refused lines, in the order of the input.
#[derive(Debug, Default)]
pub struct Pack {
    pub(super) rows: Vec<Row>,
    pub(super) letters: Vec<DeadLetter>,
    /// Texts of the symbols that are new, in the order of their numbers.
    pub(super) names: Vec<Box<str>>,
    pub(super) series: Vec<SymbolicLabels>,
    /// The dictionary started afresh with this pack.
    pub(super) afresh: bool,
    /// Lines that may turn out too old when they are written.
    pub(super) lines: Vec<u8>,
}

impl Pack {
    /// How many lines it stands for.
    pub fn len(&self) -> usize {
        self.rows.len() + self.letters.len()
    }

    /// Whether it stands for no line.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.letters.is_empty()
    }

    /// The lines that were refused before they reached the store.
    pub fn letters(&self) -> &[DeadLetter] {
        &self.letters
    }
}

/// One event as the store keeps it.
#[derive(Debug)]
pub(super) struct Row {
    pub at: i64,
    pub h: i64,
    pub signal: Signal,
    pub series: u32,
    pub user: Symbol,
    pub session: Symbol,
    pub metadata: Metadata,
    pub id: Id,
    pub latency_us: Option<i64>,
    pub input_uncached: Option<i64>,
    pub output: Option<i64>,
    pub cost_reported: Option<i64>,
    pub cost_computed: Option<i64>,
    pub rare: Option<Box<Rare>>,
    pub line: u64,
    pub byte_offset: u64,
    /// Its place in [`Pack::lines`]; empty when it is too young to be refused there.
    pub text: std::ops::Range<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Metadata {
    Absent,
    Repeating(Symbol),
    Inline(Box<str>),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Id {
    Absent,
    /// `prefix` and then the bytes in hexadecimal, as a UUID or in one run.
    Hex {
        prefix: Symbol,
        uuid: bool,
        len: u8,
        bytes: [u8; 24],
    },
    Text(Box<str>),
}

/// What few events carry.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub cache_read: Option<i64>,
    pub ttft_us: Option<i64>,
    pub reasoning: Option<i64>,
    pub cache_write_5m: Option<i64>,
    pub cache_write_1h: Option<i64>,
    pub error_message: Option<Box<str>>,
    pub request_id: Option<Box<str>>,
    pub saved_tokens: Option<i64>,
    pub saved_cost: Option<i64>,
    pub limit_remaining: Option<i64>,
    pub limit_max: Option<i64>,
    pub limit_reset_ms: Option<i64>,
    pub limit_key: Symbol,
    pub tools: Symbol,
    pub audio_input: Option<i64>,
    pub audio_output: Option<i64>,
    pub image_input: Option<i64>,
    pub unclassified: Option<i64>,
    pub total_told: Option<i64>,
    pub service_tier: Option<i64>,
}

/// Prepares events on the reading side.
pub struct Packer {
    dedupe: Dedupe,
    /// Events before this may be refused by the writer; their lines are kept until then.
    keep_before_ms: i64,
    pack: Pack,
    names: FxHashMap<Box<str>, Symbol>,
    series: FxHashMap<Box<[u8]>, u32>,
    seen: FxHashSet<u64>,
    scratch: Vec<u8>,
}

impl Packer {
    /// A packer for one input.
    pub fn new(dedupe: Dedupe, keep_before_ms: i64) -> Packer {
        Packer {
            dedupe,
            keep_before_ms,
            pack: Pack {
                afresh: true,
                ..Pack::default()
            },
            names: FxHashMap::default(),
            series: FxHashMap::default(),
            seen: FxHashSet::default(),
            scratch: Vec::new(),
        }
    }

    /// Lines in the pack so far.
    pub fn len(&self) -> usize {
        self.pack.len()
    }

    /// Whether nothing was added since the last [`Packer::take`].
    pub fn is_empty(&self) -> bool {
        self.pack.is_empty()
    }

    /// Adds an event.
    pub fn add(&mut self, event: &Event<'_>, origin: Origin<'_>) {
        let start = self.pack.lines.len() as u32;
        if event.at.0 < self.keep_before_ms {
            self.pack.lines.extend_from_slice(origin.bytes);
        }
        let row = Row {
            at: event.at.0,
            h: identity(event, self.dedupe, &origin),
            signal: event.signal,
            series: self.series(&event.labels),
            user: self.symbol(event.user.as_ref()),
            session: self.symbol(event.session.as_ref()),
            metadata: self.metadata(event.metadata.as_ref()),
            id: self.id(event.id.as_ref()),
            latency_us: event.latency_us,
            input_uncached: event.tokens.map(|t| t.input_uncached as i64),
            output: event.tokens.map(|t| t.output as i64),
            cost_reported: event.cost_reported.map(nano),
            cost_computed: event.cost_computed.map(nano),
            rare: self.rare(event),
            line: origin.line,
            byte_offset: origin.byte_offset,
            text: start..self.pack.lines.len() as u32,
        };
        self.pack.rows.push(row);
    }

    /// Adds a line that could not be read.
    pub fn bury(&mut self, letter: DeadLetter) {
        self.pack.letters.push(letter);
    }

    /// What was added since the last time.
    pub fn take(&mut self) -> Pack {
        let afresh = self.names.len() > DICTIONARY || self.series.len() > DICTIONARY;
        if afresh {
            self.names.clear();
            self.series.clear();
        }
        let capacity = self.pack.rows.len();
        let next = Pack {
            afresh,
            rows: Vec::with_capacity(capacity),
            ..Pack::default()
        };
        std::mem::replace(&mut self.pack, next)
    }

    fn symbol(&mut self, text: Option<&Cow<'_, str>>) -> Symbol {
        text.map_or(0, |text| self.symbol_of(text))
    }

    fn symbol_of(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.names.get(text) {
            return *symbol;
        }
        let symbol = self.names.len() as Symbol + 1;
        self.names.insert(text.into(), symbol);
        self.pack.names.push(text.into());
        symbol
    }

    fn series(&mut self, labels: &Labels<'_>) -> u32 {
        let Labels {
            provider,
            model,
            role,
            project,
            endpoint,
            error_type,
            limit_type,
            status_code,
        } = labels;
        let texts = [
            provider, model, role, project, endpoint, error_type, limit_type,
        ];
        self.scratch.clear();
        for text in texts {
            let text = text.as_deref().unwrap_or_default();
            self.scratch
                .extend_from_slice(&(text.len() as u32).to_le_bytes());
            self.scratch.extend_from_slice(text.as_bytes());
        }
        self.scratch
            .extend_from_slice(&status_code.map_or(-1, i32::from).to_le_bytes());
        if let Some(series) = self.series.get(self.scratch.as_slice()) {
            return *series;
        }
        let series = self.series.len() as u32;
        self.series.insert(self.scratch.as_slice().into(), series);
        let [
            provider,
            model,
            role,
            project,
            endpoint,
            error_type,
            limit_type,
        ] = texts.map(|text| self.symbol(text.as_ref()));
        self.pack.series.push(SymbolicLabels {
            provider,
            model,
            role,
            project,
            endpoint,
            error_type,
            limit_type,
            status_code: *status_code,
        });
        series
    }

    /// A number when this text came before, not long ago; else the text itself.
    fn metadata(&mut self, text: Option<&Cow<'_, str>>) -> Metadata {
        let Some(text) = text else {
            return Metadata::Absent;
        };
        if text.len() > REPEATING_METADATA {
            return Metadata::Inline(text.as_ref().into());
        }
        if let Some(symbol) = self.names.get(text.as_ref()) {
            return Metadata::Repeating(*symbol);
        }
        let hash = xxh3_64(text.as_bytes());
        if self.seen.contains(&hash) {
            return Metadata::Repeating(self.symbol_of(text));
        }
        if self.seen.len() >= SEEN {
            self.seen.clear();
        }
        self.seen.insert(hash);
        Metadata::Inline(text.as_ref().into())
    }

    fn id(&mut self, id: Option<&Cow<'_, str>>) -> Id {
        let Some(id) = id else { return Id::Absent };
        match hex_tail(id) {
            Some(HexTail {
                prefix,
                uuid,
                len,
                bytes,
            }) => Id::Hex {
                prefix: self.symbol_of(prefix),
                uuid,
                len,
                bytes,
            },
            None => Id::Text(id.as_ref().into()),
        }
    }

    fn rare(&mut self, event: &Event<'_>) -> Option<Box<Rare>> {
        let tokens = event.tokens.unwrap_or_default();
        let some = |n: u64| (n > 0).then_some(n as i64);
        let is_plain = event.ttft_us.is_none()
            && event.error_message.is_none()
            && event.request_id.is_none()
            && event.saved_tokens.is_none()
            && event.saved_cost.is_none()
            && event.limit_remaining.is_none()
            && event.limit_max.is_none()
            && event.limit_reset.is_none()
            && event.limit_key.is_none()
            && event.tools.is_none()
            && event.total_told.is_none()
            && event.service_tier == ServiceTier::Standard
            && tokens.total() == u128::from(tokens.input_uncached) + u128::from(tokens.output);
        if is_plain {
            return None;
        }
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(Box::from);
        Some(Box::new(Rare {
            cache_read: some(tokens.cache_read),
            ttft_us: event.ttft_us,
            reasoning: some(tokens.reasoning),
            cache_write_5m: some(tokens.cache_write_5m),
            cache_write_1h: some(tokens.cache_write_1h),
            error_message: owned(&event.error_message),
            request_id: owned(&event.request_id),
            saved_tokens: event.saved_tokens.map(|n| n as i64),
            saved_cost: event.saved_cost.map(nano),
            limit_remaining: event.limit_remaining,
            limit_max: event.limit_max,
            limit_reset_ms: event.limit_reset.map(|at| at.0),
            limit_key: self.symbol(event.limit_key.as_ref()),
            tools: self.symbol(event.tools.as_ref()),
            audio_input: some(tokens.audio_input),
            audio_output: some(tokens.audio_output),
            image_input: some(tokens.image_input),
            unclassified: some(tokens.unclassified),
            total_told: event.total_told.map(|n| n as i64),
            service_tier: tier_number(event.service_tier),
        }))
    }
}

impl Row {
    /// All tokens, by which two versions of one answer are compared.
    pub(super) fn total_tokens(&self) -> i128 {
        let rare = self.rare.as_deref();
        let of = |field: fn(&Rare) -> Option<i64>| rare.and_then(field);
        [
            self.input_uncached,
            self.output,
            of(|r| r.cache_read),
            of(|r| r.cache_write_5m),
            of(|r| r.cache_write_1h),
            of(|r| r.reasoning),
            of(|r| r.audio_input),
            of(|r| r.audio_output),
            of(|r| r.image_input),
            of(|r| r.unclassified),
        ]
        .into_iter()
        .flatten()
        .map(i128::from)
        .sum()
    }
}

/// The decoder caps a single amount far below what 64 bits hold.
fn nano(amount: Usd) -> i64 {
    amount.0 as i64
}

struct HexTail<'a> {
    prefix: &'a str,
    uuid: bool,
    len: u8,
    bytes: [u8; 24],
}

/// Splits an id such as `req_3f5a…` or `chatcmpl-dd53ff35-…` into a prefix that
/// many ids share and its hexadecimal rest, if it has that form.
fn hex_tail(id: &str) -> Option<HexTail<'_>> {
    uuid_tail(id).or_else(|| run_tail(id))
}

fn uuid_tail(id: &str) -> Option<HexTail<'_>> {
    let start = id.len().checked_sub(36)?;
    let (prefix, tail) = (id.get(..start)?, id.get(start..)?.as_bytes());
    let dashes = [8, 13, 18, 23];
    if !dashes.iter().all(|i| tail[*i] == b'-') {
        return None;
    }
    let digits = tail
        .iter()
        .enumerate()
        .filter(|(i, _)| !dashes.contains(i))
        .map(|(_, b)| *b);
    Some(HexTail {
        prefix: shared_prefix(prefix)?,
        uuid: true,
        len: 16,
        bytes: from_hex(digits)?,
    })
}

fn run_tail(id: &str) -> Option<HexTail<'_>> {
    let run = id
        .bytes()
        .rev()
        .take_while(|b| hex_digit(*b).is_some())
        .count();
    let digits = run - run % 2;
    if !HEX_DIGITS.contains(&digits) {
        return None;
    }
    let (prefix, tail) = id.split_at(id.len() - digits);
    let bytes = from_hex(tail.bytes())?;
    Some(HexTail {
        prefix: shared_prefix(prefix)?,
        uuid: false,
        len: (digits / 2) as u8,
        bytes,
    })
}

/// A prefix with a digit in it is a number that counts, not a name.
fn shared_prefix(prefix: &str) -> Option<&str> {
    (prefix.len() <= ID_PREFIX && !prefix.bytes().any(|b| b.is_ascii_digit())).then_some(prefix)
}

fn from_hex(digits: impl Iterator<Item = u8>) -> Option<[u8; 24]> {
    let mut bytes = [0; 24];
    for (i, digit) in digits.enumerate() {
        let value = hex_digit(digit)?;
        bytes[i / 2] |= if i % 2 == 0 { value << 4 } else { value };
    }
    Some(bytes)
}

/// Lower case only, so that the text comes back as it was.
fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn split(id: &str) -> Option<(&str, bool, u8)> {
        hex_tail(id).map(|t| (t.prefix, t.uuid, t.len))
    }

    #[test]
    fn ids_with_a_shared_prefix_and_hex_digits_become_bytes() {
        assert_eq!(
            split("req_5e0c0ffee0123456789abcde"),
            Some(("req_", false, 12))
        );
        assert_eq!(
            split("chatcmpl-dd53ff35-5703-4da8-a1d5-93100d21c6c4"),
            Some(("chatcmpl-", true, 16))
        );
        assert_eq!(
            split("dd53ff35-5703-4da8-a1d5-93100d21c6c4"),
            Some(("", true, 16))
        );
    }

    #[test]
    fn other_ids_stay_texts() {
        for id in [
            "",
            "1",
            "msg_01XyZabc",
            "DD53FF35-5703-4DA8-A1D5-93100D21C6C4",
            "row-17-0123456789abcdef",
            "ключ",
        ] {
            assert_eq!(split(id), None, "{id}");
        }
    }

    #[test]
    fn the_dictionary_starts_afresh_before_it_grows_without_bound() {
        let mut packer = Packer::new(Dedupe::TimeId, i64::MIN);
        let mut largest = 0;
        for n in 0..3 * DICTIONARY {
            let mut event = Event::new(crate::model::Millis(0), Signal::Request { success: true });
            event.session = Some(format!("session {n}").into());
            packer.add(
                &event,
                Origin {
                    line: 1,
                    byte_offset: 0,
                    bytes: b"",
                    place: Place::File { generation: 0 },
                },
            );
            if n % 1000 == 999 {
                packer.take();
            }
            largest = largest.max(packer.names.len());
        }
        assert!(largest <= DICTIONARY + 1000, "{largest}");
    }
}
