//! Files that are known again: by device, inode and their first bytes.
//!
//! What their lines say is not known here.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::Input;
use crate::input::is_packed;
use crate::store::{Mark, Store, StoreError};

/// First bytes by which a file is told from another one in its place.
const HEAD: u64 = 1_024;

/// A compressed file where one that grows was expected.
#[derive(Debug, thiserror::Error)]
#[error("it is compressed, and a compressed file cannot be read while it grows")]
pub(super) struct Packed;

/// What is remembered of the files that an input may turn out to be.
pub(super) fn marks(store: &mut Store, input: &Input) -> Result<Vec<Mark>, StoreError> {
    let (path, meta) = match input {
        Input::Pipe(..) => return Ok(Vec::new()),
        Input::File(file) => (None, file.metadata().ok()),
        Input::Kept(kept) => (Some(full_path(&kept.path)), fs::metadata(&kept.path).ok()),
    };
    store.read(|txn| {
        let mut marks = match &path {
            Some(path) => txn.marks_at(&path.to_string_lossy())?,
            None => Vec::new(),
        };
        let here = meta.map(|meta| txn.mark_of(meta.dev(), meta.ino()));
        marks.extend(here.transpose()?.flatten().filter(|m| !marks.contains(m)));
        if let Input::File(file) = input {
            marks.retain(|m| file.metadata().is_ok_and(|meta| is_known(m, file, &meta)));
        }
        Ok(marks)
    })
}

/// The path as it is remembered: from the root, through no link but that of the name itself.
pub(super) fn full_path(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Whether the path leads to the file that the mark stands for.
pub(super) fn is_at(mark: &Mark, meta: &Metadata) -> bool {
    (meta.dev(), meta.ino()) == (mark.device, mark.inode)
}

/// Whether it is the file that was read up to the mark, as far as one can tell.
pub(super) fn is_known(mark: &Mark, file: &File, meta: &Metadata) -> bool {
    is_at(mark, meta) && begins_alike(mark, file, meta)
}

/// Whether the file begins as the marked one did, and is at least as long as what was read of it.
pub(super) fn begins_alike(mark: &Mark, file: &File, meta: &Metadata) -> bool {
    meta.len() >= mark.offset
        && head(file, mark.head_len).is_ok_and(|(len, h)| (len, h) == (mark.head_len, mark.head_h))
}

/// A mark at the beginning of a file.
pub(super) fn first_mark(path: &Path, meta: &Metadata, generation: u64) -> Mark {
    Mark {
        device: meta.dev(),
        inode: meta.ino(),
        path: path.to_string_lossy().into_owned(),
        generation,
        offset: 0,
        line: 1,
        head_len: 0,
        head_h: xxh3_64(&[]) as i64,
        packed_mtime_ns: None,
    }
}

/// Moves the mark forward.
pub(super) fn advance(mark: &mut Mark, file: &File, offset: u64, line: u64) -> io::Result<()> {
    (mark.offset, mark.line) = (offset, line);
    if mark.head_len < HEAD {
        (mark.head_len, mark.head_h) = head(file, offset.min(HEAD))?;
    }
    Ok(())
}

/// When the file was last changed.
pub(super) fn changed_ns(meta: &Metadata) -> i64 {
    meta.mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(meta.mtime_nsec())
}

/// The first bytes of a file, as many as there are: their number and their hash.
fn head(file: &File, len: u64) -> io::Result<(u64, i64)> {
    let mut bytes = [0; HEAD as usize];
    let bytes = &mut bytes[..len.min(HEAD) as usize];
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok((read as u64, xxh3_64(&bytes[..read]) as i64))
}

/// Finds what became of a marked file that is no longer at its path: the file itself
/// under another name in the same folder, or, when it was emptied in place, the copy
/// that was made before. `present` is what lies at the path now.
pub(super) fn find_rest(mark: &Mark, present: Option<&Metadata>) -> Option<File> {
    let path = Path::new(&mark.path);
    let stem = path.file_stem()?.as_encoded_bytes();
    let is_present =
        |meta: &Metadata| present.is_some_and(|p| (p.dev(), p.ino()) == (meta.dev(), meta.ino()));
    let mut copies = Vec::new();
    for entry in fs::read_dir(path.parent()?).ok()?.flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        if !meta.is_file() || is_present(&meta) {
            continue;
        }
        let is_it = is_at(mark, &meta);
        if !is_it && !entry.file_name().as_encoded_bytes().starts_with(stem) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        if !begins_alike(mark, &file, &meta) {
            continue;
        }
        if is_it {
            return Some(file);
        }
        copies.push((changed_ns(&meta), file));
    }
    let newest = copies.into_iter().max_by_key(|(changed, _)| *changed);
    newest.filter(|_| mark.head_len > 0).map(|(_, file)| file)
}

/// A file that is read from some place on, and may grow: where it ends for now,
/// reading gives [`io::ErrorKind::WouldBlock`].
#[derive(Debug)]
pub(super) struct Tail {
    file: Arc<File>,
    at: u64,
    /// Whether nothing more will come: its end is then the end.
    pub is_last: bool,
}

impl Tail {
    pub(super) fn new(file: Arc<File>, at: u64) -> Tail {
        Tail {
            file,
            at,
            is_last: false,
        }
    }

    pub(super) fn into_file(self) -> Arc<File> {
        self.file
    }

    /// How far it was read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }
}

impl Read for Tail {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(room, self.at)?;
        if self.at == 0 && is_packed(&room[..read]) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Packed));
        }
        self.at += read as u64;
        match read {
            0 if !self.is_last => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}
