//! Settings that are one of a few words. Each word has one spelling, the same in
//! a flag, in the environment and in a file.

/// A closed set of words.
pub trait Word: Copy + 'static {
    /// Every word, in the order in which people are told of them.
    const ALL: &'static [Self];

    /// Its spelling.
    fn name(self) -> &'static str;

    /// The word of that spelling.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.name() == text)
    }

    /// Every spelling.
    fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|word| word.name()).collect()
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// One JSON object a row.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// A Markdown table.
    Md,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal that wants it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What an acknowledged event survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    #[default]
    Full,
    /// The end of the process, but perhaps not a power cut; faster.
    Normal,
}

impl Word for Output {
    const ALL: &'static [Output] = &[
        Output::Table,
        Output::Json,
        Output::Jsonl,
        Output::Csv,
        Output::Tsv,
        Output::Md,
    ];

    fn name(self) -> &'static str {
        match self {
            Output::Table => "table",
            Output::Json => "json",
            Output::Jsonl => "jsonl",
            Output::Csv => "csv",
            Output::Tsv => "tsv",
            Output::Md => "md",
        }
    }
}

impl Word for Color {
    const ALL: &'static [Color] = &[Color::Auto, Color::Always, Color::Never];

    fn name(self) -> &'static str {
        match self {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }
}

impl Word for Durability {
    const ALL: &'static [Durability] = &[Durability::Full, Durability::Normal];

    fn name(self) -> &'static str {
        match self {
            Durability::Full => "full",
            Durability::Normal => "normal",
        }
    }
}
