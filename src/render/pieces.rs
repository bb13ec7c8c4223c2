//! An answer written while it is found, for answers that may be larger than memory.
//!
//! A table fits its columns to all rows, so that the rows of the two forms of tables
//! are kept until the end; the others go out as they come.

use std::io::{BufWriter, Write};
use std::mem;

use super::answer::View;
use super::{Answer, Cell, Format, RenderError, Style, csv, json, tsv, write};

/// An answer that is being written.
pub struct Pieces<'a> {
    out: BufWriter<&'a mut dyn Write>,
    style: Style,
    answer: Answer,
    begun: bool,
}

impl<'a> Pieces<'a> {
    /// Begins an answer; rows that it has already count.
    ///
    /// # Errors
    /// [`RenderError::UnknownField`]; nothing is written yet.
    pub fn of(
        out: &'a mut dyn Write,
        answer: Answer,
        style: &Style,
    ) -> Result<Pieces<'a>, RenderError> {
        View::of(&answer, style.fields.as_deref())?;
        Ok(Pieces {
            out: BufWriter::new(out),
            style: style.clone(),
            answer,
            begun: false,
        })
    }

    /// Whether rows are kept until the end.
    pub fn keeps_rows(&self) -> bool {
        matches!(self.style.format, Format::Table | Format::Md)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`RenderError::Io`] when the output fails, a closed pipe included.
    pub fn push(&mut self, rows: Vec<Vec<Cell>>) -> Result<(), RenderError> {
        self.answer.rows.extend(rows);
        if self.answer.rows.is_empty() || self.keeps_rows() {
            return Ok(());
        }
        self.write_piece()?;
        self.answer.rows.clear();
        Ok(())
    }

    /// Ends the answer, with remarks that belong to it.
    ///
    /// # Errors
    /// As [`Pieces::push`].
    pub fn end(mut self, notes: Vec<String>) -> Result<(), RenderError> {
        self.answer.notes.extend(notes);
        if self.keeps_rows() {
            write(&mut self.out, &self.answer, &self.style)?;
        } else {
            let without_rows = !self.begun;
            if !self.begun {
                self.write_piece()?;
            }
            if self.style.format == Format::Json {
                json::end(&mut self.out, &self.answer, without_rows)?;
            }
        }
        Ok(self.out.flush()?)
    }

    fn write_piece(&mut self) -> Result<(), RenderError> {
        let first = !mem::replace(&mut self.begun, true);
        let view = View::of(&self.answer, self.style.fields.as_deref())?;
        let out = &mut self.out;
        match self.style.format {
            Format::Table | Format::Md => {}
            Format::Json => {
                if first {
                    json::begin(out, &self.answer, &self.style)?;
                }
                json::write_rows(out, &view, first)?;
            }
            Format::Jsonl => json::write_lines(out, &view)?,
            Format::Csv => csv::write(out, &view, &self.style)?,
            Format::Tsv => tsv::write(out, &view, &self.style)?,
        }
        // The names of the columns stand before the first row only.
        self.style.header = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;
    use crate::render::Column;

    #[test]
    fn in_pieces_or_at_once_an_answer_is_the_same() {
        let row = |n| vec![Cell::Int(n), Cell::text(format!("text {n}"))];
        let columns = ["n", "text"].map(|name| Column::new(name, name));
        for format in Format::ALL {
            for count in [0, 1, 5] {
                let style = Style::new(format, Millis(0));
                let mut answer = Answer::new("obs.test/v1", columns.to_vec());
                let (mut at_once, mut in_pieces) = (Vec::new(), Vec::new());
                let mut pieces = Pieces::of(&mut in_pieces, answer.clone(), &style).unwrap();
                answer.rows = (0..count).map(row).collect();
                answer.notes.push("a note".into());
                for rows in answer.rows.chunks(2) {
                    pieces.push(rows.to_vec()).unwrap();
                }
                pieces.end(vec!["a note".into()]).unwrap();
                write(&mut at_once, &answer, &style).unwrap();
                let [at_once, in_pieces] = [at_once, in_pieces].map(String::from_utf8);
                assert_eq!(in_pieces, at_once, "{format:?}");
            }
        }
    }
}
