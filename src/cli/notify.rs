//! `obs notify`: what was told of alerts, what waits, and whether a channel works.

use clap::Subcommand;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::list::List;
use super::post;
use super::time::{Side, parse_time};
use crate::cycle::deliver;
use crate::model::{Millis, Notice, NoticeId, NoticeKind, NoticeState, Severity, Unit};
use crate::notify::{Digest, Told};
use crate::render::{self, Answer, Cell, Column, Tabular};
use crate::store::StoredNotice;

/// Show what was told of alerts, try a channel, tell again what failed
///
/// Alerts are told by `obs run`, through the channels of their rules, else through those
/// of the setting `alert_channels`, which is `stdout` unless it is set: cron mails it.
/// Channels are tables of obs.toml: [channels.team] with type = "slack" and the like. A notice
/// that cannot be told is tried again, ten times over some three hours.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs notify                            what was told in the last 7 days
  obs notify list --state queued,failed
  obs notify test stdout
  obs config set alert_channels stdout")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show notices, the newest first
    #[command(after_long_help = "Examples:
  obs notify list --since 24h
  obs notify list --state failed -o json")]
    List(ListArgs),
    /// Tell a channel that it works
    #[command(after_long_help = "Examples:
  obs notify test stdout")]
    Test {
        /// Its name in the configuration
        channel: String,
    },
    /// Tell again now what was given up, and what waits
    #[command(after_long_help = "Examples:
  obs notify retry")]
    Retry {
        /// Only these; `obs notify list` shows their numbers
        #[arg(value_name = "ID")]
        ids: Vec<i64>,
    },
}

#[derive(clap::Args, Debug, Default)]
struct ListArgs {
    /// Only notices in these states: queued, sent, silenced, inhibited, merged, failed
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<NoticeState>,
    /// Decided since: a duration before now, a word, a date, a time or @epoch [default: 7d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    list: List,
}

fn state(text: &str) -> Result<NoticeState, String> {
    NoticeState::parse(text).ok_or_else(|| {
        let known = NoticeState::ALL.map(NoticeState::name).join(", ");
        format!("the states are {known}")
    })
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, &ListArgs::default()),
        Some(Verb::List(args)) => list(ctx, args),
        Some(Verb::Test { channel }) => test(ctx, channel),
        Some(Verb::Retry { ids }) => retry(ctx, ids),
    }
}

/// What a table shows of a notice, unless --fields chooses.
const GLANCE: [&str; 6] = ["id", "created_at", "state", "channel", "kind", "text"];

impl Tabular for StoredNotice {
    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", "id"),
            Column::new("created_at", "at").in_unit(Unit::Time),
            Column::new("state", "state"),
            Column::new("channel", "channel"),
            Column::new("kind", "kind"),
            Column::new("rule", "rule"),
            Column::new("severity", "severity"),
            Column::new("alert_id", "alert"),
            Column::new("text", "text"),
            Column::new("attempts", "attempts"),
            Column::new("due_at", "next attempt").in_unit(Unit::Time),
            Column::new("done_at", "done").in_unit(Unit::Time),
            Column::new("error", "error"),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let notice = &self.notice;
        let waits = self.state == NoticeState::Queued;
        vec![
            Cell::Int(self.id.0.into()),
            Cell::At(self.created_at),
            Cell::text(self.state.name()),
            Cell::text(&self.channel),
            Cell::text(notice.kind.name()),
            Cell::text(&notice.rule),
            Cell::text(notice.severity.name()),
            Cell::of(notice.alert, |id| Cell::Int(id.0.into())),
            Cell::text(&notice.text),
            Cell::Int(self.attempts.into()),
            Cell::of(waits.then_some(self.due_at), Cell::At),
            Cell::of(self.done_at, Cell::At),
            Cell::of(self.last_error.clone(), Cell::Text),
        ]
    }
}

fn list(ctx: &mut Context<'_>, args: &ListArgs) -> Result<(), Failure> {
    let since = match &args.since {
        Some(text) => parse_time(text, Side::Since, &ctx.frame())?.at,
        None => ctx.now.plus(-7 * Millis::DAY),
    };
    let mut store = ctx.open_store()?;
    let mut notices = store.read(|txn| txn.notices_since(since))?;
    notices.retain(|notice| args.state.is_empty() || args.state.contains(&notice.state));
    let mut answer = Answer::of("obs.notify/v1", &notices);
    answer.head.push(("since", Cell::At(since)));
    args.list.apply(ctx, &mut answer)?;
    let mut style = ctx.style();
    if ctx.wants_table() {
        let glance = GLANCE.map(str::to_owned);
        style.fields = style.fields.or(Some(glance.into()));
    }
    Ok(render::write(ctx.stdout, &answer, &style)?)
}

