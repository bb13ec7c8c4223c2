//! `obs init`: a store, before there is anything to put into it.

use super::context::Context;
use super::failure::Failure;
use crate::alert;
use crate::model::Zone;
use crate::render::{Answer, Cell, Column};
use crate::rulebook;
use crate::store::{LocalDays, Store, StoreError, Txn};

/// Local days that are noted ahead for people who ask in SQL.
const DAYS_AHEAD: i32 = 400;

/// Create the store, or bring an older one up to date
///
/// Not needed before `obs ingest`, which does the same; it sets the zone in which
/// days, weeks and months begin (bills and budgets are cut there). A new store has five
/// alert rules; `obs rules` shows them.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs init
  obs init --db /var/lib/obs/obs.db --timezone Europe/Berlin")]
pub(super) struct Args {
    /// Zone of local days [default: UTC; of a store that exists: as it is]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Begin without the five first alert rules
    #[arg(long)]
    no_default_rules: bool,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let zone = args.timezone.as_deref().map(Zone::parse).transpose()?;
    let mut store = ctx.create_store()?;
    let first = match args.no_default_rules {
        true => Vec::new(),
        false => rulebook::defaults(),
    };
    alert::born(&mut store, ctx.now, &first)?;
    if let Some(zone) = zone {
        set_zone(&mut store, zone)?;
    }
    note_days(&mut store, ctx)?;
    let settings = store.read(|txn| txn.settings())?;
    let columns = ["path", "timezone"]
        .map(|name| Column::new(name, name))
        .into();
    let mut answer = Answer::new("obs.init/v1", columns);
    answer.rows.push(vec![
        Cell::text(store.path().display().to_string()),
        Cell::text(settings.zone.name()),
    ]);
    if ctx.wants_table() {
        ctx.notice(format!(
            "the store is {} (days begin in {})",
            store.path().display(),
            settings.zone.name()
        ));
        ctx.notice("next: my-app | obs ingest, and `* * * * * obs run` in crontab");
        return Ok(());
    }
    ctx.answer(&answer)
}

/// Sets the zone of a store in which no day has been billed yet.
fn set_zone(store: &mut Store, zone: Zone) -> Result<(), Failure> {
    store.write(|txn| {
        if txn.settings()?.zone == zone {
            return Ok(());
        }
        forget_days(txn)?;
        Ok(txn.set_zone(zone)?)
    })
}

/// Makes room for days of another zone, which is refused once a day was billed.
pub(super) fn forget_days(txn: &Txn<'_>) -> Result<(), Failure> {
    if txn.first_ledger_day()?.is_some() {
        return Err(
            Failure::usage("zone_fixed", "the store has days in another zone already")
                .hint("make a new store for the new zone: obs init --db OTHER --timezone ZONE"),
        );
    }
    Ok(txn.clear_calendar()?)
}

/// Notes the local days around the present, as far as they are not noted yet.
pub(super) fn note_days(store: &mut Store, ctx: &Context<'_>) -> Result<(), StoreError> {
    let (zone, last) =
        store.read(|txn| Ok::<_, StoreError>((txn.settings()?.zone, txn.last_noted_day()?)))?;
    let mut days = LocalDays::new(zone);
    let today = days.day(ctx.now);
    let first = last.map_or(today - 1, |last| last + 1);
    // Renewed when a month of it is used up, not every day.
    if first <= today + DAYS_AHEAD - 30 {
        store.write(|txn| txn.note_days(&days, first..today + DAYS_AHEAD))?;
    }
    Ok(())
}
