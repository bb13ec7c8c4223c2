//! Stories of whole answers, in every format.

use super::*;
use crate::model::{Unit, Usd};
use proptest::prelude::*;

/// 2026-01-31 12:00 UTC.
const NOON: Millis = Millis(1_769_860_800_000);

fn columns() -> Vec<Column> {
    vec![
        Column::new("provider", "provider"),
        Column::new("requests", "requests").in_unit(Unit::Count),
        Column::new("success_rate", "success"),
        Column::new("latency_p95_ms", "p95"),
        Column::new("input_tokens", "input").in_unit(Unit::Tokens),
        Column::new("cost_usd", "cost"),
        Column::new("last_event", "last"),
    ]
}

fn two_providers() -> Answer {
    let row = |provider: &str, requests, success, p95, tokens, nano, at: Option<Millis>| {
        vec![
            Cell::text(provider),
            Cell::Int(requests),
            Cell::of(success, Cell::Ratio),
            Cell::of(p95, Cell::Ms),
            Cell::Int(tokens),
            Cell::Usd(Usd(nano)),
            Cell::of(at, Cell::At),
        ]
    };
    Answer {
        head: vec![
            ("since", Cell::At(NOON.plus(-Millis::HOUR))),
            ("until", Cell::At(NOON)),
        ],
        rows: vec![
            row(
                "claude",
                1_204,
                Some(0.978),
                Some(1_933.6),
                18_059_974,
                12_340_000_000,
                Some(NOON),
            ),
            row("open|ai", 0, None, None, 0, 4_500_000, None),
        ],
        ..Answer::new("obs.stats/v1", columns())
    }
}

fn written(answer: &Answer, style: &Style) -> String {
    let mut out = Vec::new();
    write(&mut out, answer, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn style(format: Format) -> Style {
    Style::new(format, NOON)
}

fn texts(cells: &[&str]) -> Answer {
    Answer {
        rows: cells
            .iter()
            .map(|c| vec![Cell::text(*c), Cell::Int(1)])
            .collect(),
        ..Answer::new(
            "obs.errors/v1",
            vec![Column::new("message", "message"), Column::new("n", "n")],
        )
    }
}

#[test]
fn a_table_moves_shared_units_into_the_header() {
    assert_eq!(
        written(&two_providers(), &style(Format::Table)),
        "\
provider  requests  success (%)  p95 (s)  input (M)  cost ($)  last (UTC)
───────────────────────────────────────────────────────────────────────────────
claude       1,204         97.8     1.93       18.1   12.34    2026-01-31 12:00
open|ai          0          -       -           0      0.0045  -
"
    );
}

#[test]
fn units_that_differ_stay_with_their_numbers() {
    let mut answer = two_providers();
    answer.rows[1][3] = Cell::Ms(850.0);
    let picked = Style {
        fields: Some(vec!["latency_p95_ms".into()]),
        ascii: true,
        ..style(Format::Table)
    };
    assert_eq!(
        written(&answer, &picked),
        "   p95\n------\n1.93 s\n850 ms\n"
    );
}

#[test]
fn the_hour_that_happens_twice_is_told_apart() {
    // Berlin turned its clocks back on 2025-10-26 at 01:00 UTC.
    let turn = 1_761_440_400_000;
    let answer = Answer {
        rows: [turn - 1_800_000, turn + 1_800_000]
            .map(|ms| vec![Cell::At(Millis(ms))])
            .into(),
        ..Answer::new("obs.series/v1", vec![Column::new("bucket", "bucket")])
    };
    let berlin = Style {
        zone: Tz::Europe__Berlin,
        header: false,
        ..style(Format::Table)
    };
    assert_eq!(
        written(&answer, &berlin),
        "2025-10-26 02:30 CEST\n2025-10-26 02:30 CET\n"
    );
}

#[test]
fn a_single_row_that_does_not_fit_is_a_list() {
    let mut answer = two_providers();
    answer.rows.truncate(1);
    let narrow = Style {
        width: 40,
        zone: Tz::Europe__Berlin,
        ..style(Format::Table)
    };
    assert_eq!(
        written(&answer, &narrow),
        "\
provider  claude
requests  1,204
success   97.8 %
p95       1.93 s
input     18.1 M
cost      $12.34
last      2026-01-31 13:00 CET
"
    );
}

#[test]
fn a_long_value_of_a_list_is_wrapped_and_not_cut() {
    let answer = texts(&["the provider did not answer within sixty seconds"]);
    let narrow = Style {
        width: 34,
        terminal: true,
        ..style(Format::Table)
    };
    assert_eq!(
        written(&answer, &narrow),
        "\
message  the provider did not
         answer within sixty
         seconds
n        1
"
    );
}

#[test]
fn columns_that_do_not_fit_on_a_terminal_are_named() {
    let narrow = Style {
        width: 42,
        terminal: true,
        ascii: true,
        ..style(Format::Table)
    };
    assert_eq!(
        written(&two_providers(), &narrow),
        "\
provider  requests  success (%)  p95 (s)
----------------------------------------
claude       1,204         97.8     1.93
open|ai          0          -       -
3 more columns (--fields chooses, -o json has all): input_tokens, cost_usd, last_event
"
    );
    let piped = Style {
        terminal: false,
        ..narrow
    };
    assert!(written(&two_providers(), &piped).contains("last (UTC)"));
}

#[test]
fn a_long_text_is_cut_on_a_terminal_only() {
    let answer = texts(&["claude-sonnet-4-20250514-with-a-long-tail", "gpt-4"]);
    let narrow = Style {
        width: 24,
        terminal: true,
        ..style(Format::Table)
    };
    assert!(written(&answer, &narrow).contains("claude-son…-long-tail  1\n"));
    let piped = Style {
        terminal: false,
        ..narrow
    };
    assert!(written(&answer, &piped).contains("claude-sonnet-4-20250514-with-a-long-tail  1\n"));
}

#[test]
fn an_empty_answer_says_so() {
    let mut answer = two_providers();
    answer.rows.clear();
    let table = written(&answer, &style(Format::Table));
    assert!(table.starts_with("provider  requests"), "{table}");
    assert!(table.ends_with("\nno rows\n"), "{table}");
    answer.notes.push("no alerts since 2026-01-31".into());
    assert!(written(&answer, &style(Format::Table)).ends_with("─\nno alerts since 2026-01-31\n"));
    assert_eq!(written(&answer, &style(Format::Jsonl)), "");
}

#[test]
fn json_is_one_object_with_a_row_a_line() {
    assert_eq!(
        written(&two_providers(), &style(Format::Json)),
        r#"{"schema":"obs.stats/v1","generated_at":"2026-01-31T12:00:00.000Z","since":"2026-01-31T11:00:00.000Z","until":"2026-01-31T12:00:00.000Z","data":[
{"provider":"claude","requests":1204,"success_rate":0.978,"latency_p95_ms":1933.6,"input_tokens":18059974,"cost_usd":12.34,"last_event":"2026-01-31T12:00:00.000Z"},
{"provider":"open|ai","requests":0,"success_rate":null,"latency_p95_ms":null,"input_tokens":0,"cost_usd":0.0045,"last_event":null}
],"next":null}
"#
    );
}

