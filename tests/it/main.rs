//! Tests of the program as a whole: the real binary, run as a user runs it, and
//! the rules that hold the house up.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking, in helpers as well"
)]

mod busy_hour;
mod channels;
mod cli_alerts;
mod cli_backup;
mod cli_chart;
mod cli_completions;
mod cli_config_set;
mod cli_cost;
mod cli_db;
mod cli_dead;
mod cli_demo;
mod cli_doctor;
mod cli_events;
mod cli_export;
mod cli_health;
mod cli_ingest;
mod cli_ingest_follow;
mod cli_init;
mod cli_notify;
mod cli_query;
mod cli_record;
mod cli_retention;
mod cli_rollup;
mod cli_rules;
mod cli_seen;
mod cli_sql;
mod cli_stats;
mod docs;
mod examples;
#[cfg(target_os = "linux")]
mod faults;
mod floors;
#[cfg(target_os = "linux")]
mod full_disk;
mod help;
mod hostile;
mod lines;
mod migrations;
mod obs;
mod outputs;
mod peek;
mod pricing;
mod readme;
mod real_inputs;
mod receiver;
mod rust_source;
mod scenario;
mod story;
mod survival;
mod traffic;
mod uses;
