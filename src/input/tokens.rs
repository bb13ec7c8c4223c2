//! How native events count tokens, and how that becomes the normal form.
//!
//! `input_tokens` counts all input: cached tokens, tokens written to a cache,
//! audio and images included. `output_tokens` counts all output, reasoning and
//! audio included. A sender that counts only the input outside the cache calls
//! it `input_uncached_tokens`.

use super::draft::Draft;
use super::field::Field;
use super::reject::Reject;
use crate::model::Tokens;

/// What a line says about tokens.
pub(super) struct Counted {
    /// The normal form; `None` when there is no count.
    pub(super) tokens: Option<Tokens>,
    /// The total that was told, when the classes have another sum.
    pub(super) total_told: Option<u64>,
}

const COUNTS: [Field; 11] = [
    Field::Input,
    Field::InputUncached,
    Field::CacheRead,
    Field::CacheWrite5m,
    Field::CacheWrite1h,
    Field::AudioInput,
    Field::ImageInput,
    Field::Output,
    Field::Reasoning,
    Field::AudioOutput,
    Field::Unclassified,
];

/// Whether the line counts tokens in fields of its own.
pub(super) fn are_told(draft: &Draft<'_, '_>) -> bool {
    draft.has(Field::Total) || COUNTS.iter().any(|field| draft.has(*field))
}

/// Brings the counts of a line into the normal form.
///
/// # Errors
/// When a count is no whole number, or the parts of a whole are more than the whole.
pub(super) fn count(draft: &Draft<'_, '_>) -> Result<Counted, Reject> {
    let total = draft.count(Field::Total)?;
    if !COUNTS.iter().any(|field| draft.has(*field)) {
        let tokens = total.map(|unclassified| Tokens {
            unclassified,
            ..Tokens::default()
        });
        return Ok(Counted {
            tokens,
            total_told: None,
        });
    }
    let class = |field| draft.count(field).map(Option::unwrap_or_default);
    let mut tokens = Tokens {
        cache_read: class(Field::CacheRead)?,
        cache_write_5m: class(Field::CacheWrite5m)?,
        cache_write_1h: class(Field::CacheWrite1h)?,
        audio_input: class(Field::AudioInput)?,
        image_input: class(Field::ImageInput)?,
        reasoning: class(Field::Reasoning)?,
        audio_output: class(Field::AudioOutput)?,
        unclassified: class(Field::Unclassified)?,
        ..Tokens::default()
    };
    tokens.input_uncached = uncached(draft, tokens.input_total())?;
    tokens.output = match draft.count(Field::Output)? {
        Some(whole) => rest(whole, tokens.output_total()).ok_or_else(|| {
            let parts = tokens.output_total();
            Reject::Tokens(format!(
                "output_tokens: {whole}, but reasoning and audio are {parts}; output_tokens includes them"
            ))
        })?,
        None => 0,
    };
    Ok(Counted {
        tokens: Some(tokens),
        total_told: total.filter(|told| u128::from(*told) != tokens.total()),
    })
}

/// The input outside the cache, from what is told of it or of the whole.
fn uncached(draft: &Draft<'_, '_>, parts: u128) -> Result<u64, Reject> {
    let told = draft.count(Field::InputUncached)?;
    let Some(whole) = draft.count(Field::Input)? else {
        return Ok(told.unwrap_or_default());
    };
    let uncached = rest(whole, parts).ok_or_else(|| {
        Reject::Tokens(format!(
            "input_tokens: {whole}, but cached tokens, audio and images are {parts}; input_tokens \
             includes them, a count without them is called input_uncached_tokens"
        ))
    })?;
    match told {
        Some(told) if told != uncached => Err(Reject::Tokens(format!(
            "input_uncached_tokens: {told}, but input_tokens leave {uncached} outside the cache"
        ))),
        Some(_) | None => Ok(uncached),
    }
}

/// What is left of the whole without its parts, `None` when they are more.
fn rest(whole: u64, parts: u128) -> Option<u64> {
    u64::try_from(u128::from(whole).checked_sub(parts)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::request;

    fn tokens(fields: &str) -> Tokens {
        request(fields).unwrap().tokens.unwrap()
    }

    fn refused(fields: &str) -> String {
        let reject = request(fields).unwrap_err();
        assert_eq!(reject.code(), "token_mismatch");
        reject.to_string()
    }

    #[test]
    fn input_includes_what_is_cached_and_output_includes_reasoning() {
        let tokens = tokens(
            r#""input_tokens":1000,"cached_tokens":600,"cache_write_tokens":100,"cache_write_1h_tokens":50,
               "audio_input_tokens":20,"image_tokens":30,"output_tokens":500,"reasoning_tokens":400,"audio_output_tokens":1"#,
        );
        assert_eq!(tokens.input_uncached, 200);
        assert_eq!(
            (
                tokens.cache_read,
                tokens.cache_write_5m,
                tokens.cache_write_1h
            ),
            (600, 100, 50)
        );
        assert_eq!(
            (tokens.output, tokens.reasoning, tokens.audio_output),
            (99, 400, 1)
        );
        assert_eq!((tokens.input_total(), tokens.output_total()), (1000, 500));
    }

    #[test]
    fn a_count_without_the_cache_has_a_name_of_its_own() {
        let tokens =
            tokens(r#""input_uncached_tokens":12,"cache_read_tokens":5000,"output_tokens":7"#);
        assert_eq!(
            (tokens.input_uncached, tokens.cache_read, tokens.total()),
            (12, 5000, 5019)
        );
        let both = r#""input_tokens":20,"input_uncached_tokens":12,"cached_tokens":"#;
        assert_eq!(
            request(&format!("{both}8"))
                .unwrap()
                .tokens
                .unwrap()
                .total(),
            20
        );
        assert_eq!(
            refused(&format!("{both}5")),
            "input_uncached_tokens: 12, but input_tokens leave 15 outside the cache"
        );
    }

    #[test]
    fn parts_that_are_more_than_the_whole_are_refused_with_both_numbers() {
        assert_eq!(
            refused(r#""input_tokens":12,"cached_tokens":5000"#),
            "input_tokens: 12, but cached tokens, audio and images are 5000; input_tokens includes \
             them, a count without them is called input_uncached_tokens"
        );
        assert_eq!(
            refused(r#""output_tokens":3,"reasoning_tokens":4"#),
            "output_tokens: 3, but reasoning and audio are 4; output_tokens includes them"
        );
    }

    #[test]
    fn a_total_alone_is_kept_as_such_and_one_that_contradicts_is_a_finding() {
        assert_eq!(tokens(r#""total_tokens":9"#).unclassified, 9);
        let fields = r#""input_tokens":5,"output_tokens":4,"total_tokens":"#;
        assert_eq!(request(&format!("{fields}9")).unwrap().total_told, None);
        assert_eq!(
            request(&format!("{fields}10")).unwrap().total_told,
            Some(10)
        );
        assert_eq!(request(r#""latency":5"#).unwrap().tokens, None);
    }
}
