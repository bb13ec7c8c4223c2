//! `obs events`: raw events one by one, and the lines that could not become one.

mod dead;
mod row;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::global::{Filter, Window};
use super::list::List;
use crate::model::{CacheEvent, Decision, EventRef, Pattern, SHORTEST_REF, Signal, Span};
use crate::query::events::{self, Tag, Wanted};
use crate::render::{Cell, human};
use crate::store::{Order, Record, Store, StoreError, Txn, identity_of};

/// How many events are named when a reference means several.
const CANDIDATES: usize = 8;

/// List raw events, newest first
///
/// Every filter of `obs stats` selects here as well. A page costs the same
/// however far down it lies: `next` of one answer is --cursor of the following.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "Examples:
  obs events                                     the last 50 of 24 hours
  obs events --status error --since 7d           what failed in a week
  obs events --type cache --provider claude      what one cache did
  obs events --label region=eu-1 --sort time     by metadata, oldest first
  obs events --limit 500 -o jsonl --since today  for a program"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    window: Window,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Show(ShowArgs),
    Dead(Box<dead::Args>),
}

/// Which events, whenever they happened.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Selection {
    #[command(flatten)]
    filter: Filter,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE", help_heading = "Filter", value_parser = ["request", "cache", "rate_limit"])]
    types: Vec<String>,
    /// Only events whose metadata says so; `k=!v` excludes, `*` matches anything
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Filter")]
    label: Vec<String>,
}

impl Selection {
    /// What the flags select.
    pub fn wanted(&self) -> Result<Wanted, Failure> {
        let mut tags: Vec<Tag> = Vec::new();
        for label in &self.label {
            let Some((key, value)) = label.split_once('=').filter(|(key, _)| !key.is_empty())
            else {
                return Err(
                    Failure::usage("label_invalid", format!("{label:?} is no label"))
                        .hint("write it like --label region=eu-1"),
                );
            };
            let at = tags.iter().position(|tag| tag.key == key);
            let at = at.unwrap_or_else(|| {
                tags.push(Tag {
                    key: key.to_owned(),
                    ..Tag::default()
                });
                tags.len() - 1
            });
            match value.strip_prefix('!') {
                Some(value) => tags[at].excluded.push(Pattern::parse(value)),
                None => tags[at].accepted.push(Pattern::parse(value)),
            }
        }
        Ok(Wanted {
            selector: self.filter.selector(),
            types: self.types.clone(),
            tags,
        })
    }
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, args),
        Some(Verb::Show(args)) => show(ctx, args),
        Some(Verb::Dead(args)) => dead::run(ctx, args),
    }
}

fn list(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    let wanted = args.selection.wanted()?;
    let order = match args.list.sort() {
        None | Some("-time") => Order::Descending,
        Some("time") => Order::Ascending,
        Some(other) => {
            let message = format!("events cannot be sorted by {other:?}");
            return Err(Failure::usage("sort_invalid", message)
                .hint("use --sort time or --sort -time; `obs stats --by` sorts by any column"));
        }
    };
    let after = args.list.place(EventRef::parse)?;
    let span = args.window.span(ctx)?;
    let mut store = ctx.open_store()?;
    let (page, mode, floor) = store.read(|txn| {
        let page = events::page(txn, &wanted, span, order, after, args.list.limit())?;
        Ok::<_, StoreError>((page, txn.settings()?.cost_mode, txn.floors()?.raw))
    })?;
    let mut answer = match chooses_for_people(ctx) {
        true => row::glance(&page.records, mode),
        false => row::answer(&page.records, mode),
    };
    answer.head = vec![
        ("since", Cell::At(span.from)),
        ("until", Cell::At(span.until)),
    ];
    answer.next = page.next.map(|name| name.to_string());
    if span.from < floor {
        answer.notes.push(format!(
            "raw events are kept from {} on; `obs stats` knows what was before",
            human::moment(floor, ctx.zone())
        ));
    }
    if page.records.is_empty() && after.is_none() {
        answer.notes.push(silence(ctx, &mut store)?);
    }
    args.list.tell_more(ctx, &answer);
    ctx.answer(&answer)
}

/// Whether people look on and did not choose columns.
fn chooses_for_people(ctx: &Context<'_>) -> bool {
    ctx.wants_table() && ctx.style().fields.is_none()
}

fn silence(ctx: &Context<'_>, store: &mut Store) -> Result<String, Failure> {
    let last = store.read(|txn| txn.last_event())?;
    let last = last.map_or("no event yet".to_owned(), |last| {
        format!("last event {}", human::ago(last, ctx.now))
    });
    Ok(format!("no such events in this window; {last}"))
}

/// Show one event with all its fields
///
/// REF is the event's `ref`, or its beginning of 6 characters or more; or the
/// sender's id, which is looked for in the window of --since and --until.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs events show 19ca96fd600-19d0462939de72fa
  obs events show req_8f3b --since 7d
  obs events show 19ca96fd600 --json")]
struct ShowArgs {
    /// The event
    #[arg(value_name = "REF")]
    event: String,
    #[command(flatten)]
    window: Window,
}

fn show(ctx: &mut Context<'_>, args: &ShowArgs) -> Result<(), Failure> {
    let span = args.window.span(ctx)?;
    let mut store = ctx.open_store()?;
    let (found, mode) = store.read(|txn| {
        let found = find(txn, args.event.trim(), span)?;
        Ok::<_, StoreError>((found, txn.settings()?.cost_mode))
    })?;
    let answer = match found.as_slice() {
        [] => return Err(unknown(&args.event)),
        [one] if chooses_for_people(ctx) => row::portrait(one, mode),
        [_] => row::answer(&found, mode),
        several => return Err(ambiguous(&args.event, several)),
    };
    ctx.answer(&answer)
}

/// The events a text may mean: by their reference, else by the sender's id.
fn find(txn: &Txn<'_>, text: &str, span: Span) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    for (first, last) in EventRef::beginning_with(text) {
        found.extend(txn.records_between(first, last, CANDIDATES + 1 - found.len())?);
    }
    if found.is_empty() {
        let kinds = [
            Signal::Request { success: true },
            Signal::Cache(CacheEvent::Hit),
            Signal::RateLimit(Decision::Allowed),
        ];
        let kinds = kinds.map(|signal| identity_of(signal, text));
        let most = CANDIDATES + 1;
        for name in txn.events_with(kinds, span.from, span.until, most)? {
            found.extend(txn.records_between(name, name, 1)?);
        }
    }
    Ok(found)
}

fn unknown(text: &str) -> Failure {
    let short = if text.len() < SHORTEST_REF {
        "; a shortened ref has 6 characters or more"
    } else {
        ""
    };
    Failure::new(Kind::NotFound, "event_unknown", format!("there is no event {text:?}")).hint(
        format!("`obs events` lists them with their ref; a sender's id is looked for in --since (24h){short}"),
    )
}

fn ambiguous(text: &str, found: &[Record]) -> Failure {
    let names: Vec<String> = found.iter().map(|r| r.name.to_string()).collect();
    let shown = names.iter().take(CANDIDATES).cloned().collect::<Vec<_>>();
    let more = if names.len() > CANDIDATES {
        ", …"
    } else {
        ""
    };
    Failure::usage(
        "event_ambiguous",
        format!("{text:?} may be any of several events"),
    )
    .details(json!({ "candidates": shown }))
    .hint(format!("one of {}{more}", shown.join(", ")))
}
