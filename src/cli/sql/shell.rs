//! `obs sql`: statements one after the other, typed or from a pipe.
//!
//! Who types them has a history, completion and lines that begin with a dot; a pipe
//! ends at the first error.

use crate::ingest::Pipe;
use std::io::{BufRead, BufReader, Read};
use std::mem;

use super::prompt::{Prompt, Typed};
use super::{Bounds, Ended, Patience, reader, run_one, told};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Kind};
use crate::config::{Output, Word};
use crate::model::nearest;
use crate::render::{Answer, Cell, Column};
use crate::store::{SqlReader, SqlTable, pieces};

/// Ask in SQL, one statement after the other
///
/// Statements end with a semicolon and can only read. `.tables` lists what there is,
/// `.schema NAME` the columns of a table, `.output FORMAT` chooses the form of answers,
/// `.quit` or Ctrl-D leaves; Ctrl-C stops the statement at hand. Read from a pipe,
/// the first error ends it.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs sql
  echo 'SELECT provider, count(*) FROM metrics_raw GROUP BY 1' | obs sql
  echo .tables | obs sql -o json")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    bounds: Bounds,
}

/// What `.help` says.
const HELP: &str = ".tables          the tables and views
.schema NAME     the columns of one
.output FORMAT   table, json, jsonl, csv, tsv or md
.help            this
.quit            leave (or Ctrl-D)
A statement ends with a semicolon. docs/schema.md explains every column.";

const DOTS: [&str; 5] = [".tables", ".schema", ".output", ".help", ".quit"];

pub(in crate::cli) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let patience = Patience::watch(args.bounds.timeout()?)?;
    let store = ctx.open_store()?;
    let mut shell = Shell {
        reader: reader(ctx, &store, &patience)?,
        patience: &patience,
        bounds: &args.bounds,
        begun: String::new(),
    };
    match ctx.environment.stdin_is_terminal {
        true => shell.converse(ctx),
        false => shell.read(ctx),
    }
}

struct Shell<'s> {
    reader: SqlReader<'s>,
    patience: &'s Patience,
    bounds: &'s Bounds,
    /// What was read of a statement that is not ended yet.
    begun: String,
}

/// Whether there is more to read.
#[derive(PartialEq, Eq)]
enum Flow {
    More,
    Quit,
}

