//! What happens where there is no room left: a small file system in memory is filled,
//! and later emptied.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::obs::Obs;
use crate::peek::Peek;
use crate::traffic::{self, NOW};

const MIB: usize = 1 << 20;
/// Events that are fed; half of them find room.
const FED: u64 = 30_000;

/// A file system of 24 MiB in the place of a folder.
struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not allowed.
    fn in_place_of(obs: &Obs) -> Option<Disk> {
        let folder = obs.folder().to_owned();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let mounted = mount.arg(&folder).output();
        let succeeded = mounted.is_ok_and(|output| output.status.success());
        succeeded.then_some(Disk(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // In vain only where a failed test left something running.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn an_ingest_on_a_full_disk_says_so_and_the_next_one_goes_on() {
    let obs = Obs::at(NOW);
    let Some(_disk) = Disk::in_place_of(&obs) else {
        eprintln!("skipped: no file system may be mounted here");
        return;
    };
    let ballast = obs.folder().join("ballast");
    fs::write(&ballast, vec![0; 22 * MIB]).unwrap();
    let lines = traffic::events("full", FED);

    let full = obs.feed(&["ingest"], &lines).exits(1);
    let told = "error: there is no room for the store to grow\n";
    assert!(full.stderr.contains(told), "{}", full.stderr);
    let peek = Peek::at(&obs);
    let (stored, acknowledged) = (peek.events(), peek.acknowledged());
    assert!(0 < stored && stored < FED as i64, "{stored} stored");
    assert_eq!(acknowledged, stored);
    // Questions are answered all the same; a roll-up would have to write.
    obs.run(&["stats", "--since", "7d"]).exits(0);
    obs.run(&["rollup"]).exits(1);
    drop(peek);

    fs::remove_file(&ballast).unwrap();
    obs.feed(&["ingest"], &lines).exits(0);
    obs.run(&["rollup"]).exits(0);
    let peek = Peek::at(&obs);
    assert_eq!(peek.events(), FED as i64, "each line counts once");
    peek.is_sound();
    peek.aggregates_equal_raw();
}
