//! What a message holds, as the Cloud API writes it.

use domain::draft::{
    ButtonKind, ButtonValue, CarrierTemplate, FileKind, HeaderValue, ListRow, ReplyButton,
    RichContent,
};
use serde_json::{Value, json};

use crate::outbound::Outbound;

/// What is sent.
#[derive(Clone, Copy)]
pub enum MessageContent<'a> {
    /// A free text of at most 4,096 characters. Only within 24 hours of the person's last message.
    Text(&'a str),
    /// A template that Meta has approved: at any time.
    Template(&'a CarrierTemplate),
    /// A file that Meta fetches.
    Media {
        /// What kind of file it is.
        kind: FileKind,
        /// Where it is, by https.
        link: &'a str,
        /// What stands under it; not of audio and stickers.
        caption: Option<&'a str>,
        /// The name that the person sees; of documents alone.
        filename: Option<&'a str>,
    },
    /// A text with up to three buttons to answer with.
    Buttons {
        /// The text above them.
        body: &'a str,
        /// The buttons, one to three.
        buttons: &'a [ReplyButton],
    },
    /// A text with a list of up to ten rows to choose from.
    List {
        /// The text above them.
        body: &'a str,
        /// What opens the list, at most 20 characters.
        button: &'a str,
        /// The rows, one to ten.
        rows: &'a [ListRow],
    },
    /// A sign on a message of the person; an empty one takes it away.
    Reaction {
        /// The carrier's id of the message.
        message_id: &'a str,
        /// The sign, one emoji.
        emoji: &'a str,
    },
}

/// Who a message is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Recipient<'a> {
    /// A phone number, by its digits.
    Number(&'a str),
    /// The business-scoped user id (BSUID) of a person who keeps their number to themselves.
    User(&'a str),
}

impl<'a> Recipient<'a> {
    /// Reads an address: E.164, else an id.
    pub fn of(address: &'a str) -> Self {
        address.strip_prefix('+').map_or(Self::User(address), Self::Number)
    }
}

impl<'a> MessageContent<'a> {
    /// What a message in the form of all carriers holds. Media of which nothing is said are a file
    /// of the kind that the address speaks of.
    pub(super) fn of(outbound: &Outbound<'a>) -> Self {
        if let Some(template) = outbound.template {
            return Self::Template(template);
        }
        let (body, media) = (outbound.body, outbound.media.first());
        match (outbound.rich, media) {
            (Some(RichContent::File { kind, filename }), Some(link)) => {
                Self::file(*kind, link, body, filename.as_deref())
            }
            (Some(RichContent::Buttons { buttons }), _) => Self::Buttons { body, buttons },
            (Some(RichContent::List { button, rows }), _) => Self::List { body, button, rows },
            (Some(RichContent::Reaction { message_id, emoji }), _) => {
                Self::Reaction { message_id, emoji }
            }
            (None, Some(link)) => Self::file(FileKind::of_address(link), link, body, None),
            (Some(RichContent::File { .. }) | None, None) => Self::Text(body),
        }
    }

    fn file(kind: FileKind, link: &'a str, text: &'a str, filename: Option<&'a str>) -> Self {
        let caption = (kind.has_caption() && !text.is_empty()).then_some(text);
        Self::Media { kind, link, caption, filename }
    }

    /// The body of a call that sends it; `callback_data` comes back with every status.
    pub(super) fn json(&self, to: Recipient<'_>, callback_data: &str) -> Value {
        let (kind, object) = self.object();

        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": kind,
            "biz_opaque_callback_data": callback_data,
        });
        match to {
            Recipient::Number(digits) => body["to"] = digits.into(),
            Recipient::User(id) => body["recipient"] = id.into(),
        }
        body[kind] = object;
        body
    }

    /// The type, and the object of that name.
    fn object(&self) -> (&'static str, Value) {
        match self {
            Self::Text(body) => ("text", json!({ "body": body, "preview_url": false })),
            Self::Template(template) => ("template", of_template(template)),
            Self::Media { kind, link, caption, filename } => {
                let mut object = json!({ "link": link });
                if let Some(caption) = caption {
                    object["caption"] = (*caption).into();
                }
                if let Some(filename) = filename {
                    object["filename"] = (*filename).into();
                }
                (kind.as_str(), object)
            }

            Self::Buttons { body, buttons } => {
                let buttons: Vec<Value> = buttons.iter().map(of_button).collect();
                let action = json!({ "buttons": buttons });
                let text = json!({ "text": body });
                ("interactive", json!({ "type": "button", "body": text, "action": action }))
            }
            Self::List { body, button, rows } => {
                let rows: Vec<Value> = rows.iter().map(of_row).collect();
                let action = json!({ "button": button, "sections": [{ "rows": rows }] });
                let text = json!({ "text": body });
                ("interactive", json!({ "type": "list", "body": text, "action": action }))
            }

            Self::Reaction { message_id, emoji } => {
                ("reaction", json!({ "message_id": message_id, "emoji": emoji }))
            }
        }
    }
}

/// A template without values has no components at all.
fn of_template(template: &CarrierTemplate) -> Value {
    let mut object = json!({ "name": template.name, "language": { "code": template.language } });
    let mut components = Vec::new();
    if let Some(header) = &template.header {
        components.push(json!({ "type": "header", "parameters": [of_header(header)] }));
    }
    if !template.parameters.is_empty() {
        let text = |text: &String| json!({ "type": "text", "text": text });
        let parameters: Vec<Value> = template.parameters.iter().map(text).collect();
        components.push(json!({ "type": "body", "parameters": parameters }));
    }
    components.extend(template.buttons.iter().map(of_template_button));

    if !components.is_empty() {
        object["components"] = components.into();
    }
    object
}

fn of_header(header: &HeaderValue) -> Value {
    match header {
        HeaderValue::Text(text) => json!({ "type": "text", "text": text }),
        HeaderValue::Image(link) => json!({ "type": "image", "image": { "link": link } }),
        HeaderValue::Video(link) => json!({ "type": "video", "video": { "link": link } }),
        HeaderValue::Document(link) => json!({ "type": "document", "document": { "link": link } }),
    }
}

fn of_template_button(button: &ButtonValue) -> Value {
    let value = &button.value;
    let (kind, parameter) = match button.kind {
        ButtonKind::Url => ("url", json!({ "type": "text", "text": value })),
        ButtonKind::QuickReply => ("quick_reply", json!({ "type": "payload", "payload": value })),
        ButtonKind::CopyCode => {
            ("copy_code", json!({ "type": "coupon_code", "coupon_code": value }))
        }
    };
    json!({
        "type": "button", "sub_type": kind, "index": button.index.to_string(),
        "parameters": [parameter],
    })
}

fn of_button(button: &ReplyButton) -> Value {
    json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } })
}

fn of_row(row: &ListRow) -> Value {
    let mut object = json!({ "id": row.id, "title": row.title });
    if let Some(description) = &row.description {
        object["description"] = description.as_str().into();
    }
    object
}
