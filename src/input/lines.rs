//! Bytes to lines, in bounded memory and without waiting for more than there is.
//!
//! A line is bytes; whether they are text, and what they say, is not known here.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memchr_iter, memchr2};

use super::Format;

/// What one call of `read` may bring at most.
const CHUNK: usize = 1 << 20;
/// With less room than this behind the unfinished line, the line is moved to the
/// front of the buffer before the next read.
const ROOM: usize = 64 << 10;
/// What is kept of a line that is too long.
const HEAD: usize = 4 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One line of an input, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'c> {
    /// Its number in the input, from 1; blank lines count. A CSV record that
    /// goes over several lines has the number of the first.
    pub number: u64,
    /// Where it begins: bytes from the start of the (unpacked) input.
    pub offset: u64,
    /// What it holds.
    pub body: Body<'c>,
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'c> {
    /// All of it.
    Whole(&'c [u8]),
    /// The first 4 KiB of a line that is longer than lines may be.
    TooLong(Vec<u8>),
}

/// The lines of an input.
///
/// A byte-order mark at the start is skipped, `\r\n` ends a line like `\n`,
/// and a line of nothing but white space is none. The last line needs no end.
/// In CSV a line break inside quotes does not end a record.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    filled: usize,
    ended: bool,
    splitter: Splitter,
}

impl<R: Read> Lines<R> {
    /// The lines of `input`; one of more than `max_line` bytes is too long. Memory
    /// of about that size is taken, at least 1 MiB.
    pub fn new(input: R, format: Format, max_line: usize) -> Lines<R> {
        let size = max_line.saturating_add(ROOM).max(CHUNK);
        Lines {
            input,
            buffer: vec![0; size],
            filled: 0,
            ended: false,
            splitter: Splitter::new(format, max_line),
        }
    }

    /// The same, where `input` begins in the middle: at this offset, with this line.
    #[must_use]
    pub fn from(mut self, offset: u64, line: u64) -> Lines<R> {
        (self.splitter.offset, self.splitter.number) = (offset, line);
        self
    }

    /// What is read from. When it has no more for now, and says so by an error,
    /// the line that was begun goes on with the next read.
    pub fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// Reads once, and gives the lines that are complete by then, which may be
    /// none; `None` at the end of the input. Lines of a chunk that were not
    /// asked for come with the next.
    ///
    /// # Errors
    /// When the input cannot be read. A line that was begun is not given then.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        if !self.ended {
            self.read()?;
        } else if self.splitter.is_done(self.filled) {
            return Ok(None);
        }
        Ok(Some(Chunk {
            bytes: &self.buffer[..self.filled],
            ended: self.ended,
            splitter: &mut self.splitter,
        }))
    }

    fn read(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.filled < ROOM {
            self.buffer.copy_within(self.splitter.start..self.filled, 0);
            self.filled -= self.splitter.start;
            self.splitter.moved();
        }
        let room = &mut self.buffer[self.filled..];
        // There is none when the caller leaves lines of earlier chunks where they are.
        if !room.is_empty() {
            let read = read_once(&mut self.input, room)?;
            self.filled += read;
            self.ended = read == 0;
        }
        Ok(())
    }
}

fn read_once(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The lines that one read completed.
#[derive(Debug)]
pub struct Chunk<'c> {
    bytes: &'c [u8],
    ended: bool,
    splitter: &'c mut Splitter,
}

impl Chunk<'_> {
    /// Where the first line begins that was not given yet: its offset and its number.
    pub fn reached(&self) -> (u64, u64) {
        match &self.splitter.skipped {
            Some(skipped) => (skipped.offset, skipped.number),
            None => (self.splitter.offset, self.splitter.number),
        }
    }
}

impl<'c> Iterator for Chunk<'c> {
    type Item = Line<'c>;

    fn next(&mut self) -> Option<Line<'c>> {
        self.splitter.next(self.bytes, self.ended)
    }
}

/// Where the splitting of a buffer stands.
#[derive(Debug)]
struct Splitter {
    format: Format,
    max_line: usize,
    /// Where the line that is not complete begins in the buffer.
    start: usize,
    /// How far its end has been looked for.
    scanned: usize,
    /// Whether the scan stands inside quotes (CSV).
    quoted: bool,
    /// Where the last quote closed (CSV).
    closed: Option<usize>,
    /// The place of `start` in the input.
    offset: u64,
    /// The number of the line that begins at `start`.
    number: u64,
    /// The line that is being skipped, when it is too long.
    skipped: Option<Skipped>,
}

#[derive(Debug)]
struct Skipped {
    number: u64,
    offset: u64,
    head: Vec<u8>,
}

impl Splitter {
    fn new(format: Format, max_line: usize) -> Splitter {
        Splitter {
            format,
            max_line: max_line.max(1),
            start: 0,
            scanned: 0,
            quoted: false,
            closed: None,
            offset: 0,
            number: 1,
            skipped: None,
        }
    }

