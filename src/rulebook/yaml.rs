//! YAML as far as rules need it: texts, lists and maps, each with its place.
//!
//! What makes YAML surprising is refused rather than interpreted: anchors and aliases
//! (a few lines of which can mean billions of values), tags, a second document, a key
//! given twice, and keys that are no plain text. What the values mean is not known here.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::fault::Fault;

/// The largest file that is read, in bytes.
const LARGEST: usize = 1 << 20;
/// How deep lists and maps may lie in each other; rules need four.
const DEEPEST: usize = 16;

/// A place in a text: line and column from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub content: Content,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text, a number or a word such as `true`.
    Scalar {
        /// What it says.
        text: String,
        /// Whether it stood without quotes, so that `true` and `5` are no texts.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map: each key with its place and its value, in the order of the text.
    Map(Vec<(String, Mark, Node)>),
}

impl Node {
    /// What it is, for people.
    pub fn what(&self) -> String {
        match &self.content {
            Content::Scalar { text, .. } if text.is_empty() => "nothing".to_owned(),
            Content::Scalar { text, .. } => {
                format!("{:?}", text.chars().take(40).collect::<String>())
            }
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a map".to_owned(),
        }
    }

    /// Its members, when it is a list.
    ///
    /// # Errors
    /// When it is none.
    pub fn list(&self, what: &str) -> Result<&[Node], Fault> {
        match &self.content {
            Content::List(members) => Ok(members),
            Content::Scalar { .. } | Content::Map(_) => {
                let message = format!("{what} is a list, found {}", self.what());
                Err(Fault::new(self.mark, message).hint("begin each member with \"- \""))
            }
        }
    }

    /// Its keys and values, when it is a map.
    ///
    /// # Errors
    /// When it is none.
    pub fn map(&self, what: &str) -> Result<&[(String, Mark, Node)], Fault> {
        match &self.content {
            Content::Map(entries) => Ok(entries),
            Content::Scalar { .. } | Content::List(_) => {
                let message = format!("{what} is a map of keys and values, found {}", self.what());
                Err(Fault::new(self.mark, message).hint("write it as \"key: value\", a line each"))
            }
        }
    }
}

/// A list or map that is not complete yet.
enum Open {
    List(Mark, Vec<Node>),
    Map(Mark, Vec<(String, Mark, Node)>, Option<(String, Mark)>),
}

/// Reads one document; `None` when there is nothing in it.
///
/// # Errors
/// When it is no YAML, or of the kind that is refused.
pub fn parse(text: &str) -> Result<Option<Node>, Fault> {
    if text.len() > LARGEST {
        let message = format!("the file has {} bytes, more than {LARGEST}", text.len());
        return Err(Fault::new(START, message).hint("split it into several files"));
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| no_yaml(&error))?;
        let mark = mark(&span.start);
        let complete = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::DocumentStart(_) if root.is_some() => {
                let fault = Fault::new(mark, "a second document begins here");
                return Err(fault.hint("a file holds one document; leave out the ---"));
            }
            Event::DocumentStart(_) => continue,
            Event::Alias(_) => return Err(by_reference(mark)),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return Err(by_reference(mark));
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                let fault = Fault::new(mark, "a tag (\"!…\") has no meaning here");
                return Err(fault.hint("put texts that begin with ! in quotes"));
            }
            Event::Scalar(text, style, _, None) => Node {
                mark,
                content: Content::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                },
            },
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEEPEST => {
                return Err(Fault::new(
                    mark,
                    "lists and maps lie too deep in each other",
                ));
            }
            Event::SequenceStart(..) => {
                check_place(&open, mark)?;
                open.push(Open::List(mark, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                check_place(&open, mark)?;
                open.push(Open::Map(mark, Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(mark, members)) => Node {
                    mark,
                    content: Content::List(members),
                },
                Some(Open::Map(mark, entries, _)) => Node {
                    mark,
                    content: Content::Map(entries),
                },
                None => continue,
            },
        };
        match open.last_mut() {
            None => root = Some(complete),
            Some(open) => open.take(complete)?,
        }
    }
    let is_nothing = |node: &Node| matches!(&node.content, Content::Scalar { text, plain: true } if text.is_empty() || text == "~");
    Ok(root.filter(|node| !is_nothing(node)))
}

const START: Mark = Mark { line: 1, column: 1 };

impl Open {
    fn take(&mut self, node: Node) -> Result<(), Fault> {
        match self {
            Open::List(_, members) => members.push(node),
            Open::Map(_, entries, key @ None) => {
                let Content::Scalar { text, .. } = node.content else {
                    return Err(no_key(node.mark));
                };
                if let Some((_, first, _)) = entries.iter().find(|(known, ..)| *known == text) {
                    let message = format!("{text:?} is given twice, first in line {}", first.line);
                    return Err(Fault::new(node.mark, message));
                }
                *key = Some((text, node.mark));
            }
            Open::Map(_, entries, key) => {
                if let Some((text, mark)) = key.take() {
                    entries.push((text, mark, node));
                }
            }
        }
        Ok(())
    }
}

/// A list or map may not be a key.
fn check_place(open: &[Open], mark: Mark) -> Result<(), Fault> {
    match open.last() {
        Some(Open::Map(_, _, None)) => Err(no_key(mark)),
        Some(Open::Map(_, _, Some(_)) | Open::List(..)) | None => Ok(()),
    }
}

fn no_key(mark: Mark) -> Fault {
    Fault::new(mark, "a key is a text").hint("put a value that begins with { or [ in quotes")
}

fn by_reference(mark: Mark) -> Fault {
    Fault::new(mark, "anchors and aliases (\"&\", \"*\") are not read")
        .hint("write the value out, or put a text that begins so in quotes")
}

fn no_yaml(error: &ScanError) -> Fault {
    let fault = Fault::new(mark(error.marker()), format!("no YAML: {}", error.info()));
    match error.info().contains("tab") {
        true => fault.hint("indent with blanks"),
        false => fault,
    }
}

fn mark(marker: &saphyr_parser::Marker) -> Mark {
    Mark {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}
