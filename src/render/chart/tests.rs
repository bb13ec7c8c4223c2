//! Pictures, as a reader sees them.

use chrono_tz::{Europe, UTC};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

mod files;

const HOUR: i64 = Millis::HOUR;
/// 2026-01-31T12:00:00Z
const NOON: i64 = 1_769_860_800_000;

fn chart(unit: Unit, hours: i64, series: &[(&str, Vec<Option<f64>>)]) -> Chart {
    let most = series.iter().map(|(_, values)| values.len()).max().unwrap();
    let step_ms = (hours * HOUR) / most.max(1) as i64;
    let span = Span::new(Millis(NOON - hours * HOUR), Millis(NOON));
    let series = series
        .iter()
        .map(|(name, values)| of(name, span.from, step_ms, values));
    Chart {
        title: "p95 latency".to_owned(),
        shape: Shape::Line,
        left: Axis {
            unit,
            thresholds: Vec::new(),
        },
        right: None,
        span,
        step_ms,
        source: "1hour".to_owned(),
        series: series.collect(),
        log: false,
        height: None,
    }
}

/// The series of these values, bucket after bucket.
fn of(name: &str, from: Millis, step_ms: i64, values: &[Option<f64>]) -> Series {
    let at = |i: usize| from.plus((i as i64).saturating_mul(step_ms.max(1)));
    let points = values.iter().enumerate();
    Series {
        name: name.to_owned(),
        side: Side::Left,
        is_earlier: false,
        points: points.map(|(i, value)| (at(i), *value)).collect(),
    }
}

fn limit(value: f64, chart: Chart) -> Chart {
    Chart {
        left: Axis {
            thresholds: vec![value],
            ..chart.left
        },
        ..chart
    }
}

fn look(width: usize) -> Look {
    Look {
        width,
        ascii: false,
        color: false,
        zone: UTC,
    }
}

fn ascii(width: usize) -> Look {
    Look {
        ascii: true,
        ..look(width)
    }
}

/// A working day in two-hour buckets: quiet, a rise, a fall.
fn day() -> Vec<Option<f64>> {
    let values = [
        310.0, 290.0, 280.0, 300.0, 420.0, 700.0, 1_100.0, 1_450.0, 1_600.0, 1_700.0, 1_500.0,
        900.0,
    ];
    values.map(Some).to_vec()
}

fn small(series: &[(&str, Vec<Option<f64>>)]) -> Chart {
    Chart {
        height: Some(5),
        ..chart(Unit::Milliseconds, 24, series)
    }
}

fn drawn(chart: &Chart, look: &Look) -> Vec<String> {
    draw(chart, look).lines().map(str::to_owned).collect()
}

#[test]
fn a_day_of_latency() {
    assert_eq!(
        drawn(&small(&[("claude", day())]), &look(72)),
        [
            "p95 latency (s) · 2026-01-30 12:00 – 01-31 12:00 UTC · every 2 h (1hour)",
            "2 s ┤                                                  ⣀⣀⣀",
            "    │                                    ⢀⣀⠤⠒⠒⠒⠒⠒⠊⠉⠉⠉⠉⠉   ⠉⠉⠑⠒⠤⣀",
            "1 s ┤                             ⢀⣀⡠⠤⠔⠒⠉⠁                      ⠉⠒⠄",
            "    │                      ⣀⣀⠤⠤⠒⠊⠉⠁",
            "0 s ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
            "    └┬───────────────┬────────────────┬────────────────┬────────────────",
            "   12:00           18:00           Jan 31            06:00",
        ]
    );
}

#[test]
fn the_same_day_in_ascii() {
    assert_eq!(
        drawn(&small(&[("claude", day())]), &ascii(72)),
        [
            "p95 latency (s) | 2026-01-30 12:00 to 01-31 12:00 UTC",
            "every 2 h (1hour)",
            "2 s +",
            "    |                                       **********************",
            "1 s +                                 ******                      *",
            "    |*********************************",
            "0 s +",
            "    ++---------------+----------------+----------------+----------------",
            "   12:00           18:00           Jan 31            06:00",
        ]
    );
}

