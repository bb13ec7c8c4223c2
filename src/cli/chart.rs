//! `obs chart`: measures over time, drawn; in the other formats their numbers.
//!
//! What a chart looks like is known to `render::chart`; here is decided what is
//! drawn in it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::asked::{By, Reading, Scope, agreed, counted, cut};
use super::context::Context;
use super::failure::Failure;
use super::global;
use super::query::series;
use super::told;
use crate::model::{Dimension, Kind, Measure, Millis, Selector, Threshold, Unit};
use crate::query::{self, Inquiry, Line, Measured, Step};
use crate::render::Format;
use crate::render::chart::{Chart, Look, Series, draw, no_data};
use crate::render::safe::Untrusted;
use crate::store::Store;

/// Draw measures over time
///
/// Measures of one unit share a chart; each further unit gets a chart of its own. A
/// measure may carry its events with it, as in `obs query`. With --by there is a
/// line for each group, up to eight of them, those with most requests. The other
/// formats tell the numbers of all groups, a row for each bucket and group.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs chart latency --provider claude               the last 24 hours
  obs chart p50_latency p95_latency --since 7d      two lines in one chart
  obs chart p95_latency --by model --threshold 2s   a line a model, a limit
  obs chart cost requests --since 30d --step 1d     two charts, by days
  obs chart p95_latency --log --height 20           for wide ranges")]
pub(super) struct Args {
    /// What is drawn; `obs query --list` lists all measures
    #[arg(value_name = "MEASURE", required = true)]
    measures: Vec<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    step: global::Step,
    #[command(flatten)]
    drawing: Drawing,
    /// Say on stderr which tiers answered and why
    #[arg(long, help_heading = "Output")]
    explain: bool,
}

/// How it is drawn.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Chart")]
struct Drawing {
    /// Draw a line across at this value: 2s, 5%, $10, 1.5k
    #[arg(long, value_name = "N")]
    threshold: Vec<String>,
    /// Make the y axis logarithmic
    #[arg(long)]
    log: bool,
    /// Rows of the plot [default: 13]
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u16).range(3..=200))]
    height: Option<u16>,
    /// How values become a picture
    #[arg(long = "type", value_name = "TYPE", value_parser = ["line"], default_value = "line")]
    kind: String,
    /// Groups that are drawn, those with most requests; 0 means all
    #[arg(long, value_name = "N", default_value_t = 8)]
    limit: usize,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let readings = readings(&args.measures)?;
    for doubt in readings.iter().filter_map(Reading::doubt) {
        ctx.warn(doubt);
    }
    let thresholds = thresholds(&args.drawing.threshold, &readings)?;
    let flag = args.by.dimensions()?;
    let by = agreed(std::iter::once(&flag).chain(readings.iter().map(|r| &r.by)))?;
    let inquiry = Inquiry {
        asked: readings.iter().map(|r| r.asked(&args.scope)).collect(),
        span: args.scope.span(ctx)?,
        cut: cut(ctx, args.step.parse()?)?,
        ranked: !by.is_empty(),
        by,
    };
    let mut store = ctx.open_store()?;
    let told = query::measure(&mut store, &inquiry)?;
    if ctx.style().format == Format::Table {
        let picture = Picture {
            inquiry: &inquiry,
            told: &told,
            thresholds: &thresholds,
            drawing: &args.drawing,
        };
        picture.show(ctx, &mut store)?;
    } else {
        ctx.answer(&series(&inquiry, &told, "obs.chart/v1", |_| true))?;
    }
    if args.explain {
        told::explain_on_stderr(ctx, &inquiry, &told)?;
    }
    Ok(())
}

/// The expressions, each of a measure of its own.
fn readings(texts: &[String]) -> Result<Vec<Reading>, Failure> {
    let mut readings: Vec<Reading> = Vec::new();
    for text in texts {
        let reading = Reading::parse(text)?;
        let spec = reading.measure.spec();
        if spec.unit == Unit::Time {
            let message = format!("{} is a moment and has no line", spec.id);
            return Err(Failure::usage("measure_not_drawn", message).hint("`obs stats` shows it"));
        }
        if readings.iter().any(|r| r.measure == reading.measure) {
            let message = format!("{} is asked for twice", spec.id);
            return Err(Failure::usage("measure_twice", message)
                .hint("draw a line for each group with --by"));
        }
        readings.push(reading);
    }
    Ok(readings)
}