    /// The unfinished line now begins where the buffer begins.
    fn moved(&mut self) {
        self.scanned -= self.start;
        self.closed = self.closed.and_then(|at| at.checked_sub(self.start));
        self.start = 0;
    }

    fn is_done(&self, filled: usize) -> bool {
        self.start == filled && self.skipped.is_none()
    }

    fn next<'c>(&mut self, bytes: &'c [u8], ended: bool) -> Option<Line<'c>> {
        loop {
            let line = if let Some(end) = self.find_end(bytes) {
                self.take(bytes, end, end + 1)
            } else if self.skipped.is_none() && bytes.len() >= self.limit(bytes) {
                self.skip(bytes);
                None
            } else if ended && (self.start < bytes.len() || self.skipped.is_some()) {
                self.take(bytes, bytes.len(), bytes.len())
            } else {
                if self.skipped.is_some() {
                    self.advance(bytes, bytes.len());
                }
                return None;
            };
            if line.is_some() {
                return line;
            }
        }
    }

    /// Where the line must have ended: two bytes more than the longest may have,
    /// for its `\r\n`.
    fn limit(&self, bytes: &[u8]) -> usize {
        let first = self.start + self.bom(&bytes[self.start..]);
        first.saturating_add(self.max_line).saturating_add(2)
    }

    /// Where the line break is that ends the line, if it has come.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let sought = match self.skipped {
            Some(_) => bytes,
            None => &bytes[..bytes.len().min(self.limit(bytes))],
        };
        let end = match self.format {
            Format::Csv if self.skipped.is_none() => self.find_record_end(sought),
            Format::Csv | Format::Jsonl => {
                memchr(b'\n', &sought[self.scanned..]).map(|found| self.scanned + found)
            }
        };
        self.scanned = end.unwrap_or(sought.len());
        end
    }

    fn find_record_end(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            let rest = &bytes[self.scanned..];
            let found = match self.quoted {
                true => memchr(b'"', rest)?,
                false => memchr2(b'"', b'\n', rest)?,
            };
            let at = self.scanned + found;
            if bytes[at] == b'\n' {
                return Some(at);
            }
            if self.quoted {
                self.quoted = false;
                self.closed = Some(at);
            } else {
                self.quoted = self.opens(bytes, at);
            }
            self.scanned = at + 1;
        }
    }

    /// Whether a quote begins a quoted cell, or continues one as the second of
    /// two; any other is a plain character.
    fn opens(&self, bytes: &[u8], at: usize) -> bool {
        let first = self.start + self.bom(&bytes[self.start..]);
        at <= first || bytes[at - 1] == b',' || self.closed == Some(at - 1)
    }

    fn bom(&self, line: &[u8]) -> usize {
        match self.offset == 0 && line.starts_with(BOM) {
            true => BOM.len(),
            false => 0,
        }
    }

    /// Takes the line up to `end`, or the end of the line that is being skipped,
    /// and goes on at `next`. A blank line is none.
    fn take<'c>(&mut self, bytes: &'c [u8], end: usize, next: usize) -> Option<Line<'c>> {
        let text = &bytes[self.start..end];
        let bom = self.bom(text);
        let text = &text[bom..];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (number, offset) = (self.number, self.offset + bom as u64);
        self.advance(bytes, next);
        if let Some(Skipped {
            number,
            offset,
            head,
        }) = self.skipped.take()
        {
            let body = Body::TooLong(head);
            return Some(Line {
                number,
                offset,
                body,
            });
        }
        let body = match text.len() > self.max_line {
            true => Body::TooLong(self.head(text)),
            false => Body::Whole(text),
        };
        (!is_blank(text)).then_some(Line {
            number,
            offset,
            body,
        })
    }

    /// Keeps the first bytes of a line that is too long and lets go of the rest.
    fn skip(&mut self, bytes: &[u8]) {
        let bom = self.bom(&bytes[self.start..]);
        self.skipped = Some(Skipped {
            number: self.number,
            offset: self.offset + bom as u64,
            head: self.head(&bytes[self.start + bom..]),
        });
        self.advance(bytes, self.limit(bytes));
    }

    fn head(&self, line: &[u8]) -> Vec<u8> {
        line[..line.len().min(HEAD).min(self.max_line)].to_vec()
    }

    /// Goes on behind what is done with.
    fn advance(&mut self, bytes: &[u8], next: usize) {
        let done = &bytes[self.start..next];
        self.number += match self.format {
            Format::Jsonl => u64::from(done.ends_with(b"\n")),
            Format::Csv => memchr_iter(b'\n', done).count() as u64,
        };
        self.offset += done.len() as u64;
        self.start = next;
        self.scanned = next;
        self.quoted = false;
        self.closed = None;
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives at most so many bytes a read.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let many = self.1.min(room.len());
            self.0.read(&mut room[..many])
        }
    }

    /// Number, offset and text; a line that is too long begins with `>`.
    fn lines(input: impl Read, format: Format, max_line: usize) -> Vec<(u64, u64, String)> {
        let mut lines = Lines::new(input, format, max_line);
        let mut all = Vec::new();
        while let Some(chunk) = lines.next_chunk().unwrap() {
            all.extend(chunk.map(|line| {
                let text = match line.body {
                    Body::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Body::TooLong(head) => format!(">{}", String::from_utf8_lossy(&head)),
                };
                (line.number, line.offset, text)
            }));
        }
        all
    }

    fn jsonl(text: &str) -> Vec<(u64, u64, String)> {
        let fast = lines(text.as_bytes(), Format::Jsonl, 100);
        assert_eq!(lines(Slow(text.as_bytes(), 1), Format::Jsonl, 100), fast);
        fast
    }

    fn line(number: u64, offset: u64, text: &str) -> (u64, u64, String) {
        (number, offset, text.to_owned())
    }

    #[test]
    fn lines_end_in_either_way_and_the_last_needs_no_end() {
        let expected = [
            line(1, 0, "{\"a\":1}"),
            line(2, 9, "{\"b\":2}"),
            line(3, 17, "{\"c\":3}"),
        ];
        assert_eq!(jsonl("{\"a\":1}\r\n{\"b\":2}\n{\"c\":3}"), expected);
    }

    #[test]
    fn blank_lines_are_none_but_count_in_the_numbers() {
        assert_eq!(jsonl("\n \t\r\na\n\n"), [line(3, 5, "a")]);
        assert_eq!(jsonl(""), []);
        assert_eq!(jsonl("\u{feff}\n"), []);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_start_only() {
        let expected = [line(1, 3, "a"), line(2, 5, "\u{feff}b")];
        assert_eq!(jsonl("\u{feff}a\n\u{feff}b\n"), expected);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_to_its_end() {
        let exact = "x".repeat(100);
        let text = format!("a\n{exact}\r\n{exact}x\nb\n");
        let expected = [
            line(1, 0, "a"),
            line(2, 2, &exact),
            line(3, 104, &format!(">{exact}")),
            line(4, 206, "b"),
        ];
        assert_eq!(jsonl(&text), expected);
        let endless = "y".repeat(10_000);
        assert_eq!(
            jsonl(&endless),
            [line(1, 0, &format!(">{}", &endless[..100]))]
        );
    }

    #[test]
    fn memory_does_not_grow_with_the_line() {
        let long = io::repeat(b'x').take(20 << 20).chain(&b"\nb\n"[..]);
        let mut lines = Lines::new(long, Format::Jsonl, 1 << 20);
        let mut found = Vec::new();
        while let Some(chunk) = lines.next_chunk().unwrap() {
            found.extend(chunk.map(|line| {
                (
                    line.number,
                    matches!(line.body, Body::TooLong(h) if h.len() == HEAD),
                )
            }));
        }
        assert_eq!(found, [(1, true), (2, false)]);
        assert!(lines.buffer.len() <= (1 << 20) + ROOM);
    }

    #[test]
    fn a_line_is_seen_at_once_when_its_end_has_come() {
        let mut lines = Lines::new(Slow(b"ab\ncd\n", 3), Format::Jsonl, 100);
        assert_eq!(lines.next_chunk().unwrap().unwrap().count(), 1);
        assert_eq!(lines.next_chunk().unwrap().unwrap().count(), 1);
        assert_eq!(lines.next_chunk().unwrap().unwrap().count(), 0);
        assert!(lines.next_chunk().unwrap().is_none());
    }

    #[test]
    fn lines_that_were_not_asked_for_come_with_the_next_chunk() {
        let mut lines = Lines::new(&b"a\nb\nc"[..], Format::Jsonl, 100);
        let mut found = Vec::new();
        while let Some(mut chunk) = lines.next_chunk().unwrap() {
            found.extend(chunk.next().map(|line| line.number));
        }
        assert_eq!(found, [1, 2, 3]);
    }

    #[test]
    fn a_record_of_csv_may_go_over_several_lines() {
        let text = "\u{feff}\"a\",b\n1,\"two\n\"\"lines\"\"\"\n5\" disk,3\n";
        let expected = [
            line(1, 3, "\"a\",b"),
            line(2, 9, "1,\"two\n\"\"lines\"\"\""),
            line(4, 27, "5\" disk,3"),
        ];
        assert_eq!(lines(text.as_bytes(), Format::Csv, 100), expected);
        assert_eq!(lines(Slow(text.as_bytes(), 1), Format::Csv, 100), expected);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_no_more_than_the_longest_line() {
        let text = format!("\"a\n{}\nb\n", "x".repeat(200));
        let found = lines(Slow(text.as_bytes(), 1), Format::Csv, 100);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], line(3, 204, "b"));
    }

    proptest! {
        #[test]
        fn how_the_bytes_come_in_does_not_matter(
            text in "[a\" ,\r\n\u{feff}]{0,300}", step in 1usize..40, csv: bool, max_line in 1usize..60,
        ) {
            let format = if csv { Format::Csv } else { Format::Jsonl };
            let whole = lines(text.as_bytes(), format, max_line);
            let parts = lines(Slow(text.as_bytes(), step), format, max_line);
            prop_assert_eq!(whole, parts);
        }
    }
}