#[test]
fn what_is_missing_is_a_gap_and_a_lonely_point_a_mark() {
    let mut holes = day();
    for i in [3, 4, 6, 11] {
        holes[i] = None;
    }
    assert_eq!(
        drawn(&small(&[("claude", holes)]), &look(44))[3..],
        [
            "2 s ┤                             ⣀⣀",
            "    │                      ⠐⠒⠒⠒⠉⠉⠉  ⠉⠑",
            "1 s ┤",
            "    │                ●",
            "0 s ┤⠉⠉⠉⠉⠉⠉⠉",
            "    └┬────────┬─────────┬─────────┬─────────",
            "   12:00    18:00    Jan 31     06:00",
        ]
    );
}

#[test]
fn two_series_are_told_apart_without_colour() {
    let half = day()
        .into_iter()
        .map(|value| value.map(|value| value / 2.0))
        .collect();
    assert_eq!(
        drawn(&small(&[("claude", day()), ("openai", half)]), &look(60))[2..],
        [
            "2 s ┤                                         ⣀⣀⡀",
            "    │                              ⣀⠤⠒●⠒⠒⠊⠉⠉⠉⠉  ⠈●⠑⠢⢄⡀",
            "1 s ┤                        ⢀⣀⠤⠔⠒⠉      ⢀⣀▲⣀⣀⣀⣀⣀⣀⡀  ⠈⠑⠄",
            "    │                  ⣀⡠⠤⠒●⠉⠁⣀⣀▲⠤⠤⠒⠒⠉⠉⠉⠉⠁        ⠈⠉⠒⠢▲⡀",
            "0 s ┤●⠭⠭⠭⠭▲⠭⠭⠭⠭⠭●⠭⠭⠭⠭▲⠭⠒⠒⠒⠒⠊⠉⠉",
            "    └┬────────────┬─────────────┬─────────────┬─────────────",
            "   12:00        18:00        Jan 31         06:00",
            "● claude   ▲ openai",
        ]
    );
}

#[test]
fn equal_series_take_turns() {
    assert_eq!(
        drawn(&small(&[("claude", day()), ("openai", day())]), &ascii(60))[2..],
        [
            "2 s +",
            "    |                                *+*+*+*+*+*+*+*+*+",
            "1 s +                           +*+*+                  *",
            "    |*+*+*+*+*+*+*+*+*+*+*+*+*+*",
            "0 s +",
            "    ++------------+-------------+-------------+-------------",
            "   12:00        18:00        Jan 31         06:00",
            "* claude   + openai",
        ]
    );
}

#[test]
fn a_threshold_is_a_dashed_line_with_its_value() {
    let chart = limit(1_250.0, small(&[("claude", day())]));
    assert_eq!(
        drawn(&chart, &look(60))[2..],
        [
            "2 s ┤                                    ⣀⣀",
            "    │⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀⠤⠒⠒⠒⠒⠉⠉⠉⠉⣀ ⠉⠉⠒⠤⡀ ⣀ ⣀  1.25 s",
            "1 s ┤                     ⢀⣀⠤⠒⠉                ⠈⠑⠄",
            "    │                ⣀⡠⠤⠒⠉⠁",
            "0 s ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
            "    └┬───────────┬───────────┬───────────┬───────────",
            "   12:00       18:00      Jan 31       06:00",
        ]
    );
    assert_eq!(drawn(&chart, &look(30)).last().unwrap(), "threshold 1.25 s");
}

#[test]
fn a_flat_series_lies_in_the_middle_and_no_rate_above_all() {
    let chart = Chart {
        height: None,
        ..chart(Unit::Ratio, 24, &[("success", vec![Some(1.0); 24])])
    };
    assert_eq!(
        drawn(&chart, &look(44))[3..],
        [
            "      │",
            "      │",
            "      │",
            "      │",
            "      │",
            "      │",
            "100 % ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠄",
            "      │",
            "      │",
            " 50 % ┤",
            "      │",
            "      │",
            "  0 % ┤",
            "      └┬────────┬────────┬────────┬─────────",
            "     12:00    18:00   Jan 31    06:00",
        ]
    );
}

