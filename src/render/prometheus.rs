//! Prometheus' text exposition format, version 0.0.4: families of samples with
//! their help and type. What the numbers mean is not known here.
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>)

use std::fmt::Write as _;

/// What sort of number a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It only grows, until it begins anew.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Samples of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Its name; characters that a name cannot have become underscores.
    pub name: String,
    /// What it tells.
    pub help: String,
    /// What sort of number.
    pub sort: Sort,
    /// Label values, in the order of the names, and the number as it is written.
    pub samples: Vec<(Vec<String>, String)>,
}

/// Writes the families that have samples.
pub fn exposition(families: &[Family], labels: &[&str]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let name = name(&family.name);
        let sort = match family.sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {}", escaped(&family.help, false));
        let _ = writeln!(text, "# TYPE {name} {sort}");
        for (values, number) in &family.samples {
            text.push_str(&name);
            let mut open = '{';
            for (label, value) in labels.iter().zip(values) {
                let _ = write!(text, "{open}{label}=\"{}\"", escaped(value, true));
                open = ',';
            }
            let close = if open == ',' { "}" } else { "" };
            let _ = writeln!(text, "{close} {number}");
        }
    }
    text
}

fn name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect()
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    match quotes {
        true => text.replace('"', "\\\""),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_names_have_no_dots() {
        let family = Family {
            name: "obs_api.requests_total".into(),
            help: "requests\nof all".into(),
            sort: Sort::Counter,
            samples: vec![(vec!["a\"b\\c\nd".into()], "7".into())],
        };
        assert_eq!(
            exposition(&[family], &["provider"]),
            "# HELP obs_api_requests_total requests\\nof all\n# TYPE obs_api_requests_total counter\n\
             obs_api_requests_total{provider=\"a\\\"b\\\\c\\nd\"} 7\n"
        );
    }
}
