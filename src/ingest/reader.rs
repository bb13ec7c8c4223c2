//! The reading thread: bytes to lines to packs.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::inbox::{Inbox, Message};
use super::{IngestError, Job};
use crate::input::{Body, Decoded, Decoder, Line, Lines, Reject, open};
use crate::model::{Event, Labels, Millis, Signal};
use crate::prices::PriceTable;
use crate::store::{DeadLetter, Origin, Packer};

/// Packs that may wait for the writer: reading stays ahead, memory stays small.
const AHEAD: usize = 3;
/// Lines of one pack at most.
const LINES_PER_PACK: usize = 2_048;
/// What is kept of a line that was refused.
const SAMPLE: usize = 64 << 10;

/// Starts to read. The thread ends when the input does, when it is told to stop or
/// when nobody listens; it may outlive a writer that was stopped, blocked in a read.
pub(super) fn start<'s>(
    mut job: Job,
    raw_kept_ms: Option<i64>,
    prices: PriceTable,
    stop: &'s Arc<AtomicBool>,
) -> Inbox<'s> {
    let (sender, receiver) = sync_channel(AHEAD);
    let at_rest = Arc::new(AtomicBool::new(false));
    job.input = Box::new(Watched {
        input: job.input,
        at_rest: Arc::clone(&at_rest),
    });
    let inbox = Inbox::new(receiver, at_rest, stop);
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        // A listener that is gone does not want to know how it ended.
        let _ = match read(job, raw_kept_ms, prices, &stop, &sender) {
            Ok(()) => Ok(()),
            Err(error) => sender.send(Message::Failed(error)),
        };
    });
    inbox
}

/// An input that tells whether it waits for more.
struct Watched {
    input: Box<dyn Read + Send>,
    at_rest: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.at_rest.store(true, Ordering::Release);
        let read = self.input.read(room);
        self.at_rest.store(false, Ordering::Release);
        read
    }
}

fn read(
    job: Job,
    raw_kept_ms: Option<i64>,
    mut prices: PriceTable,
    stop: &AtomicBool,
    sender: &SyncSender<Message>,
) -> Result<(), IngestError> {
    let Job {
        input,
        source,
        format,
        options,
        dedupe,
        nonce,
        now,
        ..
    } = job;
    let unreadable = |error| IngestError::Read {
        input: source.clone(),
        source: error,
    };
    let unfit = |error| IngestError::Input {
        input: source.clone(),
        source: error,
    };
    let max_line = options.max_line;
    let mut decoder = Decoder::new(format, options).map_err(unfit)?;
    let mut lines = Lines::new(open(input).map_err(unreadable)?, format, max_line);
    // Younger events cannot fall behind the floor of raw events while they are read.
    let keep_before = raw_kept_ms.map_or(i64::MIN, |ms| now().0.saturating_sub(ms) + Millis::DAY);
    let mut packer = Packer::new(dedupe, keep_before);
    let mut bytes = 0;
    while !stop.load(Ordering::Relaxed) {
        decoder.set_now(now());
        let Some(chunk) = lines.next_chunk().map_err(unreadable)? else {
            return Ok(());
        };
        for line in chunk {
            bytes = line.offset;
            take(
                &mut decoder,
                &mut prices,
                &mut packer,
                &line,
                nonce,
                max_line,
            )
            .map_err(unfit)?;
            if packer.len() >= LINES_PER_PACK && !send(sender, &mut packer, bytes) {
                return Ok(());
            }
        }
        if !packer.is_empty() && !send(sender, &mut packer, bytes) {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends the pack; says whether anybody listens.
fn send(sender: &SyncSender<Message>, packer: &mut Packer, bytes: u64) -> bool {
    sender
        .send(Message::Pack(Box::new(packer.take()), bytes))
        .is_ok()
}

fn take(
    decoder: &mut Decoder,
    prices: &mut PriceTable,
    packer: &mut Packer,
    line: &Line<'_>,
    nonce: Option<u64>,
    max_line: usize,
) -> Result<(), crate::input::InputError> {
    match &line.body {
        Body::Whole(bytes) => match decoder.decode(bytes)? {
            Decoded::Event(mut event) => {
                price(&mut event, prices);
                packer.add(
                    &event,
                    Origin {
                        line: line.number,
                        byte_offset: line.offset,
                        bytes,
                        nonce,
                    },
                );
            }
            Decoded::Rejected(reject) => {
                packer.bury(letter(line, &reject, bytes, bytes.len() > SAMPLE))
            }
            Decoded::Header => {}
        },
        Body::TooLong(head) => {
            packer.bury(letter(
                line,
                &Reject::LineTooLong { limit: max_line },
                head,
                true,
            ));
        }
    }
    Ok(())
}

/// Says what a request cost by the price table, when that knows it and the line
/// does not say so itself, as an export does.
pub(super) fn price(event: &mut Event<'_>, prices: &mut PriceTable) {
    let (Signal::Request { .. }, Some(tokens), None) =
        (event.signal, &event.tokens, event.cost_computed)
    else {
        return;
    };
    let Labels {
        provider, model, ..
    } = &event.labels;
    let price = model
        .as_deref()
        .and_then(|model| prices.find(provider.as_deref(), model, event.at));
    let bill = price.map(|price| price.cost(tokens, event.service_tier));
    event.cost_computed = bill.and_then(Result::ok).map(|bill| bill.total);
}

fn letter(line: &Line<'_>, reject: &Reject, bytes: &[u8], truncated: bool) -> DeadLetter {
    DeadLetter {
        line: line.number,
        byte_offset: line.offset,
        code: reject.code().into(),
        reason: reject.to_string(),
        sample: bytes[..bytes.len().min(SAMPLE)].to_vec(),
        truncated,
    }
}
