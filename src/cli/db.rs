//! `obs db`: the file of the store itself.

use std::path::Path;

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use crate::model::Unit;
use crate::render::{Answer, Cell, Column, human};
use crate::store::{Extent, FileFacts, Part, Store, StoreError, sqlite_version, with_ending};

/// Look into the file of the store, check it, give its room back
///
/// A noun alone shows what the store holds.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs db                     size, schema, rows and bytes of each part
  obs db check               is the file sound? 3 = no
  obs db vacuum              give free pages back")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show size, schema, rows and bytes of each part
    ///
    /// Rows are counted: about two seconds for ten million events.
    #[command(after_long_help = "Examples:
  obs db info
  obs db info -o json")]
    Info,
    /// Read the whole file and say whether it is sound
    ///
    /// Looks at every page, at references between tables and at the floors of the
    /// tiers. Whether aggregates are what their events make them is asked with
    /// `obs rollup --verify`. Exit code 3 when something is found.
    #[command(after_long_help = "Examples:
  obs db check
  obs db check --thorough    compare every index with its table, too")]
    Check {
        /// Compare every index with its table, too
        #[arg(long)]
        thorough: bool,
    },
    /// Give free pages back to the file system
    ///
    /// In small steps, so that a writer is never held up for long.
    #[command(after_long_help = "Examples:
  obs db vacuum
  obs db vacuum --full       write the file anew, in order")]
    Vacuum {
        /// Write the whole file anew: needs as much room again, and nobody can write meanwhile
        #[arg(long)]
        full: bool,
    },
    /// Let SQLite learn how values are spread, for queries of your own
    ///
    /// Commands of obs name their indexes and need it not.
    #[command(after_long_help = "Examples:
  obs db analyze")]
    Analyze,
    /// Bring the schema up to date and say from where to where
    ///
    /// Every command does the same when it opens an older store.
    #[command(after_long_help = "Examples:
  obs db migrate")]
    Migrate,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match args.verb {
        None | Some(Verb::Info) => info(ctx),
        Some(Verb::Check { thorough }) => check(ctx, thorough),
        Some(Verb::Vacuum { full }) => vacuum(ctx, full),
        Some(Verb::Analyze) => analyze(ctx),
        Some(Verb::Migrate) => migrate(ctx),
    }
}

/// A part with its rows and bytes.
type Row = (Part, Extent, u64);

fn info(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let file = store.file_facts()?;
    let (parts, settings) = store.read(|txn| {
        let row = |part| Ok((part, txn.extent(part)?, txn.bytes(part)?));
        let parts: Vec<Row> = Part::ALL
            .into_iter()
            .map(row)
            .collect::<Result<_, StoreError>>()?;
        Ok::<_, StoreError>((parts, txn.settings()?))
    })?;
    let mut answer = table(&parts);
    answer.head = head(store.path(), &file);
    answer
        .head
        .push(("timezone", Cell::text(settings.zone.name())));
    answer
        .head
        .push(("cost_mode", Cell::text(settings.cost_mode.name())));
    if ctx.wants_table() {
        answer.notes = words(store.path(), &file);
        answer.notes.push(format!(
            "days begin in {}, {} cost counts; `obs retention` shows how long tiers are kept",
            settings.zone.name(),
            settings.cost_mode.name()
        ));
    }
    ctx.answer(&answer)
}

fn table(parts: &[Row]) -> Answer {
    let columns = vec![
        Column::new("part", "part"),
        Column::new("rows", "rows").in_unit(Unit::Count),
        Column::new("size_bytes", "size"),
        Column::new("first", "first").in_unit(Unit::Time),
        Column::new("last", "last").in_unit(Unit::Time),
    ];
    let mut answer = Answer::new("obs.db.info/v1", columns);
    for (part, extent, bytes) in parts {
        answer.rows.push(vec![
            Cell::text(part.name()),
            Cell::Int(extent.rows.into()),
            Cell::Bytes(*bytes),
            Cell::of(extent.first, Cell::At),
            Cell::of(extent.last, Cell::At),
        ]);
    }
    answer
}

