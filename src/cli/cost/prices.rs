//! `obs cost prices`: the prices in force, and the user's own before them.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::failure::{Failure, Kind};
use crate::cli::list::List;
use crate::cli::time::{Side, parse_time};
use crate::model::{Millis, Pattern, Price, PriceClass, PriceTier, Rates, Unit, Usd};
use crate::prices::{self, Change, ListError, ListFormat, PriceTable, canonical, read_list};
use crate::render::{Answer, Cell, Column, Tabular};

/// Show what tokens cost, set prices of your own
///
/// Prices are dollars for a million tokens (or requests). Those of your own come
/// before the built-in ones; what comes in from then on is computed by them.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Examples:
  obs cost prices list --provider anthropic
  obs cost prices show gpt-4o --as-of 2026-01-31
  obs cost prices set openai/gpt-4o input=2 output=8 --from 2026-12-01")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the prices in force, a row for each tier
    #[command(after_long_help = "Examples:
  obs cost prices list --provider anthropic
  obs cost prices list --model 'gpt-4o*' --as-of 2025-06-01 -o csv
  obs cost prices list --own")]
    List(ListArgs),
    /// Show every price of a model, yours before the built-in ones
    #[command(after_long_help = "Examples:
  obs cost prices show claude-sonnet-4-5
  obs cost prices show bedrock/us.anthropic.claude-sonnet-4-6
  obs cost prices show o3 --as-of 2025-06-01")]
    Show {
        /// The model, by any of its names
        model: String,
        /// Who sells it
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only the price in force at that time
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
    },
    /// Set a price of your own
    #[command(after_long_help = "Examples:
  obs cost prices set openai/gpt-4o input=2 output=8 cache_read=0.5
  obs cost prices set house/house-7b input=0.2 output=0.4 --from 2026-01-01")]
    Set(SetArgs),
    /// Delete the prices of your own for a model; the built-in ones count again
    #[command(after_long_help = "Examples:
  obs cost prices delete openai/gpt-4o")]
    Delete {
        /// PROVIDER/MODEL
        #[arg(value_name = "PROVIDER/MODEL")]
        name: String,
    },
    /// Take over a price list
    ///
    /// Of LiteLLM, genai-prices, llm-prices, or of your own in JSON or TOML.
    #[command(after_long_help = "Examples:
  obs cost prices import prices.toml --dry-run     what would change
  obs cost prices import model_prices.json --format litellm")]
    Import {
        #[command(flatten)]
        file: FileArgs,
        /// Say what would change, change nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Compare a price list with the prices in force
    #[command(after_long_help = "Examples:
  obs cost prices diff prices.toml
  obs cost prices diff historical-v1.json --as-of 2026-01-31 --limit 0")]
    Diff {
        #[command(flatten)]
        file: FileArgs,
        /// The prices of that time [default: now]
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
        #[command(flatten)]
        list: List,
    },
}

#[derive(clap::Args, Debug, Default)]
struct ListArgs {
    /// Only this provider, by any of its names
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only these models; `*` matches anything
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The prices in force at that time [default: now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Only prices of your own, whenever they hold
    #[arg(long)]
    own: bool,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Args, Debug)]
struct SetArgs {
    /// PROVIDER/MODEL
    #[arg(value_name = "PROVIDER/MODEL")]
    name: String,
    /// A class and dollars for a million of it: input, output, cache_read, cache_write_5m,
    /// cache_write_1h, reasoning, audio_input, audio_output, image_input, request
    #[arg(value_name = "CLASS=USD", required = true)]
    rates: Vec<String>,
    /// In force from then on [default: always was]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// In force before then [default: still is]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(clap::Args, Debug)]
struct FileArgs {
    /// The file
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// How it is written [default: by what it holds]
    #[arg(long = "format", value_parser = ["litellm", "genai-prices", "llm-prices", "obs"])]
    written: Option<String>,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &Args) -> Result<(), Failure> {
    match &args.verb {
        None => list(ctx, &ListArgs::default()),
        Some(Verb::List(args)) => list(ctx, args),
        Some(Verb::Show {
            model,
            provider,
            as_of,
        }) => show(ctx, model, provider.as_deref(), as_of.as_deref()),
        Some(Verb::Set(args)) => set(ctx, args),
        Some(Verb::Delete { name }) => delete(ctx, name),
        Some(Verb::Import {
            file,
            dry_run: true,
        }) => diff(ctx, file, None, &List::default()),
        Some(Verb::Import { file, .. }) => import(ctx, file),
        Some(Verb::Diff { file, as_of, list }) => diff(ctx, file, as_of.as_deref(), list),
    }
}

/// A tier of a price, as a row.
struct Row<'p>(&'p Price, &'p PriceTier);

impl Tabular for Row<'_> {
    fn columns() -> Vec<Column> {
        let mut columns = vec![
            Column::new("provider", "provider"),
            Column::new("model", "model"),
            Column::new("tier", "tier"),
        ];
        columns.extend(PriceClass::ALL.map(|class| {
            let name = class.name();
            Column::new(format!("{name}_per_million_usd"), name.replace('_', " "))
                .in_unit(Unit::Usd)
        }));
        columns.extend([
            Column::new("from", "from").in_unit(Unit::Time),
            Column::new("until", "until").in_unit(Unit::Time),
            Column::new("source", "source"),
            Column::new("read_at", "read at").in_unit(Unit::Time),
        ]);
        columns
    }

