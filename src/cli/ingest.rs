//! `obs ingest`: events from files or a pipe. How lines are read and stored is
//! known to `crate::ingest`; here are the flags and what they stand for.

pub(super) mod signals;
mod summary;
mod watcher;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::time::{Side, parse_time};
use crate::alert;
use crate::clock::Stopwatch;
use crate::ingest::{self, Job, Kept, Pipe, Summary};
use crate::input::{self, Mapping, TimeUnit};
use crate::rulebook;
use crate::store::{Dedupe, Retention, Store};
use signals::Signals;
use watcher::Watcher;

/// Read events from files or a pipe and store them
///
/// A line is one JSON object (or a CSV record) with a type, a time and whatever
/// else is known of a request, a cache access or a rate-limit decision. A line
/// that came before counts once; a line that cannot be read is kept aside with
/// its reason, and the others go on.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs ingest events.jsonl                a file; twice changes nothing
  my-app | obs ingest                    a pipe; stored within 200 ms
  obs ingest --follow --resume app.log   as it grows, through rotations
  obs ingest --dry-run events.jsonl.gz   say what is wrong, store nothing
  obs ingest t.csv --map timestamp=TIMESTAMP --set type=request")]
pub(super) struct Args {
    /// Files to read, packed with gzip or zstd or not; - or none for stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How lines are written; auto goes by the name of the file
    #[arg(
        long = "format",
        value_enum,
        default_value = "auto",
        help_heading = "Input"
    )]
    written: FormatChoice,
    #[command(flatten)]
    understanding: Understanding,
    /// Longest line: 1MiB, 64KiB, 500000
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = size, help_heading = "Input")]
    max_line: usize,
    /// What makes two lines the same event
    #[arg(
        long,
        value_enum,
        default_value = "time-id",
        value_name = "BY",
        help_heading = "Input"
    )]
    dedupe: DedupeChoice,
    /// Take events from before the reach of raw events; repetitions cannot be told there
    #[arg(long, help_heading = "Input")]
    backfill: bool,
    /// Stop at the first line that cannot be read
    #[arg(long, help_heading = "Input")]
    strict: bool,
    /// Write every refused line's place and reason to this file
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    rejects: Option<PathBuf>,
    /// Go on reading as files grow, and with the files that take their place when
    /// they are rotated; a file that is not there yet is waited for
    #[arg(short, long, help_heading = "Input")]
    follow: bool,
    /// Begin where the last --follow or --resume ended. A last line that has no end
    /// yet waits for it
    #[arg(long, help_heading = "Input")]
    resume: bool,
    /// Read and check, store nothing
    #[arg(short = 'n', long, conflicts_with_all = ["follow", "resume"], help_heading = "Input")]
    dry_run: bool,
}