/// The thresholds of the flag and those that expressions bring along. Each must
/// fit one of the measures.
fn thresholds(texts: &[String], readings: &[Reading]) -> Result<Vec<Threshold>, Failure> {
    let mut thresholds = Vec::new();
    for text in texts {
        let threshold =
            Threshold::parse(text).map_err(|error| Failure::in_text(&error, text, "threshold"))?;
        let mut fits = readings
            .iter()
            .map(|r| counted(r.measure.spec().unit, threshold));
        if let Some(Err(refused)) = fits.next()
            && !fits.any(|fit| fit.is_ok())
        {
            return Err(refused);
        }
        thresholds.push(threshold);
    }
    let brought = readings.iter().filter_map(|r| r.condition);
    thresholds.extend(brought.map(|(_, threshold, _)| threshold));
    Ok(thresholds)
}

/// What is drawn, and of what.
struct Picture<'a> {
    inquiry: &'a Inquiry,
    told: &'a Measured,
    thresholds: &'a [Threshold],
    drawing: &'a Drawing,
}

/// The lines of a group, in the order of time.
type Track<'a> = (&'a [String], Vec<&'a Line>);

impl<'a> Picture<'a> {
    fn show(&self, ctx: &mut Context<'_>, store: &mut Store) -> Result<(), Failure> {
        let look = Look {
            width: ctx.width(),
            ascii: ctx.ascii(),
            color: ctx.stdout_color(),
            zone: ctx.zone(),
        };
        let (tracks, groups) = self.tracks();
        let mut texts = Vec::new();
        let mut remarks = self.told.notes.clone();
        for (unit, measures) in self.panels() {
            let mut chart = self.chart(ctx.now, unit, &measures, &tracks);
            if self.ends_early(&measures) && leave_out_last(&mut chart) {
                remarks.push("the last bucket is not over: its sum is left out".into());
            }
            texts.push(match has_data(&chart, &tracks) {
                true => draw(&chart, &look),
                false => self.nothing(ctx, store, &measures)?,
            });
        }
        ctx.stdout.write_all(texts.join("\n").as_bytes())?;
        remarks.dedup();
        if self.told.is_silent() {
            remarks.extend(told::unheard_names(store, self.inquiry)?);
        }
        if tracks.len() < groups {
            let shown = tracks.len();
            remarks.push(format!(
                "{shown} of {groups} groups, those with most requests; use --limit 0 for all"
            ));
        }
        for remark in remarks {
            writeln!(ctx.stdout, "{}", Untrusted(&remark).shown())?;
        }
        Ok(())
    }

    /// The groups that are drawn, most requests first, and how many there are.
    fn tracks(&self) -> (Vec<Track<'a>>, usize) {
        let mut by_group: BTreeMap<&[String], Vec<&Line>> = BTreeMap::new();
        for line in &self.told.lines {
            by_group.entry(&line.group).or_default().push(line);
        }
        let mut tracks: Vec<Track<'_>> = by_group.into_iter().collect();
        let requests = |lines: &[&Line]| lines.iter().map(|line| line.requests).sum::<u64>();
        tracks.sort_by_cached_key(|(_, lines)| Reverse(requests(lines)));
        let groups = tracks.len();
        if self.drawing.limit > 0 {
            tracks.truncate(self.drawing.limit);
        }
        (tracks, groups)
    }

    /// The measures of each chart, by their numbers, and their unit.
    fn panels(&self) -> Vec<(Unit, Vec<usize>)> {
        let mut panels: Vec<(Unit, Vec<usize>)> = Vec::new();
        for (number, unit) in told::units(self.inquiry).into_iter().enumerate() {
            match panels.iter_mut().find(|(of, _)| *of == unit) {
                Some((_, measures)) => measures.push(number),
                None => panels.push((unit, vec![number])),
            }
        }
        panels
    }

