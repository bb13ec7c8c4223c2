//! `obs man`: the help as pages of a manual.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use super::context::Context;
use super::failure::{Failure, Kind};

/// Print the page of the manual, or write a page for each command
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs man                                 the page of obs itself
  obs man --dir ~/.local/share/man/man1   all pages, for `man obs`")]
pub(super) struct Args {
    /// Write obs.1, obs-stats.1, … into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let command = super::plain_command_line();
    let Some(dir) = &args.dir else {
        return Ok(Man::new(command).render(&mut ctx.stdout)?);
    };
    write_all(command, dir).map_err(|e| {
        let message = format!("cannot write the manual into {}", dir.display());
        Failure::new(Kind::Failed, "manual_unwritable", message).caused_by(Some(&e))
    })?;
    ctx.notice(format!(
        "the manual is in {}; `man obs` shows it",
        dir.display()
    ));
    Ok(())
}

fn write_all(command: clap::Command, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command, dir)
}
