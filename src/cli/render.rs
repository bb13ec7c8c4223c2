//! Stand-in for `crate::render`.
use std::io::{self, Write};

use crate::model::Millis;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
    Tsv,
    Md,
}

#[allow(dead_code)]
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub format: Format,
    pub fields: Option<Vec<String>>,
    pub header: bool,
    pub csv_safe: bool,
    pub ascii: bool,
    pub color: bool,
    pub terminal: bool,
    pub width: usize,
    pub zone: chrono_tz::Tz,
    pub now: Millis,
}

pub(crate) fn write(
    out: &mut dyn Write,
    style: &Style,
    columns: &[&str],
    rows: &[Vec<String>],
) -> io::Result<()> {
    if style.format == Format::Json {
        let object = |row: &Vec<String>| -> serde_json::Map<String, serde_json::Value> {
            columns
                .iter()
                .zip(row)
                .map(|(c, v)| ((*c).to_owned(), v.clone().into()))
                .collect()
        };
        let data: Vec<_> = rows.iter().map(object).collect();
        return writeln!(out, "{}", serde_json::json!({ "data": data }));
    }
    for row in rows {
        writeln!(out, "{}", row.join("  "))?;
    }
    Ok(())
}
