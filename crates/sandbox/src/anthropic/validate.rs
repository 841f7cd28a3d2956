//! What the Messages API requires of a request, with errors that name the field.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The versions that are served.
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

/// The most messages of a request.
const MAX_MESSAGES: usize = 100_000;

/// A request that may be answered.
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) max_tokens: u64,
    /// The text of the last user message.
    pub(super) question: String,
    /// Characters of everything that was sent, for the usage.
    pub(super) input_chars: usize,
    /// The tool that must be used, or the first of those of which one must be.
    pub(super) tool: Option<OfferedTool<'a>>,
    /// Every tool that is offered.
    pub(super) tools: Vec<OfferedTool<'a>>,
    /// Whether any of them may be used.
    pub(super) may_choose: bool,
    /// What the last tool has said, where the last message says it.
    pub(super) found: Option<Found>,
    /// The schema that the text must follow.
    pub(super) output: Option<&'a Value>,
}

/// A tool that the model may use.
#[derive(Clone, Copy)]
pub(super) struct OfferedTool<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Value,
}

/// What a tool has said.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) failed: bool,
}

/// Checks a request under a version of the API.
pub(super) fn check<'a>(version: &str, request: &'a Value) -> Result<Request<'a>, Refusal> {
    if !VERSIONS.contains(&version) {
        return Err(Refusal::invalid(format!("anthropic-version: {version} is not valid")));
    }
    let body = request
        .as_object()
        .ok_or_else(|| Refusal::invalid("The request body must be an object"))?;

    let model = body.get("model").ok_or_else(|| missing("model"))?;
    let model = model.as_str().filter(|m| !m.is_empty()).ok_or_else(|| wrong("model"))?;
    let max_tokens = body.get("max_tokens").ok_or_else(|| missing("max_tokens"))?;
    let max_tokens = max_tokens.as_u64().ok_or_else(|| wrong("max_tokens"))?;

    if version == VERSIONS[1] {
        for name in ["temperature", "top_p", "top_k"] {
            if body.contains_key(name) {
                return Err(Refusal::invalid(format!("{name}: not permitted in this version")));
            }
        }
    }
    if body.get("stream").is_some_and(|stream| *stream == Value::Bool(true)) {
        return Err(Refusal::invalid("stream: not supported by this simulator"));
    }

    let system_chars = check_system(body)?;
    let (question, message_chars) = check_messages(body)?;
    let input_chars = system_chars + message_chars;
    let found = check_results(body)?;
    let tools = read_tools(body)?;
    let tool = check_choice(body, &tools)?;
    let kind = body.get("tool_choice").and_then(|choice| choice.get("type"));
    let may_choose = kind.and_then(Value::as_str) == Some("any");
    let format = body.get("output_config").and_then(|config| config.get("format"));
    let output = format.map(|format| format.get("schema").ok_or_else(|| missing("output_config")));
    let output = output.transpose()?;

    Ok(Request { model, max_tokens, question, input_chars, tool, tools, may_choose, found, output })
}

fn missing(field: &str) -> Refusal {
    Refusal::invalid(format!("{field}: Field required"))
}

fn wrong(field: &str) -> Refusal {
    Refusal::invalid(format!("{field}: Input should be valid"))
}

/// `system` is a text or a list of text blocks.
fn check_system(body: &Map<String, Value>) -> Result<usize, Refusal> {
    match body.get("system") {
        None => Ok(0),
        Some(Value::String(text)) => Ok(text.chars().count()),
        Some(Value::Array(blocks)) => {
            let mut chars = 0;
            for block in blocks {
                chars += text_of(block, "system")?.map_or(0, |text| text.chars().count());
            }
            Ok(chars)
        }
        Some(_) => Err(wrong("system")),
    }
}

/// The question and the characters of all messages.
fn check_messages(body: &Map<String, Value>) -> Result<(String, usize), Refusal> {
    let messages = body.get("messages").ok_or_else(|| missing("messages"))?;
    let messages = messages.as_array().ok_or_else(|| wrong("messages"))?;
    if messages.is_empty() {
        return Err(Refusal::invalid("messages: at least one message is required"));
    }
    if messages.len() > MAX_MESSAGES {
        return Err(Refusal::invalid("messages: at most 100000 messages"));
    }

    let mut chars = 0;
    let mut question = String::new();
    let mut last_role = "";
    for (i, message) in messages.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or("");
        if role != "user" && role != "assistant" {
            return Err(wrong(&format!("messages.{i}.role")));
        }

        let text = content_text(message, i)?;
        chars += text.chars().count();
        if role == "user" {
            // What a tool has said is no question.
            question = if text.is_empty() { question } else { text };
        } else if i == 0 {
            return Err(Refusal::invalid("messages: first message must use the \"user\" role"));
        }
        last_role = role;
    }

    if last_role == "assistant" {
        return Err(Refusal::invalid("messages: the last message must not be the assistant's"));
    }
    Ok((question, chars))
}

/// The text of a message, whose content is a text or a list of blocks.
fn content_text(message: &Value, i: usize) -> Result<String, Refusal> {
    let name = format!("messages.{i}.content");
    match message.get("content") {
        None => Err(missing(&name)),
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Array(blocks)) if !blocks.is_empty() => {
            let mut texts = Vec::new();
            for block in blocks {
                texts.extend(text_of(block, &name)?);
            }
            Ok(texts.join("\n"))
        }
        Some(_) => Err(Refusal::invalid(format!("{name}: must be non-empty text or blocks"))),
    }
}

