//! What one line says, field by field, before it is known to make sense.
//!
//! JSON lines and CSV records both fill a [`Draft`]; only their values are
//! written differently, and only this file knows how to read each kind.

use std::borrow::Cow;

use super::field::{Field, Names, Spelling};
use super::json::Json;
use super::number::{Decimal, Round};
use super::reject::{Reject, shown};
use crate::model::Usd;

/// The longest label, id or name, in bytes.
const MAX_LABEL: usize = 4_096;
/// The longest latency: 24 h in microseconds.
const MAX_LATENCY_US: i64 = 24 * 3_600 * 1_000_000;
/// The largest cost of one event.
pub(super) const MAX_COST: Usd = Usd::dollars(10_000);

/// The value of a field as it is written, from the line (`'a`) or the settings (`'d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'d, 'a> {
    /// Nothing.
    Absent,
    /// A JSON value.
    Json(Json<'a>),
    /// The text of a CSV cell.
    Cell(&'a str),
    /// The text of a CSV cell in which quotes are still doubled.
    Quoted(&'a str),
    /// A text from `--set`.
    Set(&'d str),
}

impl<'a> Value<'_, 'a> {
    /// Whether it says nothing: JSON's `null` and an empty cell do not.
    pub(super) fn is_nothing(self) -> bool {
        match self {
            Value::Absent => true,
            Value::Json(json) => json == Json::Null,
            Value::Cell(text) | Value::Quoted(text) => text.is_empty(),
            Value::Set(text) => text.is_empty(),
        }
    }

    /// The text of a cell or of a JSON string; `None` for other JSON.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Value::Absent => None,
            Value::Json(json) => json.text(),
            Value::Cell(text) => Some(Cow::Borrowed(text)),
            Value::Quoted(text) => Some(Cow::Owned(text.replace("\"\"", "\""))),
            Value::Set(text) => Some(Cow::Owned(text.to_owned())),
        }
    }

    fn shown(self) -> String {
        match self {
            Value::Absent => String::from("nothing"),
            Value::Json(json) => shown(&json.written()),
            Value::Cell(text) | Value::Quoted(text) => format!("\"{}\"", shown(text)),
            Value::Set(text) => format!("\"{}\"", shown(text)),
        }
    }
}

/// The values that one line gives to the fields, and all else that it holds.
pub(super) struct Draft<'d, 'a: 'd> {
    names: &'d Names,
    values: [Value<'d, 'a>; Field::COUNT],
    spellings: [Option<Spelling>; Field::COUNT],
    /// One bit for each spelling that has come.
    seen: [u64; 4],
    others: Vec<(Cow<'d, str>, Value<'d, 'a>)>,
}

impl<'d, 'a> Draft<'d, 'a> {
    /// A draft that says what `--set` says.
    pub(super) fn new(names: &'d Names, set: &'d [(Field, Box<str>)]) -> Self {
        let mut values = [Value::Absent; Field::COUNT];
        for (field, text) in set {
            values[*field as usize] = Value::Set(text);
        }
        Draft {
            names,
            values,
            spellings: [None; Field::COUNT],
            seen: [0; 4],
            others: Vec::new(),
        }
    }

    /// Gives a field its value.
    ///
    /// # Errors
    /// When it has one already, or the same key comes again.
    pub(super) fn put(
        &mut self,
        field: Field,
        spelling: Spelling,
        value: Value<'d, 'a>,
    ) -> Result<(), Reject> {
        let bit = 1 << (spelling % 64);
        let seen = &mut self.seen[usize::from(spelling / 64)];
        if *seen & bit != 0 {
            let name = self.names.spelling(spelling);
            return Err(twice(name, name));
        }
        *seen |= bit;
        if value.is_nothing() {
            return Ok(());
        }
        if self.has(field) {
            return Err(twice(self.name(field), self.names.spelling(spelling)));
        }
        self.values[field as usize] = value;
        self.spellings[field as usize] = Some(spelling);
        Ok(())
    }

    /// Keeps something that is no field.
    pub(super) fn put_other(&mut self, name: Cow<'d, str>, value: Value<'d, 'a>) {
        self.others.push((name, value));
    }

