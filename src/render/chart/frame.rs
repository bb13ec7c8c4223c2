//! The frame of a chart: what stands where, the axes and their labels.

use chrono_tz::Tz;

use super::canvas::Dot;
use super::hue::hues;
use super::plot::{Size, plot};
use super::shape::{Share, Slot, shaped};
use super::text::{Ink, Line};
use super::time_axis::{Room, Tick, place, ticks};
use super::{Chart, Look, Ruler, Rulers, Series, Side, rows, spans};
use crate::model::Span;

/// Columns the plot must keep for the y axis to be drawn, and for the labels of
/// thresholds to stand beside it.
const COLUMNS_WITH_AXIS: usize = 8;
const COLUMNS_WITH_THRESHOLDS: usize = 30;

/// The characters of the axes.
struct Lines {
    upright: &'static str,
    tick_left: &'static str,
    tick_right: &'static str,
    corner: &'static str,
    corner_right: &'static str,
    level: &'static str,
    tick_down: &'static str,
}

const UNICODE: Lines = Lines {
    upright: "│",
    tick_left: "┤",
    tick_right: "├",
    corner: "└",
    corner_right: "┘",
    level: "─",
    tick_down: "┬",
};
const ASCII: Lines = Lines {
    upright: "|",
    tick_left: "+",
    tick_right: "+",
    corner: "+",
    corner_right: "+",
    level: "-",
    tick_down: "+",
};

/// A number on a y axis.
pub(super) struct Mark {
    pub side: Side,
    /// From 0 (bottom) to 1 (top).
    pub height: f64,
    pub label: String,
}

impl Mark {
    fn new(side: Side, ruler: &Ruler, value: f64, label: String) -> Option<Mark> {
        let height = ruler.scale.height_of(value)?;
        Some(Mark {
            side,
            height,
            label,
        })
    }
}

/// Where everything stands: labels and axis on the left (the gutter), the plot,
/// and on the right (the margin) the second axis, or the labels of thresholds.
pub(super) struct Frame {
    pub size: Size,
    pub gutter: usize,
    pub margin: usize,
    /// Whether there is an axis on the right.
    pub has_right: bool,
    lines: Lines,
    /// The ticks of both sides.
    pub ticks: Vec<Mark>,
    pub thresholds: Vec<Mark>,
}

impl Frame {
    pub(super) fn new(chart: &Chart, look: &Look, rulers: &Rulers) -> Frame {
        let size = Size {
            columns: look.width,
            rows: rows(chart),
            ascii: look.ascii,
        };
        let mut frame = Frame {
            size,
            gutter: 0,
            margin: 0,
            has_right: false,
            lines: if look.ascii { ASCII } else { UNICODE },
            ticks: Vec::new(),
            thresholds: Vec::new(),
        };
        let right = chart.right.as_ref().map(|axis| (Side::Right, axis));
        for (side, axis) in [(Side::Left, &chart.left)].into_iter().chain(right) {
            let Some(ruler) = rulers.of(side) else {
                continue;
            };
            let ticks = ruler.scale.ticks().iter();
            frame.ticks.extend(
                ticks.filter_map(|tick| Mark::new(side, ruler, *tick, ruler.labels.tick(*tick))),
            );
            let thresholds = axis.thresholds.iter();
            frame
                .thresholds
                .extend(thresholds.filter_map(|value| {
                    Mark::new(side, ruler, *value, ruler.labels.value(*value))
                }));
        }
        frame.share_width(look.width, chart.right.is_some());
        frame
    }

    /// Gives the gutter and the margin what they need, if the plot keeps enough.
    fn share_width(&mut self, width: usize, two_axes: bool) {
        let labels = |side: Side| {
            let of_side = self.ticks.iter().filter(move |tick| tick.side == side);
            of_side.map(|tick| tick.label.len()).max().unwrap_or(0)
        };
        let gutter = labels(Side::Left) + 2;
        let right = labels(Side::Right) + 2;
        if width >= gutter + COLUMNS_WITH_AXIS {
            self.gutter = gutter;
        }
        if two_axes {
            self.has_right = width >= self.gutter + right + COLUMNS_WITH_AXIS;
            self.margin = if self.has_right { right } else { 0 };
        } else {
            let rows = 0..self.size.rows;
            let margin = rows.map(|row| self.threshold_label(row).len()).max();
            let margin = margin.unwrap_or(0);
            if margin > 0 && width >= self.gutter + margin + COLUMNS_WITH_THRESHOLDS {
                self.margin = margin;
            }
        }
        self.size.columns = width - self.gutter - self.margin;
    }

    /// The labels of the thresholds in this row, with a space before.
    fn threshold_label(&self, row: usize) -> String {
        let here = self
            .thresholds
            .iter()
            .filter(|threshold| self.row_of(threshold) == row);
        let labels: Vec<&str> = here.map(|threshold| threshold.label.as_str()).collect();
        if labels.is_empty() {
            String::new()
        } else {
            format!(" {}", labels.join(", "))
        }
    }