#[test]
fn a_log_axis_leaves_out_what_it_has_no_place_for_and_says_so() {
    let errors = [0.0, 1.0, 10.0, 90.0, 1_000.0, 8_000.0].map(Some).to_vec();
    let chart = Chart {
        log: true,
        ..small(&[("claude", errors)])
    };
    assert_eq!(
        drawn(&chart, &look(44))[3..],
        [
            "  10 s ┤                          ⢀⣀⠤⠒⠁",
            "       │                      ⣀⠤⠒⠊⠁",
            "100 ms ┤                ⢀⣀⠤⠔⠊⠉",
            "       │           ⣀⠤⠔⠒⠉⠁",
            "  1 ms ┤      ⣀⡠⠔⠒⠉",
            "       └┬────────┬────────┬────────┬────────",
            "      12:00    18:00   Jan 31    06:00",
            "1 value at or below 0 is not on the log",
            "scale",
        ]
    );
}

#[test]
fn ten_columns_are_enough_for_the_line() {
    assert_eq!(
        drawn(&small(&[("claude", day())]), &look(10)),
        [
            "p95…cy (s)",
            "2026-01-30",
            "12:00 –",
            "01-31",
            "12:00 UTC",
            "every 2 h",
            "(1hour)",
            "       ⢀",
            "     ⡔⠊⠉⡆",
            "    ⡠⠃  ⠘⠄",
            "   ⡔⠁",
            "⠉⠉⠉",
            "─────┬────",
            "  Jan 31",
        ]
    );
}

#[test]
fn nothing_but_gaps_is_said_in_words() {
    assert_eq!(
        drawn(&small(&[("claude", vec![None; 12])]), &look(80)),
        [
            "p95 latency (time) · 2026-01-30 12:00 – 01-31 12:00 UTC · every 2 h (1hour)",
            "no data in this window",
        ]
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let chart = limit(
        2_000.0,
        small(&[("claude", day()), ("openai", vec![Some(500.0); 12])]),
    );
    let colored = Look {
        color: true,
        ..look(60)
    };
    let painted = draw(&chart, &colored);
    assert!(painted.contains("\x1b[34m●\x1b[0m claude"));
    assert_eq!(without_color(&painted), draw(&chart, &look(60)));
}

fn without_color(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').unwrap().1)
}

#[test]
fn a_name_cannot_break_the_picture() {
    let mut chart = small(&[
        ("a\x1b[2J\n\u{202e}", day()),
        ("モデル".repeat(40).as_str(), day()),
    ]);
    chart.title = "p95\r\n".repeat(30);
    for line in drawn(&chart, &look(40)) {
        assert!(
            line.width() <= 40 && !line.contains(char::is_control),
            "{line}"
        );
    }
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        8 => (-2.0..5_000.0f64).prop_map(Some),
        1 => any::<f64>().prop_map(Some),
        1 => prop::sample::select(vec![0.0, 1e300, -1e300, f64::MAX, f64::NAN, f64::INFINITY]).prop_map(Some),
    ]
}

fn any_chart() -> impl Strategy<Value = Chart> {
    let unit = prop::sample::select(vec![
        Unit::Count,
        Unit::Tokens,
        Unit::Milliseconds,
        Unit::Ratio,
        Unit::Usd,
        Unit::PerSecond,
        Unit::Time,
    ]);
    let moment = || prop_oneof![8 => NOON..NOON + 400 * Millis::DAY, 1 => any::<i64>()];
    let series = prop::collection::vec(prop::collection::vec(any_value(), 0..60), 0..16);
    let thresholds = prop::collection::vec(any_value(), 0..3);
    let step = prop_oneof![8 => 1..Millis::DAY, 1 => any::<i64>()];
    let shape = prop::sample::select(vec![Shape::Line, Shape::Step, Shape::Bar]);
    let right = prop::option::of(Just(Axis {
        unit: Unit::Usd,
        thresholds: vec![2.0],
    }));
    (
        unit,
        (moment(), moment(), step),
        series,
        thresholds,
        any::<bool>(),
        prop::option::of(0..40usize),
        shape,
        right,
    )
        .prop_map(
            |(unit, (from, until, step_ms), series, thresholds, log, height, shape, right)| Chart {
                title: "p95 latency by provider".to_owned(),
                shape,
                left: Axis {
                    unit,
                    thresholds: thresholds.into_iter().flatten().collect(),
                },
                span: Span::new(Millis(from), Millis(until)),
                step_ms,
                source: "1min".to_owned(),
                series: series
                    .iter()
                    .enumerate()
                    .map(|(i, values)| Series {
                        side: match &right {
                            Some(_) if i % 2 == 1 => Side::Right,
                            Some(_) | None => Side::Left,
                        },
                        is_earlier: i % 3 == 2,
                        ..of("gpt-模型 <&>\"'", Millis(from), step_ms, values)
                    })
                    .collect(),
                right,
                log,
                height,
            },
        )
}

