//! What the reading threads send, as the writing one receives it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::{IngestError, Pipe};
use crate::clock::Stopwatch;
use crate::store::{Mark, Pack};

/// Packs that may wait for the writer: reading stays ahead, memory stays small.
const AHEAD: usize = 3;
/// How often who waits looks whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// What a reading thread sends.
pub(super) enum Message {
    /// Prepared events.
    Parcel(Parcel),
    /// This reader found a file gone that was not read to its end.
    Gap(usize),
    /// Reading failed; nothing follows.
    Failed(IngestError),
}

/// Prepared events of one reader.
pub(super) struct Parcel {
    /// Whose they are.
    pub from: usize,
    pub pack: Box<Pack>,
    /// How many bytes were read by then.
    pub bytes: u64,
    /// How far its file is read with them.
    pub mark: Option<Mark>,
}

/// The sending end of one reader.
pub(super) struct Outbox {
    from: usize,
    sender: SyncSender<Message>,
    stop: Arc<AtomicBool>,
}

impl Outbox {
    pub(super) fn from(&self) -> usize {
        self.from
    }

    /// Sends; says whether anybody listens.
    pub(super) fn send(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits for a moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "a file does not tell when it grows; it is asked again"
    )]
    pub(super) fn rest(&self, pause: Duration) {
        std::thread::sleep(pause);
    }

    /// The pipe, which ends in an error when the reader is to stop while nothing comes.
    pub(super) fn watch(&self, pipe: Pipe) -> Box<dyn Read + Send> {
        let stop = Arc::clone(&self.stop);
        Box::new(Watched { pipe, stop })
    }
}

struct Watched {
    pipe: Pipe,
    stop: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.pipe.is_ready(LOOK_UP)? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("told to stop"));
            }
        }
        self.pipe.read(room)
    }
}

/// The receiving end. It ends when all readers do, which stop when they are told to
/// and send what they have read.
pub(super) struct Inbox {
    receiver: Receiver<Message>,
    stop: Arc<AtomicBool>,
    bytes: Vec<u64>,
    gaps: Vec<usize>,
    ended: bool,
    failure: Option<IngestError>,
}

impl Inbox {
    /// An inbox, and an outbox for each reader.
    pub(super) fn open(readers: usize, stop: &Arc<AtomicBool>) -> (Inbox, Vec<Outbox>) {
        let (sender, receiver) = sync_channel(AHEAD);
        let outbox = |from| Outbox {
            from,
            sender: sender.clone(),
            stop: Arc::clone(stop),
        };
        let outboxes = (0..readers).map(outbox).collect();
        let inbox = Inbox {
            receiver,
            stop: Arc::clone(stop),
            bytes: vec![0; readers],
            gaps: Vec::new(),
            ended: false,
            failure: None,
        };
        (inbox, outboxes)
    }

    /// The next parcel, whenever it comes; `None` at the end.
    ///
    /// # Errors
    /// When reading failed, after all that was read before.
    pub(super) fn wait(&mut self) -> Result<Option<Parcel>, IngestError> {
        while !self.ended {
            if let Some(parcel) = self.receive(LOOK_UP) {
                return Ok(Some(parcel));
            }
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    /// The next parcel, if it comes in time. That reading failed is told by
    /// [`Inbox::wait`], so that what was read before is written first.
    pub(super) fn receive(&mut self, patience: Duration) -> Option<Parcel> {
        let waited = Stopwatch::start();
        while !self.ended {
            let left = patience.saturating_sub(waited.elapsed());
            match self.receiver.recv_timeout(left.min(LOOK_UP)) {
                Ok(Message::Parcel(parcel)) => {
                    self.bytes[parcel.from] = parcel.bytes;
                    return Some(parcel);
                }
                Ok(Message::Gap(from)) => self.gaps.push(from),
                Ok(Message::Failed(error)) => {
                    self.failure = Some(error);
                    self.ended = true;
                }
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Err(RecvTimeoutError::Timeout) if left.is_zero() || self.was_stopped() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        None
    }

    pub(super) fn was_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Readers that missed lines, each told once.
    pub(super) fn gaps(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.gaps)
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.iter().sum()
    }
}
