//! The known word that someone probably meant.
//!
//! It knows no list of its own; whoever refuses a word brings the words that are allowed.

/// The candidate nearest to `word`, or `None` when none is near enough to be a
/// slip of the fingers: one edit, and one more for every three letters.
///
/// Letter case does not count; of equally near candidates the first is taken.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No known word is this long, and the distance takes quadratic time.
    const LONGEST: usize = 64;
    let word = word.to_lowercase();
    let letters = word.chars().count();
    if letters > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| {
            let edits = strsim::osa_distance(&word, &candidate.to_lowercase());
            (edits, candidate)
        })
        .filter(|(edits, candidate)| {
            *edits < candidate.chars().count() && *edits <= 1 + letters / 3
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["provider", "model", "today", "yesterday"];

    #[test]
    fn a_slip_of_the_fingers_is_understood() {
        assert_eq!(nearest("provder", WORDS), Some("provider"));
        assert_eq!(nearest("Modle", WORDS), Some("model"));
        assert_eq!(nearest("yesterdy", WORDS), Some("yesterday"));
    }

    #[test]
    fn a_word_from_elsewhere_is_not_guessed_at() {
        assert_eq!(nearest("banana", WORDS), None);
        assert_eq!(nearest("", WORDS), None);
        assert_eq!(nearest(&"x".repeat(100_000), WORDS), None);
    }
}