    fn cells(&self) -> Vec<Cell> {
        let Row(price, tier) = self;
        let mut cells = vec![
            Cell::text(&price.provider),
            Cell::text(&price.model),
            Cell::text(tier.name()),
        ];
        cells.extend(PriceClass::ALL.map(|class| Cell::of(tier.rates.get(class), Cell::Usd)));
        cells.extend([
            Cell::of(price.from, Cell::At),
            Cell::of(price.until, Cell::At),
            Cell::text(&price.source),
            Cell::of(price.read_at, Cell::At),
        ]);
        cells
    }
}

fn rows(prices: &[Price]) -> Vec<Row<'_>> {
    let tiers = |price| -> Vec<Row<'_>> {
        let price: &Price = price;
        price.tiers.iter().map(|tier| Row(price, tier)).collect()
    };
    prices.iter().flat_map(tiers).collect()
}

/// The answer; a table for people has no column that is empty all the way down.
fn answer(ctx: &Context<'_>, prices: &[Price]) -> Answer {
    let mut answer = Answer::of("obs.cost.prices/v1", &rows(prices));
    if ctx.wants_table() && !ctx.picks_fields() {
        let empty: Vec<bool> = (0..answer.columns.len())
            .map(|i| answer.rows.iter().all(|row| row[i] == Cell::Missing))
            .collect();
        let mut keep = empty.iter().map(|empty| !empty);
        answer.columns.retain(|_| keep.next().unwrap_or(true));
        for row in &mut answer.rows {
            let mut keep = empty.iter().map(|empty| !empty);
            row.retain(|_| keep.next().unwrap_or(true));
        }
    }
    answer
}

fn list(ctx: &mut Context<'_>, args: &ListArgs) -> Result<(), Failure> {
    let at = moment(ctx, args.as_of.as_deref())?.unwrap_or(ctx.now);
    let provider = args.provider.as_deref().map(canonical);
    let model = args
        .model
        .as_deref()
        .map(|m| Pattern::parse(&m.to_ascii_lowercase()));
    let own = own(ctx)?;
    let listed = match args.own {
        true => own,
        false => PriceTable::with(own).in_force(at),
    };
    let wanted = |price: &Price| {
        provider.as_ref().is_none_or(|p| *p == price.provider)
            && model.as_ref().is_none_or(|m| m.matches(&price.model))
    };
    let listed: Vec<Price> = listed.into_iter().filter(wanted).collect();
    let mut answer = answer(ctx, &listed);
    args.list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}

fn show(
    ctx: &mut Context<'_>,
    model: &str,
    provider: Option<&str>,
    as_of: Option<&str>,
) -> Result<(), Failure> {
    let at = moment(ctx, as_of)?;
    let mut found = PriceTable::with(own(ctx)?).history(provider, model);
    if let Some(at) = at {
        let first = found.into_iter().find(|price| price.holds_at(at));
        found = first.into_iter().collect();
    }
    if found.is_empty() {
        let of = provider.map_or(String::new(), |p| format!(" of {p}"));
        return Err(Failure::new(
            Kind::NotFound,
            "price_unknown",
            format!("there is no price for {model}{of}"),
        )
        .hint("name its --provider, look for it with `obs cost prices list --model '*NAME*'`, or set one with `obs cost prices set`"));
    }
    ctx.answer(&answer(ctx, &found))
}

fn set(ctx: &mut Context<'_>, args: &SetArgs) -> Result<(), Failure> {
    let (provider, model) = name(&args.name)?;
    let mut rates = Rates::default();
    for rate in &args.rates {
        let (class, usd) = class_and_amount(rate)?;
        rates.set(class, usd);
    }
    let price = Price {
        provider,
        model,
        from: moment(ctx, args.from.as_deref())?,
        until: moment(ctx, args.until.as_deref())?,
        source: "user".to_owned(),
        read_at: Some(ctx.now),
        tiers: vec![PriceTier {
            rates,
            ..PriceTier::default()
        }],
    };
    if price
        .until
        .is_some_and(|until| price.from.is_some_and(|from| from >= until))
    {
        return Err(
            Failure::usage("window_empty", "the price ends before it begins")
                .hint("give an --until that is later than --from"),
        );
    }
    let (now, name) = (ctx.now, format!("{}/{}", price.provider, price.model));
    let mut store = ctx.open_store()?;
    store.write(|txn| txn.put_prices(std::slice::from_ref(&price), "set", now))?;
    ctx.notice(format!(
        "{name} has a price of its own for what comes in from now on; `obs cost prices delete {name}` takes it away"
    ));
    Ok(())
}

