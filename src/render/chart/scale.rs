//! The y axis as numbers: which range is shown, where its ticks lie, and how
//! high a value stands in it. Pure; a picture of any kind can be made from it.
//!
//! It knows neither rows, dots nor labels.

use super::step::{decade, decade_of, ladder, one_two_five};
use crate::model::Unit;

/// Values beyond this size are drawn at the edge: the arithmetic stays finite.
const LARGEST: f64 = 1e100;
/// Values nearer to zero than this count as zero, for the same reason.
const SMALLEST: f64 = 1e-100;
/// Values that differ by less than this share of their size are one flat line;
/// below it a tick could no longer be told from its neighbour.
const FLAT: f64 = 1e-9;
/// Values that spread over less than this share of the largest are a narrow
/// band, shown without the zero line.
const NARROW: f64 = 0.1;

/// Whether equal distances on the axis are equal differences or equal ratios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Equal differences.
    Linear,
    /// Equal ratios; only values above zero have a place.
    Log,
}

/// A range of values, and the ticks in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Scale {
    /// The scale that shows all these values with at most `intervals` (two or
    /// more) steps between ticks; `None` when no value can be shown.
    ///
    /// A linear scale holds zero, unless all values lie in a narrow band away
    /// from it: a spread of less than a tenth of the largest. Ratios always
    /// hold zero. A flat line is put in the middle.
    pub fn new(
        kind: Kind,
        unit: Unit,
        intervals: usize,
        values: impl Iterator<Item = f64>,
    ) -> Option<Scale> {
        let extent = values
            .filter_map(|value| tame(kind, value))
            .map(|value| (value, value))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let intervals = intervals.max(2);
        let (low, high, ticks) = match (kind, is_flat(extent)) {
            (Kind::Linear, false) => linear(extent, unit, intervals),
            (Kind::Linear, true) => flat(extent, unit, intervals),
            (Kind::Log, false) => logarithmic(extent, intervals),
            (Kind::Log, true) => flat_logarithmic(extent.1),
        };
        Some(Scale {
            kind,
            low,
            high,
            ticks,
        })
    }

    /// Whether the scale is linear or logarithmic.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The ticks, lowest first: at least two, from at or below the smallest
    /// value to at or above the largest.
    pub fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// How high a value stands, from 0 (bottom) to 1 (top); `None` when it has
    /// no place: not a finite number, or not above zero on a logarithmic scale.
    pub fn height_of(&self, value: f64) -> Option<f64> {
        let value = tame(self.kind, value)?;
        let share = match self.kind {
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        Some(share.clamp(0.0, 1.0))
    }
}

/// The value as it is drawn: within the bounds of the arithmetic, or not at all.
fn tame(kind: Kind, value: f64) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    match kind {
        Kind::Linear if value.abs() < SMALLEST => Some(0.0),
        Kind::Linear => Some(value.clamp(-LARGEST, LARGEST)),
        Kind::Log => (value > 0.0).then(|| value.clamp(SMALLEST, LARGEST)),
    }
}

fn is_flat((min, max): (f64, f64)) -> bool {
    max - min <= FLAT * min.abs().max(max.abs())
}

type Range = (f64, f64, Vec<f64>);

/// The range between the ticks that enclose the values, and zero where it belongs.
fn linear((min, max): (f64, f64), unit: Unit, intervals: usize) -> Range {
    let narrow = max - min < NARROW * min.abs().max(max.abs()) && unit != Unit::Ratio;
    let (min, max) = if narrow {
        (min, max)
    } else {
        (min.min(0.0), max.max(0.0))
    };
    let ticks = enclosing(min, max, unit, intervals);
    (ticks[0], ticks[ticks.len() - 1], ticks)
}

/// The range that has the line in its middle. Its ticks lie inside; those that
/// could not be a value (below zero, above 100 %) are left out.
fn flat((min, max): (f64, f64), unit: Unit, intervals: usize) -> Range {
    let value = if max > 0.0 { max } else { min };
    if value == 0.0 {
        return (-1.0, 1.0, vec![0.0, 1.0]);
    }
    let (low, high) = ((2.0 * value).min(0.0), (2.0 * value).max(0.0));
    let mut ticks = enclosing(low, high, unit, intervals + 1);
    ticks.retain(|tick| (low..=high).contains(tick));
    if unit == Unit::Ratio && value <= 1.0 {
        ticks.retain(|tick| *tick <= 1.0);
    }
    (low, high, ticks)
}

/// Multiples of the smallest nice step that needs no more than `intervals`.
fn enclosing(low: f64, high: f64, unit: Unit, intervals: usize) -> Vec<f64> {
    let rough = (high - low) / intervals as f64;
    let biggest = low.abs().max(high.abs());
    let mut fitting = Vec::new();
    for step in ladder(unit, rough, biggest) {
        let (first, last) = (step.floor(low), step.ceil(high));
        fitting = vec![step.times(first), step.times(last)];
        if last - first <= intervals as f64 {
            return (0..=(last - first) as u32)
                .map(|i| step.times(first + f64::from(i)))
                .collect();
        }
    }
    fitting
}

/// Whole decades when there are many, else 1, 2 and 5 of each.
fn logarithmic((min, max): (f64, f64), intervals: usize) -> Range {
    let (bottom, top) = (decade_of(min), decade_of(max) + 1);
    let fine: Vec<f64> = (bottom..=top)
        .flat_map(one_two_five)
        .map(|step| step.size())
        .collect();
    let first = fine.partition_point(|tick| *tick <= min) - 1;
    let last = fine.partition_point(|tick| *tick < max);
    if last - first <= intervals {
        return (fine[first], fine[last], fine[first..=last].to_vec());
    }
    let ticks = decades(
        bottom,
        decade_of(max) + i32::from(decade(decade_of(max)) < max),
        intervals,
    );
    (ticks[0], ticks[ticks.len() - 1], ticks)
}

