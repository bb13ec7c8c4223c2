//! Values over time as a picture: in text, of Braille dots or ASCII marks between
//! labelled axes; as SVG; as a page.
//!
//! A value stands at the start of its bucket, where the tables and the data show
//! it too. What is missing is a gap. The frame, the scales and the reduction to
//! dots are ours; textplots turns dots into Braille (`canvas.rs`). All pictures
//! share scales, ticks, labels and captions (`frame.rs`, `caption.rs`). It asks no
//! store and no terminal: width, colour and zone are handed in.

mod calendar;
mod canvas;
mod caption;
mod frame;
mod html;
mod hue;
pub mod label;
mod plot;
pub mod scale;
mod shape;
mod spark;
mod step;
mod svg;
mod text;
pub mod time_axis;
mod words;

use chrono_tz::Tz;

use self::frame::Frame;
use self::label::Labels;
use self::scale::{Kind, Scale};
use self::text::Line;
pub use self::{
    html::html,
    spark::{sparkline, sparks},
    svg::svg,
    words::no_data,
};
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

/// How values become a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A line from value to value.
    #[default]
    Line,
    /// Each value holds until its bucket ends.
    Step,
    /// A bar for each value, from zero; those of several series side by side.
    Bar,
}

/// The y axis that a series is read on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The one on the left.
    #[default]
    Left,
    /// The one on the right.
    Right,
}

/// What a y axis counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The unit of its values and thresholds.
    pub unit: Unit,
    /// Values drawn as dashed lines across the plot.
    pub thresholds: Vec<f64>,
}

/// The values of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend; may be text from outside.
    pub name: String,
    /// The axis it is read on.
    pub side: Side,
    /// Whether it shows an earlier window, for comparison.
    pub is_earlier: bool,
    /// The start of each bucket, in order, and its value; `None` is a gap, and so
    /// is what is not a finite number. A point of an earlier window stands where
    /// the bucket it is compared with does.
    pub points: Vec<(Millis, Option<f64>)>,
}

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What the values are: `p95 latency by provider`.
    pub title: String,
    /// Line, steps or bars.
    pub shape: Shape,
    /// The y axis on the left.
    pub left: Axis,
    /// The y axis on the right, when there are values of a second unit.
    pub right: Option<Axis>,
    /// The window; the x axis covers exactly it.
    pub span: Span,
    /// Milliseconds from one bucket to the next.
    pub step_ms: i64,
    /// The tier that answered: `1min`.
    pub source: String,
    /// The lines, in the order of the legend.
    pub series: Vec<Series>,
    /// Whether the y axes are logarithmic; values at or below zero are then gaps.
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
    let look = look.within_bounds();
    let rulers = Rulers::new(chart);
    let lines = match rulers.is_empty() {
        false => picture(chart, &look, &rulers),
        true => blank(chart, &look),
    };
    print(&lines, &look)
}

fn print(lines: &[Line], look: &Look) -> String {
    lines
        .iter()
        .map(|line| line.print(look.color) + "\n")
        .collect()
}

impl Look {
    fn within_bounds(&self) -> Look {
        Look {
            width: self.width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            ..*self
        }
    }
}

/// The scale of a y axis, and how its numbers are written.
struct Ruler {
    scale: Scale,
    labels: Labels,
}

impl Ruler {
    /// The ruler for all values of a side; `None` when there is none to draw.
    fn new(chart: &Chart, side: Side, axis: &Axis) -> Option<Ruler> {
        let kind = if chart.log { Kind::Log } else { Kind::Linear };
        let intervals = ((rows(chart) - 1) / ROWS_A_TICK).min(INTERVALS_MOST);
        let series = || chart.series.iter().filter(move |s| s.side == side);
        let values = || series().flat_map(|s| buckets(chart, s).filter_map(|(_, value)| value));
        Scale::new(kind, axis.unit, intervals, values())?;
        // A bar is as long as its value only when it begins at zero.
        let ground = (chart.shape == Shape::Bar && !chart.log).then_some(0.0);
        let all = values()
            .chain(axis.thresholds.iter().copied())
            .chain(ground);
        let scale = Scale::new(kind, axis.unit, intervals, all)?;
        let labels = Labels::new(axis.unit, &scale);
        Some(Ruler { scale, labels })
    }
}

