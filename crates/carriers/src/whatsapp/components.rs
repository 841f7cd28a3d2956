//! What a template is made of, as Meta writes it. What Meta may add is passed over when it is read.

use domain::carrier_template::{TemplateBody, TemplateButton, TemplateComponents, TemplateHeader};
use serde_json::{Value, json};

/// Components as Meta takes them, examples included.
pub(super) fn write(of: &TemplateComponents) -> Vec<Value> {
    let mut written = Vec::new();
    if let Some(header) = &of.header {
        written.push(header_of(header));
    }
    written.push(body_of(&of.body));
    if let Some(footer) = &of.footer {
        written.push(json!({ "type": "FOOTER", "text": footer }));
    }
    if !of.buttons.is_empty() {
        let buttons: Vec<Value> = of.buttons.iter().map(button_of).collect();
        written.push(json!({ "type": "BUTTONS", "buttons": buttons }));
    }
    written
}

fn header_of(header: &TemplateHeader) -> Value {
    let mut written = json!({ "type": "HEADER", "format": header.format.to_ascii_uppercase() });
    if let Some(text) = &header.text {
        written["text"] = text.as_str().into();
    }
    if let Some(example) = &header.example {
        let name = if header.format == "text" { "header_text" } else { "header_handle" };
        written["example"] = json!({ name: [example] });
    }
    written
}

fn body_of(body: &TemplateBody) -> Value {
    let mut written = json!({ "type": "BODY", "text": body.text });
    if !body.examples.is_empty() {
        written["example"] = json!({ "body_text": [body.examples] });
    }
    written
}

fn button_of(button: &TemplateButton) -> Value {
    let mut written = json!({ "type": button.kind.to_ascii_uppercase() });
    let texts = [("text", &button.text), ("url", &button.url)];
    let texts = texts.into_iter().chain([("phone_number", &button.phone_number)]);
    for (name, text) in texts {
        if let Some(text) = text {
            written[name] = text.as_str().into();
        }
    }
    if let Some(example) = &button.example {
        // A code is a text of its own; addresses are a list.
        let is_code = button.kind == "copy_code";
        written["example"] = if is_code { json!(example) } else { json!([example]) };
    }
    written
}

/// Components as Meta lists them.
pub(super) fn read(listed: &[Value]) -> TemplateComponents {
    let mut read = TemplateComponents::default();
    for part in listed {
        match word(&part["type"]).as_str() {
            "header" => read.header = Some(read_header(part)),
            "body" => read.body = read_body(part),
            "footer" => read.footer = text(&part["text"]),
            "buttons" => {
                let buttons = part["buttons"].as_array();
                read.buttons = buttons.into_iter().flatten().map(read_button).collect();
            }
            _ => {}
        }
    }
    read
}

fn read_header(part: &Value) -> TemplateHeader {
    let example = &part["example"];
    TemplateHeader {
        format: word(&part["format"]),
        text: text(&part["text"]),
        example: text(&example["header_text"][0]).or_else(|| text(&example["header_handle"][0])),
    }
}

fn read_body(part: &Value) -> TemplateBody {
    let examples = part["example"]["body_text"][0].as_array();
    TemplateBody {
        text: text(&part["text"]).unwrap_or_default(),
        examples: examples.into_iter().flatten().filter_map(text).collect(),
    }
}

fn read_button(button: &Value) -> TemplateButton {
    TemplateButton {
        kind: word(&button["type"]),
        text: text(&button["text"]),
        url: text(&button["url"]),
        phone_number: text(&button["phone_number"]),
        example: text(&button["example"]).or_else(|| text(&button["example"][0])),
    }
}

/// A text as it can be stored.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(|text| domain::storable::storable(text.to_owned()))
}

/// A word of Meta's in small letters; nothing where it is none.
fn word(value: &Value) -> String {
    text(value).unwrap_or_default().to_ascii_lowercase()
}
