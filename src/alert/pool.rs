//! What rules look at: the stats of a window that ends with a minute, by group.
//!
//! Rules that look at the same events share one reading. Rules by provider, model
//! and role, which are nearly all, share one reading of the minutes of everybody;
//! others have a reading each. Windows longer than an hour are asked for as a whole,
//! so that hours and days answer. Which rule fires is not known here.

use rustc_hash::FxHashMap;

use crate::model::{
    Dimension, LabelSet, Measure, Millis, Needs, Resolution, Rule, Selector, Span, Stats,
};
use crate::query::{QueryError, Question, Source, Step, ask_in};
use crate::store::{Parts, StoreError, Txn};

use super::Seen;

/// Windows up to here are added up from minutes that were read once for many minutes' ends.
const LONGEST_OF_MINUTES: i64 = Millis::HOUR;

/// The labels that buckets of every tier have.
const OF_TIERS: [Dimension; 3] = [Dimension::Provider, Dimension::Model, Dimension::Role];

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct View {
    selector: Selector,
    by: Vec<Dimension>,
}

impl View {
    fn of(rule: &Rule) -> View {
        let expr = &rule.condition.expr;
        View {
            selector: expr.selector.clone(),
            by: expr.by.clone(),
        }
    }

    fn is_of_tiers(&self) -> bool {
        let known = |d: &Dimension| OF_TIERS.contains(d);
        self.by.iter().all(known) && self.selector.dimensions().all(|d| known(&d))
    }

    fn labels(&self, group: &[String]) -> LabelSet {
        self.by.iter().copied().zip(group.iter().cloned()).collect()
    }
}

/// The stats of consecutive minutes, by the groups of a view.
struct Minutes {
    first: Millis,
    groups: Vec<LabelSet>,
    by_minute: Vec<Vec<(usize, Stats)>>,
}

/// The stats of one window, by the groups that were seen in it.
#[derive(Default)]
pub(super) struct Pooled {
    /// Each group with what happened in it.
    pub groups: Vec<(LabelSet, Stats)>,
    /// From which tiers it was read, when that was asked for the window itself.
    pub sources: Vec<Source>,
    /// Whether some of the window is not kept any more: nothing can be said.
    pub is_gone: bool,
}

/// Consecutive minutes by their ends, which are whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// The end of the first.
    pub first: Millis,
    /// The end of the last; before `first` there are none.
    pub last: Millis,
}

impl Ends {
    /// Each of them, in order.
    pub(super) fn each(self) -> impl Iterator<Item = Millis> {
        let step = Millis::MINUTE as usize;
        (self.first.0..=self.last.0).step_by(step).map(Millis)
    }
}

/// Everything that some rules look at in some minutes.
pub(super) struct Pool<'t> {
    txn: &'t Txn<'t>,
    minutes: FxHashMap<View, Minutes>,
    sources: Vec<Source>,
    floors: Floors,
    parts: Parts,
    at: Millis,
    pooled: FxHashMap<(View, i64), Pooled>,
}

/// From where on minutes are kept, with and without labels that only raw events have.
struct Floors {
    tiers: Millis,
    raw: Millis,
}

