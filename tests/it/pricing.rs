//! What requests cost by the price table, from the line that comes in to the sum that is told.

use serde_json::Value;

use crate::obs::Obs;
use crate::peek::Peek;

const NOW: &str = "2026-11-25T12:00:00Z";

/// A store with these requests, by names in the order of the alphabet.
fn store(lines: &[&str]) -> Obs {
    let obs = Obs::at(NOW);
    let line = |(nth, fields): (usize, &&str)| {
        format!(
            "{{\"id\":\"{nth:02}\",\"type\":\"request\",\"timestamp\":\"2026-11-25T11:{nth:02}:00Z\",{fields}}}\n"
        )
    };
    let lines: String = lines.iter().enumerate().map(line).collect();
    obs.feed(&["ingest", "-"], lines).exits(0);
    obs
}

/// What the table says they cost, in nano-dollars; empty where it has no price.
fn computed(obs: &Obs) -> Vec<String> {
    Peek::at(obs).rows("SELECT cost_computed FROM event ORDER BY at_ms")
}

fn told(obs: &Obs, fields: &str) -> Value {
    let ran = obs.run(&["stats", "--json", "--since", "24h", "--fields", fields]);
    ran.exits(0).json()["data"][0].clone()
}

#[test]
fn each_way_of_counting_gives_the_right_amount() {
    let cases = [
        // Cached tokens beside the input (Anthropic): 1,000 x 3 + 10,000 x 0.3 + 500 x 15.
        (
            r#""provider":"anthropic","model":"claude-sonnet-4-5",
               "usage":{"input_tokens":1000,"cache_read_input_tokens":10000,"output_tokens":500}"#,
            "13500000",
        ),
        // Cached tokens inside the input (OpenAI): 6,000 x 2.5 + 4,000 x 1.25 + 500 x 10.
        (
            r#""provider":"openai","model":"gpt-4o-2024-08-06",
               "usage":{"prompt_tokens":10000,"prompt_tokens_details":{"cached_tokens":4000},"completion_tokens":500}"#,
            "25000000",
        ),
        // Reasoning inside the output: 1,000 x 2 + 500 x 8, once and not twice.
        (
            r#""provider":"openai","model":"o3",
               "usage":{"prompt_tokens":1000,"completion_tokens":500,"completion_tokens_details":{"reasoning_tokens":400}}"#,
            "6000000",
        ),
        // Written to a cache for an hour at twice the input: 1,000 x 6 + 2,000 x 3.75.
        (
            r#""provider":"claude","model":"claude-sonnet-4-5","usage":{"input_tokens":0,"output_tokens":0,
               "cache_creation_input_tokens":3000,"cache_creation":{"ephemeral_5m_input_tokens":2000,"ephemeral_1h_input_tokens":1000}}"#,
            "13500000",
        ),
        // A whole request above 200,000 tokens: 250,000 x 6 + 1,000 x 22.5.
        (
            r#""provider":"claude","model":"claude-sonnet-4-5","input_tokens":250000,"output_tokens":1000"#,
            "1522500000",
        ),
        // A regional model is a tenth dearer: 1,000 x 3.3 + 100 x 16.5.
        (
            r#""provider":"aws.bedrock","model":"us.anthropic.claude-sonnet-4-5-20250929-v1:0","input_tokens":1000,"output_tokens":100"#,
            "4950000",
        ),
        // Half the price in a batch: 1,000 x 1.25 + 100 x 5.
        (
            r#""provider":"openai","model":"gpt-4o","service_tier":"batch","input_tokens":1000,"output_tokens":100"#,
            "1750000",
        ),
        // A count that is null is none.
        (
            r#""provider":"openai","model":"gpt-4o","input_tokens":1000,"output_tokens":null,"cached_tokens":null"#,
            "2500000",
        ),
        // An embedding that tells its total alone: 12 x 0.02, less than a nano-dollar apart.
        (
            r#""provider":"voyage","model":"voyage-3-lite","usage":{"total_tokens":12}"#,
            "240",
        ),
        (
            r#""provider":"openai","model":"gpt-nobody-knows","input_tokens":1000,"output_tokens":1"#,
            "",
        ),
        (
            r#""provider":"openai","model":"gpt-4o","service_tier":"reserved","input_tokens":1000"#,
            "",
        ),
        (
            r#""provider":"openai","model":"gpt-4o","total_tokens":1000"#,
            "",
        ),
        (r#""provider":"openai","model":"gpt-4o","latency":12"#, ""),
    ];
    let lines = cases.map(|(line, _)| line.replace('\n', " "));
    let obs = store(&lines.each_ref().map(String::as_str));
    assert_eq!(computed(&obs), cases.map(|(_, nano)| nano));
    let stats = told(&obs, "requests,unpriced");
    assert_eq!(stats, serde_json::json!({ "requests": 13, "unpriced": 4 }));
}

#[test]
fn a_reported_and_a_computed_cost_are_both_kept_and_the_setting_says_which_counts() {
    let line = r#""provider":"anthropic","model":"claude-sonnet-4-5","input_tokens":1000,"output_tokens":100,"cost":9"#;
    let obs = store(&[line]);
    let both = "SELECT cost_reported, cost_computed FROM event";
    assert_eq!(Peek::at(&obs).rows(both), ["9000000000|4500000"]);
    for (mode, cost) in [("auto", 9.0), ("reported", 9.0), ("computed", 0.0045)] {
        let conn = rusqlite::Connection::open(obs.db()).unwrap();
        let set = "INSERT OR REPLACE INTO setting(key, value) VALUES('cost_mode', ?1)";
        conn.execute(set, [mode]).unwrap();
        assert_eq!(told(&obs, "cost_usd")["cost_usd"], cost, "{mode}");
    }
}

#[test]
fn a_price_that_changes_in_the_middle_of_a_month_changes_on_its_day() {
    let obs = Obs::at("2026-09-20T00:00:00Z");
    // claude-opus-4-6 was dearer above 200,000 tokens until 2026-03-13.
    let line = |at: &str| {
        format!(
            r#"{{"type":"request","timestamp":"{at}","provider":"claude","model":"claude-opus-4-6","input_tokens":300000,"output_tokens":0}}"#
        ) + "\n"
    };
    let lines = ["2026-03-12T23:59:59.999Z", "2026-03-13T00:00:00Z"].map(line);
    obs.feed(&["ingest", "-"], lines.concat()).exits(0);
    assert_eq!(computed(&obs), ["3000000000", "1500000000"]);
}

#[test]
fn a_negative_count_is_refused_by_its_path() {
    let obs = Obs::at(NOW);
    let line =
        r#"{"type":"request","timestamp":"2026-11-25T11:00:00Z","usage":{"prompt_tokens":-5}}"#;
    let ran = obs.feed(&["ingest", "-"], line).exits(5);
    assert_eq!(
        ran.stderr,
        "-:1: usage.prompt_tokens: expected no negative number, found -5\n"
    );
}