impl Shell<'_> {
    /// Runs what somebody types; an error is told, and the next statement may come.
    fn converse(&mut self, ctx: &mut Context<'_>) -> Result<(), Failure> {
        let mut names: Vec<String> = DOTS.map(str::to_owned).into();
        for table in self.reader.tables()? {
            names.extend(table.columns);
            names.push(table.name);
        }
        let history = ctx.environment.places.state.as_ref();
        let mut prompt = Prompt::new(names, history.map(|folder| folder.join("sql_history")))?;
        ctx.notice("statements end with a semicolon; .help explains, .quit leaves");
        loop {
            let text = match prompt.read()? {
                Typed::Text(text) => text + "\n",
                Typed::Nothing => continue,
                Typed::Leave => return Ok(()),
            };
            let outcome = self.take(ctx, &text);
            ctx.stdout.flush()?;
            match outcome {
                Ok(Flow::More) => {}
                Ok(Flow::Quit) => return Ok(()),
                Err(failure) if failure.is_silent() => return Err(failure),
                Err(failure) if failure.kind() == Kind::Terminated => return Err(failure),
                Err(failure) => {
                    let text = failure.to_text(ctx.stderr_color());
                    ctx.stderr.write_all(text.as_bytes())?;
                }
            }
        }
    }

    /// Runs what comes in, up to the first error.
    fn read(&mut self, ctx: &mut Context<'_>) -> Result<(), Failure> {
        let stdin = mem::replace(&mut ctx.stdin, Pipe::empty());
        let mut lines = BufReader::new(stdin);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = lines
                .by_ref()
                .take(super::LONGEST)
                .read_until(b'\n', &mut bytes);
            let length = read.map_err(|e| {
                let message = "cannot read statements from stdin";
                Failure::new(Kind::Failed, "input_unreadable", message).caused_by(Some(&e))
            })?;
            if length == 0 {
                return self.finish(ctx);
            }
            let line = std::str::from_utf8(&bytes);
            let line = line.map_err(|_| Failure::usage("sql_invalid", "a line is not UTF-8"))?;
            if self.take(ctx, line)? == Flow::Quit {
                return Ok(());
            }
        }
    }

    /// Takes one more line, and runs what it completes.
    fn take(&mut self, ctx: &mut Context<'_>, line: &str) -> Result<Flow, Failure> {
        if self.begun.trim().is_empty() && line.trim_start().starts_with('.') {
            return self.dot(ctx, line.trim());
        }
        self.begun.push_str(line);
        if self.begun.len() as u64 > super::LONGEST {
            self.begun.clear();
            return Err(Failure::usage("sql_invalid", "the statement is too long"));
        }
        if !line.contains(';') {
            return Ok(Flow::More);
        }
        let text = mem::take(&mut self.begun);
        for piece in pieces(&text) {
            if !piece.ended {
                self.begun = piece.text.to_owned();
            } else if !piece.is_blank() {
                self.run(ctx, piece.text)?;
            }
        }
        Ok(Flow::More)
    }

    /// Runs the last statement, which may lack its semicolon.
    fn finish(&mut self, ctx: &mut Context<'_>) -> Result<(), Failure> {
        let text = mem::take(&mut self.begun);
        match pieces(&text).all(|piece| piece.is_blank()) {
            true => Ok(()),
            false => self.run(ctx, &text),
        }
    }

    fn run(&self, ctx: &mut Context<'_>, text: &str) -> Result<(), Failure> {
        // Errors count lines from the first word on.
        let text = text.trim();
        let ran = run_one(ctx, &self.reader, self.patience, self.bounds, text);
        ran.map_err(|ended| match ended {
            Ended::Refused(error) => told::failure(error, "statement", text, self.patience),
            Ended::Failed(failure) => failure,
        })
    }

    /// Does what a line with a dot asks for.
    fn dot(&self, ctx: &mut Context<'_>, line: &str) -> Result<Flow, Failure> {
        let mut words = line.trim_end_matches(';').split_whitespace();
        match (words.next().unwrap_or_default(), words.next()) {
            (".quit" | ".exit", None) => return Ok(Flow::Quit),
            (".help", None) => writeln!(ctx.stdout, "{HELP}")?,
            (".tables", None) => ctx.answer(&tables(&self.reader.tables()?))?,
            (".schema", Some(name)) => ctx.answer(&columns(&self.reader.tables()?, name)?)?,
            (".output", Some(name)) => ctx.config.output = output(name)?,
            (word, _) => {
                let meant = nearest(word, DOTS).filter(|meant| *meant != word);
                let list = "`.help` lists them";
                let failure = Failure::usage("sql_invalid", format!("cannot do {line:?}"));
                return Err(failure.hint(match meant {
                    Some(meant) => format!("did you mean {meant}? {list}"),
                    None => list.into(),
                }));
            }
        }
        Ok(Flow::More)
    }
}

fn output(name: &str) -> Result<Output, Failure> {
    Output::parse(name).ok_or_else(|| {
        let names = Output::names();
        Failure::usage("usage", format!("unknown form {name:?}"))
            .hint(format!("use one of {}", names.join(", ")))
    })
}

fn tables(tables: &[SqlTable]) -> Answer {
    let columns = ["name", "columns", "documented"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.sql.tables/v1", columns.into());
    answer.rows = tables
        .iter()
        .map(|table| {
            vec![
                Cell::text(&table.name),
                Cell::Int(table.columns.len() as i128),
                Cell::Bool(table.is_interface),
            ]
        })
        .collect();
    answer
}

fn columns(tables: &[SqlTable], name: &str) -> Result<Answer, Failure> {
    let Some(table) = tables.iter().find(|table| table.name == name) else {
        let meant = nearest(name, tables.iter().map(|table| table.name.as_str()));
        let failure = Failure::usage("sql_invalid", format!("there is no table {name:?}"));
        return Err(failure.hint(match meant {
            Some(meant) => format!("did you mean {meant}? `.tables` lists them"),
            None => "`.tables` lists them".into(),
        }));
    };
    let mut answer = Answer::new("obs.sql.columns/v1", vec![Column::new("column", "column")]);
    answer.rows = table.columns.iter().map(|c| vec![Cell::text(c)]).collect();
    Ok(answer)
}
