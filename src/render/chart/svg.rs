//! A chart as SVG: one file, nothing fetched, no script; what a value is told by
//! its `<title>`.
//!
//! Scales, ticks, labels, legend and remarks are those of the text: a cell of the
//! frame becomes a few pixels. Nothing is told by colour alone: each series has
//! marks and a dash of its own.

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::caption;
use super::frame::Frame;
use super::hue::{HUES, hues};
use super::shape::Share;
use super::text::{Ink, Line, clean, mark};
use super::{Chart, Look, Ruler, Rulers, Series, Shape, Side, below, blank, spans};
use crate::model::{Millis, Span};
use crate::render::human;

/// Pixels of a character and of a line of text, and what is left free all round.
const CELL: (f64, f64) = (8.0, 20.0);
const EDGE: f64 = 12.0;
/// The width of a picture in characters.
const COLUMNS: usize = 118;
/// Marks along a line, as in text.
const MARKS_ON_A_LINE: usize = 5;
/// Points that can be asked for their value; beyond, a file would only grow.
const ASKED_MOST: usize = 4_000;
/// Colours of the hues on white and on black.
const ON_WHITE: [&str; HUES] = [
    "#0072b2", "#c55a00", "#00795c", "#8e44ad", "#1f8fc4", "#8a6a00", "#b8478c", "#5f5f5f",
];
const ON_BLACK: [&str; HUES] = [
    "#5ab4f0", "#f0a030", "#2fbf91", "#c79be8", "#8fd3ff", "#f0e442", "#f08ac4", "#bdbdbd",
];
/// Dashes that follow each other; the first is a full line.
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];
/// The dash of an earlier window.
const EARLIER: &str = "1 4";

/// Draws the chart as an SVG document.
pub fn svg(chart: &Chart, zone: Tz) -> String {
    let look = Look {
        width: COLUMNS,
        ascii: false,
        color: true,
        zone,
    };
    let rulers = Rulers::new(chart);
    let mut page = Page::new(&chart.title);
    if rulers.is_empty() {
        page.lines(&blank(chart, &look));
        return page.done();
    }
    let frame = Frame::new(chart, &look, &rulers);
    page.lines(&caption::head(chart, &look, &rulers.units(chart)));
    page.y += CELL.1 / 2.0;
    let plot = Plot {
        chart,
        rulers: &rulers,
        frame: &frame,
        zone,
        left: EDGE + frame.gutter as f64 * CELL.0,
        top: page.y,
        width: frame.size.columns as f64 * CELL.0,
        height: frame.size.rows as f64 * CELL.1,
    };
    plot.draw(&mut page);
    page.y += plot.height + CELL.1 * 1.5;
    page.lines(&below(chart, &look, &frame));
    page.done()
}

/// The text as it may stand in XML and HTML: tamed, and inert.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text, false).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No characters of XML.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            plain => out.push(plain),
        }
    }
    out
}

/// A picture in the making: what was drawn, and down to where.
pub(super) struct Page {
    title: String,
    body: String,
    pub(super) y: f64,
}

impl Page {
    pub(super) fn new(title: &str) -> Page {
        Page {
            title: escaped(title),
            body: String::new(),
            y: EDGE,
        }
    }

    /// Adds an element. Writing into a String cannot fail.
    pub(super) fn add(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// Lines of text, each piece in its ink.
    pub(super) fn lines(&mut self, lines: &[Line]) {
        for line in lines {
            let pieces = line.pieces().map(|(ink, text)| {
                let text = escaped(text);
                match ink {
                    Ink::Plain => text,
                    Ink::Frame => format!("<tspan class=\"axis\">{text}</tspan>"),
                    Ink::Series(hue) => format!("<tspan class=\"f{hue}\">{text}</tspan>"),
                    Ink::Threshold => format!("<tspan class=\"limit\">{text}</tspan>"),
                }
            });
            let pieces: String = pieces.collect();
            let y = self.y + CELL.1 * 0.7;
            self.add(format_args!(
                "<text x=\"{EDGE}\" y=\"{y:.1}\" xml:space=\"preserve\">{pieces}</text>"
            ));
            self.y += CELL.1;
        }
    }

    /// The whole document.
    pub(super) fn done(self) -> String {
        let width = COLUMNS as f64 * CELL.0 + 2.0 * EDGE;
        let height = self.y + EDGE;
        let Page { title, body, .. } = self;
        let style = style();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n\
             <style>{style}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
             {body}</svg>\n"
        )
    }
}

