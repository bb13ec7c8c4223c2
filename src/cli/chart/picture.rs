//! What is drawn in a chart: which groups, on which axis, under which names.
//!
//! How it looks is known to `render::chart`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::asked::counted;
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::told;
use super::Drawing;
use crate::model::{Dimension, Kind, Measure, Millis, Selector, Threshold, Unit};
use crate::query::{Inquiry, Line, Measured, Step};
use crate::render::chart::{Axis, Chart, Series, Side, no_data};
use crate::store::Store;

/// What is drawn, and of what.
pub(super) struct Picture<'a> {
    pub inquiry: &'a Inquiry,
    pub told: &'a Measured,
    pub thresholds: &'a [Threshold],
    pub drawing: &'a Drawing,
    pub earlier: Option<&'a Earlier>,
}

/// An earlier window to compare with.
pub(super) struct Earlier {
    pub told: Measured,
    /// How much earlier.
    pub ms: i64,
    /// The same in words: `7d earlier`.
    pub words: String,
}

/// A chart that was made, why there is nothing in it, and what is to be said of it.
pub(super) struct Drawn {
    pub chart: Chart,
    pub nothing: Option<String>,
    pub remarks: Vec<String>,
}

/// The starts of buckets, and their values.
type Points = Vec<(Millis, Option<f64>)>;

/// The lines of a group, in the order of time.
type Track<'a> = (&'a [String], Vec<&'a Line>);

