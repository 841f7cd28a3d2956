//! How the simulated model uses tools: it looks up what a question names, and tells what it found.

use serde_json::{Value, json};

use super::{
    schema::fill,
    validate::{Found, OfferedTool, Request},
};

/// The shortest word of a tool's name that a question is searched for.
const SHORTEST: usize = 4;

/// The tool that a question is about, with the input for it: one whose name shares a word with the
/// question. None where the model must use another tool, or has used one.
pub(super) fn look_up<'a>(request: &Request<'a>) -> Option<(&'a str, Value)> {
    if request.found.is_some() || !request.may_choose {
        return None;
    }
    let question = request.question.to_lowercase();
    let is_about = |tool: &&OfferedTool<'_>| {
        let mut words = tool.name.split('_').filter(|word| word.len() >= SHORTEST);
        words.any(|word| question.contains(word))
    };
    let tool = request.tools.iter().skip(1).find(is_about)?;
    let number: String = question
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    Some((tool.name, fill(tool.schema, &number, "en")))
}

/// What is answered by what a tool has said: all of it, or that a colleague is to go on.
pub(super) fn tell(input: &mut Value, found: &Found) {
    let text = found.text.trim_start_matches("<result>").trim_end_matches("</result>");
    let said = serde_json::from_str(text).ok().filter(|_| !found.failed);
    match said {
        Some(Value::Object(fields)) => {
            let say = |(name, value): (&String, &Value)| match value {
                Value::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            };
            let all: Vec<String> = fields.iter().map(say).collect();
            input["reply"] = json!(format!("Here it is. {}.", all.join(", ")));
        }
        Some(_) | None => {
            input["reply"] = json!("I will ask a colleague.");
            input["handoff"] = json!("unknown");
        }
    }
}
