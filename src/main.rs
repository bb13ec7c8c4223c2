//! Hands arguments and streams to the library and returns its exit code.

use std::ffi::OsString;
use std::io::{self, BufWriter};
use std::process::ExitCode;

use obs::cli::{self, Environment, Pipe, Streams};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    cli::report_panics(args.iter().any(|arg| arg == "--debug"));
    let streams = Streams {
        stdin: Pipe::stdin(),
        stdout: &mut BufWriter::new(io::stdout().lock()),
        stderr: &mut io::stderr(),
    };
    cli::run(args, &Environment::of_the_process(), streams).into()
}
