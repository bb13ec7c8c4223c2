//! A file of rules: `rules` in our own shape, `alerts` in the shape that others have,
//! `slos`, which stand for several rules each. An entry may use the keys of either shape.

use std::collections::BTreeMap;

use super::check::{self, meant};
use super::fault::{Complaint, Fault, Faults};
use super::key::{Key, condition, set};
use super::scalar::{text, written};
use super::slo;
use super::yaml::{self, Content, Mark, Node};
use crate::model::Rule;

/// The keys at the top.
const RULES: &str = "rules";
const ALERTS: &str = "alerts";
const SLOS: &str = "slos";
pub(super) const TOP: [&str; 3] = [RULES, ALERTS, SLOS];

/// Faults beyond these are not looked for.
const FAULTS_AT_MOST: usize = 20;

/// Reads the rules of a file, in its order.
///
/// # Errors
/// With everything that is wrong with it, as far as it can be understood.
pub fn parse(text: &str) -> Result<Vec<Rule>, Faults> {
    let mut reader = Reader {
        text,
        faults: Vec::new(),
    };
    let rules = reader.file().unwrap_or_else(|fault| {
        reader.faults.push(fault);
        Vec::new()
    });
    if reader.faults.is_empty() {
        return Ok(rules);
    }
    reader.faults.sort_by_key(|fault| fault.mark);
    reader.faults.truncate(FAULTS_AT_MOST);
    Err(Faults(reader.faults))
}

/// Reads a file and keeps what is wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

/// The keys of an entry with their values, each once.
type Entry<'n> = Vec<(Key, Mark, &'n Node)>;

