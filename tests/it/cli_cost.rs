//! `obs cost prices`: the prices that count, and the user's own.

use std::fs;

use crate::obs::Obs;
use crate::peek::Peek;

const NOW: &str = "2026-11-25T12:00:00Z";

#[test]
fn the_built_in_prices_are_there_without_a_store_and_say_where_they_come_from() {
    let obs = Obs::at(NOW);
    let fields = "provider,model,tier,input_per_million_usd,output_per_million_usd,cache_write_1h_per_million_usd,from,until";
    let show = [
        "cost",
        "prices",
        "show",
        "anthropic/claude-opus-4-6",
        "-o",
        "csv",
        "--fields",
        fields,
    ];
    obs.run(&show).exits(0).prints(
        "provider,model,tier,input_per_million_usd,output_per_million_usd,cache_write_1h_per_million_usd,from,until\n\
         anthropic,claude-opus-4-6,standard,5.0,25.0,10.0,2026-03-13T00:00:00.000Z,\n\
         anthropic,claude-opus-4-6,batch,2.5,12.5,5.0,2026-03-13T00:00:00.000Z,\n\
         anthropic,claude-opus-4-6,standard,5.0,25.0,10.0,,2026-03-13T00:00:00.000Z\n\
         anthropic,claude-opus-4-6,>200000,10.0,37.5,20.0,,2026-03-13T00:00:00.000Z",
    );
    let then = [show.as_slice(), &["--as-of", "2026-01-31"]].concat();
    assert_eq!(obs.run(&then).exits(0).stdout.lines().count(), 3);
    let told = obs
        .run(&["cost", "prices", "show", "o3", "--json"])
        .exits(0)
        .json();
    assert_eq!(told["schema"], "obs.cost.prices/v1");
    let source = told["data"][0]["source"].as_str().unwrap();
    assert!(source.starts_with("genai-prices "), "{told}");
    let list = [
        "cost",
        "prices",
        "list",
        "--provider",
        "claude",
        "--model",
        "claude-opus-4-6",
        "--fields",
        "tier,from",
        "-o",
        "csv",
    ];
    obs.run(&list)
        .exits(0)
        .prints("tier,from\nstandard,2026-03-13…\nbatch,2026-03-13…");
    let unknown = obs
        .run(&["cost", "prices", "show", "gpt-nobody-knows"])
        .exits(4);
    assert!(
        unknown
            .stderr
            .starts_with("error: there is no price for gpt-nobody-knows\nhint: "),
        "{unknown}"
    );
}

#[test]
fn a_price_of_ones_own_counts_from_its_day_for_what_comes_in_until_it_is_deleted() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    #[rustfmt::skip]
    obs.run(&["cost", "prices", "set", "Claude/claude-sonnet-4-5", "input=1", "output=2",
        "--from", "2026-11-20T00:00:00Z"]).exits(0);
    let line = |at: &str| {
        format!(
            r#"{{"type":"request","timestamp":"{at}","provider":"anthropic","model":"claude-sonnet-4-5-20250929","input_tokens":1000,"output_tokens":0}}"#
        ) + "\n"
    };
    let lines = ["2026-11-19T23:00:00Z", "2026-11-20T01:00:00Z"].map(line);
    obs.feed(&["ingest", "-"], lines.concat()).exits(0);
    let computed = "SELECT cost_computed FROM event ORDER BY at_ms";
    assert_eq!(Peek::at(&obs).rows(computed), ["3000000", "1000000"]);

    let own = [
        "cost",
        "prices",
        "list",
        "--own",
        "-o",
        "csv",
        "--fields",
        "provider,model,input_per_million_usd,source",
    ];
    obs.run(&own).exits(0).prints(
        "provider,model,input_per_million_usd,source\nanthropic,claude-sonnet-4-5,1.0,user",
    );
    obs.run(&["cost", "prices", "delete", "claude/claude-sonnet-4-5"])
        .exits(0);
    assert_eq!(obs.run(&own).exits(0).stdout.lines().count(), 1);
    obs.run(&["cost", "prices", "delete", "claude/claude-sonnet-4-5"])
        .exits(4);
    obs.feed(&["ingest", "-"], line("2026-11-20T02:00:00Z"))
        .exits(0);
    assert_eq!(Peek::at(&obs).rows(computed)[2], "3000000");
    assert_eq!(
        Peek::at(&obs).rows("SELECT what FROM price_book ORDER BY revision"),
        ["set", "delete"]
    );
}

#[test]
fn a_list_shows_what_it_would_change_before_it_is_taken_over() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    let path = obs.folder().join("prices.toml");
    let text = "[[prices]]\nprovider = \"house\"\nmodel = \"h1\"\ninput = 0.2\noutput = 0.4\n\n\
                [[prices]]\nprovider = \"house\"\nmodel = \"h1\"\ntier = \"batch\"\ninput = 0.1\noutput = 0.2\n";
    fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    let changes = "provider,model,tier,class,before_per_million_usd,after_per_million_usd\n\
                   house,h1,standard,input,,0.2\nhouse,h1,standard,output,,0.4\n\
                   house,h1,batch,input,,0.1\nhouse,h1,batch,output,,0.2";
    obs.run(&["cost", "prices", "import", file, "-n", "-o", "csv"])
        .exits(0)
        .prints(changes);
    assert_eq!(Peek::at(&obs).number("SELECT count(*) FROM price"), 0);
    obs.run(&["cost", "prices", "import", file]).exits(0);
    let diff = ["cost", "prices", "diff", file, "-o", "csv"];
    assert_eq!(
        obs.run(&diff).exits(0).stdout.lines().count(),
        1,
        "nothing is left to change"
    );
    obs.run(&["cost", "prices", "import", file]).exits(0);
    assert_eq!(Peek::at(&obs).number("SELECT count(*) FROM price"), 2);

    fs::write(
        &path,
        "[[prices]]\nprovider = 'p'\nmodel = 'm'\ninput = -1\n",
    )
    .unwrap();
    let refused = obs.run(&diff).exits(2);
    assert!(
        refused
            .stderr
            .starts_with("error: not a price list of obs: input: -1 is no price\n"),
        "{refused}"
    );
    fs::write(&path, "hello").unwrap();
    obs.run(&diff).exits(2);
    obs.run(&["cost", "prices", "import", "nowhere.json"])
        .exits(1);
}

#[test]
fn what_is_no_price_and_no_name_is_refused() {
    let obs = Obs::at(NOW);
    obs.run(&["init"]).exits(0);
    for args in [
        &["gpt-4o", "input=1"][..],
        &["openai/gpt-4o"],
        &["openai/gpt-4o", "input=a lot"],
        &["openai/gpt-4o", "input=-1"],
        &[
            "openai/gpt-4o",
            "input=1",
            "--from",
            "2026-02-01",
            "--until",
            "2026-01-01",
        ],
    ] {
        let all = [&["cost", "prices", "set"], args].concat();
        obs.run(&all).exits(2);
    }
}

#[test]
fn a_batch_stays_a_batch_in_the_store() {
    let obs = Obs::at(NOW);
    let line = r#"{"type":"request","timestamp":"2026-11-25T11:00:00Z","provider":"openai","model":"gpt-4o","service_tier":"batch","input_tokens":1000}"#;
    obs.feed(&["ingest", "-"], line).exits(0);
    let seen = "SELECT service_tier, cost_computed FROM event";
    assert_eq!(Peek::at(&obs).rows(seen), ["1|1250000"]);
}
