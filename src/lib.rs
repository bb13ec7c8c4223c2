//! `obs` tells people who run LLM applications what their providers cost, how
//! fast they are and when they break. One binary, one SQLite file.
//!
//! The modules are floors; each uses only those above it in this list.
//! Data walks one way: bytes, event, store, roll-up, query, answer.

pub mod model;

pub mod clock;
pub mod config;
pub mod input;
pub mod notify;
pub mod prices;
pub mod render;
pub mod rulebook;

pub mod store;

pub mod ingest;
pub mod query;
pub mod retention;
pub mod rollup;

pub mod alert;
pub mod health;

pub mod cycle;
pub mod doctor;

pub mod cli;