fn delete(ctx: &mut Context<'_>, text: &str) -> Result<(), Failure> {
    let (provider, model) = name(text)?;
    let now = ctx.now;
    let mut store = ctx.open_store()?;
    let gone = store.write(|txn| txn.delete_prices(&provider, &model, now))?;
    if gone == 0 {
        let message = format!("there is no price of your own for {provider}/{model}");
        return Err(Failure::new(Kind::NotFound, "price_unknown", message)
            .hint("`obs cost prices list --own` lists them"));
    }
    ctx.notice(format!(
        "{provider}/{model} has the built-in price again, if there is one"
    ));
    Ok(())
}

fn import(ctx: &mut Context<'_>, file: &FileArgs) -> Result<(), Failure> {
    let prices = read(ctx, file)?;
    let (now, what) = (ctx.now, format!("import {}", file.path.display()));
    let mut store = ctx.open_store()?;
    store.write(|txn| txn.put_prices(&prices, &what, now))?;
    ctx.notice(format!(
        "{} prices of {} count for what comes in from now on; `obs cost prices list --own` lists them",
        prices.len(),
        file.path.display()
    ));
    Ok(())
}

impl Tabular for Change {
    fn columns() -> Vec<Column> {
        vec![
            Column::new("provider", "provider"),
            Column::new("model", "model"),
            Column::new("tier", "tier"),
            Column::new("class", "class"),
            Column::new("before_per_million_usd", "before").in_unit(Unit::Usd),
            Column::new("after_per_million_usd", "after").in_unit(Unit::Usd),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.provider),
            Cell::text(&self.model),
            Cell::text(&self.tier),
            Cell::text(self.class.name()),
            Cell::of(self.before, Cell::Usd),
            Cell::of(self.after, Cell::Usd),
        ]
    }
}

fn diff(
    ctx: &mut Context<'_>,
    file: &FileArgs,
    as_of: Option<&str>,
    list: &List,
) -> Result<(), Failure> {
    let at = moment(ctx, as_of)?.unwrap_or(ctx.now);
    let prices = read(ctx, file)?;
    let changes = PriceTable::with(own(ctx)?).changes(&prices, at);
    let mut answer = Answer::of("obs.cost.prices.diff/v1", &changes);
    list.apply(ctx, &mut answer)?;
    ctx.answer(&answer)
}

/// The user's prices; none while there is no store.
fn own(ctx: &Context<'_>) -> Result<Vec<Price>, Failure> {
    if !ctx.db_path()?.exists() {
        return Ok(Vec::new());
    }
    Ok(ctx.open_store()?.read(|txn| txn.prices())?)
}

fn read(ctx: &Context<'_>, file: &FileArgs) -> Result<Vec<Price>, Failure> {
    let path: &Path = &file.path;
    let text = std::fs::read_to_string(path).map_err(|e| {
        Failure::new(
            Kind::Failed,
            "price_list_unreadable",
            format!("cannot read {}", path.display()),
        )
        .caused_by(Some(&e))
    })?;
    let source = path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    let format = file.written.as_deref().and_then(ListFormat::parse);
    read_list(&text, format, &source, ctx.now).map_err(|e| Failure::from(e).at(path.display()))
}

fn moment(ctx: &Context<'_>, text: Option<&str>) -> Result<Option<Millis>, Failure> {
    let read = |text| Ok(parse_time(text, Side::Since, &ctx.frame())?.at);
    text.map(read).transpose()
}

fn name(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('/') {
        Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
            Ok((canonical(provider), model.to_ascii_lowercase()))
        }
        Some(_) | None => Err(Failure::usage(
            "price_name_invalid",
            format!("expected PROVIDER/MODEL, found {text:?}"),
        )
        .hint("write openai/gpt-4o; `obs cost prices list` shows the names")),
    }
}

fn class_and_amount(text: &str) -> Result<(PriceClass, Usd), Failure> {
    let (class, usd) = text.split_once('=').unwrap_or((text, ""));
    let read = PriceClass::parse(class).zip(prices::amount(usd));
    read.ok_or_else(|| {
        let classes = PriceClass::ALL.map(PriceClass::name).join(", ");
        let message = format!("expected CLASS=USD, found {text:?}");
        Failure::usage("price_invalid", message)
            .hint(format!("write input=0.15; the classes are {classes}"))
    })
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Failure {
        let code = match &error {
            ListError::Unknown => "price_list_unknown",
            ListError::Syntax { .. } => "price_list_invalid",
        };
        Failure::from_error(Kind::Usage, code, &error)
            .hint("name the format: --format litellm, genai-prices, llm-prices or obs")
    }
}