/// The text of a block; `None` for a block of another type.
fn text_of<'a>(block: &'a Value, name: &str) -> Result<Option<&'a str>, Refusal> {
    let kind = block.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| missing(&format!("{name}.type")))?;
    if kind != "text" {
        return Ok(None);
    }

    let text = block.get("text").and_then(Value::as_str).unwrap_or("");
    if text.is_empty() {
        return Err(Refusal::invalid(format!("{name}: text content blocks must be non-empty")));
    }
    Ok(Some(text))
}

/// What the last message says of a tool that the message before it has used: each call has its
/// result in the next message, and each result its call before it.
fn check_results(body: &Map<String, Value>) -> Result<Option<Found>, Refusal> {
    let messages = body.get("messages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut last = None;
    let mut called: Vec<&str> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let blocks =
            message.get("content").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let of_kind = |kind: &'static str| {
            blocks.iter().filter(move |block| block["type"].as_str() == Some(kind))
        };
        let results: Vec<&Value> = of_kind("tool_result").collect();
        let answers: Vec<&str> =
            results.iter().map(|block| block["tool_use_id"].as_str().unwrap_or("")).collect();
        if called != answers {
            let message = "each tool_use needs its tool_result in the next message";
            return Err(Refusal::invalid(format!("messages.{i}: {message}")));
        }

        called = of_kind("tool_use").map(|block| block["id"].as_str().unwrap_or("")).collect();
        last = results.last().map(|block| Found {
            text: block["content"].as_str().unwrap_or("").to_owned(),
            failed: block["is_error"].as_bool().unwrap_or(false),
        });
    }
    Ok(last)
}

/// The tool that `tool_choice` forces, if it forces one.
fn check_choice<'a>(
    body: &Map<String, Value>,
    tools: &[OfferedTool<'a>],
) -> Result<Option<OfferedTool<'a>>, Refusal> {
    let Some(choice) = body.get("tool_choice") else { return Ok(None) };
    match choice.get("type").and_then(Value::as_str) {
        Some("auto" | "none") => Ok(None),
        Some("any") => tools.first().copied().map(Some).ok_or_else(|| missing("tools")),
        Some("tool") => {
            let wanted = choice.get("name").and_then(Value::as_str);
            let wanted = wanted.ok_or_else(|| missing("tool_choice.name"))?;
            let found = tools.iter().find(|tool| tool.name == wanted);
            found.copied().map(Some).ok_or_else(|| {
                Refusal::invalid(format!("tool_choice: tool '{wanted}' not found in tools"))
            })
        }
        Some(_) | None => Err(wrong("tool_choice.type")),
    }
}

/// The tools that the model may use, each with its name and schema.
fn read_tools(body: &Map<String, Value>) -> Result<Vec<OfferedTool<'_>>, Refusal> {
    let Some(list) = body.get("tools") else { return Ok(Vec::new()) };
    let mut tools = Vec::new();
    for (i, tool) in list.as_array().ok_or_else(|| wrong("tools"))?.iter().enumerate() {
        let name = tool.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| missing(&format!("tools.{i}.name")))?;

        let schema = tool.get("input_schema");
        let schema = schema.ok_or_else(|| missing(&format!("tools.{i}.input_schema")))?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(wrong(&format!("tools.{i}.input_schema.type")));
        }
        tools.push(OfferedTool { name, schema });
    }
    Ok(tools)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(request: Value) -> String {
        match check("2026-10-21", &request) {
            Ok(_) => String::new(),
            Err(refusal) => refusal.message,
        }
    }

    #[test]
    fn a_wrong_request_is_refused_with_the_name_of_its_field() {
        let good = json!({"model": "m", "max_tokens": 10,
                          "messages": [{"role": "user", "content": "hi"}]});
        assert_eq!(error(good.clone()), "");

        for (field, value, named) in [
            ("model", json!(null), "model"),
            ("max_tokens", json!("10"), "max_tokens"),
            ("messages", json!([]), "messages"),
            ("messages", json!([{"role": "system", "content": "x"}]), "messages.0.role"),
            ("messages", json!([{"role": "user"}]), "messages.0.content"),
            ("messages", json!([{"role": "user", "content": ""}]), "messages.0.content"),
            ("messages", json!([{"role": "user", "content": [{"text": "x"}]}]), "type"),
            ("messages", json!([{"role": "assistant", "content": "x"}]), "first message"),
            (
                "messages",
                json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]),
                "last message",
            ),
            ("temperature", json!(0.5), "temperature"),
            ("stream", json!(true), "stream"),
            ("system", json!(1), "system"),
            ("tools", json!([{"name": "t"}]), "tools.0.input_schema"),
            ("tool_choice", json!({"type": "tool", "name": "t"}), "not found"),
            (
                "messages",
                json!([{"role": "user", "content": "x"},
                       {"role": "assistant",
                        "content": [{"type": "tool_use", "id": "a", "name": "t", "input": {}}]},
                       {"role": "user", "content": "y"}]),
                "messages.2: each tool_use",
            ),
            (
                "messages",
                json!([{"role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "a", "content": "y"}]}]),
                "messages.0: each tool_use",
            ),
        ] {
            let mut request = good.clone();
            request[field] = value;
            let message = error(request);
            assert!(message.contains(named), "{field}: {message}");
        }

        for field in ["model", "max_tokens", "messages"] {
            let mut request = good.clone();
            request.as_object_mut().expect("an object").remove(field);
            assert_eq!(error(request), format!("{field}: Field required"));
        }

        assert!(check("2020-01-01", &good).is_err());
        let mut older = good;
        older["temperature"] = json!(0.5);
        assert!(check("2023-06-01", &older).is_ok());
    }
}