#[test]
fn json_carries_the_next_page_and_notes_only_when_there_are_some() {
    let answer = Answer {
        next: Some("c2".into()),
        notes: vec!["3 requests are unpriced".into()],
        ..Answer::new("obs.stats/v1", columns())
    };
    let json = written(&answer, &style(Format::Json));
    let end = r#","data":[],"next":"c2","notes":["3 requests are unpriced"]}"#;
    assert_eq!(
        json.strip_suffix('\n').map(|json| json.ends_with(end)),
        Some(true),
        "{json}"
    );
}

#[test]
fn csv_is_rfc_4180() {
    assert_eq!(
        written(
            &texts(&["a,b", "say \"hi\"", "one\ntwo", "=1+1"]),
            &style(Format::Csv)
        ),
        "message,n\r\n\"a,b\",1\r\n\"say \"\"hi\"\"\",1\r\n\"one\ntwo\",1\r\n=1+1,1\r\n"
    );
}

#[test]
fn csv_safe_defuses_formulas_but_not_numbers() {
    let mut answer = texts(&["=1+1", "@SUM(A1)", "\tx", "a=b"]);
    answer.rows.push(vec![Cell::text("-"), Cell::Int(-1)]);
    let safe = Style {
        csv_safe: true,
        header: false,
        ..style(Format::Csv)
    };
    assert_eq!(
        written(&answer, &safe),
        "'=1+1,1\r\n'@SUM(A1),1\r\n'\tx,1\r\na=b,1\r\n'-,-1\r\n"
    );
}

#[test]
fn a_row_of_tsv_is_one_line() {
    assert_eq!(
        written(&texts(&["one\ttwo\nthree", r"C:\new"]), &style(Format::Tsv)),
        "message\tn\none\\ttwo\\nthree\t1\nC:\\\\new\t1\n"
    );
}

#[test]
fn markdown_has_names_alignment_and_escaped_pipes() {
    let picked = Style {
        fields: Some(vec![
            "provider".into(),
            "cost_usd".into(),
            "latency_p95_ms".into(),
        ]),
        ..style(Format::Md)
    };
    assert_eq!(
        written(&two_providers(), &picked),
        "\
| provider | cost_usd | latency_p95_ms |
| --- | ---: | ---: |
| claude | 12.34 | 1933.6 |
| open\\|ai | 0.0045 |  |
"
    );
}