    fn row_of(&self, mark: &Mark) -> usize {
        self.size.row_of(dot_row(self.size, mark.height))
    }

    /// The labels of thresholds that found no room beside the plot.
    pub(super) fn threshold_labels_left(&self) -> impl Iterator<Item = &str> {
        let found_room = self.margin > 0 && !self.has_right;
        let left = self.thresholds.iter().filter(move |_| !found_room);
        left.map(|threshold| threshold.label.as_str())
    }

    /// The rows of the plot between the y axes.
    pub(super) fn plot(&self, chart: &Chart, rulers: &Rulers) -> Vec<Line> {
        let of = chart.series.len();
        let series = chart.series.iter().enumerate();
        let series: Vec<Vec<Vec<Dot>>> = series
            .map(|(nth, series)| {
                let Some(ruler) = rulers.of(series.side) else {
                    return Vec::new();
                };
                let slots = self.slots(chart, series, ruler);
                let ground = dot_row(self.size, ruler.scale.height_of(0.0).unwrap_or(0.0));
                shaped(chart.shape, slots, Share { nth, of }, ground)
            })
            .collect();
        let thresholds = self.thresholds.iter();
        let thresholds: Vec<usize> = thresholds.map(|t| dot_row(self.size, t.height)).collect();
        let rows = plot(self.size, &series, &hues(&chart.series), &thresholds);
        rows.iter()
            .enumerate()
            .map(|(row, cells)| self.row(row, cells))
            .collect()
    }

    fn row(&self, row: usize, cells: &Line) -> Line {
        let mut line = Line::default();
        if self.gutter > 0 {
            let (label, axis) = match self.tick(Side::Left, row) {
                Some(label) => (label, self.lines.tick_left),
                None => ("", self.lines.upright),
            };
            let label = format!("{label:>width$} ", width = self.gutter - 2);
            line.push(Ink::Plain, &label);
            line.push(Ink::Frame, axis);
        }
        line.append(cells);
        if self.has_right {
            let (label, axis) = match self.tick(Side::Right, row) {
                Some(label) => (label, self.lines.tick_right),
                None => ("", self.lines.upright),
            };
            line.push(Ink::Frame, axis);
            line.push(Ink::Plain, &format!(" {label}"));
        } else if self.margin > 0 {
            line.push(Ink::Threshold, &self.threshold_label(row));
        }
        line
    }

    /// The label of the tick in this row.
    fn tick(&self, side: Side, row: usize) -> Option<&str> {
        let here = |tick: &&Mark| tick.side == side && self.row_of(tick) == row;
        self.ticks.iter().find(here).map(|tick| tick.label.as_str())
    }

    /// Where each bucket lies, and its value; no row where there is none.
    fn slots<'a>(
        &'a self,
        chart: &'a Chart,
        series: &'a Series,
        ruler: &'a Ruler,
    ) -> impl Iterator<Item = Slot> + 'a {
        let width = self.size.width();
        spans(chart, series).filter_map(move |(bucket, value)| {
            let height = value.and_then(|value| ruler.scale.height_of(value));
            let from = place(chart.span, bucket.from, width)?;
            Some(Slot {
                from,
                until: place(chart.span, bucket.until, width).map_or(width, |x| x.min(width)),
                y: height.map(|height| dot_row(self.size, height)),
            })
        })
    }

    /// The labelled moments of the x axis, and the row they stand on.
    pub(super) fn time_ticks(&self, span: Span, zone: Tz) -> (Room, Vec<Tick>) {
        let room = Room {
            lead: self.gutter,
            columns: self.size.columns,
        };
        (room, ticks(span, zone, room))
    }

    /// The x axis and, below it, its labels.
    pub(super) fn time_axis(&self, span: Span, zone: Tz) -> Vec<Line> {
        let (room, ticks) = self.time_ticks(span, zone);
        let mut axis = vec![self.lines.level; room.columns];
        let mut labels = String::new();
        for tick in ticks {
            let column = room.column(span, tick.at);
            axis[column] = self.lines.tick_down;
            let start = room.start(column, &tick.label);
            labels = format!("{labels:<start$}{}", tick.label);
        }
        let corner = if self.gutter > 0 {
            self.lines.corner
        } else {
            ""
        };
        let indent = " ".repeat(self.gutter.saturating_sub(1));
        let end = if self.has_right {
            self.lines.corner_right
        } else {
            ""
        };
        let axis = axis.concat();
        vec![
            Line::of(Ink::Frame, &format!("{indent}{corner}{axis}{end}")),
            Line::of(Ink::Plain, &labels),
        ]
    }
}

/// The row of dots at a height, counted from the top.
fn dot_row(size: Size, height: f64) -> usize {
    let lowest = (size.height() - 1) as f64;
    ((1.0 - height) * lowest).round() as usize
}
