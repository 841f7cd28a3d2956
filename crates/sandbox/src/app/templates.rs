//! Message templates of a WhatsApp account, and how far the review of each has come.

use serde_json::Value;

/// A template, as the account keeps it.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) id: u64,
    /// What it is for, in capitals.
    pub(crate) category: Box<str>,
    /// `APPROVED`, `PENDING`, or whatever a control call has said.
    pub(crate) status: Box<str>,
    /// Why it was rejected; `NONE` where it was not.
    pub(crate) reason: Box<str>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub(crate) quality: Box<str>,
    pub(crate) components: Box<[Value]>,
}

/// A template to be kept.
pub(crate) struct NewTemplate<'a> {
    pub(crate) name: &'a str,
    pub(crate) language: &'a str,
    pub(crate) category: &'a str,
    pub(crate) components: &'a [Value],
}

/// What a control call changes of a template; what it does not say stays.
#[derive(Default)]
pub(crate) struct TemplateEdit {
    pub(crate) status: Option<Box<str>>,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) quality: Option<Box<str>>,
    pub(crate) category: Option<Box<str>>,
}

impl Template {
    /// Its text, with its variables.
    pub(crate) fn body(&self) -> &str {
        self.part("BODY").and_then(|part| part["text"].as_str()).unwrap_or_default()
    }

    /// How many variables its text has: the highest of `{{1}}`, `{{2}}` and so on.
    pub(crate) fn variables(&self) -> usize {
        let body = self.body();
        (1..=50).rev().find(|n| body.contains(&format!("{{{{{n}}}}}"))).unwrap_or_default()
    }

    /// The type of the value that its header needs; none where it needs none.
    pub(crate) fn header_needs(&self) -> Option<String> {
        let header = self.part("HEADER")?;
        let format = header["format"].as_str().unwrap_or_default().to_ascii_lowercase();
        match format.as_str() {
            "text" => {
                let text = header["text"].as_str().unwrap_or_default();
                text.contains("{{").then_some(format)
            }
            "image" | "video" | "document" => Some(format),
            _ => None,
        }
    }

    /// The indexes of the buttons that need a value: pages whose address ends with a variable.
    pub(crate) fn buttons_that_need(&self) -> Vec<usize> {
        let buttons = self.part("BUTTONS").and_then(|part| part["buttons"].as_array());
        let with_variable =
            |button: &Value| button["url"].as_str().is_some_and(|url| url.contains("{{"));
        let all = buttons.into_iter().flatten().enumerate();
        all.filter(|(_, button)| with_variable(button)).map(|(index, _)| index).collect()
    }

    /// Takes over what a control call says.
    pub(crate) fn edit(&mut self, edit: TemplateEdit) {
        let TemplateEdit { status, reason, quality, category } = edit;
        for (field, value) in [
            (&mut self.status, status),
            (&mut self.reason, reason),
            (&mut self.quality, quality),
            (&mut self.category, category),
        ] {
            if let Some(value) = value {
                *field = value;
            }
        }
    }

    fn part(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|part| part["type"] == kind)
    }
}
