//! Reading files that grow, are rotated, or were read before.
//!
//! A file is asked again and again whether it has grown: that works on every kind of
//! file system, and at this pace it costs next to nothing. How a file is known again
//! is decided in `files`, how a line is understood in `input`.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files::{
    Tail, advance, begins_alike, changed_ns, find_rest, first_mark, full_path, is_at, is_known,
};
use super::reader::Feed;
use super::{IngestError, Kept};
use crate::clock::Stopwatch;
use crate::input::{Body, Decoder, Format, Lines};
use crate::store::{Mark, Place};

/// How often a file that did not grow is looked at. With the wait for company of the
/// writer, a line is stored well within 200 ms.
const POLL: Duration = Duration::from_millis(25);
/// How long a file that was rotated away must be quiet until nobody writes to it any
/// more: programs reopen their logs some time after the rotation, not all at once.
const LINGER: Duration = Duration::from_secs(5);

/// Files of earlier generations whose rest is looked for at the start.
const RESTS: usize = 8;

/// Reads the file, from where it was left if that is wanted, to its end or for ever.
pub(super) fn read(feed: &mut Feed, kept: &Kept, marks: &[Mark]) -> Result<(), IngestError> {
    let mut follower = Follower {
        path: full_path(&kept.path),
        follow: kept.follow,
        next_generation: marks.iter().map(|m| m.generation + 1).max().unwrap_or(0),
        older: Vec::new(),
        current: None,
        feed,
    };
    if !kept.follow && follower.read_packed(marks)? {
        return Ok(());
    }
    follower.begin(kept.resume, marks)?;
    loop {
        let progress = follower.pass()?;
        if follower.feed.is_over() || !(progress || kept.follow) {
            return Ok(());
        }
        if !progress {
            follower.feed.rest(POLL);
            follower.look()?;
        }
    }
}

struct Follower<'f> {
    feed: &'f mut Feed,
    path: PathBuf,
    follow: bool,
    /// That of the next new file at the path.
    next_generation: u64,
    /// Files that were rotated away, the oldest first.
    older: Vec<Stream>,
    /// What lies at the path.
    current: Option<Stream>,
}

impl Follower<'_> {
    /// Reads a compressed file whole, unless that was done before; says whether it is one.
    fn read_packed(&mut self, marks: &[Mark]) -> Result<bool, IngestError> {
        let Some((file, meta)) = self.open()? else {
            return Ok(false);
        };
        let mut head = [0; 4];
        let mut tail = Tail::new(Arc::new(file), 0);
        match io::Read::read(&mut tail, &mut head) {
            Err(error) if error.kind() == ErrorKind::InvalidData => {}
            Err(_) | Ok(_) => return Ok(false),
        }
        let changed = Some(changed_ns(&meta));
        let file = tail.into_file();
        let read_before = |m: &Mark| {
            m.packed_mtime_ns == changed && m.offset == meta.len() && is_known(m, &file, &meta)
        };
        if marks.iter().any(read_before) {
            return Ok(true);
        }
        let mut mark = first_mark(&self.path, &meta, 0);
        advance(&mut mark, &file, meta.len(), 1).map_err(|e| self.feed.unreadable(e))?;
        mark.packed_mtime_ns = changed;
        let again = File::open(&self.path).map_err(|e| self.feed.unreadable(e))?;
        self.feed
            .read_whole(Box::new(again), Place::File { generation: 0 }, Some(mark))?;
        Ok(true)
    }

    /// Opens what there is to be read at the start.
    fn begin(&mut self, resume: bool, marks: &[Mark]) -> Result<(), IngestError> {
        let opened = self.open()?;
        let present = opened.as_ref().map(|(_, meta)| meta);
        let here = opened
            .as_ref()
            .and_then(|(file, meta)| marks.iter().find(|m| is_known(m, file, meta)))
            .filter(|m| m.packed_mtime_ns.is_none());
        let path = self.path.clone();
        let before = marks
            .iter()
            .filter(|m| Path::new(&m.path) == path && Some(*m) != here)
            .filter(|m| m.packed_mtime_ns.is_none() && resume);
        for (age, before) in before.take(RESTS).enumerate() {
            match find_rest(before, present) {
                Some(file) => {
                    let is_last = !self.follow && present.is_some_and(|meta| meta.len() > 0);
                    self.add_rest(file, before.clone(), is_last)?;
                }
                None if here.is_none() && age == 0 => self.feed.tell_gap(),
                None => {}
            }
        }
        self.older.reverse();
        let Some((file, meta)) = opened else {
            return Ok(());
        };
        let mark = match here {
            Some(known) if resume => known.clone(),
            Some(known) => Mark {
                path: known.path.clone(),
                ..first_mark(&self.path, &meta, known.generation)
            },
            None => self.fresh_mark(&meta),
        };
        self.current = Some(Stream::new(self.feed, file, &meta, mark)?);
        Ok(())
    }

    /// The mark of a file that was not read before. It is stored at once, so that the
    /// file is known although it may be rotated away before the next commit.
    fn fresh_mark(&mut self, meta: &Metadata) -> Mark {
        let mark = first_mark(&self.path, meta, self.next_generation);
        self.next_generation += 1;
        self.feed.send(Some(mark.clone()));
        mark
    }

    /// What lies at the path; `None` when nothing does and it is waited for.
    fn open(&self) -> Result<Option<(File, Metadata)>, IngestError> {
        let opened = File::open(&self.path).and_then(|file| {
            let meta = file.metadata()?;
            Ok((file, meta))
        });
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if self.follow && error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.feed.unreadable(error)),
        }
    }

    /// Reads what has come; says whether anything has.
    fn pass(&mut self) -> Result<bool, IngestError> {
        let mut progress = false;
        for stream in self.older.iter_mut().chain(&mut self.current) {
            progress |= stream.pass(self.feed)?;
        }
        self.older.retain(|stream| !stream.is_done);
        Ok(progress)
    }

    /// Looks whether something else lies at the path by now.
    fn look(&mut self) -> Result<(), IngestError> {
        for stream in &mut self.older {
            stream.lines.input_mut().is_last |= stream.quiet.elapsed() > LINGER;
        }
        let meta = match fs::metadata(&self.path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.feed.unreadable(error)),
        };
        match self.current.take_if(|stream| stream.is_over(&meta)) {
            None if self.current.is_some() => return Ok(()),
            None => {}
            // Emptied in place. A copy was made before, as a rule.
            Some(old) if is_at(&old.mark, &meta) => {
                if let Some(copy) = find_rest(&old.mark, Some(&meta)) {
                    self.add_rest(copy, old.mark, true)?;
                }
            }
            Some(old) => self.older.push(old),
        }
        if let Some((file, meta)) = self.open()? {
            let mark = self.fresh_mark(&meta);
            self.current = Some(Stream::new(self.feed, file, &meta, mark)?);
        }
        Ok(())
    }

    fn add_rest(&mut self, file: File, mark: Mark, is_last: bool) -> Result<(), IngestError> {
        let meta = file.metadata().map_err(|e| self.feed.unreadable(e))?;
        let mut rest = Stream::new(self.feed, file, &meta, mark)?;
        rest.lines.input_mut().is_last = is_last;
        self.older.push(rest);
        Ok(())
    }
}

