//! `obs backup` and `obs restore`: a copy of the store, and the way back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ingest::signals::Signals;
use crate::render::{Answer, Cell, Column, human};
use crate::store::{Copied, Store, StoreError};

/// Copy the store to a file while others go on using it
///
/// The copy is one file and holds all that was acknowledged before the command began.
/// It gets its name when it is whole and on disk.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs backup obs-backup.db
  obs backup obs-backup.db --verify --yes    read it again; replace the last one")]
pub(super) struct BackupArgs {
    /// The file to make
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the copy and compare its rows with what was copied
    #[arg(long)]
    verify: bool,
    /// Replace FILE when it is there
    #[arg(short = 'y', long)]
    yes: bool,
}

/// Put a copy in the place of the store
///
/// The copy is checked first. A store that is there is kept aside under a name with
/// the time; nobody else may have it open. An older schema is brought up to date.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs restore obs-backup.db --yes
  obs restore obs-backup.db --db other.db    beside the store, to look into it")]
pub(super) struct RestoreArgs {
    /// A file that `obs backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the store that is there
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(super) fn back_up(ctx: &mut Context<'_>, args: &BackupArgs) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let file = &args.file;
    if is_same(file, store.path()) {
        return Err(Failure::usage(
            "backup_onto_store",
            format!("{} is the store itself", file.display()),
        )
        .hint("name another file, best on another disk"));
    }
    if file.is_dir() {
        return Err(
            Failure::usage("backup_folder", format!("{} is a folder", file.display()))
                .hint("name a file in it"),
        );
    }
    if file.exists() {
        let question = format!("replace {}?", file.display());
        agree(ctx, args.yes, &question, "backup_exists", || {
            format!("{} is there already", file.display())
        })?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let signals = Signals::watch(&stop)?;
    let copied = store.back_up(file, args.verify, |_, _| !stop.load(Ordering::Relaxed))?;
    let Some(copied) = copied else {
        return Err(Failure::silent(signals.kind()));
    };
    if ctx.wants_table() {
        let verified = if args.verify {
            ", read again and whole"
        } else {
            ""
        };
        ctx.notice(format!(
            "{}: {}{verified}; `obs restore` puts it back",
            file.display(),
            human::bytes(copied.bytes)
        ));
        return Ok(());
    }
    let verified = Some(("verified", Cell::Bool(args.verify)));
    ctx.answer(&answer("obs.backup/v1", file, &copied, verified))
}

pub(super) fn restore(ctx: &mut Context<'_>, args: &RestoreArgs) -> Result<(), Failure> {
    let path = ctx.db_path()?;
    let file = &args.file;
    if !file.is_file() {
        return Err(Failure::new(
            Kind::Failed,
            "backup_missing",
            format!("there is no file {}", file.display()),
        )
        .hint("name a file that `obs backup` made"));
    }
    if is_same(file, &path) {
        return Err(Failure::usage(
            "backup_onto_store",
            format!("{} is the store itself", file.display()),
        )
        .hint("name a file that `obs backup` made"));
    }
    if path.exists() {
        let question = format!("put {} in the place of {}?", file.display(), path.display());
        agree(ctx, args.yes, &question, "store_exists", || {
            format!("there is a store at {}", path.display())
        })?;
    }
    let restored = Store::restore(file, &path, ctx.store_options(), ctx.now).map_err(|error| {
        let unfit = matches!(error, StoreError::NotAStore(_) | StoreError::Damaged(_));
        let failure = Failure::from(error).at(file.display());
        match unfit {
            true => failure.hint("name another file that `obs backup` made"),
            false => failure,
        }
    })?;
    if ctx.wants_table() {
        ctx.notice(format!("{} is restored", path.display()));
        if let Some(kept) = restored.kept {
            ctx.notice(format!("the store before is {}", kept.display()));
        }
        return Ok(());
    }
    let kept = Cell::of(restored.kept, |p| Cell::text(p.display().to_string()));
    let kept = Some(("kept_path", kept));
    ctx.answer(&answer("obs.restore/v1", &path, &restored.copy, kept))
}

fn answer(
    schema: &'static str,
    path: &Path,
    copied: &Copied,
    more: Option<(&'static str, Cell)>,
) -> Answer {
    let facts = [
        ("path", Cell::text(path.display().to_string())),
        ("size_bytes", Cell::Bytes(copied.bytes)),
        ("schema_version", Cell::Int(copied.version.into())),
    ];
    let (columns, row) = facts
        .into_iter()
        .chain(more)
        .map(|(name, cell)| (Column::new(name, name), cell))
        .unzip();
    let mut answer = Answer::new(schema, columns);
    answer.rows.push(row);
    answer
}

/// Goes on when `--yes` was given or somebody says so; nothing is overwritten unasked.
fn agree(
    ctx: &mut Context<'_>,
    yes: bool,
    question: &str,
    code: &'static str,
    reason: impl Fn() -> String,
) -> Result<(), Failure> {
    if yes || ctx.confirms(question)? {
        return Ok(());
    }
    Err(Failure::usage(code, reason()).hint("add --yes to replace it"))
}

/// Whether both are one file, whatever they are called.
fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