    /// Turns a field that means nothing for this event into something that is no field.
    pub(super) fn set_aside(&mut self, field: Field) {
        if let (true, Some(spelling)) = (self.has(field), self.spellings[field as usize]) {
            let name = Cow::Borrowed(self.names.spelling(spelling));
            let value = std::mem::replace(&mut self.values[field as usize], Value::Absent);
            self.put_other(name, value);
        }
    }

    /// What is no field, in the order in which it came.
    ///
    /// # Errors
    /// When a name comes twice.
    pub(super) fn others(&self) -> Result<&[(Cow<'d, str>, Value<'d, 'a>)], Reject> {
        if self.others.len() > 1 {
            let mut names: Vec<&str> = self.others.iter().map(|(name, _)| &**name).collect();
            names.sort_unstable();
            if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(twice(pair[0], pair[1]));
            }
        }
        Ok(&self.others)
    }

    /// Whether the field has a value.
    pub(super) fn has(&self, field: Field) -> bool {
        self.value(field) != Value::Absent
    }

    /// The field's value as it is written.
    pub(super) fn value(&self, field: Field) -> Value<'d, 'a> {
        self.values[field as usize]
    }

    /// The field's name as the line spells it.
    pub(super) fn name(&self, field: Field) -> &'d str {
        self.spellings[field as usize].map_or(field.name(), |s| self.names.spelling(s))
    }

    /// A text of any length; an empty one is none.
    #[inline]
    pub(super) fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.told(field, Self::read_text)
    }

    /// A text by which events are grouped or found.
    #[inline]
    pub(super) fn label(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.told(field, Self::read_label)
    }

    /// A label that senders also write as a whole number.
    #[inline]
    pub(super) fn id(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.told(field, Self::read_id)
    }

    /// A text, or an array as it is written.
    #[inline]
    pub(super) fn text_or_array(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.told(field, |draft, field| match draft.value(field) {
            Value::Json(Json::Array(text)) => Ok(Some(Cow::Borrowed(text))),
            value => draft.text_of(field, value, "a text or an array"),
        })
    }

    /// A text or the text of a number, as moments are written.
    #[inline]
    pub(super) fn moment(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.told(field, |draft, field| match draft.value(field) {
            Value::Json(Json::Number(text)) => Ok(Some(Cow::Borrowed(text))),
            value => draft.text_of(field, value, "a time"),
        })
    }

    /// True or false; 1 and 0 mean the same, and in cells other ways of writing it.
    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Reject> {
        let word = match self.value(field) {
            Value::Absent => return Ok(None),
            Value::Json(Json::Bool(flag)) => return Ok(Some(flag)),
            Value::Json(Json::Number(text)) => text,
            Value::Json(_) => "",
            Value::Cell(text) | Value::Quoted(text) => text,
            Value::Set(text) => text,
        };
        match word {
            "1" | "true" | "True" | "TRUE" => Ok(Some(true)),
            "0" | "false" | "False" | "FALSE" => Ok(Some(false)),
            _ => Err(self.mismatch(field, "true or false")),
        }
    }

    /// A whole number that is not negative.
    #[inline]
    pub(super) fn whole(&self, field: Field) -> Result<Option<i64>, Reject> {
        self.told(field, Self::read_whole)
    }

    /// A count of tokens.
    #[inline]
    pub(super) fn count(&self, field: Field) -> Result<Option<u64>, Reject> {
        Ok(self.whole(field)?.map(i64::unsigned_abs))
    }

    /// Milliseconds of at most a day, in microseconds.
    #[inline]
    pub(super) fn micros(&self, field: Field) -> Result<Option<i64>, Reject> {
        self.told(field, Self::read_micros)
    }

    /// An amount of at most $10,000, rounded as [`Usd::parse`] rounds it.
    #[inline]
    pub(super) fn usd(&self, field: Field) -> Result<Option<Usd>, Reject> {
        self.told(field, Self::read_usd)
    }

    /// Reads a field that has a value. Most fields of a line have none, so this
    /// is seen first and in place.
    #[inline]
    fn told<T>(
        &self,
        field: Field,
        read: impl FnOnce(&Self, Field) -> Result<Option<T>, Reject>,
    ) -> Result<Option<T>, Reject> {
        match self.has(field) {
            true => read(self, field),
            false => Ok(None),
        }
    }

    fn text_of(
        &self,
        field: Field,
        value: Value<'d, 'a>,
        expected: &'static str,
    ) -> Result<Option<Cow<'a, str>>, Reject> {
        match value.text() {
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => Err(self.mismatch(field, expected)),
        }
    }

    fn read_text(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        self.text_of(field, self.value(field), "a text")
    }

    fn read_label(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        let text = self.read_text(field)?;
        match &text {
            Some(label) if label.len() > MAX_LABEL => Err(self.too_long(field, label)),
            Some(_) | None => Ok(text),
        }
    }

    fn read_id(&self, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
        let Value::Json(Json::Number(number)) = self.value(field) else {
            return self.read_label(field);
        };
        let digits = number.strip_prefix('-').unwrap_or(number);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.mismatch(field, "a text or a whole number"));
        }
        match digits.len() <= MAX_LABEL {
            true => Ok(Some(Cow::Borrowed(number))),
            false => Err(self.too_long(field, number)),
        }
    }

    fn read_whole(&self, field: Field) -> Result<Option<i64>, Reject> {
        let number = self.number(field)?;
        match number.whole() {
            Some(whole) => Ok(Some(whole)),
            None if number.scaled(0, Round::Floor).is_none() => {
                Err(self.out_of_range(field, "at most 9223372036854775807"))
            }
            None => Err(self.mismatch(field, "a whole number")),
        }
    }

    fn read_micros(&self, field: Field) -> Result<Option<i64>, Reject> {
        match self.number(field)?.scaled(3, Round::HalfEven) {
            Some(us) if us <= MAX_LATENCY_US => Ok(Some(us)),
            Some(_) | None => Err(self.out_of_range(field, "at most 24 h (86400000 ms)")),
        }
    }

    fn read_usd(&self, field: Field) -> Result<Option<Usd>, Reject> {
        let nano = self.number(field)?.scaled(9, Round::HalfEven);
        match nano.map(|nano| Usd(nano.into())) {
            Some(amount) if amount <= MAX_COST => Ok(Some(amount)),
            Some(_) | None => Err(self.out_of_range(field, "at most $10,000")),
        }
    }

    /// A number that is not negative.
    fn number(&self, field: Field) -> Result<Decimal, Reject> {
        let number = match self.value(field) {
            Value::Absent => None,
            Value::Json(Json::Number(text)) => Decimal::parse(text),
            Value::Json(_) => None,
            Value::Cell(text) | Value::Quoted(text) => Decimal::parse(text.trim_ascii()),
            Value::Set(text) => Decimal::parse(text.trim_ascii()),
        };
        match number {
            Some(number) if number.is_negative() => {
                Err(self.out_of_range(field, "no negative number"))
            }
            Some(number) => Ok(number),
            None => Err(self.mismatch(field, "a number")),
        }
    }

    fn too_long(&self, field: Field, text: &str) -> Reject {
        Reject::TextTooLong {
            field: self.name(field).to_owned(),
            bytes: text.len(),
            limit: MAX_LABEL,
        }
    }

    /// The refusal of a value of the wrong kind.
    pub(super) fn mismatch(&self, field: Field, expected: &'static str) -> Reject {
        Reject::TypeMismatch {
            field: self.name(field).to_owned(),
            expected,
            found: self.shown(field),
        }
    }

    /// The value as messages show it.
    pub(super) fn shown(&self, field: Field) -> String {
        self.value(field).shown()
    }

    /// The refusal of a number that nobody would believe.
    pub(super) fn out_of_range(&self, field: Field, expected: &'static str) -> Reject {
        Reject::OutOfRange {
            field: self.name(field).to_owned(),
            expected,
            found: self.shown(field),
        }
    }
}

fn twice(first: &str, second: &str) -> Reject {
    Reject::DuplicateKey {
        first: shown(first),
        second: shown(second),
    }
}
