//! How an ingest goes: a bar for people who wait, and the lines that are refused.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::context::Context;
use super::super::failure::{Failure, Kind};
use crate::clock::Stopwatch;
use crate::ingest::{Observer, Summary};
use crate::render::human;
use crate::render::safe::Untrusted;
use crate::store::DeadLetter;

/// Refused lines that are shown on stderr.
pub(super) const SHOWN: u64 = 10;
/// Work shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows how it goes, and which lines are refused.
pub(super) struct Watcher<'a> {
    stderr: &'a mut dyn Write,
    rejects: Option<&'a mut io::BufWriter<File>>,
    refused: u64,
    age: Stopwatch,
    progress_allowed: bool,
    size: Option<u64>,
    bar: Option<ProgressBar>,
    so_far: Summary,
    failed: Option<io::Error>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        ctx: &'a mut Context<'_>,
        size: Option<u64>,
        rejects: Option<&'a mut io::BufWriter<File>>,
        refused: u64,
    ) -> Watcher<'a> {
        Watcher {
            progress_allowed: ctx.progress_allowed(),
            stderr: &mut *ctx.stderr,
            rejects,
            refused,
            age: Stopwatch::start(),
            size,
            bar: None,
            so_far: Summary::default(),
            failed: None,
        }
    }

    /// What was committed, by an ingest that may have failed since.
    pub(super) fn finish(self) -> Result<Summary, Failure> {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.failed.map_or(Ok(self.so_far), |e| {
            Err(Failure::new(
                Kind::Failed,
                "rejects_unwritable",
                "cannot write the refused lines",
            )
            .caused_by(Some(&e)))
        })
    }

    fn bar(size: Option<u64>) -> ProgressBar {
        let (template, length) = match size {
            Some(_) => ("{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left", size),
            None => ("{spinner} {bytes}  {msg}", None),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr()).with_style(style)
    }
}

impl Observer for Watcher<'_> {
    fn committed(&mut self, so_far: &Summary) {
        self.so_far = so_far.clone();
        if !self.progress_allowed || self.age.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| Watcher::bar(self.size));
        bar.set_position(so_far.bytes);
        bar.set_message(format!("{} events", human::count(so_far.counts.accepted)));
    }

    fn refused(&mut self, source: &str, letter: &DeadLetter) {
        self.refused += 1;
        let line = format!("{source}:{}: {}", letter.line, letter.reason);
        if let Some(rejects) = &mut self.rejects
            && let Err(error) = writeln!(rejects, "{}", Untrusted(&line).shown())
        {
            self.failed.get_or_insert(error);
        }
        if self.refused <= SHOWN {
            // Who closed stderr does not want to hear it.
            let _ = writeln!(self.stderr, "{}", Untrusted(&line).shown());
        }
    }

    fn missed(&mut self, source: &str) {
        let words = format!(
            "{source}: the file that was read before is gone; lines it got since then are missing, unless it is read by its new name"
        );
        let _ = writeln!(self.stderr, "warning: {}", Untrusted(&words).shown());
    }
}