fn test(ctx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    let channel = post::channel(&ctx.config, ctx.environment, name);
    let channel = channel.map_err(|error| post::refused(&ctx.config, &error))?;
    let digest = Digest {
        at: ctx.now,
        told: vec![Told {
            key: format!("test {} {name}", ctx.now.0),
            notice: greeting(ctx.now),
        }],
    };
    let told = post::with_post(ctx, |post| channel.deliver(&digest, post.say));
    told.map_err(|error| {
        Failure::new(
            Kind::Failed,
            "delivery_failed",
            format!("cannot tell channel {name}"),
        )
        .caused_by(Some(&error))
    })?;
    let kind = channel.kind().name();
    if ctx.wants_table() {
        ctx.notice(format!("channel {name} ({kind}) took a test notice"));
        return Ok(());
    }
    let mut answer = Answer::new(
        "obs.notify.test/v1",
        ["channel", "type", "state"]
            .map(|n| Column::new(n, n))
            .into(),
    );
    answer
        .rows
        .push([name, kind, "sent"].map(Cell::text).into());
    ctx.answer(&answer)
}

fn greeting(now: Millis) -> Notice {
    Notice {
        kind: NoticeKind::Test,
        alert: None,
        rule: "obs notify test".to_owned(),
        severity: Severity::Info,
        labels: Default::default(),
        annotations: Default::default(),
        condition: String::new(),
        value: None,
        threshold: 0.0,
        title: "obs notify test (info)".to_owned(),
        text: "this channel works; nothing is wrong".to_owned(),
        started_at: now,
        fired_at: now,
        ended_at: None,
    }
}

/// How far back notices are looked for that were given up.
const REMEMBERED_MS: i64 = 30 * Millis::DAY;

fn retry(ctx: &mut Context<'_>, ids: &[i64]) -> Result<(), Failure> {
    let now = ctx.now;
    let mut store = ctx.open_store()?;
    let queued = store.write(|txn| {
        let wanted: Vec<NoticeId> = match ids {
            [] => {
                let notices = txn.notices_since(now.plus(-REMEMBERED_MS))?;
                let waits = |n: &&StoredNotice| match n.state {
                    NoticeState::Queued | NoticeState::Failed => true,
                    NoticeState::Sent
                    | NoticeState::Silenced
                    | NoticeState::Inhibited
                    | NoticeState::Merged => false,
                };
                notices.iter().filter(waits).map(|n| n.id).collect()
            }
            ids => ids.iter().copied().map(NoticeId).collect(),
        };
        let mut queued = 0_u64;
        for id in wanted {
            match txn.requeue_notice(id, now)? {
                true => queued += 1,
                false if ids.is_empty() => {}
                false => return Err(not_waiting(id)),
            }
        }
        Ok::<_, Failure>(queued)
    })?;
    let report = post::with_post(ctx, |post| deliver::run(&mut store, post))?;
    post::warn_of(ctx, &report);
    let given_up = report
        .failures
        .iter()
        .map(|f| f.given_up as u64)
        .sum::<u64>();
    let waiting = report
        .failures
        .iter()
        .map(|f| f.waiting as u64)
        .sum::<u64>();
    let facts = [
        ("queued", queued),
        ("sent", report.sent),
        ("waiting", waiting),
        ("given_up", given_up),
    ];
    match ctx.wants_table() {
        true => ctx.notice(format!("{} told, {waiting} wait", report.sent)),
        false => {
            let columns = facts.map(|(name, _)| Column::new(name, name)).into();
            let mut answer = Answer::new("obs.notify.retry/v1", columns);
            answer
                .rows
                .push(facts.map(|(_, n)| Cell::Int(n.into())).into());
            ctx.answer(&answer)?;
        }
    }
    match report.failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::silent(Kind::Failed)),
    }
}

fn not_waiting(id: NoticeId) -> Failure {
    Failure::new(
        Kind::NotFound,
        "notice_unknown",
        format!("no notice {} waits or was given up", id.0),
    )
    .hint("`obs notify list --state queued,failed` lists them")
}