/// Powers of ten at the smallest stride that needs no more than `intervals`.
fn decades(bottom: i32, top: i32, intervals: usize) -> Vec<f64> {
    let mut stride = 1;
    loop {
        let first = bottom.div_euclid(stride);
        let last = -(-top).div_euclid(stride);
        if (last - first) as usize <= intervals {
            return (first..=last).map(|i| decade(i * stride)).collect();
        }
        stride += 1;
    }
}

/// One decade to each side of the value; the ticks are the powers of ten there.
fn flat_logarithmic(value: f64) -> Range {
    let below = decade_of(value);
    (
        value / 10.0,
        value * 10.0,
        vec![decade(below), decade(below + 1)],
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(unit: Unit, values: &[f64]) -> Scale {
        Scale::new(Kind::Linear, unit, 4, values.iter().copied()).unwrap()
    }

    fn log(values: &[f64]) -> Scale {
        Scale::new(Kind::Log, Unit::Milliseconds, 4, values.iter().copied()).unwrap()
    }

    #[test]
    fn latencies_stand_on_zero_and_step_by_halves_of_a_second() {
        let scale = scale(Unit::Milliseconds, &[230.0, 1_710.0]);
        assert_eq!(scale.ticks(), [0.0, 500.0, 1_000.0, 1_500.0, 2_000.0]);
        assert_eq!(scale.height_of(500.0), Some(0.25));
    }

    #[test]
    fn minutes_step_as_clocks_do() {
        let scale = scale(Unit::Milliseconds, &[0.0, 55_000.0]);
        assert_eq!(scale.ticks(), [0.0, 15_000.0, 30_000.0, 45_000.0, 60_000.0]);
    }

    #[test]
    fn cents_are_the_decimals_people_write() {
        let scale = scale(Unit::Usd, &[0.0, 0.31]);
        assert_eq!(scale.ticks(), [0.0, 0.1, 0.2, 0.3, 0.4]);
    }

    #[test]
    fn requests_come_in_whole_numbers() {
        assert_eq!(scale(Unit::Count, &[0.0, 2.0]).ticks(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_narrow_band_is_looked_at_closely_unless_it_is_a_ratio() {
        let band = [1_000.0, 1_030.0];
        assert_eq!(scale(Unit::Milliseconds, &band).ticks()[0], 1_000.0);
        assert_eq!(scale(Unit::Ratio, &[0.98, 0.99]).ticks()[0], 0.0);
    }

    #[test]
    fn a_flat_line_lies_in_the_middle_whatever_its_value() {
        for value in [-3.0, 0.0, 0.004, 1.0, 1_337.0] {
            for unit in [Unit::Milliseconds, Unit::Ratio, Unit::Usd] {
                assert_eq!(scale(unit, &[value, value]).height_of(value), Some(0.5));
            }
        }
        assert_eq!(log(&[250.0]).height_of(250.0), Some(0.5));
    }

    #[test]
    fn a_success_rate_of_one_has_no_tick_above_it() {
        assert_eq!(scale(Unit::Ratio, &[1.0, 1.0]).ticks(), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn decades_when_there_are_many_and_fine_ticks_when_there_are_few() {
        assert_eq!(
            log(&[3.0, 4_000.0]).ticks(),
            [1.0, 10.0, 100.0, 1_000.0, 10_000.0]
        );
        assert_eq!(log(&[110.0, 900.0]).ticks(), [100.0, 200.0, 500.0, 1_000.0]);
        assert_eq!(log(&[1.0, 1e12]).ticks(), [1.0, 1e3, 1e6, 1e9, 1e12]);
        assert_eq!(log(&[10.0, 1_000.0]).height_of(0.0), None);
    }

    #[test]
    fn nothing_to_show_is_no_scale() {
        let hollow = [f64::NAN, f64::INFINITY];
        assert_eq!(
            Scale::new(Kind::Linear, Unit::Usd, 4, hollow.into_iter()),
            None
        );
        assert_eq!(
            Scale::new(Kind::Log, Unit::Usd, 4, [0.0, -1.0].into_iter()),
            None
        );
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![
            Unit::Count,
            Unit::Tokens,
            Unit::Milliseconds,
            Unit::Ratio,
            Unit::Usd,
            Unit::PerSecond,
            Unit::Time,
        ])
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), -10.0..10.0f64, 0.0..1e7f64, Just(0.0)]
    }

    proptest! {
        #[test]
        fn ticks_rise_and_enclose_the_values(
            values in prop::collection::vec(any_value(), 1..6),
            unit in any_unit(),
            log in any::<bool>(),
            intervals in 0..9usize,
        ) {
            let kind = if log { Kind::Log } else { Kind::Linear };
            if let Some(scale) = Scale::new(kind, unit, intervals, values.iter().copied()) {
                let ticks = scale.ticks();
                prop_assert!(ticks.len() >= 2 && ticks.len() <= intervals.max(2) + 2);
                prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ticks);
                for value in values.iter().filter_map(|value| tame(kind, *value)) {
                    prop_assert!(ticks[0] <= value && value <= ticks[ticks.len() - 1]
                        || is_flat((ticks[0].min(value), ticks[0].max(value))), "{value} in {ticks:?}");
                    let height = scale.height_of(value).unwrap();
                    prop_assert!((0.0..=1.0).contains(&height));
                }
            }
        }
    }
}
