//! The output of the command that tells: in cron, a mail.

use super::{DeliveryError, Digest, Say};

pub(super) fn deliver(digest: &Digest, say: &mut Say<'_>) -> Result<(), DeliveryError> {
    for line in digest.lines() {
        say(&line).map_err(|error| DeliveryError::new(format!("cannot write: {error}")))?;
    }
    Ok(())
}