/// The colours of light and dark.
fn style() -> String {
    let hues = |colors: &[&str]| {
        let rule = |(hue, color): (usize, &&str)| {
            format!(".s{hue}{{stroke:{color}}}.f{hue}{{fill:{color}}}")
        };
        colors.iter().enumerate().map(rule).collect::<String>()
    };
    format!(
        "text{{font:13px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#222}}\
         .paper{{fill:#fff}}.axis{{stroke:#999;fill:none}}.grid{{stroke:#e4e4e4;fill:none}}\
         .line{{fill:none;stroke-width:1.8;stroke-linejoin:round}}.earlier{{opacity:.65}}\
         .limit{{stroke:#c62828;fill:none;stroke-dasharray:6 4}}text.limit{{stroke:none;fill:#c62828;\
         stroke-dasharray:none}}.ask{{fill:transparent}}.mark{{font-size:11px;text-anchor:middle}}\
         .mid{{text-anchor:middle}}.end{{text-anchor:end}}{}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}.paper{{fill:#16181c}}\
         .axis{{stroke:#777}}.grid{{stroke:#2e3238}}.limit{{stroke:#ff7070}}text.limit{{fill:#ff7070}}{}}}",
        hues(&ON_WHITE),
        hues(&ON_BLACK),
    )
}

/// The area between the axes, in pixels.
struct Plot<'a> {
    chart: &'a Chart,
    rulers: &'a Rulers,
    frame: &'a Frame,
    zone: Tz,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// A bucket in pixels.
#[derive(Clone, Copy)]
struct Spot {
    bucket: Span,
    from: f64,
    until: f64,
    value: f64,
    y: f64,
}