fn head(path: &Path, file: &FileFacts) -> Vec<(&'static str, Cell)> {
    vec![
        ("path", Cell::text(path.display().to_string())),
        ("size_bytes", Cell::Bytes(size(path))),
        ("wal_bytes", Cell::Bytes(size(&with_ending(path, "-wal")))),
        ("free_bytes", Cell::Bytes(file.free_pages * file.page_size)),
        ("page_size_bytes", Cell::Bytes(file.page_size)),
        ("schema_version", Cell::Int(file.schema.into())),
        ("sqlite_version", Cell::text(sqlite_version())),
        ("journal_mode", Cell::text(file.journal_mode.as_str())),
    ]
}

fn words(path: &Path, file: &FileFacts) -> Vec<String> {
    vec![
        path.display().to_string(),
        format!(
            "{}, {} of it free, and a log of {}; pages of {}",
            human::bytes(size(path)),
            human::bytes(file.free_pages * file.page_size),
            human::bytes(size(&with_ending(path, "-wal"))),
            human::bytes(file.page_size)
        ),
        format!("schema {}, SQLite {}", file.schema, sqlite_version()),
    ]
}

/// The size of a file; nothing when there is none.
fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |meta| meta.len())
}

fn check(ctx: &mut Context<'_>, thorough: bool) -> Result<(), Failure> {
    let flaws = ctx.open_store()?.flaws(thorough);
    let mut answer = Answer::new(
        "obs.db.check/v1",
        vec![
            Column::new("kind", "kind"),
            Column::new("finding", "finding"),
            Column::new("rows", "rows").in_unit(Unit::Count),
        ],
    );
    for flaw in &flaws {
        answer.rows.push(vec![
            Cell::text(flaw.kind),
            Cell::text(flaw.what.as_str()),
            Cell::of(flaw.rows, |rows| Cell::Int(rows.into())),
        ]);
    }
    if flaws.is_empty() {
        return match ctx.wants_table() {
            true => Ok(writeln!(
                ctx.stdout,
                "the store is sound; `obs rollup --verify` compares aggregates with their events"
            )?),
            false => ctx.answer(&answer),
        };
    }
    answer.notes.push(
        "`obs backup FILE` keeps what can be read; `obs restore FILE` puts an earlier copy back"
            .to_owned(),
    );
    ctx.answer(&answer)?;
    Err(Failure::silent(Kind::Found))
}

fn vacuum(ctx: &mut Context<'_>, full: bool) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let before = size(store.path());
    match full {
        true => store.vacuum()?,
        false => {
            while store.give_back_pages()? {}
            store.checkpoint()?;
        }
    }
    let after = size(store.path());
    let free = store.file_facts()?;
    if ctx.wants_table() {
        ctx.notice(format!(
            "{} given back, {} left{}",
            human::bytes(before.saturating_sub(after)),
            human::bytes(after),
            match free.can_shrink {
                true => "",
                false => "; this file can only shrink with --full",
            }
        ));
        return Ok(());
    }
    let columns = ["freed_bytes", "size_bytes"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.db.vacuum/v1", columns.into());
    answer.rows.push(vec![
        Cell::Bytes(before.saturating_sub(after)),
        Cell::Bytes(after),
    ]);
    ctx.answer(&answer)
}

fn analyze(ctx: &mut Context<'_>) -> Result<(), Failure> {
    ctx.open_store()?.analyze()?;
    ctx.notice("SQLite knows how values are spread now");
    Ok(())
}

fn migrate(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let before = Store::header(&ctx.db_path()?)?.version;
    let after = ctx.open_store()?.file_facts()?.schema;
    if ctx.wants_table() {
        ctx.notice(match before == after {
            true => format!("the store has schema {after} already"),
            false => format!("from schema {before} to {after}"),
        });
        return Ok(());
    }
    let columns = ["from_version", "to_version"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.db.migrate/v1", columns.into());
    answer
        .rows
        .push(vec![Cell::Int(before.into()), Cell::Int(after.into())]);
    ctx.answer(&answer)
}