#[test]
fn fields_pick_and_order_in_every_format() {
    for format in Format::ALL {
        let picked = Style {
            fields: Some(vec![
                "cost_usd".into(),
                " provider".into(),
                "cost_usd".into(),
            ]),
            ..style(format)
        };
        let text = written(&two_providers(), &picked);
        assert!(
            text.find("12.34").unwrap() < text.find("claude").unwrap(),
            "{text}"
        );
        assert_eq!(text.matches("12.34").count(), 1, "{text}");
        assert!(!text.contains("1933"), "{text}");
    }
}

#[test]
fn an_unknown_field_names_the_nearest_and_writes_nothing() {
    for (asked, meant) in [
        ("costs_usd", Some("cost_usd")),
        ("p95", Some("latency_p95_ms")),
        ("Provider", Some("provider")),
        ("zebra", None),
    ] {
        let style = Style {
            fields: Some(vec![asked.into()]),
            ..style(Format::Json)
        };
        let mut out = Vec::new();
        match write(&mut out, &two_providers(), &style) {
            Err(RenderError::UnknownField {
                name,
                nearest,
                known,
            }) => {
                assert_eq!((name.as_str(), nearest.as_deref()), (asked, meant));
                assert_eq!(known.len(), 7);
            }
            other => panic!("{other:?}"),
        }
        assert!(out.is_empty());
    }
}

#[test]
fn every_format_is_known_by_its_name() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("xml"), None);
}

#[test]
fn colour_marks_the_header_and_nothing_else() {
    let colored = Style {
        color: true,
        ..style(Format::Table)
    };
    let plain = written(&two_providers(), &style(Format::Table));
    let stripped = written(&two_providers(), &colored)
        .replace("\x1b[1m", "")
        .replace("\x1b[0m", "");
    assert_eq!(
        stripped.lines().skip(1).collect::<Vec<_>>(),
        plain.lines().skip(1).collect::<Vec<_>>()
    );
    assert_eq!(
        stripped.lines().next().map(str::trim_end),
        plain.lines().next()
    );
}

#[test]
fn nothing_is_lost_of_a_text_longer_than_any_terminal() {
    let long = "x".repeat(70_000);
    let answer = texts(&[&long, "y"]);
    let table = written(&answer, &style(Format::Table));
    assert_eq!(table.matches('x').count(), 70_000);
}

/// Text as an attacker would send it, among ordinary text.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "\x1b[2J",
        "\u{9b}31m",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\n",
        "\t",
        "\r",
        "\0",
        "|",
        ",",
        "\"",
        "=",
    ]);
    prop::collection::vec(
        prop_oneof![nasty.prop_map(String::from), any::<String>()],
        0..4,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_hidden_reaches_a_person(
        cells in prop::collection::vec(any_text(), 0..5),
        title in any_text(), note in any_text(), width in 0usize..120, terminal: bool, ascii: bool,
    ) {
        let mut answer = texts(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        answer.columns[0].title = title.into();
        answer.notes.push(note);
        let table = written(&answer, &Style { width, terminal, ascii, ..style(Format::Table) });
        prop_assert!(!table.chars().any(|c| c != '\n' && safe::is_hidden(c)), "{table:?}");
        prop_assert!(!ascii || table.is_ascii());
        for format in [Format::Csv, Format::Tsv, Format::Md] {
            let text = written(&answer, &Style { terminal: true, ..style(format) });
            prop_assert!(!text.chars().any(|c| !"\r\n\t".contains(c) && safe::is_hidden(c)), "{text:?}");
            prop_assert_eq!(text.matches('\n').count(), cells.len() + if format == Format::Md { 2 } else { 1 });
        }
    }

    #[test]
    fn a_table_on_a_terminal_keeps_to_its_width(
        cells in prop::collection::vec("[a-z東é]{0,60}", 2..5), width in 24usize..100,
    ) {
        let answer = texts(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        let table = written(&answer, &Style { width, terminal: true, ..style(Format::Table) });
        for line in table.lines() {
            prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{table}");
        }
    }

    #[test]
    fn data_formats_give_the_text_back(cells in prop::collection::vec(any_text(), 1..5)) {
        let answer = texts(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        let csv = written(&answer, &style(Format::Csv));
        let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
        let read: Vec<String> = reader.records().map(|r| r.unwrap()[0].to_owned()).collect();
        prop_assert_eq!(&read, &cells);

        let lines = written(&answer, &style(Format::Jsonl));
        let read: Vec<String> = lines
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["message"].as_str().unwrap().to_owned())
            .collect();
        prop_assert_eq!(&read, &cells);
        prop_assert_eq!(written(&answer, &style(Format::Tsv)).lines().count(), cells.len() + 1);
    }
}
