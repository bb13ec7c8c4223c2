//! `obs cost`: what requests cost, and by which prices.

mod prices;

use clap::Subcommand;

use super::context::Context;
use super::failure::Failure;

/// Prices of models: which count, and prices of your own
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs cost prices show claude-sonnet-4-5
  obs cost prices list --provider openai")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Prices(prices::Args),
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::Prices(args) => prices::run(ctx, args),
    }
}
