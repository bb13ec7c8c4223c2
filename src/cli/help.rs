//! The help: one sentence, then examples, then flags by group.
//!
//! The words come from the doc comments of the commands; only their order is
//! decided here.

use std::fmt::Write as _;

use clap::Command;

/// Commands that belong together in the short help.
pub(super) struct Group {
    /// Its heading.
    pub title: &'static str,
    /// The names of its commands, in order.
    pub commands: &'static [&'static str],
}

const USAGE: &str = "obs [FLAGS] COMMAND …";

const EXAMPLES: &str = "Examples:
  obs demo                                  a simulated week, walked through
  my-app | obs ingest                       take events in from a pipe
  obs stats --by provider --since 24h       how each provider did today
";

const MORE: &str = "`obs COMMAND --help` explains a command, with examples.";

/// Of a command: what it does, how it is called, examples, and then its flags.
const PAGE: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";

/// The command line with its help in our order.
pub(super) fn dressed(command: Command, groups: &[Group]) -> Command {
    let page = format!("{}\n{{all-args}}\n\n{MORE}", overview(&command, groups));
    command
        .mut_subcommands(|sub| paged(sub).hide(true))
        .override_usage(USAGE)
        .help_template(page)
}

/// What is shown to who types `obs` alone.
pub(super) fn short(command: &Command, groups: &[Group]) -> String {
    format!("{}\n{MORE}\n", overview(command, groups))
}

fn paged(command: Command) -> Command {
    command.help_template(PAGE).mut_subcommands(paged)
}

/// What `obs` is, its commands by group, and examples.
fn overview(command: &Command, groups: &[Group]) -> String {
    let mut text = format!("{}\n\nUsage: {USAGE}\n\n", about(command));
    // Writing into a String cannot fail.
    for group in groups {
        let _ = writeln!(text, "{}:", group.title);
        for name in group.commands {
            let sentence = command.find_subcommand(name).map(about);
            let _ = writeln!(text, "  {name:<12}{}", sentence.unwrap_or_default());
        }
        text.push('\n');
    }
    text + EXAMPLES
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}
