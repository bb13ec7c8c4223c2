//! What is around a store: its files and who may read them, the disk, the file system.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Millis;
use crate::store::{PART, with_ending};

/// A file and who may do what with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFact {
    /// Where it is.
    pub path: PathBuf,
    /// The bits of its mode, where there are such.
    pub mode: Option<u32>,
    /// Its size.
    pub bytes: u64,
}

/// The files and the disk of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The main file, its log and its locks, as far as they are there.
    pub files: Vec<FileFact>,
    /// Configuration files that are there.
    pub config_files: Vec<FileFact>,
    /// The folder of the store.
    pub folder: Option<FileFact>,
    /// The size of the log.
    pub wal_bytes: u64,
    /// Copies that were never finished, untouched for an hour.
    pub leftovers: Vec<PathBuf>,
    /// The kind of file system, where it can be told: `ext4`.
    pub filesystem: Option<String>,
    /// What is free on the disk for this user.
    pub disk_free_bytes: Option<u64>,
}

impl Place {
    /// Looks around the store at `path`.
    pub fn around(path: &Path, config_files: &[PathBuf], now: Millis) -> Place {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let endings = ["", "-wal", "-shm", ".lock"];
        let files = endings.map(|ending| with_ending(path, ending));
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let whole = folder.canonicalize().ok();
        Place {
            files: files.iter().filter_map(|p| fact(p)).collect(),
            config_files: config_files.iter().filter_map(|p| fact(p)).collect(),
            folder: fact(folder),
            wal_bytes: fact(&with_ending(path, "-wal")).map_or(0, |file| file.bytes),
            leftovers: leftovers(folder, now),
            filesystem: whole.and_then(|folder| filesystem_of(&mounts, &folder)),
            disk_free_bytes: free_bytes(folder),
        }
    }
}

fn fact(path: &Path) -> Option<FileFact> {
    let meta = path.metadata().ok()?;
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::MetadataExt::mode(&meta) & 0o7777);
    #[cfg(not(unix))]
    let mode = None;
    Some(FileFact {
        path: path.to_owned(),
        mode,
        bytes: meta.len(),
    })
}

/// Unfinished copies that nobody is writing any more.
fn leftovers(folder: &Path, now: Millis) -> Vec<PathBuf> {
    let untouched = |path: &Path| {
        let touched = path.metadata().and_then(|meta| meta.modified()).ok()?;
        let age = touched.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(age.as_millis() as i64 <= now.0 - Millis::HOUR)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let parts = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PART))
        .map(|entry| entry.path());
    let mut parts: Vec<PathBuf> = parts.filter(|p| untouched(p) == Some(true)).collect();
    parts.sort();
    parts
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// The kind of the file system that holds a path, by the lines of `/proc/mounts`: the
/// longest mount point wins, of equal ones the last, which hides the others.
fn filesystem_of(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        let point = point.replace("\\040", " ");
        if path.starts_with(&point) && best.is_none_or(|(length, _)| length <= point.len()) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_on_the_last_and_longest_mount_that_holds_it() {
        let mounts = "/dev/a / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n\
             /dev/b /data/my\\040disk xfs rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/c /run btrfs rw 0 0\n";
        let kind = |path: &str| filesystem_of(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/var/lib/obs"), "ext4");
        assert_eq!(kind("/data/obs"), "nfs4");
        assert_eq!(kind("/database"), "ext4");
        assert_eq!(kind("/data/my disk/obs"), "xfs");
        assert_eq!(kind("/run/obs"), "btrfs");
        assert_eq!(filesystem_of("", Path::new("/")), None);
    }
}