impl<'t> Pool<'t> {
    /// Reads what these rules look at in the windows that end with these minutes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn read<'r>(
        txn: &'t Txn<'t>,
        rules: impl Iterator<Item = &'r Rule> + Clone,
        ends: Ends,
    ) -> Result<Pool<'t>, QueryError> {
        let floors = txn.floors()?;
        let mut pool = Pool {
            txn,
            minutes: FxHashMap::default(),
            sources: Vec::new(),
            floors: Floors {
                tiers: floors.of(Resolution::Minute),
                raw: floors.of(Resolution::Raw),
            },
            parts: parts(rules.clone()),
            at: ends.first,
            pooled: FxHashMap::default(),
        };
        let mut views: Vec<(View, i64)> = Vec::new();
        let known = rules.filter(|r| r.measure().is_some());
        let windows = known.flat_map(|r| {
            let both = [Some(r.window_ms), r.also_window_ms];
            both.into_iter()
                .flatten()
                .map(move |window_ms| (r, window_ms))
        });
        for (rule, needed) in windows.filter(|(_, ms)| *ms <= LONGEST_OF_MINUTES) {
            let view = View::of(rule);
            match views.iter_mut().find(|(known, _)| *known == view) {
                Some((_, window_ms)) => *window_ms = needed.max(*window_ms),
                None => views.push((view, needed)),
            }
        }
        pool.read_tiers(&views, ends)?;
        for (view, window_ms) in views.into_iter().filter(|(view, _)| !view.is_of_tiers()) {
            let minutes = pool.read_view(&view, window_ms, ends)?;
            pool.minutes.insert(view, minutes);
        }
        Ok(pool)
    }

    /// What a rule sees in a window of its that ends at `end`; minutes' ends are asked for
    /// in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn of(
        &mut self,
        rule: &Rule,
        window_ms: i64,
        end: Millis,
    ) -> Result<&Pooled, QueryError> {
        if end != self.at {
            self.pooled.clear();
            self.at = end;
        }
        let key = (View::of(rule), window_ms);
        if !self.pooled.contains_key(&key) {
            let pooled = self.pool(&key.0, window_ms, end)?;
            self.pooled.insert(key.clone(), pooled);
        }
        Ok(&self.pooled[&key])
    }

    fn pool(&self, view: &View, window_ms: i64, end: Millis) -> Result<Pooled, QueryError> {
        let span = Span::new(end.plus(-window_ms), end);
        match self.minutes.get(view) {
            Some(minutes) if window_ms <= LONGEST_OF_MINUTES => Ok(Pooled {
                is_gone: span.from < self.floor(view),
                groups: minutes.add_up(span),
                sources: self.sources.clone(),
            }),
            Some(_) | None => self.ask(view, span),
        }
    }

    /// Asks for a window as a whole, so that the coarser tiers answer.
    fn ask(&self, view: &View, span: Span) -> Result<Pooled, QueryError> {
        let gone = Pooled {
            is_gone: true,
            ..Pooled::default()
        };
        let answer = match ask_in(self.txn, &self.question(view, span, None)) {
            Ok(answer) if answer.span == span => answer,
            Ok(_) => return Ok(gone),
            Err(error) => return purged(error).map(|()| gone),
        };
        let seen = answer.rows.into_iter().filter(|row| !row.stats.is_empty());
        Ok(Pooled {
            groups: seen
                .map(|row| (view.labels(&row.group), row.stats))
                .collect(),
            sources: answer.sources,
            is_gone: false,
        })
    }

    /// One reading of the minutes of everybody, from which each view takes its own.
    fn read_tiers(&mut self, views: &[(View, i64)], ends: Ends) -> Result<(), QueryError> {
        let ours = || views.iter().filter(|(view, _)| view.is_of_tiers());
        let Some(window_ms) = ours().map(|(_, window_ms)| *window_ms).max() else {
            return Ok(());
        };
        let everybody = View {
            selector: Selector::default(),
            by: OF_TIERS.to_vec(),
        };
        let all = self.read_view(&everybody, window_ms, ends)?;
        for (view, _) in ours() {
            self.minutes.insert(view.clone(), all.seen_by(view));
        }
        Ok(())
    }

    fn read_view(
        &mut self,
        view: &View,
        window_ms: i64,
        ends: Ends,
    ) -> Result<Minutes, QueryError> {
        let floor = self.floor(view).ceil(Millis::MINUTE);
        let from = ends.first.plus(-window_ms).max(floor);
        let span = Span::new(from, ends.last.max(from));
        let mut minutes = Minutes::new(span);
        if span.is_empty() {
            return Ok(minutes);
        }
        let step = Some(Step::Fixed(Millis::MINUTE));
        let answer = ask_in(self.txn, &self.question(view, span, step))?;
        let mut places: FxHashMap<Vec<String>, usize> = FxHashMap::default();
        for row in answer.rows.into_iter().filter(|row| !row.stats.is_empty()) {
            let place = *places.entry(row.group).or_insert_with_key(|group| {
                minutes.groups.push(view.labels(group));
                minutes.groups.len() - 1
            });
            let minute = minutes.place(row.span.from);
            minutes.by_minute[minute].push((place, row.stats));
        }
        self.sources.extend(answer.sources);
        Ok(minutes)
    }

    fn question(&self, view: &View, span: Span, step: Option<Step>) -> Question {
        Question {
            selector: view.selector.clone(),
            span,
            step,
            by: view.by.clone(),
            parts: self.parts,
            trailing_ms: None,
        }
    }

    fn floor(&self, view: &View) -> Millis {
        match view.is_of_tiers() {
            true => self.floors.tiers.min(self.floors.raw),
            false => self.floors.raw,
        }
    }
}

