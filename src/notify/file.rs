//! A line of JSON for each notice, at the end of a file that only its owner may read.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use super::settings::Settings;
use super::{ChannelError, DeliveryError, Digest, facts};

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn of(settings: &mut Settings<'_>) -> Result<File, ChannelError> {
        let path = settings.needed("path", "\"/var/log/obs/alerts.jsonl\"")?;
        Ok(File { path: path.into() })
    }

    pub(super) fn deliver(&self, digest: &Digest) -> Result<(), DeliveryError> {
        let at = digest.at.to_string();
        let mut lines = String::new();
        for told in &digest.told {
            let mut facts = facts(told);
            facts["told_at"] = json!(at);
            lines += &format!("{facts}\n");
        }
        self.append(lines.as_bytes()).map_err(|error| {
            DeliveryError::new(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path)?;
        file.write_all(lines)?;
        file.sync_data()
    }
}
