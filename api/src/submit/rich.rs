//! What goes with a text on WhatsApp, as a caller writes it: the kind of file that its media are,
//! buttons or a list to answer with, or a reaction instead of a text.

use std::borrow::Cow;

use domain::{
    draft::{
        BadRichContent, Content, FileKind, ListRow, MAX_RICH_TEXT, ReplyButton, RichContent,
        fits_in,
    },
    ids::MediaId,
    message::class::{Channel, MessageClass},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::content::{Given, content};
use crate::{fields, http::Errors};

/// What a caller says of it.
pub(super) struct GivenRich<'a> {
    pub(super) media_kind: Option<Cow<'a, str>>,
    pub(super) media_filename: Option<Cow<'a, str>>,
    pub(super) interactive: Option<InteractiveRef>,
    pub(super) reaction: Option<ReactionRef>,
}

/// What a person may answer a message with: buttons, or a list to choose from.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageInteractive)]
#[serde(deny_unknown_fields)]
pub(super) struct InteractiveRef {
    /// One to three buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 3)]
    buttons: Vec<ButtonRef>,
    /// Instead of buttons: a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<ListRef>,
}

/// A button that the person answers with.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageButton)]
#[serde(deny_unknown_fields)]
struct ButtonRef {
    /// What comes back when it is pressed; another one for each button.
    #[schema(min_length = 1, max_length = 200, example = "confirm")]
    id: String,
    /// What the person reads, and says by it; another one for each button.
    #[schema(min_length = 1, max_length = 20, example = "Confirm")]
    title: String,
}

/// A list that the person chooses from.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageList)]
#[serde(deny_unknown_fields)]
struct ListRef {
    /// What opens the list.
    #[schema(min_length = 1, max_length = 20, example = "Days")]
    button: String,
    /// One to ten rows.
    #[schema(min_items = 1, max_items = 10)]
    rows: Vec<RowRef>,
}

/// A row of a list.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageListRow)]
#[serde(deny_unknown_fields)]
struct RowRef {
    /// What comes back when it is chosen; another one for each row.
    #[schema(min_length = 1, max_length = 200, example = "monday")]
    id: String,
    /// What the person reads, and says by it.
    #[schema(min_length = 1, max_length = 24, example = "Monday")]
    title: String,
    /// What stands under the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 72)]
    description: Option<String>,
}

/// A sign on a message of the person.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageReaction)]
#[serde(deny_unknown_fields)]
pub(super) struct ReactionRef {
    /// The carrier's id of the person's message: `carrier_id` of its event `message.received`.
    #[schema(min_length = 1, max_length = 255, example = "wamid.HBgLMTIxMjU1NTAxMjMVAgASGBQz")]
    message_id: String,
    /// One emoji, which may be made of several code points.
    #[schema(min_length = 1, max_length = 16, example = "👍")]
    emoji: String,
}

/// What a message says: its content, and what goes with it on a channel with rich messages.
type Said = (Content, Option<RichContent>);

/// Reads what a message says.
pub(super) fn said(
    given: Given<'_>,
    rich: GivenRich<'_>,
    class: Option<MessageClass>,
    channel: Channel,
    errors: &mut Errors,
) -> Option<Said> {
    if channel == Channel::Sms {
        refuse_on_sms(&rich, errors);
        return Some((content(given, class, channel, errors)?, None));
    }

    let class = class.unwrap_or(MessageClass::Transactional);
    let GivenRich { media_kind, media_filename, interactive, reaction } = rich;
    if given.media.is_empty() {
        let of_media = [("media_kind", &media_kind), ("media_filename", &media_filename)];
        for (field, value) in of_media {
            errors.check(value.is_none(), field, "unexpected", "it is said of media");
        }
    }

    match (interactive, reaction) {
        (None, None) if given.media.is_empty() => {
            Some((content(given, Some(class), channel, errors)?, None))
        }
        (None, None) => file(given, media_kind, media_filename.as_deref(), class, errors),
        (Some(interactive), None) => question(given, interactive, class, errors),
        (None, Some(reaction)) => sign(&given, &reaction, class, errors),
        (Some(_), Some(_)) => {
            errors.add("reaction", "ambiguous", "give interactive or reaction, not both");
            None
        }
    }
}

/// SMS has none of it.
fn refuse_on_sms(rich: &GivenRich<'_>, errors: &mut Errors) {
    for (field, is_given) in [
        ("media_kind", rich.media_kind.is_some()),
        ("media_filename", rich.media_filename.is_some()),
        ("interactive", rich.interactive.is_some()),
        ("reaction", rich.reaction.is_some()),
    ] {
        errors.check(!is_given, field, "unsupported", "SMS has none: use the channel whatsapp");
    }
}