impl Minutes {
    fn new(span: Span) -> Minutes {
        let minutes = span.length_ms().div_euclid(Millis::MINUTE);
        Minutes {
            first: span.from,
            groups: Vec::new(),
            by_minute: vec![Vec::new(); usize::try_from(minutes).unwrap_or(0)],
        }
    }

    fn place(&self, minute: Millis) -> usize {
        let minutes = minute
            .0
            .saturating_sub(self.first.0)
            .div_euclid(Millis::MINUTE);
        usize::try_from(minutes)
            .unwrap_or(0)
            .min(self.by_minute.len())
    }

    /// The same minutes as a view sees them: its events, in its groups.
    fn seen_by(&self, view: &View) -> Minutes {
        let mut places: FxHashMap<LabelSet, usize> = FxHashMap::default();
        let mut groups = Vec::new();
        let mut place = |labels: &LabelSet| {
            let get = |d: Dimension| labels.get(&d).map_or("", String::as_str);
            view.selector.matches(get).then(|| {
                let own: LabelSet = view.by.iter().map(|d| (*d, get(*d).to_owned())).collect();
                *places.entry(own).or_insert_with_key(|own| {
                    groups.push(own.clone());
                    groups.len() - 1
                })
            })
        };
        let places: Vec<Option<usize>> = self.groups.iter().map(&mut place).collect();
        let minute = |minute: &Vec<(usize, Stats)>| {
            let mut seen: Vec<(usize, Stats)> = Vec::new();
            for (group, stats) in minute {
                if let Some(place) = places[*group] {
                    add(&mut seen, place, stats);
                }
            }
            seen
        };
        Minutes {
            first: self.first,
            by_minute: self.by_minute.iter().map(minute).collect(),
            groups,
        }
    }

    /// The groups that were seen in a window of whole minutes, and their stats.
    fn add_up(&self, span: Span) -> Vec<(LabelSet, Stats)> {
        let (from, until) = (self.place(span.from), self.place(span.until));
        let mut sums: FxHashMap<usize, Stats> = FxHashMap::default();
        for minute in &self.by_minute[from..until] {
            for (group, stats) in minute {
                sums.entry(*group).or_default().merge(stats);
            }
        }
        let mut groups: Vec<(LabelSet, Stats)> = sums
            .into_iter()
            .map(|(group, stats)| (self.groups[group].clone(), stats))
            .collect();
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        groups
    }
}

/// Adds stats to those of a group; a minute has few groups.
fn add(seen: &mut Vec<(usize, Stats)>, place: usize, stats: &Stats) {
    match seen.iter_mut().find(|(known, _)| *known == place) {
        Some((_, sum)) => sum.merge(stats),
        None => seen.push((place, stats.clone())),
    }
}

/// What a measure says of the stats of a window.
pub(super) fn seen(measure: Measure, stats: &Stats, window_ms: i64) -> Seen {
    Seen {
        value: measure.value(stats, window_ms).as_f64(),
        count: measure.rests_on(stats),
    }
}

/// What must be read for all of these rules.
fn parts<'r>(rules: impl Iterator<Item = &'r Rule>) -> Parts {
    let needs = rules
        .filter_map(Rule::measure)
        .map(|m| m.spec().needs)
        .max();
    match needs {
        None | Some(Needs::Sums) => Parts::Sums,
        Some(Needs::Times | Needs::Sketches) => Parts::All,
    }
}

/// What is not kept any more is no failure of an evaluation.
fn purged(error: QueryError) -> Result<(), QueryError> {
    match error {
        QueryError::BeyondRaw { .. }
        | QueryError::BeyondTiers { .. }
        | QueryError::StepTooFine { .. }
        | QueryError::FoldTooFine { .. } => Ok(()),
        QueryError::NotFoldable(_)
        | QueryError::TooManyBuckets
        | QueryError::Store(StoreError::Sql(_)) => Err(error),
        QueryError::Store(_) => Err(error),
    }
}