impl Plot<'_> {
    fn draw(&self, page: &mut Page) {
        self.draw_axes(page);
        self.draw_times(page);
        let hues = hues(&self.chart.series);
        let points: usize = self.chart.series.iter().map(|s| s.points.len()).sum();
        for (nth, (series, hue)) in self.chart.series.iter().zip(hues).enumerate() {
            if let Some(ruler) = self.rulers.of(series.side) {
                let runs = self.runs(series, ruler);
                match self.chart.shape {
                    Shape::Line | Shape::Step => {
                        self.draw_line(page, series, nth, hue, &runs);
                        if points <= ASKED_MOST {
                            self.draw_asked(page, series, ruler, &runs);
                        }
                    }
                    Shape::Bar => self.draw_bars(page, series, ruler, (nth, hue), &runs),
                }
            }
        }
        self.draw_thresholds(page);
    }

    fn x(&self, at: Millis) -> f64 {
        let Span { from, until } = self.chart.span;
        let length = (until.0 as f64 - from.0 as f64).max(1.0);
        self.left + ((at.0 as f64 - from.0 as f64) / length).clamp(0.0, 1.0) * self.width
    }

    fn y(&self, height: f64) -> f64 {
        self.top + (1.0 - height) * self.height
    }

    fn draw_axes(&self, page: &mut Page) {
        let (left, right) = (self.left, self.left + self.width);
        for tick in &self.frame.ticks {
            let y = self.y(tick.height);
            let label = escaped(&tick.label);
            let baseline = y + 4.5;
            match tick.side {
                Side::Left => {
                    page.add(format_args!(
                        "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>\
                         <text class=\"end\" x=\"{:.1}\" y=\"{baseline:.1}\">{label}</text>",
                        left - 8.0
                    ));
                }
                Side::Right => page.add(format_args!(
                    "<path class=\"axis\" d=\"M{right:.1} {y:.1}h5\"/>\
                     <text x=\"{:.1}\" y=\"{baseline:.1}\">{label}</text>",
                    right + 8.0
                )),
            }
        }
        let (top, bottom) = (self.top, self.top + self.height);
        page.add(format_args!(
            "<path class=\"frame axis\" d=\"M{left:.1} {top:.1}V{bottom:.1}H{right:.1}\"/>"
        ));
        if self.frame.has_right {
            page.add(format_args!(
                "<path class=\"axis\" d=\"M{right:.1} {top:.1}V{bottom:.1}\"/>"
            ));
        }
    }

    fn draw_times(&self, page: &mut Page) {
        let (room, ticks) = self.frame.time_ticks(self.chart.span, self.zone);
        let bottom = self.top + self.height;
        for tick in ticks {
            let x = self.x(tick.at);
            // Centred on its tick, pushed inwards at the ends, as in text.
            let half = tick.label.len() as f64 * CELL.0 / 2.0;
            let end = self.left + room.columns as f64 * CELL.0;
            let middle = x.min(end - half).max(EDGE + half);
            page.add(format_args!(
                "<path class=\"axis\" d=\"M{x:.1} {bottom:.1}v5\"/>\
                 <text class=\"mid\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 18.0,
                escaped(&tick.label)
            ));
        }
    }

    fn draw_thresholds(&self, page: &mut Page) {
        let (left, right) = (self.left, self.left + self.width);
        let beside = self.frame.margin > 0 && !self.frame.has_right;
        for threshold in &self.frame.thresholds {
            let y = self.y(threshold.height);
            page.add(format_args!(
                "<path class=\"limit\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>"
            ));
            if beside {
                page.add(format_args!(
                    "<text class=\"limit\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    right + 6.0,
                    y + 4.5,
                    escaped(&threshold.label)
                ));
            }
        }
    }

    /// Values that follow each other without a gap.
    fn runs(&self, series: &Series, ruler: &Ruler) -> Vec<Vec<Spot>> {
        let mut runs = vec![Vec::new()];
        for (bucket, value) in spans(self.chart, series) {
            let spot = value.and_then(|value| {
                Some(Spot {
                    bucket,
                    from: self.x(bucket.from),
                    until: self.x(bucket.until),
                    value,
                    y: self.y(ruler.scale.height_of(value)?),
                })
            });
            match (spot, runs.last_mut()) {
                (Some(spot), Some(run)) => run.push(spot),
                (_, _) => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    fn draw_line(
        &self,
        page: &mut Page,
        series: &Series,
        nth: usize,
        hue: usize,
        runs: &[Vec<Spot>],
    ) {
        let mut path = String::new();
        for run in runs {
            for (i, spot) in run.iter().enumerate() {
                let Spot { from, y, until, .. } = spot;
                // Writing into a String cannot fail.
                let _ = match (i, self.chart.shape) {
                    (0, _) => write!(path, "M{from:.1} {y:.1}"),
                    (_, Shape::Line | Shape::Bar) => write!(path, "L{from:.1} {y:.1}"),
                    (_, Shape::Step) => write!(path, "V{y:.1}"),
                };
                if self.chart.shape == Shape::Step {
                    let _ = write!(path, "H{until:.1}");
                }
            }
        }
        let dash = match series.is_earlier {
            true => EARLIER,
            false => DASHES[nth % DASHES.len()],
        };
        let earlier = if series.is_earlier { " earlier" } else { "" };
        page.add(format_args!(
            "<path class=\"line s{hue}{earlier}\" stroke-dasharray=\"{dash}\" d=\"{path}\"/>"
        ));
        for Spot { from, y, .. } in self.marked(nth, runs) {
            page.add(format_args!(
                "<text class=\"mark f{hue}\" x=\"{from:.1}\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                mark(nth, false)
            ));
        }
    }

    /// Lonely values, and where there are several series some of each line.
    fn marked(&self, nth: usize, runs: &[Vec<Spot>]) -> Vec<Spot> {
        let lonely = runs.iter().filter(|run| run.len() == 1).flatten().copied();
        let mut marked: Vec<Spot> = lonely.collect();
        if self.chart.series.len() > 1 {
            let spots: Vec<&Spot> = runs.iter().flatten().collect();
            let every = spots.len().div_ceil(MARKS_ON_A_LINE).max(1);
            let first = nth * every / self.chart.series.len();
            marked.extend(spots.into_iter().skip(first).step_by(every));
        }
        marked
    }

    fn draw_asked(&self, page: &mut Page, series: &Series, ruler: &Ruler, runs: &[Vec<Spot>]) {
        for spot in runs.iter().flatten() {
            page.add(format_args!(
                "<circle class=\"ask\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"><title>{}</title></circle>",
                spot.from,
                spot.y,
                self.told(series, ruler, spot)
            ));
        }
    }

    fn draw_bars(
        &self,
        page: &mut Page,
        series: &Series,
        ruler: &Ruler,
        (nth, hue): (usize, usize),
        runs: &[Vec<Spot>],
    ) {
        let of = self.chart.series.len();
        let ground = self.y(ruler.scale.height_of(0.0).unwrap_or(0.0));
        let earlier = if series.is_earlier { " earlier" } else { "" };
        let every = (runs.iter().flatten().count() / MARKS_ON_A_LINE).max(1);
        for (i, spot) in runs.iter().flatten().enumerate() {
            let (from, until) = Share { nth, of }.of_range(spot.from, spot.until);
            let wide = until - from;
            let width = if wide >= 3.0 { wide - 1.0 } else { wide };
            let (top, height) = (spot.y.min(ground), (spot.y - ground).abs().max(0.5));
            page.add(format_args!(
                "<rect class=\"f{hue}{earlier}\" x=\"{from:.2}\" y=\"{top:.1}\" width=\"{width:.2}\" \
                 height=\"{height:.1}\"><title>{}</title></rect>",
                self.told(series, ruler, spot)
            ));
            if of > 1 && i % every == 0 {
                page.add(format_args!(
                    "<text class=\"mark f{hue}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    from + wide / 2.0,
                    (top - 3.0).max(self.top),
                    mark(nth, false)
                ));
            }
        }
    }

    /// `2026-01-31 12:00 claude: 1.2 s`
    fn told(&self, series: &Series, ruler: &Ruler, spot: &Spot) -> String {
        let at = human::moment(spot.bucket.from, self.zone);
        let value = ruler.labels.value(spot.value);
        escaped(&format!("{at} {}: {value}", series.name))
    }
}
