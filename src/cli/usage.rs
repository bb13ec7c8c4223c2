//! A command line that cannot be read, told as every other failure is.

use clap::error::ErrorKind;

use super::failure::Failure;

/// clap's own words, in our form: its tip becomes the hint, its usage a command to try.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Failure {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return unfinished(&error.to_string());
        }
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let ends = |line: &&str| {
            let line = line.trim_start();
            !line.starts_with("tip:") && !line.starts_with("Usage:") && !line.starts_with("For ")
        };
        let message: Vec<&str> = text.lines().take_while(ends).map(str::trim).collect();
        let tip = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("tip: "));
        let help = format!("`{} --help` lists what there is", command_of(text));
        Failure::usage("usage", message.join(" ").trim_end()).hint(match tip {
            Some(tip) => format!("{}; {help}", tip.trim()),
            None => help,
        })
    }
}

/// A command that wants another one behind it. clap answers with the whole help.
fn unfinished(help: &str) -> Failure {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        // What a command does goes on below it, further in.
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '))
        })
        .filter_map(|rest| rest.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let command = command_of(help);
    Failure::usage(
        "usage",
        format!("`{command}` is only the half of a command"),
    )
    .hint(format!(
        "add one of {}; `{command} --help` says what they do",
        names.join(", ")
    ))
}

/// The command that clap's usage line speaks of: `obs config show`.
fn command_of(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let words = usage.unwrap_or("obs").split_whitespace();
    let names: Vec<&str> = words
        .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()))
        .collect();
    names.join(" ")
}