fn two_axes() -> Chart {
    let mut chart = small(&[("p95 latency", day()), ("cost", vec![Some(0.25); 12])]);
    chart.series[1].side = Side::Right;
    chart.right = Some(Axis {
        unit: Unit::Usd,
        thresholds: Vec::new(),
    });
    chart
}

#[test]
fn two_units_are_read_on_two_axes() {
    assert_eq!(
        drawn(&two_axes(), &look(60))[..],
        [
            "p95 latency (s left, $ right)",
            "2026-01-30 12:00 – 01-31 12:00 UTC · every 2 h (1hour)",
            "2 s ┤                                    ●⣀          │",
            "    │                          ⣀●⠒⠒⠒⠒⠉⠉⠉⠉  ⠉⠉⠒⠤⡀     ├ $0.40",
            "1 s ┤⠤⠤⠤⠤▲⠤⠤⠤⠤⠤⠤⠤⠤▲⠤⠤⠤⠤⠤⠤⠤⢤▲⠤⠶⠭⠤⠤⠤⠤⠤▲⠤⠤⠤⠤⠤⠤⠤⠤▲⠤⠬⠵⠄   ├ $0.20",
            "    │                ⣀⡠●⠒⠉⠁                          │",
            "0 s ┤●⠉⠉⠉⠉⠉⠉⠉⠉●⠉⠉⠉⠉⠉⠉                                ├ $0.00",
            "    └┬───────────┬───────────┬───────────┬───────────┘",
            "   12:00       18:00      Jan 31       06:00",
            "● p95 latency (left)   ▲ cost (right)",
        ]
    );
}

#[test]
fn steps_hold_until_the_bucket_ends() {
    let chart = Chart {
        shape: Shape::Step,
        ..small(&[("claude", day())])
    };
    assert_eq!(
        drawn(&chart, &ascii(40))[3..],
        [
            "2 s +",
            "    |                    ************",
            "1 s +                 ***            ***",
            "    |*****************",
            "0 s +",
            "    ++-------+--------+--------+--------",
            "   12:00   18:00   Jan 31    06:00",
        ]
    );
}

#[test]
fn bars_stand_on_zero_side_by_side() {
    let chart = Chart {
        shape: Shape::Bar,
        ..small(&[("claude", day()), ("openai", vec![Some(500.0); 12])])
    };
    assert_eq!(
        drawn(&chart, &ascii(60))[2..],
        [
            "2 s +",
            "    |                                **  **   **  **",
            "1 s +                           **   **  **   **  **   **",
            "    |**++**++ **++**++ **++**++ **++ **++**++ **++**++ **++",
            "0 s +**++**++ **++**++ **++**++ **++ **++**++ **++**++ **++",
            "    ++------------+-------------+-------------+-------------",
            "   12:00        18:00        Jan 31         06:00",
            "* claude   + openai",
        ]
    );
}

#[test]
fn sparks_are_a_line_of_text_each() {
    let chart = small(&[("claude", day()), ("openai", vec![Some(500.0); 12])]);
    let drawn: Vec<String> = sparks(&chart, &look(60))
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        drawn[2..],
        [
            "claude  ▁▁▁▁▂▃▅▇██▇▄                          0.28 s – 1.7 s",
            "openai  ▄▄▄▄▄▄▄▄▄▄▄▄                          0.5 s",
        ]
    );
}

proptest! {
    #[test]
    fn any_values_fit_into_any_width(
        chart in any_chart(),
        width in 1..300usize,
        ascii in any::<bool>(),
        color in any::<bool>(),
    ) {
        let look = Look { width, ascii, color, zone: Europe::Berlin };
        let text = draw(&chart, &look);
        for line in without_color(&text).lines() {
            prop_assert!(line.width() <= width.max(10), "{line}");
            prop_assert!(!ascii || line.is_ascii(), "{line}");
        }
    }
}
