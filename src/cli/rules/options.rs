//! The options of a rule as flags. What each means is known to `crate::rulebook`.

use super::refused::refused;
use crate::cli::asked::By;
use crate::cli::failure::Failure;
use crate::cli::global::Filter;
use crate::model::Rule;
use crate::rulebook::{self, Key};

/// The options of a rule.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Rule")]
pub(super) struct Options {
    /// What it is there for
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// Over how long the value is pooled [default: 5m]
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
    /// A second, shorter window for which it must hold as well; none takes it back
    #[arg(long, value_name = "DURATION")]
    also_window: Option<String>,
    /// How long it must hold before the alert fires [default: 0s]
    #[arg(long = "for", value_name = "DURATION")]
    held_for: Option<String>,
    /// The window; of hourly_cost, how long it must hold
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["window", "held_for"])]
    duration: Option<String>,
    /// How bad it is: info, warning, critical [default: warning]
    #[arg(long, value_name = "WORD")]
    severity: Option<String>,
    /// How many events a value must rest on [default: 5 for shares, 10 for percentiles, 1]
    #[arg(long, value_name = "N")]
    min_count: Option<String>,
    /// Without data: ok (as if it did not hold), hold (nothing changes), alert [default: ok]
    #[arg(long, value_name = "WORD")]
    no_data: Option<String>,
    /// End an alert only at this threshold; none takes it back
    #[arg(long, value_name = "THRESHOLD", allow_hyphen_values = true)]
    resolve_threshold: Option<String>,
    /// Fire on for so long after the condition ended
    #[arg(long, value_name = "DURATION")]
    keep_firing_for: Option<String>,
    /// Tell a firing alert again every so often; none takes it back
    #[arg(long, value_name = "DURATION")]
    repeat_interval: Option<String>,
    /// Whether its end is told [default: true]
    #[arg(long, value_name = "true|false")]
    send_resolved: Option<String>,
    /// Who is told; repeatable, all together in place of those before; none: the usual ones
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// A label of its alerts; an empty text takes it back
    #[arg(long, value_name = "NAME=TEXT")]
    label: Vec<String>,
    /// A text for people, with {{ value }} and the like; an empty text takes it back
    #[arg(long, value_name = "NAME=TEXT")]
    annotation: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// One alert for each: provider, model, user, role, project, session, endpoint,
    /// error_type, limit_type, status_code, status
    #[arg(
        long,
        value_name = "DIM,…",
        value_delimiter = ',',
        help_heading = "Filter"
    )]
    by: Vec<String>,
}

impl Options {
    /// Lays what was given over a rule.
    pub fn apply(&self, rule: &mut Rule) -> Result<(), Failure> {
        let expr = &mut rule.condition.expr;
        let given = self.filter.selector();
        // A flag takes the place of what the condition said of the same label.
        let matchers = &mut expr.selector.matchers;
        matchers.retain(|known| given.dimensions().all(|d| d != known.dimension()));
        matchers.extend(given.matchers);
        if !self.by.is_empty() {
            let by = By {
                by: self.by.clone(),
            };
            expr.by = by.dimensions()?;
        }
        let single = [
            (Key::Description, &self.description),
            (Key::Duration, &self.duration),
            (Key::Window, &self.window),
            (Key::AlsoWindow, &self.also_window),
            (Key::For, &self.held_for),
            (Key::Severity, &self.severity),
            (Key::MinCount, &self.min_count),
            (Key::NoData, &self.no_data),
            (Key::ResolveThreshold, &self.resolve_threshold),
            (Key::KeepFiringFor, &self.keep_firing_for),
            (Key::RepeatInterval, &self.repeat_interval),
            (Key::SendResolved, &self.send_resolved),
        ];
        let given = single
            .iter()
            .filter_map(|(key, said)| Some((*key, said.as_ref()?)));
        if !self.channel.is_empty() {
            rule.channels.clear();
        }
        let channels = self.channel.iter().filter(|name| *name != NONE);
        let many = [
            (Key::Labels, &self.label),
            (Key::Annotations, &self.annotation),
        ];
        let many = many
            .iter()
            .flat_map(|(key, said)| said.iter().map(|said| (*key, said)));
        for (key, said) in given
            .chain(channels.map(|name| (Key::Channels, name)))
            .chain(many)
        {
            rulebook::set(rule, key, said).map_err(|complaint| refused(key, complaint, said))?;
        }
        rule.labels.retain(|_, text| !text.is_empty());
        rule.annotations.retain(|_, text| !text.is_empty());
        Ok(())
    }
}

/// Takes channels back.
const NONE: &str = "none";
