//! Which colour a series has: providers that have one of their own get it.
//!
//! A hue is a number; how it looks on a terminal or in SVG is known there.

use super::Series;

/// Hues that there are: blue, orange, green, purple, sky, ochre, pink, grey. They
/// can be told apart by the usual kinds of colour blindness.
pub(super) const HUES: usize = 8;

/// Providers known by a colour, and its number.
const PROVIDERS: [(&str, usize); 4] = [
    ("openrouter", 0),
    ("mistral", 1),
    ("gemini", 2),
    ("groq", 3),
];

/// The hue of each series. Those no provider owns are given to the others in
/// order, the free ones first.
pub(super) fn hues(series: &[Series]) -> Vec<usize> {
    let owned: Vec<Option<usize>> = series.iter().map(|s| owned(&s.name)).collect();
    let taken = |hue: &usize| owned.contains(&Some(*hue));
    let mut free: Vec<usize> = (0..HUES).filter(|hue| !taken(hue)).collect();
    if free.is_empty() {
        free = (0..HUES).collect();
    }
    let mut next = free.into_iter().cycle();
    let hue = |owned: Option<usize>| owned.or_else(|| next.next()).unwrap_or(0);
    owned.iter().copied().map(hue).collect()
}

fn owned(name: &str) -> Option<usize> {
    let of = |(provider, _): &&(&str, usize)| provider.eq_ignore_ascii_case(name);
    PROVIDERS.iter().find(of).map(|(_, hue)| *hue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::chart::Side;

    #[test]
    fn providers_keep_their_colour_and_others_take_what_is_free() {
        let series = ["claude", "Groq", "openai", "openrouter"].map(|name| Series {
            name: name.to_owned(),
            side: Side::Left,
            is_earlier: false,
            points: Vec::new(),
        });
        assert_eq!(hues(&series), [1, 3, 2, 0]);
    }
}
