//! What the reading thread sends, as the writing one receives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::IngestError;
use crate::clock::Stopwatch;
use crate::store::Pack;

/// How often a waiting writer looks whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// What the reading thread sends.
pub(super) enum Message {
    /// Prepared events, and how many bytes were read by then.
    Pack(Box<Pack>, u64),
    /// Reading failed; nothing follows.
    Failed(IngestError),
}

/// The receiving end. It ends when the reader does, or, when it is told to stop,
/// with the last of what was read by then.
pub(super) struct Inbox<'s> {
    receiver: Receiver<Message>,
    /// Whether the reader waits for input; all that it read before is then sent.
    at_rest: Arc<AtomicBool>,
    stop: &'s AtomicBool,
    bytes: u64,
    ended: bool,
    failure: Option<IngestError>,
}

impl<'s> Inbox<'s> {
    pub(super) fn new(
        receiver: Receiver<Message>,
        at_rest: Arc<AtomicBool>,
        stop: &'s AtomicBool,
    ) -> Inbox<'s> {
        Inbox {
            receiver,
            at_rest,
            stop,
            bytes: 0,
            ended: false,
            failure: None,
        }
    }

    /// The next pack, whenever it comes; `None` at the end.
    ///
    /// # Errors
    /// When reading failed, after all that was read before.
    pub(super) fn wait(&mut self) -> Result<Option<Pack>, IngestError> {
        while !self.ended {
            let idle = self.was_stopped() && self.reader_waits();
            if let Some(pack) = self.receive(LOOK_UP) {
                return Ok(Some(pack));
            }
            if idle && self.reader_waits() {
                break;
            }
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    /// The next pack, if it comes in time. That reading failed is told by
    /// [`Inbox::wait`], so that what was read before is written first.
    pub(super) fn receive(&mut self, patience: Duration) -> Option<Pack> {
        let waited = Stopwatch::start();
        while !self.ended {
            let left = patience.saturating_sub(waited.elapsed());
            match self.receiver.recv_timeout(left.min(LOOK_UP)) {
                Ok(Message::Pack(pack, bytes)) => {
                    self.bytes = bytes;
                    return Some(*pack);
                }
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

    fn reader_waits(&self) -> bool {
        self.at_rest.load(Ordering::Acquire)
    }

    pub(super) fn was_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
