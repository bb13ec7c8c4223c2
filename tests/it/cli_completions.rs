//! What `obs completions` and `obs man` print.

use std::fs;
use std::process::Command;

use crate::obs::Obs;

#[test]
fn bash_completes_commands_flags_and_words_with_the_script() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    let script = obs.run(&["completions", "bash"]).exits(0).stdout;
    fs::write(obs.folder().join("obs.bash"), script).unwrap();
    let completed = |words: &str| {
        let ask = format!(
            ". ./obs.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             _obs obs \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let bash = Command::new("bash")
            .args(["--norc", "-c", &ask])
            .current_dir(obs.folder())
            .output();
        let Ok(output) = bash else {
            // A machine without bash completes nothing in it.
            return None;
        };
        Some(String::from_utf8(output.stdout).unwrap())
    };
    for (words, expected) in [
        ("obs sta", "stats"),
        ("obs query --sq", "--sql"),
        ("obs stats -o js", "json"),
        ("obs retention sh", "show"),
        ("obs completions fi", "fish"),
    ] {
        let Some(told) = completed(words) else {
            return;
        };
        assert!(told.lines().any(|line| line == expected), "{words}: {told}");
    }
}

#[test]
fn every_shell_has_a_script_and_another_one_is_refused() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = obs.run(&["completions", shell]).exits(0);
        assert!(
            ran.stdout.contains("retention") && ran.stderr.is_empty(),
            "{shell}"
        );
    }
    obs.run(&["completions", "tcsh"]).exits(2);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let obs = Obs::at("2026-03-01T12:00:00Z");
    obs.run(&["man"])
        .exits(0)
        .prints(".ie \\n(.g .ds Aq \\(aq\n…");
    obs.run(&["man", "--dir", "man1"]).exits(0);
    let page = |name: &str| fs::read_to_string(obs.folder().join("man1").join(name)).unwrap();
    assert!(page("obs-query.1").contains("p95_latency"));
    assert!(page("obs-retention-show.1").contains("retention"));
    fs::write(obs.folder().join("file"), "").unwrap();
    obs.run(&["man", "--dir", "file/man1"]).exits(1);
}
