//! `obs events dead`: the lines that could not become an event, and what to do
//! with them: look, try again, throw away.

use clap::Subcommand;

use super::super::context::Context;
use super::super::failure::{Failure, Kind};
use super::super::ingest::Understanding;
use super::super::list::List;
use super::super::time;
use crate::ingest::{Mended, Retry, retry};
use crate::input::MAX_LINE;
use crate::model::{Millis, Unit};
use crate::render::{Answer, Cell, Column, Tabular, human};
use crate::store::{Buried, StoreError, Which};

/// List lines that could not be read, latest first
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "Examples:
  obs events dead                              the latest 50
  obs events dead --code unknown_type --since 7d
  obs events dead show 12                      the line and why
  obs events dead retry --code unknown_type --set type=request
  obs events dead delete --source old.jsonl --dry-run"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Show(ShowArgs),
    Retry(Box<RetryArgs>),
    Delete(DeleteArgs),
}

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Filter")]
struct Choice {
    /// Only lines refused for this reason, by its code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only lines of this file; - for pipes
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    source: Option<String>,
    /// Only lines refused from then on [default: all]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only lines refused before
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
}

impl Choice {
    fn which(&self, ctx: &mut Context<'_>) -> Result<Which, Failure> {
        let mut which = Which {
            since: Millis(i64::MIN),
            until: Millis(i64::MAX),
            code: self.code.clone(),
            source: self.source.clone(),
        };
        if self.since.is_some() || self.until.is_some() {
            let since = self.since.as_deref().unwrap_or("2000-01-01");
            let window = time::window(Some(since), self.until.as_deref(), &ctx.frame())?;
            for warning in window.warnings {
                ctx.warn(warning);
            }
            (which.since, which.until) = (window.span.from, window.span.until);
        }
        if self.until.is_none() {
            which.until = Millis(i64::MAX);
        }
        Ok(which)
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, args),
        Some(Verb::Show(args)) => show(ctx, args),
        Some(Verb::Retry(args)) => try_again(ctx, args),
        Some(Verb::Delete(args)) => delete(ctx, args),
    }
}

impl Tabular for Buried {
    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", "id"),
            Column::new("time", "refused").in_unit(Unit::Time),
            Column::new("source", "source"),
            Column::new("line", "line"),
            Column::new("byte_offset", "byte"),
            Column::new("code", "code"),
            Column::new("reason", "reason"),
            Column::new("truncated", "cut"),
            Column::new("sample", "line as read"),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let letter = &self.letter;
        vec![
            Cell::Int(self.id.into()),
            Cell::At(self.at),
            Cell::text(self.source.as_str()),
            Cell::Int(letter.line.into()),
            Cell::Int(letter.byte_offset.into()),
            Cell::text(letter.code.as_ref()),
            Cell::text(letter.reason.as_str()),
            Cell::Bool(letter.truncated),
            Cell::text(String::from_utf8_lossy(&letter.sample)),
        ]
    }
}

const SCHEMA: &str = "obs.dead/v1";

/// What a table of many shows.
const GLANCE: [&str; 5] = ["id", "time", "source", "line", "reason"];

fn list(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    if args.list.sort().is_some() {
        let message = "dead letters are listed by time, latest first";
        return Err(Failure::usage("sort_invalid", message).hint("leave --sort out"));
    }
    let which = args.choice.which(ctx)?;
    let after = args.list.place(place)?;
    let limit = match args.list.limit() {
        0 => usize::MAX,
        limit => limit,
    };
    let mut store = ctx.open_store()?;
    let mut letters = store.read(|txn| txn.letters(&which, after, limit.saturating_add(1)))?;
    let more = letters.len() > limit;
    letters.truncate(limit);
    let mut answer = Answer::of(SCHEMA, &letters);
    answer.next = letters.last().filter(|_| more).map(token);
    args.list.tell_more(ctx, &answer);
    let mut style = ctx.style();
    if ctx.wants_table() && style.fields.is_none() {
        style.fields = Some(GLANCE.map(str::to_owned).to_vec());
        if letters.is_empty() {
            answer.notes.push("no dead letters".to_owned());
        }
    }
    Ok(crate::render::write(ctx.stdout, &answer, &style)?)
}

fn token(last: &Buried) -> String {
    format!("{:x}-{:x}", last.at.0, last.id)
}

fn place(token: &str) -> Option<(Millis, i64)> {
    let (at, id) = token.split_once('-')?;
    let number = |text| i64::from_str_radix(text, 16).ok();
    Some((Millis(number(at)?), number(id)?))
}

/// Show one line that could not be read, and why
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs events dead show 12
  obs events dead show 12 --json")]
struct ShowArgs {
    /// Its number
    id: i64,
}

fn show(ctx: &mut Context<'_>, args: &ShowArgs) -> Result<(), Failure> {
    let mut store = ctx.open_store()?;
    let letter = store.read(|txn| txn.letter(args.id))?;
    let letter = letter.ok_or_else(|| unknown(args.id))?;
    let mut answer = Answer::of(SCHEMA, [&letter]);
    if ctx.wants_table() && ctx.style().fields.is_none() {
        let names = answer.columns.iter().map(|c| Cell::text(c.name.as_ref()));
        let rows = names
            .zip(letter.cells())
            .map(|(name, cell)| vec![name, cell]);
        answer.rows = rows.collect();
        answer.columns = vec![Column::new("field", "field"), Column::new("value", "value")];
    }
    ctx.answer(&answer)
}

