//! Where the steps of the demo are played: a folder of its own, a store that is
//! nobody else's, one present moment for all steps.
//!
//! Which steps there are is not known here.

use crate::ingest::Pipe;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Parser;
use tempfile::TempDir;

use crate::cli::context::{Context, Environment, Streams};
use crate::cli::failure::{Failure, Kind};
use crate::cli::global::Globals;
use crate::cli::{Cli, dispatch};
use crate::config::{Color, Config, Key, Origin};
use crate::model::Millis;

/// The stage; what is on it goes with it, unless it is kept.
pub(super) struct Stage {
    folder: TempDir,
    db: PathBuf,
    environment: Environment,
    config: Config,
    globals: Globals,
    now: Millis,
}

impl Stage {
    /// Makes the folder. The store is made by the first command that writes.
    pub(super) fn set(ctx: &Context<'_>) -> Result<Stage, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("obs-")
            .rand_bytes(4)
            .tempdir()
            .map_err(|e| failed("cannot make a folder for the demo", &e))?;
        let told = told_db(ctx)?;
        let db = told.unwrap_or_else(|| folder.path().join("obs.db"));
        let mut config = ctx.config.clone();
        config.set_db(db.clone(), Origin::Flag("--db"));
        config.color = match ctx.stdout_color() {
            true => Color::Always,
            false => Color::Never,
        };
        // The steps tell a person how they went, even if that person reads it in a file.
        let environment = Environment {
            stdout_is_terminal: true,
            ..ctx.environment.clone()
        };
        let mut globals = Globals::default();
        globals.output.width = u16::try_from(ctx.width()).ok();
        globals.output.ascii = ctx.ascii();
        // A whole minute reads better in titles.
        let now = ctx.now.floor(Millis::MINUTE);
        globals.place.now = Some(now.to_string());
        Ok(Stage {
            folder,
            db,
            environment,
            config,
            globals,
            now,
        })
    }

    /// The present of all steps.
    pub(super) fn now(&self) -> Millis {
        self.now
    }

    /// The store.
    pub(super) fn db(&self) -> &Path {
        &self.db
    }

    /// Whether the store is not part of what goes with the stage.
    pub(super) fn is_elsewhere(&self) -> bool {
        !self.db.starts_with(self.folder.path())
    }

    /// The file of events.
    pub(super) fn events(&self) -> PathBuf {
        self.folder.path().join("week.jsonl")
    }

    /// Writes the file of events.
    pub(super) fn save(&self, mut events: impl Read) -> Result<(), Failure> {
        let file = File::create(self.events());
        file.and_then(|mut file| io::copy(&mut events, &mut file))
            .map(drop)
            .map_err(|e| failed("cannot write the events of the demo", &e))
    }

    /// The first event of the file.
    pub(super) fn first_event(&self) -> Result<String, Failure> {
        let read = || {
            let mut line = String::new();
            BufReader::new(File::open(self.events())?).read_line(&mut line)?;
            Ok(line)
        };
        read().map_err(|e: io::Error| failed("cannot read the events of the demo", &e))
    }

    /// Says why, shows the command line, runs it, and shows what it says on both streams.
    pub(super) fn play(
        &self,
        ctx: &mut Context<'_>,
        why: &str,
        args: &[&OsStr],
    ) -> Result<(), Failure> {
        let args = [&[OsStr::new("obs")], args].concat();
        let words: Vec<String> = args.iter().map(quoted).collect();
        prompt(ctx, why, &words.join(" "))?;
        let cli = Cli::try_parse_from(args)?;
        let mut remarks = Vec::new();
        let outcome = self.run(ctx, &cli, &mut remarks);
        ctx.stdout.write_all(&remarks)?;
        match outcome {
            // That some lines were refused belongs to the play.
            Err(failure) if failure.kind() == Kind::Partly => Ok(()),
            outcome => outcome,
        }
    }

    fn run(&self, ctx: &mut Context<'_>, cli: &Cli, remarks: &mut Vec<u8>) -> Result<(), Failure> {
        let mut streams = Streams {
            stdin: Pipe::empty(),
            stdout: &mut *ctx.stdout,
            stderr: remarks,
        };
        let (config, globals) = (self.config.clone(), self.globals.clone());
        let mut step = Context::new(&mut streams, &self.environment, config, globals)?;
        match &cli.command {
            Some(command) => dispatch(&mut step, command),
            None => Ok(()),
        }
    }

    /// Leaves everything where it is.
    pub(super) fn keep(self) {
        let _ = self.folder.keep();
    }
}

/// Shows a command line as it would be typed, under the reason for it.
pub(super) fn prompt(ctx: &mut Context<'_>, why: &str, line: &str) -> Result<(), Failure> {
    let (dim, bold, plain) = match ctx.stdout_color() {
        true => ("\x1b[2m", "\x1b[1m", "\x1b[0m"),
        false => ("", "", ""),
    };
    writeln!(
        ctx.stdout,
        "\n{dim}# {why}{plain}\n{dim}${plain} {bold}{line}{plain}"
    )?;
    // It is seen before the command works.
    Ok(ctx.stdout.flush()?)
}

/// A word of a command line, with quotes where a shell would take it apart.
pub(super) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "_-+=/.,:@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The store that a flag names. It must be new: a simulated week does not belong among real events.
fn told_db(ctx: &Context<'_>) -> Result<Option<PathBuf>, Failure> {
    if *ctx.config.origin(Key::Db) != Origin::Flag("--db") {
        return Ok(None);
    }
    let db = ctx.db_path()?;
    if db.exists() {
        let message = format!("{} exists, and the demo wants a new store", db.display());
        return Err(Failure::usage("demo_store_exists", message)
            .hint("name a file that does not exist, or leave out --db"));
    }
    Ok(Some(db))
}

fn failed(what: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, "demo_failed", what).caused_by(Some(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_word_that_was_meant() {
        for (word, typed) in [
            ("--since", "--since"),
            ("/tmp/obs-1a2b/obs.db", "/tmp/obs-1a2b/obs.db"),
            ("/tmp/my week/obs.db", "'/tmp/my week/obs.db'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), typed);
        }
    }
}
