//! Values over time as a picture in text: lines of Braille dots, or of ASCII
//! marks, between labelled axes.
//!
//! A value stands at the start of its bucket, where the tables and the data show
//! it too. What is missing is a gap. The frame, the scales and the reduction to
//! dots are ours; textplots turns dots into Braille (`canvas.rs`). Scales and
//! ticks are pure ([`scale`], [`label`], [`time_axis`]), so that other pictures
//! can share them. It asks no store and no terminal: width, colour and zone are
//! handed in.

mod calendar;
mod canvas;
mod caption;
mod frame;
pub mod label;
mod plot;
pub mod scale;
mod spark;
mod step;
mod text;
pub mod time_axis;
mod words;

use chrono_tz::Tz;

use self::frame::Frame;
use self::label::Labels;
use self::scale::{Kind, Scale};
use self::text::Line;
pub use self::{spark::sparkline, words::no_data};
use crate::model::{Millis, Span, Unit};

/// Widths that are drawn, in columns; others are taken as the nearest of them.
const WIDTHS: std::ops::RangeInclusive<usize> = 10..=1_000;
/// Heights that are drawn, in rows of the plot.
const HEIGHTS: std::ops::RangeInclusive<usize> = 3..=200;
/// Rows when no height is asked for: two, three or four intervals divide the
/// twelve steps between them evenly.
const ROWS: usize = 13;
/// Rows from one tick to the next, at the least.
const ROWS_A_TICK: usize = 3;
/// Ticks are not set more densely than this, however high the chart.
const INTERVALS_MOST: usize = 8;

/// The values of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend; may be text from outside.
    pub name: String,
    /// Value `i` belongs to the bucket that starts at `span.from + i * step_ms`;
    /// `None` is a gap, and so is what is not a finite number.
    pub values: Vec<Option<f64>>,
}

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What the values are: `p95 latency by provider`.
    pub title: String,
    /// The unit of all values and thresholds.
    pub unit: Unit,
    /// The window; the x axis covers exactly it.
    pub span: Span,
    /// Milliseconds from one bucket to the next.
    pub step_ms: i64,
    /// The tier that answered: `1min`.
    pub source: String,
    /// The lines, in the order of the legend.
    pub series: Vec<Series>,
    /// Values drawn as dashed lines across the plot.
    pub thresholds: Vec<f64>,
    /// Whether the y axis is logarithmic; values at or below zero are then gaps.
    pub log: bool,
    /// Rows of the plot without head, time axis and legend; by default 13.
    pub height: Option<usize>,
}

/// How it is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; less than 10 is taken as 10.
    pub width: usize,
    /// Whether to use ASCII characters only.
    pub ascii: bool,
    /// Whether to colour lines and marks. Nothing is told by colour alone.
    pub color: bool,
    /// The zone of the time labels.
    pub zone: Tz,
}

/// Draws the chart as lines of text, each ended by a line feed and none wider
/// than the look allows.
pub fn draw(chart: &Chart, look: &Look) -> String {
    let look = Look {
        width: look.width.clamp(*WIDTHS.start(), *WIDTHS.end()),
        ..*look
    };
    let lines = match y_scale(chart, rows(chart)) {
        Some(scale) => picture(chart, &look, &scale),
        None => blank(chart, &look),
    };
    lines
        .iter()
        .map(|line| line.print(look.color) + "\n")
        .collect()
}

fn rows(chart: &Chart) -> usize {
    chart
        .height
        .unwrap_or(ROWS)
        .clamp(*HEIGHTS.start(), *HEIGHTS.end())
}

/// The y axis for all values of the window; `None` when there is none to draw.
fn y_scale(chart: &Chart, rows: usize) -> Option<Scale> {
    let kind = if chart.log { Kind::Log } else { Kind::Linear };
    let intervals = ((rows - 1) / ROWS_A_TICK).min(INTERVALS_MOST);
    let values = || points(chart).map(|(_, value)| value);
    Scale::new(kind, chart.unit, intervals, values())?;
    let all = values().chain(chart.thresholds.iter().copied());
    Scale::new(kind, chart.unit, intervals, all)
}

/// All values of the window with the start of their bucket.
fn points(chart: &Chart) -> impl Iterator<Item = (Millis, f64)> {
    chart.series.iter().flat_map(|series| {
        buckets(chart, series).filter_map(|(at, value)| value.map(|value| (at, value)))
    })
}

/// The buckets of a series that start in the window.
fn buckets<'a>(
    chart: &'a Chart,
    series: &'a Series,
) -> impl Iterator<Item = (Millis, Option<f64>)> + 'a {
    let start = |i: usize| {
        chart
            .span
            .from
            .plus((i as i64).saturating_mul(chart.step_ms.max(1)))
    };
    let values = series.values.iter().enumerate();
    values
        .map(move |(i, value)| (start(i), *value))
        .take_while(|(at, _)| chart.span.contains(*at))
}

fn blank(chart: &Chart, look: &Look) -> Vec<Line> {
    let mut lines = caption::head(chart, look, label::unit(chart.unit));
    let mut remarks = vec!["no data in this window".to_owned()];
    remarks.extend(hidden(chart));
    lines.extend(caption::notes(&remarks, look));
    lines
}

fn picture(chart: &Chart, look: &Look, scale: &Scale) -> Vec<Line> {
    let labels = Labels::new(chart.unit, scale);
    let frame = Frame::new(chart, look, scale, &labels);
    let mut lines = caption::head(chart, look, &labels.unit());
    lines.extend(frame.plot(chart, scale));
    lines.extend(frame.time_axis(chart.span, look.zone));
    lines.extend(caption::legend(chart, look));
    let mut remarks: Vec<String> = hidden(chart).into_iter().collect();
    remarks.extend(
        frame
            .threshold_labels_left()
            .map(|label| format!("threshold {label}")),
    );
    lines.extend(caption::notes(&remarks, look));
    lines
}

/// Says how many values a logarithmic axis has no place for.
fn hidden(chart: &Chart) -> Option<String> {
    let hidden = points(chart)
        .filter(|(_, value)| chart.log && *value <= 0.0)
        .count();
    match hidden {
        0 => None,
        1 => Some("1 value at or below 0 is not on the log scale".to_owned()),
        many => Some(format!(
            "{many} values at or below 0 are not on the log scale"
        )),
    }
}

#[cfg(test)]
mod tests;
