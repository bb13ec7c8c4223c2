//! A chart in one line of text.

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