    fn chart(&self, now: Millis, unit: Unit, measures: &[usize], tracks: &[Track<'_>]) -> Chart {
        let counted = |threshold: &Threshold| counted(unit, *threshold).ok();
        let series = measures.iter().flat_map(|measure| {
            tracks.iter().map(|(group, lines)| Series {
                name: self.name(measures.len() > 1, *measure, group),
                values: values(lines, *measure, now),
            })
        });
        Chart {
            title: self.title(measures),
            unit,
            span: self.told.span,
            step_ms: self.told.step.map_or(1, |step| step.length_ms()),
            source: told::tiers(&self.told.sources).unwrap_or_else(|| "no rows".into()),
            series: series.collect(),
            thresholds: self.thresholds.iter().filter_map(counted).collect(),
            log: self.drawing.log,
            height: self.drawing.height.map(usize::from),
        }
    }

    /// Whether the window cuts the last bucket, so that sums over it are too small.
    fn ends_early(&self, measures: &[usize]) -> bool {
        let is_sum = |measure: &usize| {
            let spec = self.measure(*measure).spec();
            match spec.kind {
                Kind::Count | Kind::Money => spec.trailing_ms.is_none(),
                Kind::Ratio | Kind::Latency | Kind::Gauge | Kind::Moment => false,
            }
        };
        let is_cut = |step: Step| !step.ends_at(self.told.span.until);
        self.told.step.is_some_and(is_cut) && measures.iter().any(is_sum)
    }

    fn measure(&self, number: usize) -> Measure {
        self.inquiry.asked[number].measure
    }

    /// `p50 latency, p95 latency by model {provider="claude"}`
    fn title(&self, measures: &[usize]) -> String {
        let titles: Vec<&str> = measures
            .iter()
            .map(|m| self.measure(*m).spec().title)
            .collect();
        let mut title = titles.join(", ");
        if !self.inquiry.by.is_empty() {
            let names: Vec<&str> = self
                .inquiry
                .by
                .iter()
                .map(|d| Dimension::name(*d))
                .collect();
            title = format!("{title} by {}", names.join(", "));
        }
        let selectors = measures.iter().map(|m| &self.inquiry.asked[*m].selector);
        let mut selectors: Vec<&Selector> = selectors.collect();
        selectors.dedup();
        match selectors[..] {
            [only] if !only.matchers.is_empty() => format!("{title} {only}"),
            _ => title,
        }
    }

    /// What tells a line from the others: its measure, its group, or both.
    fn name(&self, several: bool, measure: usize, group: &[String]) -> String {
        let title = self.measure(measure).spec().title;
        let said = |name: &String| {
            if name.is_empty() {
                "(none)".into()
            } else {
                name.clone()
            }
        };
        let group = group.iter().map(said).collect::<Vec<_>>().join(" / ");
        match (several, group.is_empty()) {
            (_, true) => title.to_owned(),
            (false, false) => group,
            (true, false) => format!("{title} {group}"),
        }
    }

    /// `no data for latency_p95_ms since 2026-01-31 12:00; last event 3 d ago`
    fn nothing(
        &self,
        ctx: &Context<'_>,
        store: &mut Store,
        measures: &[usize],
    ) -> Result<String, Failure> {
        let last = store.read(|txn| txn.last_event())?;
        let fields: Vec<&str> = measures
            .iter()
            .map(|m| self.measure(*m).spec().field)
            .collect();
        let since = self.told.span.from;
        Ok(no_data(&fields.join(", "), since, last, ctx.now, ctx.zone()) + "\n")
    }
}

/// A bucket that has not begun says nothing, not even zero.
fn values(lines: &[&Line], measure: usize, now: Millis) -> Vec<Option<f64>> {
    let begun = |line: &&&Line| line.span.from < now;
    let value = |line: &&Line| {
        let line = Some(line).filter(begun)?;
        line.values[measure].as_f64()
    };
    lines.iter().map(value).collect()
}

/// Leaves the last bucket out, unless it is the only one with a value.
fn leave_out_last(chart: &mut Chart) -> bool {
    let earlier = |series: &Series| match series.values.split_last() {
        Some((_, earlier)) => earlier.iter().any(Option::is_some),
        None => false,
    };
    let can = chart.series.iter().any(earlier);
    if can {
        let lasts = chart.series.iter_mut().filter_map(|s| s.values.last_mut());
        lasts.for_each(|last| *last = None);
    }
    can
}

fn has_data(chart: &Chart, tracks: &[Track<'_>]) -> bool {
    let mut lines = tracks.iter().flat_map(|(_, lines)| lines);
    let mut values = chart.series.iter().flat_map(|series| &series.values);
    lines.any(|line| !line.is_empty) && values.any(|value| value.is_some())
}