/// A file, with or without a caption.
fn file(
    given: Given<'_>,
    kind: Option<Cow<'_, str>>,
    filename: Option<&str>,
    class: MessageClass,
    errors: &mut Errors,
) -> Option<Said> {
    let is_alone = given.template.is_none() && given.carrier_template.is_none();
    errors.check(is_alone, "media", "unexpected", "media go with a body");
    let detail = "WhatsApp carries one file in a message: send the others by messages of their own";
    errors.check(given.media.len() == 1, "media", "too_many", detail);

    let kind = kind_of(kind.as_deref(), given.media.first()?, errors)?;
    let text = given.body.unwrap_or_default().into_owned();
    if kind.has_caption() {
        if !text.is_empty() {
            caption(&text, class, errors);
        }
    } else {
        let detail = "audio and stickers have no caption: send the text by a message of its own";
        errors.check(text.is_empty(), "body", "unsupported", detail);
        let detail = "marketing says how to opt out, which audio and stickers have no place for";
        errors.check(!class.is_marketing(), "media_kind", "unsupported", detail);
    }

    let rich = made(RichContent::file(kind, filename), "media_", errors)?;
    Some((Content::Media { text, media: given.media }, Some(rich)))
}

/// The kind that is said, else the one that the address speaks of.
fn kind_of(said: Option<&str>, media: &str, errors: &mut Errors) -> Option<FileKind> {
    let kinds = "image, video, audio, document or sticker";
    match said {
        Some(name) => {
            let kind = FileKind::from_name(name);
            errors.check(kind.is_some(), "media_kind", "unknown", kinds);
            kind
        }
        None if media.parse::<MediaId>().is_ok() => {
            let detail = format!("say what kind of file it is: {kinds}");
            errors.add("media_kind", "required", detail);
            None
        }
        None => Some(FileKind::of_address(media)),
    }
}

/// A text with buttons or a list.
fn question(
    given: Given<'_>,
    interactive: InteractiveRef,
    class: MessageClass,
    errors: &mut Errors,
) -> Option<Said> {
    let is_alone =
        given.media.is_empty() && given.template.is_none() && given.carrier_template.is_none();
    errors.check(is_alone, "interactive", "unexpected", "buttons and lists go with a body alone");
    let body = fields::required("body", given.body.as_deref(), errors);
    if let Some(body) = body {
        caption(body, class, errors);
    }

    let InteractiveRef { buttons, list } = interactive;
    let rich = match (buttons.is_empty(), list) {
        (false, None) => {
            let button = |ButtonRef { id, title }| ReplyButton { id, title };
            RichContent::buttons(buttons.into_iter().map(button).collect())
        }
        (true, Some(ListRef { button, rows })) => {
            let row = |RowRef { id, title, description }| ListRow { id, title, description };
            RichContent::list(&button, rows.into_iter().map(row).collect())
        }
        (true, None) | (false, Some(_)) => {
            errors.add("interactive", "ambiguous", "give buttons or a list");
            return None;
        }
    };
    let rich = made(rich, "interactive.", errors)?;
    Some((Content::Body(body?.to_owned()), Some(rich)))
}

/// A reaction: its text is its sign.
fn sign(
    given: &Given<'_>,
    reaction: &ReactionRef,
    class: MessageClass,
    errors: &mut Errors,
) -> Option<Said> {
    let is_alone = given.body.is_none()
        && given.media.is_empty()
        && given.template.is_none()
        && given.carrier_template.is_none();
    errors.check(is_alone, "reaction", "unexpected", "a reaction goes alone, without a body");
    let detail = "marketing says how to opt out, which a reaction has no place for";
    errors.check(!class.is_marketing(), "reaction", "unsupported", detail);

    let rich = RichContent::reaction(&reaction.message_id, &reaction.emoji);
    let rich = made(rich, "reaction.", errors)?;
    Some((Content::Body(reaction.emoji.clone()), Some(rich)))
}

/// The text of a question, or under a file.
fn caption(text: &str, class: MessageClass, errors: &mut Errors) {
    fields::long_body("body", text, class, errors);
    let detail =
        "at most 1024 characters with a file, buttons or a list, the opt-out line included";
    errors.check(fits_in(text, class, MAX_RICH_TEXT), "body", "too_long", detail);
}

/// What was made, or everywhere below `parent` where it is wrong.
fn made(
    made: Result<RichContent, Vec<BadRichContent>>,
    parent: &str,
    errors: &mut Errors,
) -> Option<RichContent> {
    made.map_err(|faults| {
        for BadRichContent { field, detail } in faults {
            errors.add(&format!("{parent}{field}"), "invalid", detail);
        }
    })
    .ok()
}
