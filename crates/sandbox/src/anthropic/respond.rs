//! The message that answers a valid request.

use serde_json::{Value, json};

use super::{looking, schema::fill, validate::Request};
use crate::{dice::Dice, phrases};

/// Characters per token, roughly as in real texts.
const CHARS_PER_TOKEN: usize = 4;

/// The whole answer. Its id is a hash of the question, so equal questions get equal answers.
pub(super) fn message(request: &Request<'_>) -> Value {
    let (block, reason, chars) = block(request);
    let wanted = chars.div_ceil(CHARS_PER_TOKEN) as u64;
    let (content, reason, output) = if wanted <= request.max_tokens {
        (json!([block]), reason, wanted)
    } else {
        (cut(&block, request.max_tokens), "max_tokens", request.max_tokens)
    };

    json!({
        "id": format!("msg_{:016x}", hash(request, "message")),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": null,
        "stop_details": null,
        "usage": {
            "input_tokens": request.input_chars.div_ceil(CHARS_PER_TOKEN),
            "output_tokens": output,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "service_tier": "standard",
        },
    })
}

/// What there is to say: the block, why it ends, and how many characters it is long.
fn block(request: &Request<'_>) -> (Value, &'static str, usize) {
    let (text, language) = phrases::answer(&request.question);
    let looks_up = looking::look_up(request);
    let answers = request.tool.as_ref().map(|tool| {
        let mut input = fill(tool.schema, text, language.code());
        if let Some(found) = &request.found {
            looking::tell(&mut input, found);
        }
        (tool.name, input)
    });
    if let Some((name, input)) = looks_up.or(answers) {
        let chars = input.to_string().chars().count();
        let id = format!("toolu_{:016x}", hash(request, "tool"));
        let block = json!({ "type": "tool_use", "id": id, "name": name, "input": input });
        return (block, "tool_use", chars);
    }

    let said = match request.output {
        Some(schema) => fill(schema, text, language.code()).to_string(),
        None => text.to_owned(),
    };
    let chars = said.chars().count();
    (json!({ "type": "text", "text": said }), "end_turn", chars)
}

/// What fits into the tokens: the start of a text, nothing of a tool's input.
fn cut(block: &Value, max_tokens: u64) -> Value {
    let fits = usize::try_from(max_tokens).unwrap_or(usize::MAX).saturating_mul(CHARS_PER_TOKEN);
    match block.get("text").and_then(Value::as_str) {
        Some(text) if fits > 0 => {
            let start: String = text.chars().take(fits).collect();
            json!([{ "type": "text", "text": start }])
        }
        Some(_) | None => json!([]),
    }
}

fn hash(request: &Request<'_>, what: &str) -> u64 {
    Dice::new(0).text(what).text(request.model).text(&request.question).value()
}
