//! Telling what the outbox holds: claim what is due, tell it, write down how that went.
//!
//! Nothing is told inside a transaction. Whoever claims a notice has a lease on it; when
//! it comes to an end before it wrote down how that went, the notice is told again by
//! the next one. So each is told at least once, and twice only then, or when a receiver
//! took it and did not say so. What a channel does is not known here.

use std::collections::BTreeSet;

use crate::model::{Millis, NoticeState};
use crate::notify::{Channel, ChannelError, Digest, Say, Told};
use crate::store::{Store, StoreError, StoredNotice};

/// How long a claim holds: longer than any channel takes.
pub const LEASE_MS: i64 = 60 * Millis::SECOND;
/// How often a notice is tried before it is given up: over some three hours.
pub const MOST_ATTEMPTS: u32 = 10;
/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT_MS: i64 = 30 * Millis::SECOND;
const LONGEST_WAIT_MS: i64 = Millis::HOUR;

/// What is needed to tell.
pub struct Post<'a> {
    /// The channel of that name.
    pub channel: &'a dyn Fn(&str) -> Result<Channel, ChannelError>,
    /// The present.
    pub now: &'a dyn Fn() -> Millis,
    /// A number from 0 up to 1, another one each time.
    pub random: &'a mut dyn FnMut() -> f64,
    /// Where the channel `stdout` writes.
    pub say: &'a mut Say<'a>,
}

/// How telling went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Notices that were told.
    pub sent: u64,
    /// Channels that failed.
    pub failures: Vec<Failed>,
}

/// A channel through which something could not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The channel.
    pub channel: String,
    /// Why.
    pub error: String,
    /// Notices that will be tried again.
    pub waiting: usize,
    /// When the first of them is tried again.
    pub next_at: Option<Millis>,
    /// Notices that were given up.
    pub given_up: usize,
}

/// Tells what is due, channel by channel. A channel that fails does not hold up others.
///
/// # Errors
/// When the store fails.
pub fn run(store: &mut Store, post: &mut Post<'_>) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let due = store.read(|txn| txn.due_channels((post.now)()))?;
    let mut done = BTreeSet::new();
    for channel in due {
        if done.insert(channel.clone()) {
            tell(store, &channel, post, &mut report)?;
        }
    }
    Ok(report)
}

/// Tells all that is due through one channel, up to its first failure.
fn tell(
    store: &mut Store,
    name: &str,
    post: &mut Post<'_>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let channel = (post.channel)(name);
    let most = channel.as_ref().map_or(usize::MAX, Channel::at_once);
    loop {
        let now = (post.now)();
        let claimed = store.write(|txn| txn.claim_notices(name, most, now, now.plus(LEASE_MS)))?;
        if claimed.is_empty() {
            return Ok(());
        }
        let error = match &channel {
            Ok(channel) => {
                let told = channel.deliver(&digest(&claimed, now), post.say);
                told.err().map(|error| error.to_string())
            }
            Err(error) => Some(error.why.clone()),
        };
        let now = (post.now)();
        match error {
            None => {
                settle(store, &claimed, now, |_| Outcome::Sent)?;
                report.sent += claimed.len() as u64;
            }
            Some(error) => {
                let failed = fail(store, name, &claimed, error, now, post.random)?;
                report.failures.push(failed);
                return Ok(());
            }
        }
    }
}

fn digest(claimed: &[StoredNotice], at: Millis) -> Digest {
    let told = |notice: &StoredNotice| Told {
        key: notice.key.clone(),
        notice: notice.notice.clone(),
    };
    Digest {
        at,
        told: claimed.iter().map(told).collect(),
    }
}

/// How telling one notice went.
enum Outcome<'e> {
    Sent,
    Again { at: Millis, error: &'e str },
    GivenUp { error: &'e str },
}

fn settle<'e>(
    store: &mut Store,
    claimed: &[StoredNotice],
    now: Millis,
    mut outcome: impl FnMut(&StoredNotice) -> Outcome<'e>,
) -> Result<(), StoreError> {
    store.write(|txn| {
        for notice in claimed {
            let (state, error, due_at) = match outcome(notice) {
                Outcome::Sent => (NoticeState::Sent, None, notice.due_at),
                Outcome::Again { at, error } => (NoticeState::Queued, Some(error), at),
                Outcome::GivenUp { error } => (NoticeState::Failed, Some(error), notice.due_at),
            };
            txn.settle_notice(notice, state, error, due_at, now)?;
        }
        Ok(())
    })
}

fn fail(
    store: &mut Store,
    channel: &str,
    claimed: &[StoredNotice],
    error: String,
    now: Millis,
    random: &mut dyn FnMut() -> f64,
) -> Result<Failed, StoreError> {
    let mut failed = Failed {
        channel: channel.to_owned(),
        error: error.clone(),
        waiting: 0,
        next_at: None,
        given_up: 0,
    };
    settle(store, claimed, now, |notice| {
        match back_off_ms(notice.attempts, random()) {
            Some(wait) => {
                let at = now.plus(wait);
                failed.waiting += 1;
                failed.next_at = Some(failed.next_at.map_or(at, |first| first.min(at)));
                Outcome::Again { at, error: &error }
            }
            None => {
                failed.given_up += 1;
                Outcome::GivenUp { error: &error }
            }
        }
    })?;
    Ok(failed)
}

/// How long to wait after so many failures: twice as long each time, less up to half of
/// it by chance, so that many notices do not come back at the same moment. `None`: it is
/// not tried any more. `random` is from 0 up to 1.
pub fn back_off_ms(attempts: u32, random: f64) -> Option<i64> {
    if attempts >= MOST_ATTEMPTS {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let whole = LONGEST_WAIT_MS.min(FIRST_WAIT_MS << doublings);
    let random = random.clamp(0.0, 1.0);
    Some(whole - (whole as f64 / 2.0 * random) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_end() {
        let wait = |attempts| back_off_ms(attempts, 0.0).map(|ms| ms / 1_000);
        let waits: Vec<_> = (1..=MOST_ATTEMPTS).map(wait).collect();
        let expected = [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600];
        let expected = expected.map(Some).into_iter().chain([None]);
        assert_eq!(waits, expected.collect::<Vec<_>>());
        assert_eq!(back_off_ms(1, 0.5), Some(22_500));
        assert_eq!(back_off_ms(1, 1.0), Some(15_000));
    }
}
