//! An input whose bytes come when they come: a pipe, a terminal.
//!
//! It can be asked whether there is something to read. Who is to stop waits only in
//! that question and never inside a read, so that what was taken out of a pipe is
//! always worked on. What the bytes mean is not known here.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

/// Bytes that can be read only once.
pub struct Pipe(Kind);

enum Kind {
    /// The system says whether there is something to read.
    Asked(File),
    /// It never makes a reader wait for long, or cannot be asked.
    Plain(Box<dyn Read + Send>),
}

impl Pipe {
    /// What comes through a file that is no regular one.
    pub fn of(file: File) -> Pipe {
        Pipe(Kind::Asked(file))
    }

    /// Bytes that are there already.
    pub fn plain(bytes: impl Read + Send + 'static) -> Pipe {
        Pipe(Kind::Plain(Box::new(bytes)))
    }

    /// Nothing.
    pub fn empty() -> Pipe {
        Pipe::plain(io::empty())
    }

    /// What comes through stdin, without a buffer that hides what was read.
    pub fn stdin() -> Pipe {
        #[cfg(unix)]
        if let Ok(stdin) = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned() {
            return Pipe::of(stdin.into());
        }
        Pipe::plain(io::stdin())
    }

    /// Waits until a read would not wait, for so long at most; says whether it would not.
    pub(super) fn is_ready(&self, patience: Duration) -> io::Result<bool> {
        match &self.0 {
            Kind::Asked(file) => is_ready(file, patience),
            Kind::Plain(_) => Ok(true),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Asked(file) => file.read(room),
            Kind::Plain(bytes) => bytes.read(room),
        }
    }
}

#[cfg(unix)]
fn is_ready(file: &File, patience: Duration) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    // The end of the input, and an error, are something to read as well.
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&patience)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn is_ready(_file: &File, _patience: Duration) -> io::Result<bool> {
    Ok(true)
}
