//! Tools: what an assistant may look up at a server of its company before it answers.

use serde_json::Value;

use super::{
    prompt::ANSWER_TOOL,
    schema::check_schema,
    sense::{Faults, SettingsFault, is_line, is_name, is_short},
};

/// How many tools a company has at most.
pub const MOST_TOOLS: i64 = 10;

/// How often the model may use tools for one answer.
pub const TOOL_ROUNDS: usize = 3;

/// The longest address, in characters.
const LONGEST_URL: usize = 2_000;

/// A tool as the company has described it.
#[derive(Debug, Clone, PartialEq)]
pub struct AssistantTool {
    /// What the model calls it.
    pub name: String,
    /// What it is for, as the model reads it.
    pub description: String,
    /// The form of its input, see [`check_schema`].
    pub schema: Value,
    /// Where it is called, by POST.
    pub url: String,
    /// The header that carries its secret, in small letters; none where it has none.
    pub header: Option<String>,
    /// How long a call may take, in seconds.
    pub timeout_seconds: i16,
}

impl AssistantTool {
    /// How long a call may take where nobody says otherwise, in seconds.
    pub const TIMEOUT: i16 = 3;

    /// Every value that makes no sense. Whether the address may be called is another question.
    pub fn faults(&self) -> Vec<SettingsFault> {
        let mut found = Faults::default();
        let named = is_name(&self.name) && self.name != ANSWER_TOOL;
        let fits = "small letters, digits and `_`, a letter first, at most 40, and not `answer`";
        found.need(named, "name", fits);
        found.need(
            is_line(&self.description, 500),
            "description",
            "one line of 1 to 500 characters",
        );
        if let Err(fault) = check_schema(&self.schema) {
            let at = ["input_schema", fault.at.as_str()];
            let at: Vec<&str> = at.into_iter().filter(|part| !part.is_empty()).collect();
            found.need(false, at.join("."), fault.fits);
        }
        found.need(is_short(&self.url, LONGEST_URL), "url", "at most 2000 characters");
        let header = self.header.as_deref().is_none_or(is_header);
        let fits = "authorization, or x- and at most 60 letters, digits and hyphens";
        found.need(header, "header", fits);
        let timeout = (1..=10).contains(&self.timeout_seconds);
        found.need(timeout, "timeout_seconds", "1 to 10");
        found.into_vec()
    }
}

/// Whether a header may carry a secret: none that says what a request is or where it goes.
fn is_header(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let own = |rest: &str| (1..=60).contains(&rest.len()) && rest.chars().all(is_inner);
    name == "authorization" || name.strip_prefix("x-").is_some_and(own)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order() -> AssistantTool {
        AssistantTool {
            name: "order_status".into(),
            description: "Where an order is.".into(),
            schema: json!({ "type": "object" }),
            url: "https://orders.example.com/status".into(),
            header: Some("x-key".into()),
            timeout_seconds: AssistantTool::TIMEOUT,
        }
    }

    #[test]
    fn what_makes_no_sense_of_a_tool_is_named_with_its_field() {
        assert_eq!(order().faults(), []);
        let wrong = |change: fn(&mut AssistantTool)| {
            let mut tool = order();
            change(&mut tool);
            tool.faults().into_iter().map(|fault| fault.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|tool| tool.name = "answer".into()), ["name"]);
        assert_eq!(wrong(|tool| tool.name = "Order".into()), ["name"]);
        assert_eq!(wrong(|tool| tool.description = " ".into()), ["description"]);
        let deep = wrong(|tool| tool.schema = json!({ "type": "object", "oneOf": [] }));
        assert_eq!(deep, ["input_schema.oneOf"]);
        assert_eq!(wrong(|tool| tool.schema = json!([])), ["input_schema"]);
        assert_eq!(wrong(|tool| tool.url = "x".repeat(2_001)), ["url"]);
        assert_eq!(wrong(|tool| tool.timeout_seconds = 11), ["timeout_seconds"]);
        for header in ["host", "content-length", "x-", "x-a\r\nb", "X-Key"] {
            let tool = AssistantTool { header: Some(header.into()), ..order() };
            assert_eq!(tool.faults().len(), 1, "{header}");
        }
    }
}
