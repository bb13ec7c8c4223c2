//! A chart as a page: the SVG, and its values as a table for who cannot see it.
//!
//! One file, nothing fetched, no script.

use chrono_tz::Tz;

use super::svg::{escaped, svg};
use super::{Chart, Rulers, Side, buckets};
use crate::model::Millis;
use crate::render::human;

const STYLE: &str = "body{margin:2rem auto;max-width:61rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;\
color:#222;background:#fff}svg{max-width:100%;height:auto}.scroll{overflow-x:auto}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.15rem .8rem;text-align:right;border-bottom:1px solid #8884;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181c}}";

/// Draws the chart as an HTML document.
pub fn html(chart: &Chart, zone: Tz) -> String {
    page(&chart.title, &svg(chart, zone), &table(chart, zone))
}

/// A document of a picture and a table.
pub(super) fn page(title: &str, svg: &str, table: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{svg}\
         <h2>Values</h2>\n<div class=\"scroll\">\n{table}</div>\n</body>\n</html>\n"
    )
}

/// A row for each bucket, a column for each series.
fn table(chart: &Chart, zone: Tz) -> String {
    let rulers = Rulers::new(chart);
    let names = chart.series.iter().map(|s| {
        let side = match (&chart.right, s.side) {
            (None, _) => "",
            (Some(_), Side::Left) => " (left)",
            (Some(_), Side::Right) => " (right)",
        };
        format!("<th scope=\"col\">{}{side}</th>", escaped(&s.name))
    });
    let mut out = format!(
        "<table>\n<thead><tr><th scope=\"col\">from ({zone})</th>{}</tr></thead>\n<tbody>\n",
        names.collect::<String>()
    );
    let columns: Vec<Vec<(Millis, Option<f64>)>> = chart
        .series
        .iter()
        .map(|series| buckets(chart, series).collect())
        .collect();
    let mut starts: Vec<Millis> = columns.iter().flatten().map(|(at, _)| *at).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut at: Vec<usize> = vec![0; columns.len()];
    for start in starts {
        out.push_str(&format!("<tr><td>{}</td>", human::moment(start, zone)));
        for ((series, column), next) in chart.series.iter().zip(&columns).zip(&mut at) {
            let value = column.get(*next).filter(|(at, _)| *at == start);
            *next += usize::from(value.is_some());
            let value = value.and_then(|(_, value)| *value);
            let label = value.zip(rulers.of(series.side));
            let label = label.map(|(value, ruler)| ruler.labels.value(value));
            let label = label.unwrap_or_else(|| "-".to_owned());
            out.push_str(&format!("<td>{}</td>", escaped(&label)));
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody>\n</table>\n"
}
