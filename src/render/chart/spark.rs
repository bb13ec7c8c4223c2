//! A chart in one line of text.

use unicode_width::UnicodeWidthStr;

use super::hue::hues;
use super::text::{Ink, Line, clean, fit};
use super::time_axis::place;
use super::{Chart, Look, Ruler, Rulers, Series, blank, buckets, caption, print};

/// The widest a name may be, and the narrowest a row of bars.
const NAME_MOST: usize = 24;
const BARS_LEAST: usize = 8;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 8] = ['.', ':', '-', '=', '+', '*', '#', '@'];

/// One character a value, from the lowest to the highest of them; a gap is a
/// space, and a flat line lies in the middle.
pub fn sparkline(values: &[Option<f64>], ascii: bool) -> String {
    let bars = if ascii { ASCII_BARS } else { BARS };
    let known = || {
        values
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    };
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    // Halved, so that the widest range is still a number.
    let range = high / 2.0 - low / 2.0;
    let bar = |value: f64| {
        let share = (value / 2.0 - low / 2.0) / range;
        let level = if range > 0.0 {
            (share * 7.0).round() as usize
        } else {
            3
        };
        bars[level.min(7)]
    };
    values
        .iter()
        .map(|value| value.filter(|value| value.is_finite()).map_or(' ', bar))
        .collect()
}

/// Draws each series as a line of text: its name, its values, and from where to
/// where they go. Each has a scale of its own. Of values that share a column, the
/// highest is seen.
pub fn sparks(chart: &Chart, look: &Look) -> String {
    let look = look.within_bounds();
    let rulers = Rulers::new(chart);
    if rulers.is_empty() {
        return print(&blank(chart, &look), &look);
    }
    let mut lines = caption::head(chart, &look, &rulers.units(chart));
    let names: Vec<String> = chart
        .series
        .iter()
        .map(|s| fit(&clean(&s.name, look.ascii), NAME_MOST, look.ascii))
        .collect();
    let ranges: Vec<String> = chart
        .series
        .iter()
        .map(|s| range(chart, s, rulers.of(s.side), look.ascii))
        .collect();
    let (name_width, range_width) = (widest(&names), widest(&ranges));
    let room = look.width.saturating_sub(name_width + range_width + 4);
    let is_narrow = room < BARS_LEAST;
    let columns = if is_narrow { look.width } else { room };
    for (i, hue) in hues(&chart.series).into_iter().enumerate() {
        let bars = sparkline(&fitted(chart, &chart.series[i], columns), look.ascii);
        let mut line = Line::default();
        if is_narrow {
            lines.push(Line::of(
                Ink::Plain,
                &fit(&names[i], look.width, look.ascii),
            ));
        } else {
            line.push(Ink::Plain, &padded(&names[i], name_width + 2));
        }
        line.push(Ink::Series(hue), &bars);
        if !is_narrow {
            let gap = columns - bars.width() + 2;
            line.push(Ink::Plain, &format!("{}{}", " ".repeat(gap), ranges[i]));
        }
        lines.push(line);
    }
    print(&lines, &look)
}

fn widest(texts: &[String]) -> usize {
    texts.iter().map(|text| text.width()).max().unwrap_or(0)
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// `310 ms – 1.7 s`; nothing when there is no value.
fn range(chart: &Chart, series: &Series, ruler: Option<&Ruler>, ascii: bool) -> String {
    let values = || buckets(chart, series).filter_map(|(_, value)| value.filter(|v| v.is_finite()));
    let low = values().reduce(f64::min);
    let high = values().reduce(f64::max);
    let to = if ascii { "to" } else { "–" };
    match (low, high, ruler) {
        (Some(low), Some(high), Some(ruler)) if low == high => ruler.labels.value(low),
        (Some(low), Some(high), Some(ruler)) => {
            let [low, high] = [low, high].map(|value| ruler.labels.value(value));
            format!("{low} {to} {high}")
        }
        (_, _, _) => "no data".to_owned(),
    }
}

/// The values as they are when they fit, else the highest of each column.
fn fitted(chart: &Chart, series: &Series, columns: usize) -> Vec<Option<f64>> {
    let points: Vec<_> = buckets(chart, series).collect();
    if points.len() <= columns {
        return points.into_iter().map(|(_, value)| value).collect();
    }
    let mut fitted: Vec<Option<f64>> = vec![None; columns];
    for (at, value) in points {
        let value = value.filter(|value| value.is_finite());
        let Some(column) = place(chart.span, at, columns).filter(|c| *c < columns) else {
            continue;
        };
        let seen = fitted[column].into_iter().chain(value).reduce(f64::max);
        fitted[column] = seen;
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_a_gap_and_a_flat_line_in_one_row_each() {
        let wave = [1.0, 2.0, 4.0, 8.0, 4.0].map(Some);
        assert_eq!(sparkline(&wave, false), "▁▂▄█▄");
        assert_eq!(sparkline(&wave, true), ".:=@=");
        assert_eq!(
            sparkline(&[Some(1.0), None, Some(f64::NAN), Some(3.0)], false),
            "▁  █"
        );
        assert_eq!(sparkline(&[Some(0.0), Some(0.0)], false), "▄▄");
        assert_eq!(sparkline(&[Some(f64::MIN), Some(f64::MAX)], false), "▁█");
        assert_eq!(sparkline(&[], false), "");
    }
}