impl Reader<'_> {
    fn file(&mut self) -> Result<Vec<Rule>, Fault> {
        let Some(root) = yaml::parse(self.text)? else {
            return Err(no_rules(Mark { line: 1, column: 1 }));
        };
        let mut rules: Vec<(Rule, Mark)> = Vec::new();
        let top = root.map("a file of rules")?;
        for (key, mark, value) in top {
            let read: fn(&mut Self, &Node) -> Vec<(Rule, Mark)> = match key.as_str() {
                RULES | ALERTS => |reader, entry| reader.entry(entry).into_iter().collect(),
                SLOS => |reader, entry| slo::read(reader, entry),
                other => {
                    let fault = Fault::new(*mark, format!("unknown key {other:?}"));
                    self.faults.push(fault.hint(meant(other, TOP)));
                    continue;
                }
            };
            match value.list(key) {
                Ok(entries) => {
                    rules.extend(entries.iter().flat_map(|entry| read(self, entry)));
                }
                Err(fault) => self.faults.push(fault),
            }
        }
        if top.is_empty() {
            return Err(no_rules(root.mark));
        }
        self.check_names(&rules);
        Ok(rules.into_iter().map(|(rule, _)| rule).collect())
    }

    /// One rule, with where its name stands.
    fn entry(&mut self, node: &Node) -> Option<(Rule, Mark)> {
        let before = self.faults.len();
        let entry = self.keys(node)?;
        let find = |wanted: Key| entry.iter().find(|(key, ..)| *key == wanted);
        // A key that is misspelt is told already.
        let is_misspelt = self.faults.len() > before;
        let mut missing = |what: &str| {
            let fault = Fault::new(node.mark, format!("this rule has no {what}"));
            let hint = "a rule has a name and a condition at least";
            self.faults.push(fault.hint(hint));
        };
        let (Some((_, _, name)), Some((_, _, said))) = (find(Key::Name), find(Key::Condition))
        else {
            for key in [Key::Name, Key::Condition] {
                if find(key).is_none() && !is_misspelt {
                    missing(key.name());
                }
            }
            return None;
        };
        let name_mark = name.mark;
        let read = |reader: &Self| {
            let text = written(said, Key::Condition.name())?;
            condition(text).map_err(|complaint| reader.place(said, complaint))
        };
        let condition = match read(self) {
            Ok(condition) => condition,
            Err(fault) => {
                self.faults.push(fault);
                return None;
            }
        };
        let mut rule = Rule::new("", condition);
        self.refuse_both(&entry);
        for (key, _, value) in entry.iter().filter(|(key, ..)| *key != Key::Condition) {
            if let Err(fault) = self.option(&mut rule, *key, value) {
                self.faults.push(fault);
            }
        }
        if self.faults.len() > before {
            return None;
        }
        self.check(&rule, &entry);
        Some((rule, name_mark))
    }

    /// The keys of a rule. What is unknown or given twice is noted.
    fn keys<'n>(&mut self, node: &'n Node) -> Option<Entry<'n>> {
        let entries = self.noting(node.map("a rule"))?;
        let mut keys: Entry<'n> = Vec::new();
        for (name, mark, value) in entries {
            match Key::parse(name) {
                Some(key) if keys.iter().any(|(known, ..)| *known == key) => {
                    let fault = Fault::new(*mark, format!("{} is given twice", key.name()));
                    self.faults.push(fault.hint("leave one of them out"));
                }
                Some(key) => keys.push((key, *mark, value)),
                None => {
                    let fault = Fault::new(*mark, format!("unknown key {name:?} of a rule"));
                    self.faults
                        .push(fault.hint(meant(name, Key::ALL.map(Key::name))));
                }
            }
        }
        Some(keys)
    }

    /// `duration` stands for `window` or for `for`; `actions` for `channels`.
    fn refuse_both(&mut self, entry: &Entry<'_>) {
        let mark = |wanted: Key| {
            let found = entry.iter().find(|(key, ..)| *key == wanted);
            found.map(|(_, mark, _)| *mark)
        };
        let pairs = [
            (Key::Duration, Key::Window),
            (Key::Duration, Key::For),
            (Key::Actions, Key::Channels),
        ];
        for (key, other) in pairs {
            if let (Some(_), Some(mark)) = (mark(key), mark(other)) {
                let message = format!("{} and {} are given both", key.name(), other.name());
                let hint = match key {
                    Key::Duration => "give window and for, or duration alone",
                    _ => "leave one of them out",
                };
                self.faults.push(Fault::new(mark, message).hint(hint));
            }
        }
    }

    pub(super) fn option(&mut self, rule: &mut Rule, key: Key, value: &Node) -> Result<(), Fault> {
        match key {
            Key::Labels => rule.labels = self.texts(value, key.name())?,
            Key::Annotations => rule.annotations = self.texts(value, key.name())?,
            Key::Channels => {
                for channel in value.list(key.name())? {
                    rule.channels.push(text(channel, "a channel")?.to_owned());
                }
            }
            Key::Actions => {
                for action in value.list(key.name())? {
                    rule.channels.push(notify(action)?);
                }
            }
            Key::Name | Key::Description => {
                let said = text(value, key.name())?;
                set(rule, key, said).map_err(|complaint| self.place(value, complaint))?;
            }
            Key::Condition
            | Key::Window
            | Key::AlsoWindow
            | Key::For
            | Key::Duration
            | Key::Severity
            | Key::Enabled
            | Key::MinCount
            | Key::NoData
            | Key::ResolveThreshold
            | Key::KeepFiringFor
            | Key::RepeatInterval
            | Key::SendResolved => {
                let said = written(value, key.name())?;
                set(rule, key, said).map_err(|complaint| self.place(value, complaint))?;
            }
        }
        Ok(())
    }

    fn texts(&mut self, node: &Node, what: &str) -> Result<BTreeMap<String, String>, Fault> {
        let mut texts = BTreeMap::new();
        for (name, _, value) in node.map(what)? {
            if let Some(text) = self.noting(text(value, name)) {
                texts.insert(name.clone(), text.to_owned());
            }
        }
        Ok(texts)
    }

    /// Notes what is wrong with the rule as a whole, where it is written.
    fn check(&mut self, rule: &Rule, entry: &Entry<'_>) {
        for (key, member, mut complaint) in check::check(rule) {
            let given = |wanted: Key| entry.iter().find(|(key, ..)| *key == wanted);
            let stands_for = match key {
                Key::Window | Key::For => given(key).or_else(|| given(Key::Duration)),
                Key::Channels => given(key).or_else(|| given(Key::Actions)),
                key => given(key),
            };
            let place = stands_for.or_else(|| given(Key::Condition));
            let Some((_, _, value)) = place else { continue };
            // A place in the condition is counted in its canonical text.
            let written = rule.condition.to_string();
            if key == Key::Condition
                && !matches!(&value.content, Content::Scalar { text, .. } if *text == written)
            {
                complaint.at = 0;
            }
            let node = member
                .and_then(|member| find_member(value, &member))
                .unwrap_or(value);
            let fault = self.place(node, complaint);
            self.faults.push(fault);
        }
    }

    fn check_names(&mut self, rules: &[(Rule, Mark)]) {
        let mut first: BTreeMap<&str, Mark> = BTreeMap::new();
        for (rule, mark) in rules {
            match first.get(rule.name.as_str()) {
                Some(known) => {
                    let message = format!(
                        "there is a rule {:?} in line {} already",
                        rule.name, known.line
                    );
                    let fault = Fault::new(*mark, message).hint("give each rule a name of its own");
                    self.faults.push(fault);
                }
                None => {
                    first.insert(&rule.name, *mark);
                }
            }
        }
    }

    /// Keeps what is wrong; the rest goes on.
    pub(super) fn noting<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// A complaint about a value at its place, to the character where the text stands in
    /// the file as it was understood.
    pub(super) fn place(&self, node: &Node, complaint: Complaint) -> Fault {
        let mut mark = node.mark;
        if let Content::Scalar { text, plain } = &node.content {
            let line = self.text.lines().nth(mark.line - 1).unwrap_or_default();
            let quote = usize::from(!plain);
            let rest: String = line.chars().skip(mark.column - 1 + quote).collect();
            if let Some(before) = text.get(..complaint.at).filter(|b| rest.starts_with(*b)) {
                mark.column += quote * usize::from(complaint.at > 0) + before.chars().count();
            }
        }
        Fault {
            mark,
            message: complaint.message,
            hint: complaint.hint,
        }
    }
}

