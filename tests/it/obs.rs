//! Runs the real binary in a folder of its own, with an empty environment and a
//! given moment, so that an hour passes in a line and no two tests share a file.
//!
//! It does not know what any command does.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::lines;

/// The program, in its own folder, at one moment.
pub struct Obs {
    folder: TempDir,
    now: String,
}

/// What one run of the program left behind.
#[derive(Debug)]
pub struct Ran {
    /// The arguments, as they would be typed.
    pub command: String,
    /// The exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

impl Obs {
    /// A new folder without a store, at the moment `now` (RFC 3339).
    pub fn at(now: &str) -> Obs {
        Obs {
            folder: TempDir::new().unwrap(),
            now: now.to_owned(),
        }
    }

    /// Lets time pass (or turn back).
    pub fn set_now(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its store is.
    pub fn db(&self) -> PathBuf {
        self.folder().join("obs.db")
    }

    /// The command, ready to be started; for tests that start several at once or end one early.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_obs"));
        command
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.folder())
            .env("TZ", "UTC")
            .env("OBS_TZ", "UTC")
            .env("OBS_NOW", &self.now)
            .env("OBS_DB", self.db())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end with nothing on stdin.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.feed(args, "")
    }

    /// Runs it to its end with these environment variables besides its own.
    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        ran(args, command.output().unwrap())
    }

    /// Runs a line of shell with `obs` and the programs of its folder on the path.
    pub fn shell(&self, line: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_obs")).parent().unwrap();
        let path = format!("{}:{}", program.display(), self.folder().display());
        let like = self.command::<&str>(&[]);
        let variables = like.get_envs();
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(self.folder())
            .env_clear()
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", path + ":/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            command: line.to_owned(),
            ..ran::<&str>(&[], output)
        }
    }

    /// Runs it to its end with these bytes on stdin.
    pub fn feed<A: AsRef<OsStr>>(&self, args: &[A], stdin: impl AsRef<[u8]> + Send) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            scope.spawn(move || match pipe.write_all(stdin.as_ref()) {
                Err(e) if e.kind() != ErrorKind::BrokenPipe => panic!("cannot feed obs: {e}"),
                _ => (),
            });
            child.wait_with_output().unwrap()
        });
        ran(args, output)
    }
}

fn ran<A: AsRef<OsStr>>(args: &[A], output: Output) -> Ran {
    Ran {
        command: args.iter().fold("obs".to_owned(), |line, arg| {
            line + " " + &arg.as_ref().to_string_lossy()
        }),
        code: exit_code(output.status),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Ends the test unless the exit code is this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert!(self.code == code, "expected exit {code}\n{self}");
        self
    }

    /// Ends the test unless stdout holds these lines (see [`lines::difference`]).
    #[track_caller]
    pub fn prints(self, expected: &str) -> Ran {
        let expected: Vec<&str> = expected.lines().collect();
        if let Some(difference) = lines::difference(&expected, &self.stdout) {
            panic!("{difference}{self}");
        }
        self
    }

    /// Stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("stdout is not JSON: {e}\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "$ {command}\n--- stdout\n{stdout}--- stderr\n{stderr}--- exit {code}"
        )
    }
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|n| 128 + n))
        .unwrap()
}

#[test]
#[should_panic(expected = "  - 60 events\n  + 59 events\n$ obs stats")]
fn a_run_is_judged_by_what_it_prints() {
    let ran = Ran {
        command: "obs stats".into(),
        code: 0,
        stdout: "59   events\n".into(),
        stderr: String::new(),
    };
    ran.exits(0).prints("59 events").prints("60 events");
}
