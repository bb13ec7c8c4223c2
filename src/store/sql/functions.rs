//! The few functions that plain SQL lacks: percentiles of several rows, and times as
//! they are written on the command line.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::ReadMoment;
use crate::model::Sketch;

/// Adds them to a connection. They may be called by statements, not by the schema.
pub(super) fn register(conn: &Connection, moment: ReadMoment) -> rusqlite::Result<()> {
    let plain = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let pure = plain | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_aggregate_function("obs_merge", 1, pure, Merge)?;
    conn.create_scalar_function("obs_quantile", 2, pure, quantile)?;
    conn.create_scalar_function("obs_ms", 1, pure, move |ctx| {
        let Some(text) = ctx.get::<Option<String>>(0)? else {
            return Ok(None);
        };
        moment(&text).map(|at| Some(at.0)).map_err(refusal)
    })
}

/// `obs_merge(sketch)`: the distribution of all rows; NULL when no row has one.
struct Merge;

impl Aggregate<Sketch, Option<Vec<u8>>> for Merge {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Sketch> {
        Ok(Sketch::default())
    }

    fn step(&self, ctx: &mut Context<'_>, merged: &mut Sketch) -> rusqlite::Result<()> {
        match bytes(ctx, "obs_merge")? {
            Some(bytes) => merged.merge_bytes(bytes).map_err(refusal),
            None => Ok(()),
        }
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        merged: Option<Sketch>,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        let merged = merged.filter(|sketch| sketch.count() > 0);
        Ok(merged.map(|sketch| {
            let mut bytes = Vec::new();
            sketch.write(&mut bytes);
            bytes
        }))
    }
}

/// `obs_quantile(sketch, q)`: milliseconds; NULL of nothing.
fn quantile(ctx: &Context<'_>) -> rusqlite::Result<Option<f64>> {
    let Some(bytes) = bytes(ctx, "obs_quantile")? else {
        return Ok(None);
    };
    let q = ctx.get::<f64>(1).ok().filter(|q| (0.0..=1.0).contains(q));
    let q = q.ok_or_else(|| refusal("obs_quantile(sketch, q) takes a q from 0 to 1"))?;
    let sketch = Sketch::from_bytes(bytes).map_err(refusal)?;
    Ok(sketch.quantile(q))
}

/// The bytes of a sketch, which is the first argument.
fn bytes<'a>(ctx: &'a Context<'_>, function: &str) -> rusqlite::Result<Option<&'a [u8]>> {
    match ctx.get_raw(0) {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => Ok(Some(bytes)),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => {
            Err(refusal(format!("{function}() takes a latency_sketch")))
        }
    }
}

fn refusal(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::UserFunctionError(why.into())
}
