//! One CSV record into a [`Draft`], by the names in the header.
//!
//! RFC 4180: commas, quotes doubled inside quotes, line breaks inside quotes.
//! Where records end is the business of [`Lines`](super::Lines).

use std::borrow::Cow;

use super::draft::{Draft, Value};
use super::field::{Names, Part, Target};
use super::mapping::Mapping;
use super::reject::{InputError, Reject};
use crate::model::nearest;

/// The columns of an input, as its first record names them.
#[derive(Clone, Debug)]
pub(super) struct Header {
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    name: Box<str>,
    target: Option<Target>,
}

impl Header {
    /// Reads the header. A column without a name is called by its place: `column_3`.
    ///
    /// # Errors
    /// When it is no CSV record, names a column twice, or lacks one that is mapped.
    pub(super) fn read(
        record: &str,
        names: &Names,
        mapping: &Mapping,
    ) -> Result<Header, InputError> {
        let mut columns: Vec<Column> = Vec::new();
        for (place, cell) in Cells::of(record).enumerate() {
            let cell = cell.map_err(InputError::BadHeader)?.text();
            let name = match cell.unwrap_or_default().trim() {
                "" => format!("column_{}", place + 1).into_boxed_str(),
                name => Box::from(name),
            };
            let target = names.target(&name).cloned();
            columns.push(Column { name, target });
        }
        let header = Header { columns };
        header.check(mapping).map(|()| header)
    }

    fn check(&self, mapping: &Mapping) -> Result<(), InputError> {
        let mut names: Vec<&str> = self.columns.iter().map(|c| &*c.name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(InputError::ColumnTwice(pair[0].to_owned()));
        }
        let missing = mapping
            .sources()
            .iter()
            .find(|s| !names.contains(&&*s.text));
        missing.map_or(Ok(()), |source| {
            Err(InputError::NoColumn {
                name: source.text.to_string(),
                nearest: nearest(&source.text, names).map(str::to_owned),
            })
        })
    }

    /// Fills the draft from the cells of one record.
    pub(super) fn fill<'d, 'a>(
        &'d self,
        record: &'a str,
        draft: &mut Draft<'d, 'a>,
    ) -> Result<(), Reject> {
        let mut found = 0;
        for cell in Cells::of(record) {
            let cell = cell?;
            if let Some(column) = self.columns.get(found) {
                column.fill(cell, draft)?;
            }
            found += 1;
        }
        match self.columns.len() {
            expected if expected == found => Ok(()),
            expected => Err(Reject::CellCount { expected, found }),
        }
    }
}

impl Column {
    fn fill<'d, 'a>(
        &'d self,
        cell: Value<'d, 'a>,
        draft: &mut Draft<'d, 'a>,
    ) -> Result<(), Reject> {
        match &self.target {
            Some(Target::Field(field, spelling)) => draft.put(*field, *spelling, cell),
            Some(Target::Parts(parts)) => parts
                .iter()
                .try_for_each(|part: &Part| draft.put(part.field, part.spelling, cell)),
            None => {
                draft.put_other(Cow::Borrowed(&*self.name), cell);
                Ok(())
            }
        }
    }
}

/// The cells of one record, from left to right.
struct Cells<'a> {
    /// What is left of the record; `None` behind the last cell.
    rest: Option<&'a str>,
}

impl<'a> Cells<'a> {
    fn of(record: &'a str) -> Cells<'a> {
        Cells { rest: Some(record) }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<Value<'static, 'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let cell = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside),
            None => Ok(match rest.split_once(',') {
                Some((cell, rest)) => (Value::Cell(cell), Some(rest)),
                None => (Value::Cell(rest), None),
            }),
        };
        Some(cell.map(|(value, rest)| {
            self.rest = rest;
            value
        }))
    }
}

/// A cell whose first quote is taken off, and what follows its comma.
fn quoted(text: &str) -> Result<(Value<'static, '_>, Option<&str>), Reject> {
    let mut doubled = false;
    let mut from = 0;
    while let Some(found) = text[from..].find('"') {
        let end = from + found;
        let value = match doubled {
            true => Value::Quoted(&text[..end]),
            false => Value::Cell(&text[..end]),
        };
        match text.as_bytes().get(end + 1) {
            None => return Ok((value, None)),
            Some(b',') => return Ok((value, Some(&text[end + 2..]))),
            Some(b'"') => doubled = true,
            Some(_) => return Err(Reject::BadCsv("text behind a closing quote")),
        }
        from = end + 2;
    }
    Err(Reject::BadCsv("a quote that is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(record: &str) -> Result<Vec<String>, Reject> {
        let text = |cell: Result<Value<'_, '_>, Reject>| Ok(cell?.text().unwrap().into_owned());
        Cells::of(record).map(text).collect()
    }

    #[test]
    fn cells_may_hold_commas_quotes_and_line_breaks_in_quotes() {
        assert_eq!(
            cells("a,\"b, c\",\"he said \"\"no\"\"\",\"two\nlines\",,\"\"").unwrap(),
            ["a", "b, c", "he said \"no\"", "two\nlines", "", ""]
        );
        assert_eq!(cells("5\" disk").unwrap(), ["5\" disk"]);
        assert_eq!(cells("a,").unwrap(), ["a", ""]);
    }

    #[test]
    fn quotes_that_do_not_match_are_refused() {
        assert_eq!(cells("\"a").unwrap_err().code(), "bad_csv");
        assert_eq!(cells("\"a\"b,c").unwrap_err().code(), "bad_csv");
    }
}