impl<'a> Picture<'a> {
    /// Draws what is asked for; what stands in the way of a picture is said instead.
    pub fn draw(&self, ctx: &Context<'_>, store: &mut Store) -> Result<Drawn, Failure> {
        let (tracks, groups) = self.tracks();
        let mut remarks = self.told.notes.clone();
        let (chart, is_cut) = self.chart(ctx.now, &tracks)?;
        let has_data = has_data(&chart, &tracks);
        if is_cut && has_data {
            remarks.push("the last bucket is not over: its sum is left out".into());
        }
        let nothing = match has_data {
            true => None,
            false => Some(self.nothing(ctx, store)?),
        };
        if self.told.is_silent() {
            remarks.extend(told::unheard_names(store, self.inquiry)?);
        }
        if tracks.len() < groups {
            let shown = tracks.len();
            remarks.push(format!(
                "{shown} of {groups} groups, those with most requests; use --limit 0 for all"
            ));
        }
        remarks.dedup();
        Ok(Drawn {
            chart,
            nothing,
            remarks,
        })
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

    /// The units of the axes: one, or two.
    fn axes(&self) -> Result<(Unit, Option<Unit>), Failure> {
        let mut units = told::units(self.inquiry);
        let mut seen = Vec::new();
        units.retain(|unit| {
            !seen.contains(unit) && {
                seen.push(*unit);
                true
            }
        });
        match units[..] {
            [left] => Ok((left, None)),
            [left, right] => Ok((left, Some(right))),
            _ => {
                let message = format!(
                    "measures of {} units do not fit into one chart",
                    units.len()
                );
                Err(Failure::usage("too_many_units", message).hint(
                    "a chart has two axes, left and right: draw the others in a chart of their own",
                ))
            }
        }
    }

    /// The chart, and whether the last bucket of a sum was left out.
    fn chart(&self, now: Millis, tracks: &[Track<'_>]) -> Result<(Chart, bool), Failure> {
        let (left, right) = self.axes()?;
        let axis = |unit: Unit| Axis {
            unit,
            thresholds: {
                let fitting = self.thresholds.iter().map(|t| counted(unit, *t).ok());
                fitting.flatten().collect()
            },
        };
        let mut is_cut = false;
        let mut series = Vec::new();
        for number in 0..self.inquiry.asked.len() {
            for (group, lines) in tracks {
                let mut points = points(lines, number, now);
                if self.ends_early(number) {
                    is_cut |= leave_out_last(&mut points);
                }
                let side = match self.measure(number).spec().unit == left {
                    true => Side::Left,
                    false => Side::Right,
                };
                let name = self.name(number, group);
                series.push(Series {
                    name: name.clone(),
                    side,
                    is_earlier: false,
                    points,
                });
                if let Some(earlier) = self.earlier {
                    series.push(Series {
                        name: format!("{name}, {}", earlier.words),
                        side,
                        is_earlier: true,
                        points: self.earlier_points(earlier, group, lines, number),
                    });
                }
            }
        }
        let chart = Chart {
            title: self.title(),
            shape: self.drawing.kind.shape(),
            left: axis(left),
            right: right.map(axis),
            span: self.told.span,
            step_ms: self.told.step.map_or(1, |step| step.length_ms()),
            source: told::tiers(&self.told.sources).unwrap_or_else(|| "no rows".into()),
            series,
            log: self.drawing.log,
            height: self.drawing.height.map(usize::from),
        };
        Ok((chart, is_cut))
    }

    /// The values of the earlier window. Each stands where the bucket of the same
    /// number does; where the windows are not cut alike, as much later as they lie apart.
    fn earlier_points(
        &self,
        earlier: &Earlier,
        group: &[String],
        lines: &[&Line],
        measure: usize,
    ) -> Points {
        let of_group = earlier.told.lines.iter().filter(|line| line.group == group);
        let of_group: Vec<&Line> = of_group.collect();
        let mut points = points(&of_group, measure, Millis(i64::MAX));
        let alike = points.len() == lines.len();
        for (i, point) in points.iter_mut().enumerate() {
            point.0 = match alike {
                true => lines[i].span.from,
                false => point.0.plus(earlier.ms),
            };
        }
        points
    }

    /// Whether the window cuts the last bucket, so that a sum over it is too small.
    fn ends_early(&self, number: usize) -> bool {
        let spec = self.measure(number).spec();
        let is_sum = match spec.kind {
            Kind::Count | Kind::Money => spec.trailing_ms.is_none(),
            Kind::Ratio | Kind::Latency | Kind::Gauge | Kind::Moment => false,
        };
        let is_cut = |step: Step| !step.ends_at(self.told.span.until);
        is_sum && self.told.step.is_some_and(is_cut)
    }

    fn measure(&self, number: usize) -> Measure {
        self.inquiry.asked[number].measure
    }

    /// `p50 latency, p95 latency by model {provider="claude"}`
    fn title(&self) -> String {
        let asked = &self.inquiry.asked;
        let titles: Vec<&str> = asked.iter().map(|a| a.measure.spec().title).collect();
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
        let mut selectors: Vec<&Selector> = asked.iter().map(|a| &a.selector).collect();
        selectors.dedup();
        match selectors[..] {
            [only] if !only.matchers.is_empty() => format!("{title} {only}"),
            _ => title,
        }
    }

    /// What tells a line from the others: its measure, its group, or both.
    fn name(&self, measure: usize, group: &[String]) -> String {
        let several = self.inquiry.asked.len() > 1;
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
    fn nothing(&self, ctx: &Context<'_>, store: &mut Store) -> Result<String, Failure> {
        let last = store.read(|txn| txn.last_event())?;
        let asked = self.inquiry.asked.iter();
        let fields: Vec<&str> = asked.map(|a| a.measure.spec().field).collect();
        let since = self.told.span.from;
        Ok(no_data(
            &fields.join(", "),
            since,
            last,
            ctx.now,
            ctx.zone(),
        ))
    }
}

/// The starts of buckets and their values. A bucket that has not begun says
/// nothing, not even zero.
fn points(lines: &[&Line], measure: usize, now: Millis) -> Points {
    let begun = |line: &&&Line| line.span.from < now;
    let value = |line: &&Line| {
        let line = Some(line).filter(begun)?;
        line.values[measure].as_f64()
    };
    lines
        .iter()
        .map(|line| (line.span.from, value(line)))
        .collect()
}

/// Leaves the last bucket out, unless it is the only one with a value.
fn leave_out_last(points: &mut Points) -> bool {
    match points.split_last_mut() {
        Some((last, earlier)) if earlier.iter().any(|(_, value)| value.is_some()) => {
            last.1.take().is_some()
        }
        Some(_) | None => false,
    }
}

fn has_data(chart: &Chart, tracks: &[Track<'_>]) -> bool {
    let mut lines = tracks.iter().flat_map(|(_, lines)| lines);
    let is_earlier = |s: &&Series| s.is_earlier;
    let mut values = chart.series.iter().flat_map(|series| &series.points);
    let happened = lines.any(|line| !line.is_empty) || chart.series.iter().any(|s| is_earlier(&s));
    happened && values.any(|(_, value)| value.is_some())
}
