//! Pictures, as a reader sees them.

use chrono_tz::{Europe, UTC};

use super::*;

const HOUR: i64 = Millis::HOUR;
/// 2026-01-31T12:00:00Z
const NOON: i64 = 1_769_860_800_000;

fn chart(unit: Unit, hours: i64, series: &[(&str, Vec<Option<f64>>)]) -> Chart {
    let series: Vec<Series> = series
        .iter()
        .map(|(name, values)| Series {
            name: (*name).to_owned(),
            values: values.clone(),
        })
        .collect();
    let most = series.iter().map(|series| series.values.len()).max().unwrap();
    Chart {
        title: "p95 latency".to_owned(),
        unit,
        span: Span::new(Millis(NOON - hours * HOUR), Millis(NOON)),
        step_ms: (hours * HOUR) / most.max(1) as i64,
        source: "1hour".to_owned(),
        series,
        thresholds: Vec::new(),
        log: false,
        height: None,
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

fn wave(n: usize, base: f64, swing: f64, phase: f64) -> Vec<Option<f64>> {
    (0..n)
        .map(|i| {
            let day = i as f64 * 7.0 / n as f64;
            let noise = ((i * 7919 % 97) as f64 / 97.0 - 0.5) * swing * 0.3;
            Some(base + swing * (std::f64::consts::TAU * (day + phase)).sin() + noise)
        })
        .collect()
}

#[test]
#[ignore = "writes pictures for the eye"]
fn gallery() {
    let mut out = String::new();
    let mut show = |what: &str, chart: &Chart, look: &Look| {
        out += &format!("### {what} width {} ascii {} color {}\n", look.width, look.ascii, look.color);
        out += &draw(chart, look);
        out += "\n";
    };
    let week = chart(Unit::Milliseconds, 168, &[("claude", wave(168, 1_100.0, 500.0, 0.0))]);
    for width in [10, 14, 20, 40, 80, 160] {
        show("week", &week, &look(width));
    }
    let dense = Chart { source: "1min".into(), ..chart(Unit::Milliseconds, 168, &[("claude", wave(10_080, 1_100.0, 500.0, 0.0))]) };
    show("dense", &dense, &look(80));
    let mut three = chart(
        Unit::Milliseconds,
        168,
        &[
            ("claude", wave(168, 1_100.0, 400.0, 0.0)),
            ("openai", wave(168, 800.0, 300.0, 0.3)),
            ("gemini", wave(168, 500.0, 100.0, 0.5)),
        ],
    );
    for width in [20, 40, 80, 120] {
        show("three", &three, &look(width));
        show("three", &three, &Look { ascii: true, ..look(width) });
    }
    show("three", &three, &Look { color: true, ..look(80) });
    three.thresholds = vec![1_250.0, 2_000.0];
    show("three with thresholds", &three, &look(80));
    show("three with thresholds", &three, &Look { ascii: true, ..look(80) });
    show("three with thresholds", &three, &look(30));
    let flat = chart(Unit::Ratio, 24, &[("a", vec![Some(1.0); 24])]);
    show("flat", &flat, &look(80));
    let zero = chart(Unit::Usd, 24, &[("a", vec![Some(0.0); 24])]);
    show("zero", &zero, &look(80));
    let mut one = vec![None; 24];
    one[9] = Some(1_234.0);
    show("one point", &chart(Unit::Milliseconds, 24, &[("a", one.clone())]), &look(80));
    let mut gaps = wave(48, 0.05, 0.03, 0.0);
    for i in [7, 8, 9, 20, 22, 30, 31] {
        gaps[i] = None;
    }
    show("gaps", &chart(Unit::Ratio, 48, &[("a", gaps.clone())]), &look(80));
    show("gaps", &chart(Unit::Ratio, 48, &[("a", gaps)]), &Look { ascii: true, ..look(80) });
    let steep: Vec<Option<f64>> = (0..60).map(|i| Some(if i == 30 { 0.0 } else { 1.3f64.powi(i) })).collect();
    show("log", &Chart { log: true, ..chart(Unit::Milliseconds, 6, &[("a", steep.clone())]) }, &look(80));
    show("log", &Chart { log: true, height: Some(20), ..chart(Unit::Tokens, 6, &[("a", steep.clone())]) }, &look(80));
    for height in [1, 3, 5, 8, 20] {
        show("height", &Chart { height: Some(height), ..week.clone() }, &look(60));
    }
    show("cost", &chart(Unit::Usd, 12, &[("a", wave(12, 0.3, 0.1, 0.0))]), &look(80));
    show("requests", &chart(Unit::Count, 1, &[("a", wave(60, 30_000.0, 5_000.0, 0.0))]), &Look { zone: Europe::Berlin, ..look(80) });
    show("nothing", &chart(Unit::Count, 1, &[("a", vec![None; 60])]), &look(80));
    let same = wave(168, 1_100.0, 500.0, 0.0);
    show("same", &chart(Unit::Milliseconds, 168, &[("a", same.clone()), ("b", same)]), &Look { ascii: true, ..look(60) });
    std::fs::write("/tmp/chart_gallery.txt", out).unwrap();
}