/// How the fields of lines are understood.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Understanding {
    /// Take FIELD from this column or dotted path
    #[arg(long, value_name = "FIELD=SOURCE", help_heading = "Input")]
    map: Vec<String>,
    /// Give FIELD this value where a line does not
    #[arg(long, value_name = "FIELD=VALUE", help_heading = "Input")]
    set: Vec<String>,
    /// Unit of times that are numbers: s, ms, us, ns [default: by their size]
    #[arg(long, value_name = "UNIT", help_heading = "Input")]
    time_unit: Option<String>,
    /// Moment that relative times count from
    #[arg(long, value_name = "TIME", help_heading = "Input")]
    time_base: Option<String>,
    /// Time of lines that have none: now, or refuse them
    #[arg(
        long,
        value_enum,
        default_value = "refuse",
        value_name = "WHEN",
        help_heading = "Input"
    )]
    default_time: DefaultTime,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum FormatChoice {
    Auto,
    Jsonl,
    Csv,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum DefaultTime {
    Refuse,
    Now,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum DedupeChoice {
    /// Time and id
    TimeId,
    /// The id alone, among what was read so before; the version with the most tokens stays
    Id,
    /// The bytes of the line
    Content,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let inputs = inputs(ctx, args)?;
    let stop = Arc::new(AtomicBool::new(false));
    let signals = Signals::watch(&stop)?;
    let mut rejects = args.rejects.as_deref().map(create).transpose()?;
    let mut store = if args.dry_run {
        None
    } else {
        Some(ctx.create_store()?)
    };
    if let Some(store) = &mut store {
        alert::born(store, ctx.now, &rulebook::defaults())?;
    }
    let clock = Stopwatch::start();
    let mut total = Summary::default();
    let mut failure = None;
    let calls = match args.follow {
        true => vec![inputs],
        false => inputs.into_iter().map(|input| vec![input]).collect(),
    };
    for inputs in calls {
        match take_in(
            ctx,
            args,
            inputs,
            &mut store,
            rejects.as_mut(),
            &stop,
            &mut total,
        ) {
            Ok(()) if total.interrupted => break,
            Ok(()) => {}
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    if let Some(rejects) = &mut rejects {
        rejects.flush()?;
    }
    let retention = match &mut store {
        Some(store) => store.read(|txn| txn.retention())?,
        None => Retention::default(),
    };
    // What was stored before something failed is told as well.
    if failure.is_none() || total.counts.lines() > 0 {
        summary::tell(ctx, &total, &retention, clock.elapsed(), args.dry_run)?;
    }
    match failure {
        Some(failure) => Err(failure),
        None if total.interrupted => Err(Failure::silent(signals.kind())),
        None if total.counts.rejected > 0 => Err(Failure::silent(Kind::Partly)),
        None => Ok(()),
    }
}

/// Takes inputs in, all at once, and adds what became of them to the total.
fn take_in(
    ctx: &mut Context<'_>,
    args: &Args,
    inputs: Vec<Input>,
    store: &mut Option<Store>,
    rejects: Option<&mut io::BufWriter<File>>,
    stop: &Arc<AtomicBool>,
    total: &mut Summary,
) -> Result<(), Failure> {
    let mut jobs = Vec::new();
    let mut size = Some(0);
    for input in inputs {
        let (job, its_size) = job(ctx, args, input)?;
        size = size.zip(its_size).map(|(sum, more)| sum + more);
        jobs.push(job);
    }
    let mut watcher = Watcher::new(
        ctx,
        size.filter(|_| !args.follow),
        rejects,
        total.counts.rejected,
    );
    let done = match (store, jobs.pop()) {
        (Some(store), last) => {
            jobs.extend(last);
            ingest::run(store, jobs, stop, &mut watcher)
        }
        (None, Some(job)) => ingest::rehearse(job, stop, &mut watcher),
        (None, None) => Ok(Summary::default()),
    };
    let committed = watcher.finish()?;
    total.add(done.as_ref().unwrap_or(&committed));
    done?;
    Ok(())
}

/// A file, or what comes through stdin.
enum Input {
    File(PathBuf),
    Stdin,
}

fn inputs(ctx: &Context<'_>, args: &Args) -> Result<Vec<Input>, Failure> {
    let dash = Path::new("-");
    if args.files.iter().filter(|f| *f == dash).count() > 1 {
        return Err(Failure::usage(
            "stdin_twice",
            "- stands for stdin, which can be read once only",
        ));
    }
    if args.files.is_empty() {
        if ctx.environment.stdin_is_terminal {
            return Err(
                Failure::usage("no_input", "no file was named and stdin is a terminal").hint(
                    "`obs ingest FILE`, or `my-app | obs ingest`; `obs ingest --help` shows more",
                ),
            );
        }
        return Ok(vec![Input::Stdin]);
    }
    let input = |f: &PathBuf| {
        if f == dash {
            Input::Stdin
        } else {
            Input::File(f.clone())
        }
    };
    Ok(args.files.iter().map(input).collect())
}

fn job(ctx: &mut Context<'_>, args: &Args, input: Input) -> Result<(Job, Option<u64>), Failure> {
    let (source, input, size) = match input {
        Input::Stdin => {
            let stdin = std::mem::replace(&mut ctx.stdin, Pipe::empty());
            ("-".to_owned(), ingest::Input::Pipe(stdin, nonce()), None)
        }
        Input::File(path) => {
            let (input, size) = open(ctx, args, &path)?;
            (path.display().to_string(), input, size)
        }
    };
    let job = Job {
        format: format(args.written, &source),
        options: args.understanding.options(ctx, args.max_line)?,
        input,
        dedupe: match args.dedupe {
            DedupeChoice::TimeId => Dedupe::TimeId,
            DedupeChoice::Id => Dedupe::Id,
            DedupeChoice::Content => Dedupe::Content,
        },
        backfill: args.backfill,
        strict: args.strict,
        now: ctx.present(),
        source,
    };
    Ok((job, size))
}

/// What is named on the command line, and how long it is, where that can be told.
fn open(
    ctx: &mut Context<'_>,
    args: &Args,
    path: &Path,
) -> Result<(ingest::Input, Option<u64>), Failure> {
    let kept = || {
        ingest::Input::Kept(Kept {
            path: path.to_owned(),
            resume: args.resume,
            follow: args.follow,
        })
    };
    let meta = match fs::metadata(path) {
        Err(error) if args.follow && error.kind() == io::ErrorKind::NotFound => {
            ctx.notice(format!(
                "{} is not there yet; waiting for it",
                path.display()
            ));
            return Ok((kept(), None));
        }
        found => found.map_err(|e| unreadable(path, &e))?,
    };
    if meta.is_dir() {
        return Err(Failure::new(
            Kind::Failed,
            "input_unreadable",
            format!("cannot read {}: it is a folder", path.display()),
        )
        .hint("name its files: FOLDER/*.jsonl"));
    }
    if meta.is_file() && (args.follow || args.resume) {
        return Ok((kept(), Some(meta.len())));
    }
    // Who holds a named pipe open for writing, too, never sees its end.
    let holds_open = args.follow && meta.file_type().is_fifo();
    let file = File::options().read(true).write(holds_open).open(path);
    let file = file.map_err(|e| unreadable(path, &e))?;
    Ok(match meta.is_file() {
        true => (ingest::Input::File(file), Some(meta.len())),
        false => (ingest::Input::Pipe(Pipe::of(file), nonce()), None),
    })
}

fn format(choice: FormatChoice, source: &str) -> input::Format {
    let name = source.trim_end_matches(".gz").trim_end_matches(".zst");
    match choice {
        FormatChoice::Csv => input::Format::Csv,
        FormatChoice::Auto if name.ends_with(".csv") => input::Format::Csv,
        FormatChoice::Auto | FormatChoice::Jsonl => input::Format::Jsonl,
    }
}

impl Understanding {
    /// What the flags say.
    pub fn options(
        &self,
        ctx: &mut Context<'_>,
        max_line: usize,
    ) -> Result<input::Options, Failure> {
        let mut mapping = Mapping::default();
        for rule in &self.map {
            mapping.map(rule)?;
        }
        for rule in &self.set {
            mapping.set(rule)?;
        }
        let time_unit = self.time_unit.as_deref().map(|name| {
            TimeUnit::parse(name).ok_or_else(|| {
                Failure::usage("time_unit_unknown", format!("unknown time unit {name:?}"))
                    .hint("use s, ms, us or ns")
            })
        });
        let time_base = match &self.time_base {
            Some(text) => Some(parse_time(text, Side::Since, &ctx.frame())?.at),
            None => None,
        };
        Ok(input::Options {
            mapping,
            time_unit: time_unit.transpose()?,
            time_base,
            default_to_now: self.default_time == DefaultTime::Now,
            max_line,
            ..input::Options::new(ctx.now)
        })
    }
}

/// Tells the lines of this run of a pipe from those of any other.
fn nonce() -> u64 {
    rand::random()
}

fn size(text: &str) -> Result<usize, String> {
    let units = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("B", 1),
        ("", 1),
    ];
    let (digits, unit) = units
        .iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|digits| (digits, *unit)))
        .unwrap_or((text, 1));
    let size = digits
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|n| n.checked_mul(unit));
    size.filter(|n| (64..=1 << 30).contains(n))
        .ok_or_else(|| "expected a size from 64 B to 1 GiB, such as 1MiB or 500000".to_owned())
}

fn create(path: &Path) -> Result<io::BufWriter<File>, Failure> {
    File::create(path).map(io::BufWriter::new).map_err(|e| {
        Failure::new(
            Kind::Failed,
            "rejects_unwritable",
            format!("cannot write {}", path.display()),
        )
        .caused_by(Some(&e))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Kind::Failed,
        "input_unreadable",
        format!("cannot read {}", path.display()),
    )
    .caused_by(Some(error))
}
