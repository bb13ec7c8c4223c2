//! A channel as somebody configured it: a name and words, not yet understood.
//!
//! Where they were written, and what they mean, is not known here.

use std::collections::BTreeMap;

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Its name.
    pub name: String,
    /// What is said of it, `type` among them.
    pub settings: BTreeMap<String, SpecValue>,
}

/// One setting of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecValue {
    /// A text.
    Text(String),
    /// Some texts.
    List(Vec<String>),
    /// Yes or no.
    Switch(bool),
}