fn unknown(id: i64) -> Failure {
    let message = format!("there is no dead letter {id}");
    Failure::new(Kind::NotFound, "letter_unknown", message).hint("`obs events dead` lists them")
}

/// Try lines again that could not be read
///
/// What is accepted leaves the dead letters as it is stored; what still fails
/// stays with its new reason. An event gets the identity that its line has in its
/// file, so that reading the file again, mapped alike, counts it once.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs events dead retry --code unknown_type --set type=request --dry-run
  obs events dead retry 12 13 --map timestamp=created
  obs events dead retry --source t.csv --header ts,tokens --set type=cache")]
struct RetryArgs {
    /// Only these, by number
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    understanding: Understanding,
    /// Read records of CSV under this header
    #[arg(long, value_name = "LINE", help_heading = "Input")]
    header: Option<String>,
    /// Take events from before the reach of raw events
    #[arg(long, help_heading = "Input")]
    backfill: bool,
    /// Say what would become of them, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

fn try_again(ctx: &mut Context<'_>, args: &RetryArgs) -> Result<(), Failure> {
    let job = Retry {
        ids: args.ids.clone(),
        which: args.choice.which(ctx)?,
        options: args.understanding.options(ctx, MAX_LINE)?,
        header: args.header.clone(),
        backfill: args.backfill,
        rehearsal: args.dry_run,
        now: ctx.now,
    };
    let mut store = ctx.open_store()?;
    let known = |id: &i64| store.read(|txn| txn.letter(*id)).map(|found| (*id, found));
    let looked_up: Result<Vec<_>, StoreError> = args.ids.iter().map(known).collect();
    if let Some((id, _)) = looked_up?.into_iter().find(|(_, found)| found.is_none()) {
        return Err(unknown(id));
    }
    let mended = retry(&mut store, &job)?;
    let answer = Answer::of("obs.dead.retry/v1", [&mended]);
    ctx.answer(&answer)?;
    if mended.untried > 0 {
        ctx.warn(format!(
            "{} could not be tried: only the beginning of the line was kept, or it is a record of CSV and --header is missing",
            human::count(mended.untried)
        ));
    }
    match mended.counts.rejected + mended.untried {
        0 => Ok(()),
        _ => Err(Failure::silent(Kind::Partly)),
    }
}

impl Tabular for Mended {
    fn columns() -> Vec<Column> {
        ["tried", "accepted", "duplicate", "rejected", "untried"]
            .map(|name| Column::new(name, name).in_unit(Unit::Count))
            .to_vec()
    }

    fn cells(&self) -> Vec<Cell> {
        let counts = &self.counts;
        [
            counts.lines(),
            counts.accepted,
            counts.duplicate,
            counts.rejected,
            self.untried,
        ]
        .map(|n| Cell::Int(n.into()))
        .to_vec()
    }
}

/// Throw lines away that could not be read
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs events dead delete --source old.jsonl --dry-run
  obs events dead delete 12 13 --yes")]
struct DeleteArgs {
    /// Only these, by number
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    #[command(flatten)]
    choice: Choice,
    /// Say how many would go, delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

fn delete(ctx: &mut Context<'_>, args: &DeleteArgs) -> Result<(), Failure> {
    let which = args.choice.which(ctx)?;
    let mut store = ctx.open_store()?;
    let count = store.read(|txn| match args.ids.as_slice() {
        [] => txn.count_letters(&which),
        ids => {
            let found = ids.iter().map(|id| txn.letter(*id));
            let found: Result<Vec<_>, StoreError> = found.collect();
            Ok(found?.into_iter().flatten().count() as u64)
        }
    })?;
    let tell = |ctx: &mut Context<'_>, rows: u64| {
        let mut answer = Answer::new(
            "obs.dead.delete/v1",
            vec![Column::new("deleted", "deleted").in_unit(Unit::Count)],
        );
        answer.rows.push(vec![Cell::Int(rows.into())]);
        ctx.answer(&answer)
    };
    if args.dry_run {
        return tell(ctx, count);
    }
    if !args.yes {
        if !ctx.environment.stdin_is_terminal {
            return Err(Failure::usage("not_confirmed", "nothing was deleted")
                .hint("add --yes, or look first with --dry-run"));
        }
        let question = format!("delete {} dead letters?", human::count(count));
        if !ctx.confirms(&question)? {
            ctx.notice("nothing was deleted");
            return Ok(());
        }
    }
    let deleted = store.write(|txn| match args.ids.as_slice() {
        [] => txn.drop_letters(&which),
        ids => {
            let mut gone = 0;
            for id in ids {
                gone += u64::from(txn.unbury(*id)?);
            }
            Ok::<_, StoreError>(gone)
        }
    })?;
    tell(ctx, deleted)
}
