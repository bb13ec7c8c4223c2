//! The frame of a chart: what stands where, the axes and their labels.

use chrono_tz::Tz;

use super::canvas::{Dot, paths};
use super::label::Labels;
use super::plot::{Size, plot};
use super::scale::Scale;
use super::text::{Ink, Line};
use super::time_axis::{Room, place, ticks};
use super::{Chart, Look, Series, buckets, rows};
use crate::model::Span;

/// Columns the plot must keep for the y axis to be drawn, and for the labels of
/// thresholds to stand beside it.
const COLUMNS_WITH_AXIS: usize = 8;
const COLUMNS_WITH_THRESHOLDS: usize = 30;

/// The characters of the axes.
struct Lines {
    upright: &'static str,
    tick_left: &'static str,
    corner: &'static str,
    level: &'static str,
    tick_down: &'static str,
}

const UNICODE: Lines = Lines {
    upright: "│",
    tick_left: "┤",
    corner: "└",
    level: "─",
    tick_down: "┬",
};
const ASCII: Lines = Lines {
    upright: "|",
    tick_left: "+",
    corner: "+",
    level: "-",
    tick_down: "+",
};

/// Where everything stands: labels and axis on the left (the gutter), the plot,
/// labels of thresholds on the right (the margin).
pub(super) struct Frame {
    size: Size,
    gutter: usize,
    margin: usize,
    lines: Lines,
    /// Row of cells and label of each tick.
    ticks: Vec<(usize, String)>,
    /// Row of dots and label of each threshold.
    thresholds: Vec<(usize, String)>,
}

impl Frame {
    pub(super) fn new(chart: &Chart, look: &Look, scale: &Scale, labels: &Labels) -> Frame {
        let size = Size {
            columns: look.width,
            rows: rows(chart),
            ascii: look.ascii,
        };
        let dot = |value: f64| dot_row(size, scale, value);
        let ticks = scale.ticks().iter();
        let ticks = ticks.filter_map(|tick| Some((size.row_of(dot(*tick)?), labels.tick(*tick))));
        let thresholds = chart.thresholds.iter();
        let thresholds = thresholds.filter_map(|value| Some((dot(*value)?, labels.value(*value))));
        let mut frame = Frame {
            size,
            gutter: 0,
            margin: 0,
            lines: if look.ascii { ASCII } else { UNICODE },
            ticks: ticks.collect(),
            thresholds: thresholds.collect(),
        };
        frame.share_width(look.width);
        frame
    }

    /// Gives the gutter and the margin what they need, if the plot keeps enough.
    fn share_width(&mut self, width: usize) {
        let gutter = self
            .ticks
            .iter()
            .map(|(_, label)| label.len())
            .max()
            .unwrap_or(0)
            + 2;
        if width >= gutter + COLUMNS_WITH_AXIS {
            self.gutter = gutter;
        }
        let rows = 0..self.size.rows;
        let margin = rows
            .map(|row| self.threshold_label(row).len())
            .max()
            .unwrap_or(0);
        if margin > 0 && width >= self.gutter + margin + COLUMNS_WITH_THRESHOLDS {
            self.margin = margin;
        }
        self.size.columns = width - self.gutter - self.margin;
    }

    /// The labels of the thresholds in this row, with a space before.
    fn threshold_label(&self, row: usize) -> String {
        let here = self
            .thresholds
            .iter()
            .filter(|(y, _)| self.size.row_of(*y) == row);
        let labels: Vec<&str> = here.map(|(_, label)| label.as_str()).collect();
        if labels.is_empty() {
            String::new()
        } else {
            format!(" {}", labels.join(", "))
        }
    }

    /// The labels of thresholds that found no room beside the plot.
    pub(super) fn threshold_labels_left(&self) -> impl Iterator<Item = &str> {
        let left = self.thresholds.iter().filter(|_| self.margin == 0);
        left.map(|(_, label)| label.as_str())
    }

    /// The rows of the plot with the y axis on their left.
    pub(super) fn plot(&self, chart: &Chart, scale: &Scale) -> Vec<Line> {
        let series: Vec<Vec<Vec<Dot>>> = chart
            .series
            .iter()
            .map(|series| paths(self.dots(chart, series, scale)))
            .collect();
        let thresholds: Vec<usize> = self.thresholds.iter().map(|(y, _)| *y).collect();
        let rows = plot(self.size, &series, &thresholds);
        rows.iter()
            .enumerate()
            .map(|(row, cells)| self.row(row, cells))
            .collect()
    }

    fn row(&self, row: usize, cells: &Line) -> Line {
        let mut line = self.y_axis(row);
        line.append(cells);
        if self.margin > 0 {
            line.push(Ink::Threshold, &self.threshold_label(row));
        }
        line
    }

    fn y_axis(&self, row: usize) -> Line {
        if self.gutter == 0 {
            return Line::default();
        }
        let tick = self.ticks.iter().find(|(at, _)| *at == row);
        let (label, axis) = match tick {
            Some((_, label)) => (label.as_str(), self.lines.tick_left),
            None => ("", self.lines.upright),
        };
        let mut line = Line::of(
            Ink::Plain,
            &format!("{label:>width$} ", width = self.gutter - 2),
        );
        line.push(Ink::Frame, axis);
        line
    }

    /// Where each bucket's value lies; `None` where there is none.
    fn dots<'a>(
        &'a self,
        chart: &'a Chart,
        series: &'a Series,
        scale: &'a Scale,
    ) -> impl Iterator<Item = Option<Dot>> + 'a {
        buckets(chart, series).map(|(at, value)| {
            let x = place(chart.span, at, self.size.width())?;
            Some((x, dot_row(self.size, scale, value?)?))
        })
    }

    /// The x axis and, below it, its labels.
    pub(super) fn time_axis(&self, span: Span, zone: Tz) -> Vec<Line> {
        let room = Room {
            lead: self.gutter,
            columns: self.size.columns,
        };
        let mut axis = vec![self.lines.level; room.columns];
        let mut labels = String::new();
        for tick in ticks(span, zone, room) {
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
        vec![
            Line::of(Ink::Frame, &format!("{indent}{corner}{}", axis.concat())),
            Line::of(Ink::Plain, &labels),
        ]
    }
}

/// The row of dots a value lies in, counted from the top.
fn dot_row(size: Size, scale: &Scale, value: f64) -> Option<usize> {
    let lowest = (size.height() - 1) as f64;
    let share = scale.height_of(value)?;
    Some(((1.0 - share) * lowest).round() as usize)
}