/// One file on its way.
struct Stream {
    lines: Lines<Tail>,
    file: Arc<File>,
    mark: Mark,
    decoder: Decoder,
    /// Its length and time of change when it was last looked at.
    seen: (u64, i64),
    /// Since it last grew.
    quiet: Stopwatch,
    is_done: bool,
}

impl Stream {
    /// A file from its mark on.
    fn new(feed: &Feed, file: File, meta: &Metadata, mark: Mark) -> Result<Stream, IngestError> {
        let file = Arc::new(file);
        let mut decoder = feed.decoder()?;
        if feed.format == Format::Csv && mark.offset > 0 {
            read_header(feed, &file, &mut decoder)?;
        }
        let tail = Tail::new(Arc::clone(&file), mark.offset);
        Ok(Stream {
            lines: feed.lines(tail).from(mark.offset, mark.line),
            seen: (meta.len(), changed_ns(meta)),
            quiet: Stopwatch::start(),
            is_done: false,
            file,
            mark,
            decoder,
        })
    }

    /// Reads to where the file ends for now; says whether there was anything.
    fn pass(&mut self, feed: &mut Feed) -> Result<bool, IngestError> {
        let mut progress = false;
        let place = Place::File {
            generation: self.mark.generation,
        };
        while !feed.is_over() {
            self.decoder.set_now((feed.now)());
            let mut chunk = match self.lines.next_chunk() {
                Ok(Some(chunk)) => chunk,
                Ok(None) => {
                    self.is_done = true;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(feed.unreadable(error)),
            };
            progress = true;
            loop {
                let line = chunk.next();
                if let Some(line) = &line {
                    feed.take(&mut self.decoder, line, place)?;
                }
                if feed.wants_to_send(line.is_none()) {
                    let (offset, number) = chunk.reached();
                    advance(&mut self.mark, &self.file, offset, number)
                        .map_err(|e| feed.unreadable(e))?;
                    feed.send(Some(self.mark.clone()));
                }
                if line.is_none() {
                    break;
                }
            }
        }
        if progress {
            self.quiet = Stopwatch::start();
        }
        Ok(progress)
    }

    /// Whether something else lies in its place: another file that has been written
    /// to, or the same one, emptied and begun anew.
    fn is_over(&mut self, meta: &Metadata) -> bool {
        if !is_at(&self.mark, meta) {
            return meta.len() > 0;
        }
        let seen = (meta.len(), changed_ns(meta));
        let is_same = seen == self.seen
            || (meta.len() >= self.lines.input_mut().at()
                && begins_alike(&self.mark, &self.file, meta));
        self.seen = seen;
        !is_same
    }
}

/// The first record of a CSV file that is read from further on.
fn read_header(feed: &Feed, file: &Arc<File>, decoder: &mut Decoder) -> Result<(), IngestError> {
    let mut tail = Tail::new(Arc::clone(file), 0);
    tail.is_last = true;
    let mut lines = feed.lines(tail);
    while let Some(mut chunk) = lines.next_chunk().map_err(|e| feed.unreadable(e))? {
        if let Some(line) = chunk.next() {
            if let Body::Whole(bytes) = line.body {
                decoder.decode(bytes).map_err(|e| feed.unfit(e))?;
            }
            return Ok(());
        }
    }
    Ok(())
}