/// The rulers of both sides; one without values has none.
struct Rulers {
    left: Option<Ruler>,
    right: Option<Ruler>,
}

impl Rulers {
    fn new(chart: &Chart) -> Rulers {
        let right = chart.right.as_ref();
        Rulers {
            left: Ruler::new(chart, Side::Left, &chart.left),
            right: right.and_then(|axis| Ruler::new(chart, Side::Right, axis)),
        }
    }

    fn of(&self, side: Side) -> Option<&Ruler> {
        match side {
            Side::Left => self.left.as_ref(),
            Side::Right => self.right.as_ref(),
        }
    }

    fn is_empty(&self) -> bool {
        self.left.is_none() && self.right.is_none()
    }

    /// What the numbers are, for the head line: `s`, or `s left, $ right`.
    fn units(&self, chart: &Chart) -> String {
        let unit = |ruler: &Option<Ruler>, axis: &Axis| match ruler {
            Some(ruler) => ruler.labels.unit(),
            None => label::unit(axis.unit).to_owned(),
        };
        let left = unit(&self.left, &chart.left);
        match &chart.right {
            None => left,
            Some(axis) => format!("{left} left, {} right", unit(&self.right, axis)),
        }
    }
}

fn rows(chart: &Chart) -> usize {
    chart
        .height
        .unwrap_or(ROWS)
        .clamp(*HEIGHTS.start(), *HEIGHTS.end())
}

/// The buckets of a series that start in the window, each with its value.
fn buckets<'a>(
    chart: &'a Chart,
    series: &'a Series,
) -> impl Iterator<Item = (Millis, Option<f64>)> + 'a {
    let points = series.points.iter().copied();
    points.filter(|(at, _)| chart.span.contains(*at))
}

/// The same as spans: a bucket ends where the next begins, the last after a step.
fn spans<'a>(
    chart: &'a Chart,
    series: &'a Series,
) -> impl Iterator<Item = (Span, Option<f64>)> + 'a {
    let step = chart.step_ms.max(1);
    let mut points = buckets(chart, series).peekable();
    std::iter::from_fn(move || {
        let (at, value) = points.next()?;
        let next = points.peek().map_or(at.plus(step), |(next, _)| *next);
        Some((Span::new(at, next.min(chart.span.until)), value))
    })
}

fn blank(chart: &Chart, look: &Look) -> Vec<Line> {
    let mut lines = caption::head(chart, look, label::unit(chart.left.unit));
    let mut remarks = vec!["no data in this window".to_owned()];
    remarks.extend(hidden(chart));
    lines.extend(caption::notes(&remarks, look));
    lines
}

fn picture(chart: &Chart, look: &Look, rulers: &Rulers) -> Vec<Line> {
    let frame = Frame::new(chart, look, rulers);
    let mut lines = caption::head(chart, look, &rulers.units(chart));
    lines.extend(frame.plot(chart, rulers));
    lines.extend(frame.time_axis(chart.span, look.zone));
    lines.extend(below(chart, look, &frame));
    lines
}

/// Legend and remarks.
fn below(chart: &Chart, look: &Look, frame: &Frame) -> Vec<Line> {
    let mut lines = caption::legend(chart, look);
    let mut remarks: Vec<String> = hidden(chart).into_iter().collect();
    let left = frame.threshold_labels_left();
    remarks.extend(left.map(|label| format!("threshold {label}")));
    lines.extend(caption::notes(&remarks, look));
    lines
}

/// Says how many values a logarithmic axis has no place for.
fn hidden(chart: &Chart) -> Option<String> {
    let values = chart.series.iter().flat_map(|s| buckets(chart, s));
    let hidden = values
        .filter(|(_, value)| chart.log && value.is_some_and(|value| value <= 0.0))
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
