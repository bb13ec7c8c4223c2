//! The reading threads: bytes to lines to packs.

use std::io::{self, Read};
use std::time::Duration;

use super::inbox::{Message, Outbox, Parcel};
use super::{IngestError, Input, Job, Now, follow};
use crate::input::{
    Body, Decoded, Decoder, Format, InputError, Line, Lines, Options, Reject, open,
};
use crate::model::{Event, Labels, Millis, Signal};
use crate::prices::PriceTable;
use crate::store::{DeadLetter, Mark, Origin, Packer, Place};

/// Lines of one pack at most.
const LINES_PER_PACK: usize = 2_048;
/// What is kept of a line that was refused.
const SAMPLE: usize = 64 << 10;

/// Starts to read. The thread ends when the input does, when it is told to stop or
/// when nobody listens.
/// `marks` are what is remembered of the file.
pub(super) fn start(
    job: Job,
    marks: Vec<Mark>,
    raw_kept_ms: Option<i64>,
    prices: PriceTable,
    outbox: Outbox,
) {
    let Job {
        input,
        source,
        format,
        options,
        dedupe,
        now,
        ..
    } = job;
    // Younger events cannot fall behind the floor of raw events while they are read.
    let keep_before = raw_kept_ms.map_or(i64::MIN, |ms| now().0.saturating_sub(ms) + Millis::DAY);
    let mut feed = Feed {
        packer: Packer::new(dedupe, keep_before),
        bytes: 0,
        is_deaf: false,
        prices,
        source,
        format,
        options,
        now,
        outbox,
    };
    std::thread::spawn(move || {
        let done = match input {
            Input::Pipe(pipe, nonce) => {
                let input = feed.outbox.watch(pipe);
                feed.read_whole(input, Place::Pipe { nonce }, None)
            }
            Input::File(file) => {
                let generation = marks.first().map_or(0, |mark| mark.generation);
                feed.read_whole(Box::new(file), Place::File { generation }, None)
            }
            Input::Kept(kept) => follow::read(&mut feed, &kept, &marks),
        };
        if let Err(error) = done {
            feed.outbox.send(Message::Failed(error));
        }
    });
}

/// What a reading thread makes packs with, and where it sends them.
pub(super) struct Feed {
    pub format: Format,
    pub now: Now,
    source: String,
    options: Options,
    prices: PriceTable,
    packer: Packer,
    outbox: Outbox,
    bytes: u64,
    /// Whether nobody listens any more.
    is_deaf: bool,
}

impl Feed {
    /// Reads an input from its beginning to its end. The mark goes with the last pack.
    pub(super) fn read_whole(
        &mut self,
        input: Box<dyn Read + Send>,
        place: Place,
        mark: Option<Mark>,
    ) -> Result<(), IngestError> {
        let mut decoder = self.decoder()?;
        let mut lines = match open(input) {
            Ok(input) => self.lines(input),
            Err(_) if self.is_over() => return Ok(()),
            Err(error) => return Err(self.unreadable(error)),
        };
        while !self.is_over() {
            decoder.set_now((self.now)());
            let chunk = match lines.next_chunk() {
                Ok(chunk) => chunk,
                Err(_) if self.is_over() => return Ok(()),
                Err(error) => return Err(self.unreadable(error)),
            };
            let Some(chunk) = chunk else {
                if mark.is_some() {
                    self.send(mark);
                }
                return Ok(());
            };
            for line in chunk {
                self.take(&mut decoder, &line, place)?;
                if self.wants_to_send(false) && !self.send(None) {
                    return Ok(());
                }
            }
            if self.wants_to_send(true) {
                self.send(None);
            }
        }
        Ok(())
    }

    /// A decoder for one file.
    pub(super) fn decoder(&self) -> Result<Decoder, IngestError> {
        Decoder::new(self.format, self.options.clone()).map_err(|e| self.unfit(e))
    }

    /// The lines of one file.
    pub(super) fn lines<R: Read>(&self, input: R) -> Lines<R> {
        Lines::new(input, self.format, self.options.max_line)
    }

    /// Adds a line to the pack.
    pub(super) fn take(
        &mut self,
        decoder: &mut Decoder,
        line: &Line<'_>,
        place: Place,
    ) -> Result<(), IngestError> {
        self.bytes = line.offset;
        match &line.body {
            Body::Whole(bytes) => match decoder.decode(bytes).map_err(|e| self.unfit(e))? {
                Decoded::Event(mut event) => {
                    price(&mut event, &mut self.prices);
                    let origin = Origin {
                        line: line.number,
                        byte_offset: line.offset,
                        bytes,
                        place,
                    };
                    self.packer.add(&event, origin);
                }
                Decoded::Rejected(reject) => {
                    let truncated = bytes.len() > SAMPLE;
                    self.packer.bury(letter(line, &reject, bytes, truncated));
                }
                Decoded::Header => {}
            },
            Body::TooLong(head) => {
                let limit = self.options.max_line;
                let letter = letter(line, &Reject::LineTooLong { limit }, head, true);
                self.packer.bury(letter);
            }
        }
        Ok(())
    }

    /// Whether the pack is full, or holds anything `at_rest`, where it may be long until more comes.
    pub(super) fn wants_to_send(&self, at_rest: bool) -> bool {
        let least = if at_rest { 1 } else { LINES_PER_PACK };
        self.packer.len() >= least
    }

    /// Sends the pack; says whether anybody listens.
    pub(super) fn send(&mut self, mark: Option<Mark>) -> bool {
        let parcel = Parcel {
            from: self.outbox.from(),
            pack: Box::new(self.packer.take()),
            bytes: self.bytes,
            mark,
        };
        self.is_deaf |= !self.outbox.send(Message::Parcel(parcel));
        !self.is_deaf
    }

    /// Tells that lines may have been missed.
    pub(super) fn tell_gap(&mut self) {
        let from = self.outbox.from();
        self.outbox.send(Message::Gap(from));
    }

    /// Whether to read no further.
    pub(super) fn is_over(&self) -> bool {
        self.is_deaf || self.outbox.is_stopped()
    }

    /// Waits, with all sent that was read.
    pub(super) fn rest(&self, pause: Duration) {
        self.outbox.rest(pause);
    }

    pub(super) fn unreadable(&self, source: io::Error) -> IngestError {
        let input = self.source.clone();
        match source
            .get_ref()
            .is_some_and(|e| e.is::<super::files::Packed>())
        {
            true => IngestError::Packed { input },
            false => IngestError::Read { input, source },
        }
    }

    pub(super) fn unfit(&self, source: InputError) -> IngestError {
        IngestError::Input {
            input: self.source.clone(),
            source,
        }
    }
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
