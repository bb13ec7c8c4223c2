//! The names that providers go by.
//!
//! Which models a provider sells is not known here.

/// Other names of a provider of the built-in table: of companies, of clouds, of
/// LiteLLM, and those of OpenTelemetry's semantic conventions. Lower case, with `_`
/// for `-`, `.` and spaces.
const ALIASES: [(&str, &[&str]); 17] = [
    ("anthropic", &["claude"]),
    ("openai", &["open_ai", "text_completion_openai"]),
    (
        "azure",
        &[
            "azure_openai",
            "azure_ai",
            "azure_text",
            "azure_ai_openai",
            "azure_ai_inference",
            "az_ai_openai",
            "az_ai_inference",
            "microsoft_azure",
        ],
    ),
    (
        "google",
        &[
            "gemini",
            "google_gemini",
            "google_genai",
            "google_ai",
            "google_ai_studio",
            "vertex",
            "vertexai",
            "vertex_ai",
            "google_vertex",
            "gcp",
            "gcp_gemini",
            "gcp_gen_ai",
            "gcp_vertex_ai",
        ],
    ),
    (
        "bedrock",
        &[
            "aws",
            "amazon",
            "amazon_bedrock",
            "aws_bedrock",
            "bedrock_converse",
            "bedrock_mantle",
            "amazon_nova",
        ],
    ),
    ("mistral", &["mistralai", "mistral_ai", "codestral"]),
    ("xai", &["x_ai", "grok"]),
    ("moonshot", &["moonshotai", "moonshot_ai", "kimi"]),
    ("together", &["togetherai", "together_ai"]),
    ("fireworks", &["fireworks_ai", "fireworksai"]),
    ("voyage", &["voyageai", "voyage_ai"]),
    ("cohere", &["cohere_chat"]),
    ("meta", &["meta_llama"]),
    ("watsonx", &["ibm_watsonx_ai", "ibm_watsonx"]),
    ("openrouter", &["open_router"]),
    ("deepseek", &["deep_seek"]),
    ("perplexity", &["perplexity_ai", "pplx"]),
];

/// The name under which the table has a provider, whatever it is called: `claude` is
/// `anthropic`, `aws.bedrock` is `bedrock`. An unknown name is itself, in lower case.
pub fn canonical(provider: &str) -> String {
    let lower = provider.trim().to_ascii_lowercase();
    let plain = lower.replace(['-', '.', ' '], "_");
    let known = |(name, others): &&(&str, &[&str])| *name == plain || others.contains(&&*plain);
    match ALIASES.iter().find(known) {
        Some((name, _)) => (*name).to_owned(),
        None => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_goes_by_many_names() {
        for (name, known) in [
            ("claude", "anthropic"),
            ("Anthropic", "anthropic"),
            ("aws.bedrock", "bedrock"),
            ("gcp.vertex_ai", "google"),
            ("x-ai", "xai"),
            ("Azure OpenAI", "azure"),
            ("My-Gateway", "my-gateway"),
        ] {
            assert_eq!(canonical(name), known);
        }
    }

    #[test]
    fn each_provider_that_has_other_names_is_in_the_table() {
        for (name, _) in ALIASES {
            assert!(super::super::built_in::has_provider(name), "{name}");
        }
    }
}
