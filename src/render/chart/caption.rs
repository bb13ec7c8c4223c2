//! The words round a plot: the head line above it, legend and notes below.

use super::hue::hues;
use super::text::{Ink, Line, clean, fit, flow, mark};
use super::words::{exact, window};
use super::{Chart, Look, Series, Side};

/// Title, unit, window, resolution and source in one line; in several where the
/// width is too small for one.
pub(super) fn head(chart: &Chart, look: &Look, unit: &str) -> Vec<Line> {
    let unit = format!(" ({unit})");
    let room = look.width.saturating_sub(unit.len());
    let title = fit(&clean(&chart.title, look.ascii), room, look.ascii);
    let source = clean(&chart.source, look.ascii);
    let parts = [
        format!("{title}{unit}"),
        window(chart.span, look.zone, look.ascii),
        format!("every {} ({source})", exact(chart.step_ms)),
    ];
    let separator = if look.ascii { " | " } else { " · " };
    plain(&parts, separator, look)
}

/// The mark and name of each series; nothing when there is only one.
pub(super) fn legend(chart: &Chart, look: &Look) -> Vec<Line> {
    if chart.series.len() < 2 {
        return Vec::new();
    }
    let entry = |(i, (series, hue)): (usize, (&Series, usize))| {
        let mut entry = Line::of(Ink::Series(hue), &mark(i, look.ascii).to_string());
        let suffix = match (&chart.right, series.side) {
            (None, _) => "",
            (Some(_), Side::Left) => " (left)",
            (Some(_), Side::Right) => " (right)",
        };
        let room = look.width.saturating_sub(2 + suffix.len());
        let name = fit(&clean(&series.name, look.ascii), room, look.ascii);
        entry.push(Ink::Plain, &format!(" {name}"));
        if entry.width() + suffix.len() <= look.width {
            entry.push(Ink::Plain, suffix);
        }
        entry
    };
    let series = chart.series.iter().zip(hues(&chart.series));
    let entries: Vec<Line> = series.enumerate().map(entry).collect();
    flow(&entries, "   ", look.width)
}

/// Remarks, each on a line of its own unless two fit.
pub(super) fn notes(remarks: &[String], look: &Look) -> Vec<Line> {
    plain(remarks, "; ", look)
}

/// Parts one after the other; one that is wider than a line is broken at its spaces.
fn plain(parts: &[String], separator: &str, look: &Look) -> Vec<Line> {
    let line = |text: &str| Line::of(Ink::Plain, &fit(text, look.width, look.ascii));
    let parts: Vec<Line> = parts
        .iter()
        .flat_map(|part| {
            let whole = Line::of(Ink::Plain, part);
            if whole.width() <= look.width {
                vec![whole]
            } else {
                let words: Vec<Line> = part.split(' ').map(line).collect();
                flow(&words, " ", look.width)
            }
        })
        .collect();
    flow(&parts, separator, look.width)
}
