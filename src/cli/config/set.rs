//! `obs config set`: the settings that are kept in the store, and their part of
//! `obs config show`. Which settings there are is known to `crate::store::setting`.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::{init, retention};
use crate::render::{Answer, Cell, Column};
use crate::store::setting::{
    self, HEALTH_DEGRADED_SUCCESS, HEALTH_DOWN_SUCCESS, SETTINGS, Setting,
};
use crate::store::{Settings, StoreError, Txn};

/// Change a setting of the store
///
/// These settings must mean the same in a shell and in cron, so they are kept in the
/// store. The value `default` takes back what was set. The zone cannot be changed any
/// more once a day was rolled up, nor the cost mode once there is an event: sums that
/// exist would mean something else.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs config set --list                 every setting, its value, and what it is
  obs config set health_window 10m
  obs config set health_degraded_p95 8s
  obs config set health_window default")]
pub(super) struct Args {
    /// Which setting
    #[arg(required_unless_present = "list")]
    key: Option<String>,
    /// Its value, or `default`
    #[arg(required_unless_present = "list", allow_hyphen_values = true)]
    value: Option<String>,
    /// Show every setting of the store, its value, and what it is
    #[arg(long, conflicts_with_all = ["key", "value"])]
    list: bool,
}

/// Takes back what was set.
const DEFAULT: &str = "default";

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match (&args.key, &args.value) {
        (Some(key), Some(value)) => set(ctx, setting::setting(key)?, value),
        (_, _) => list(ctx),
    }
}

fn list(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let columns = ["setting", "value", "default", "what"].map(|name| Column::new(name, name));
    let mut answer = Answer::new("obs.settings/v1", columns.into());
    for Held { setting, value } in held(ctx)? {
        answer.rows.push(vec![
            Cell::text(setting.name()),
            Cell::text(value.unwrap_or_else(|| setting.default())),
            Cell::text(setting.default()),
            Cell::text(setting.what()),
        ]);
    }
    ctx.answer(&answer)
}

/// A setting, and what it is set to, if it is.
struct Held {
    setting: &'static dyn Setting,
    value: Option<String>,
}

/// What the settings of the store are set to; nothing, when there is no store yet.
fn held(ctx: &Context<'_>) -> Result<Vec<Held>, Failure> {
    let path = ctx.db_path()?;
    if !path.exists() {
        let unset = |setting| Held {
            setting,
            value: None,
        };
        return Ok(SETTINGS.map(unset).into());
    }
    let read = |txn: &Txn<'_>, setting| {
        Ok::<_, StoreError>(Held {
            setting,
            value: txn.set_text(setting)?,
        })
    };
    let mut store = ctx.open_store()?;
    Ok(store.read(|txn| {
        SETTINGS
            .into_iter()
            .map(|s| read(txn, s))
            .collect::<Result<_, _>>()
    })?)
}

/// The rows of `obs config show` that speak of the store. A store that cannot be read
/// leaves the other settings to be shown.
pub(super) fn rows(ctx: &mut Context<'_>, with_origin: bool) -> Vec<Vec<Cell>> {
    let held = match held(ctx) {
        Ok(held) => held,
        Err(failure) => {
            ctx.warn(format!(
                "the settings of the store are not shown: {}",
                failure.message()
            ));
            return Vec::new();
        }
    };
    let row = |Held { setting, value }: Held| {
        let origin = match value {
            Some(_) => "store",
            None => DEFAULT,
        };
        let mut row = vec![
            Cell::text(setting.name()),
            Cell::text(value.unwrap_or_else(|| setting.default())),
        ];
        if with_origin {
            row.push(Cell::text(origin));
        }
        row
    };
    held.into_iter().map(row).collect()
}

fn set(ctx: &mut Context<'_>, setting: &dyn Setting, value: &str) -> Result<(), Failure> {
    let kept = match value {
        DEFAULT => None,
        value => Some(setting.read(value).map_err(|hint| {
            let message = format!("{value:?} is no value for {}", setting.name());
            Failure::usage("setting_invalid", message).hint(hint)
        })?),
    };
    let mut store = ctx.open_store()?;
    let (before, after) = store.write(|txn| {
        let (settings, before) = (txn.settings(), txn.set_text(setting));
        txn.keep_setting(setting, kept.as_deref())?;
        // What meant nothing can be mended, and then there is nothing to compare with.
        if let Ok(settings) = settings {
            fits(txn, &settings)?;
        }
        Ok::<_, Failure>((before.ok().flatten(), txn.set_text(setting)?))
    })?;
    init::note_days(&mut store, ctx)?;
    let (name, same) = (setting.name(), before == after);
    let before = before.unwrap_or_else(|| DEFAULT.to_owned());
    let after = after.unwrap_or_else(|| setting.default());
    ctx.notice(match same {
        true => format!("{name} is {after}, as it was"),
        false => format!("{name} is {after}; `obs config set {name} {before}` takes it back"),
    });
    Ok(())
}

/// Whether the settings as they are now fit together, and what is stored.
fn fits(txn: &Txn<'_>, before: &Settings) -> Result<(), Failure> {
    let now = txn.settings()?;
    retention::fits(&now.retention)?;
    if now.zone != before.zone {
        init::forget_days(txn)?;
    }
    // Sums that exist were made of the other cost, and not all can be made anew.
    let counted =
        || Ok::<_, StoreError>(txn.last_event()?.is_some() || txn.first_ledger_day()?.is_some());
    if now.cost_mode != before.cost_mode && counted()? {
        return Err(Failure::usage(
            "cost_mode_fixed",
            "the store has events whose costs were counted in another way",
        )
        .hint("make a new store, set its cost_mode, then ingest: obs init --db OTHER"));
    }
    if txn.set_to(&HEALTH_DOWN_SUCCESS)?.0 > txn.set_to(&HEALTH_DEGRADED_SUCCESS)?.0 {
        return Err(Failure::usage(
            "health_unordered",
            "a provider would be down before it is degraded",
        )
        .hint("keep health_down_success <= health_degraded_success"));
    }
    Ok(())
}
