//! `obs completions`: what a shell needs to complete the command line.

use clap_complete::{Shell, generate};

use super::context::Context;
use super::failure::Failure;

/// Print a script that completes `obs` in a shell
///
/// Put it where the shell looks for such scripts, or load it at each start.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs completions bash    for ~/.local/share/bash-completion/completions/obs
  obs completions zsh     for _obs in a folder of $fpath
  obs completions fish    for ~/.config/fish/completions/obs.fish")]
pub(super) struct Args {
    /// For which shell
    shell: Shell,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(
        args.shell,
        &mut super::plain_command_line(),
        "obs",
        &mut script,
    );
    Ok(ctx.stdout.write_all(&script)?)
}
