//! Compares printed lines with expected ones, as a reader would: the width of
//! gaps and empty lines do not count, `…` stands for what does not matter.

use std::fmt::Write;

/// Where `printed` differs from `expected`, told for people; `None` when it does not.
///
/// A line that ends in `…` matches any rest of the line. When the last line is
/// `…` alone, whatever follows is accepted, also nothing.
pub fn difference(expected: &[&str], printed: &str) -> Option<String> {
    let expected: Vec<String> = expected.iter().copied().filter_map(squeeze).collect();
    let printed: Vec<String> = printed.lines().filter_map(squeeze).collect();
    let (expected, open) = match expected.split_last() {
        Some((last, before)) if last == "…" => (before, true),
        _ => (expected.as_slice(), false),
    };
    let same = expected.iter().zip(&printed).all(|(e, p)| matches(e, p))
        && (expected.len() == printed.len() || (open && expected.len() < printed.len()));
    (!same).then(|| tell(expected, &printed, open))
}

/// The line with single spaces, or `None` when nothing is on it.
fn squeeze(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn matches(expected: &str, printed: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => printed.starts_with(start.trim_end()),
        None => expected == printed,
    }
}

fn tell(expected: &[String], printed: &[String], open: bool) -> String {
    let mut text = String::new();
    for i in 0..expected.len().max(printed.len()) {
        match (expected.get(i), printed.get(i)) {
            (Some(e), Some(p)) if matches(e, p) => writeln!(text, "    {p}"),
            (Some(e), Some(p)) => writeln!(text, "  - {e}\n  + {p}"),
            (Some(e), None) => writeln!(text, "  - {e}"),
            (None, Some(p)) if open => writeln!(text, "    {p}"),
            (None, Some(p)) => writeln!(text, "  + {p}"),
            (None, None) => Ok(()),
        }
        .unwrap();
    }
    format!("expected (-), got (+)\n{text}")
}

#[test]
fn gaps_and_empty_lines_do_not_count() {
    let printed = "provider   requests\n\nclaude         1,204  \n";
    assert_eq!(
        difference(&["provider requests", "claude 1,204"], printed),
        None
    );
}

#[test]
fn an_ellipsis_stands_for_the_rest() {
    let printed = "stored 60 events in 12 ms\nnext: obs rollup\nor: obs stats\n";
    assert_eq!(difference(&["stored 60 events in …", "…"], printed), None);
    assert_eq!(difference(&["…"], printed), None);
    assert!(difference(&["stored 60 events in …"], printed).is_some());
    assert!(difference(&["stored 61 …", "…"], printed).is_some());
    assert_eq!(difference(&["…"], ""), None);
}

#[test]
fn a_difference_is_shown_line_by_line() {
    let told = difference(&["a 1", "b 2"], "a 1\nb 3\nc\n").unwrap();
    assert_eq!(
        told,
        "expected (-), got (+)\n    a 1\n  - b 2\n  + b 3\n  + c\n"
    );
}