fn no_rules(mark: Mark) -> Fault {
    Fault::new(mark, "there are no rules in it")
        .hint("begin with \"rules:\" and a list below it; `obs rules export` shows the form")
}

/// The channel of `- notify: slack`.
fn notify(action: &Node) -> Result<String, Fault> {
    const NOTIFY: &str = "notify";
    match action.map("an action")? {
        [(key, _, channel)] if key == NOTIFY => Ok(text(channel, "a channel")?.to_owned()),
        [(key, mark, _), ..] if key != NOTIFY => {
            let fault = Fault::new(*mark, format!("unknown action {key:?}"));
            Err(fault.hint("the one action is \"- notify: CHANNEL\""))
        }
        [] | [..] => {
            let fault = Fault::new(action.mark, "an action names one channel");
            Err(fault.hint("write each as \"- notify: CHANNEL\""))
        }
    }
}

/// The value of a label or annotation, or the channel of that name.
fn find_member<'n>(node: &'n Node, member: &str) -> Option<&'n Node> {
    let is_it =
        |node: &&Node| matches!(&node.content, Content::Scalar { text, .. } if text == member);
    match &node.content {
        Content::Scalar { .. } => None,
        Content::Map(entries) => {
            let found = entries.iter().find(|(name, ..)| name == member);
            found.map(|(_, _, value)| value)
        }
        Content::List(members) => {
            let inside = members.iter().flat_map(|member| match &member.content {
                Content::Map(entries) => entries.iter().map(|(_, _, value)| value).collect(),
                Content::Scalar { .. } | Content::List(_) => vec![member],
            });
            inside.into_iter().rfind(is_it)
        }
    }
}
