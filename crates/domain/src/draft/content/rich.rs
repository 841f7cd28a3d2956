//! What a channel with rich messages carries beside plain texts, as WhatsApp does: a file of a
//! kind, a question with buttons or a list to answer from, and a reaction to a message.
//!
//! The limits are those of Meta's Cloud API ("Messages", 2026).

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{invisible::is_blank, storable::is_storable};

/// The longest text of a question and the longest caption of a file, in characters.
pub const MAX_RICH_TEXT: usize = 1_024;

/// The most buttons of a question.
const MAX_BUTTONS: usize = 3;

/// The most rows of a list.
const MAX_ROWS: usize = 10;

/// The longest title of a button, in characters; of what opens a list, likewise.
const MAX_BUTTON_TITLE: usize = 20;

/// The longest title of a row, in characters.
const MAX_ROW_TITLE: usize = 24;

/// The longest description of a row, in characters.
const MAX_ROW_DESCRIPTION: usize = 72;

/// The longest id of a button or a row, in characters: what rows may have, buttons may have 256.
const MAX_CHOICE_ID: usize = 200;

/// The longest name of a file, in characters.
const MAX_FILENAME: usize = 240;

/// The longest emoji, in code points: families and flags are made of many.
const MAX_EMOJI: usize = 16;

/// The longest id of a message at a carrier, in bytes.
const MAX_MESSAGE_ID: usize = 255;

/// What goes with a message's text on such a channel. Made by its constructors alone, so that what
/// is sent is what the carrier takes. `Debug` hides what people read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RichContent {
    /// The message's media are a file of this kind; its text is the caption.
    File {
        /// What kind of file it is.
        kind: FileKind,
        /// The name that the person sees; of documents alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
    },
    /// The message's text is a question with buttons to answer with.
    Buttons {
        /// The buttons, one to three.
        buttons: Vec<ReplyButton>,
    },
    /// The message's text is a question with a list to choose from.
    List {
        /// What opens the list.
        button: String,
        /// The rows, one to ten.
        rows: Vec<ListRow>,
    },
    /// A sign on a message of the person; the message's text is the same sign.
    Reaction {
        /// The carrier's id of the person's message.
        message_id: String,
        /// One emoji, which may be made of several code points.
        emoji: String,
    },
}

/// A button that a person answers with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyButton {
    /// What comes back when it is pressed.
    pub id: String,
    /// What the person reads, and says by it.
    pub title: String,
}

/// A row of a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    /// What comes back when it is chosen.
    pub id: String,
    /// What the person reads, and says by it.
    pub title: String,
    /// What stands under the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A kind of file, as WhatsApp shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// JPEG or PNG.
    Image,
    /// MP4 or 3GPP.
    Video,
    /// AAC, AMR, MP3, MP4 or Ogg; it has no caption.
    Audio,
    /// A file of any type.
    Document,
    /// WebP, still or moving; it has no caption.
    Sticker,
}

/// Why there is no such content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BadRichContent {
    /// Where it is wrong, below the content's own field: `buttons[1].title`.
    pub field: String,
    /// What would be right.
    pub detail: &'static str,
}

const CHOICE_ID: &str = "1 to 200 characters, another one for each";
const BUTTON_TITLE: &str = "1 to 20 characters that say something, another one for each";

// === impl RichContent ===

impl RichContent {
    /// A file.
    ///
    /// # Errors
    /// What is wrong with its name: documents alone have one.
    pub fn file(kind: FileKind, filename: Option<&str>) -> Result<Self, Vec<BadRichContent>> {
        let mut faults = Faults::default();
        match filename {
            Some(_) if kind != FileKind::Document => {
                faults.add("filename", "documents alone have a name");
            }
            Some(name) => {
                let fits = is_text(name, MAX_FILENAME);
                faults.check(fits, "filename", "1 to 240 characters that can be sent");
            }
            None => {}
        }
        faults.or(Self::File { kind, filename: filename.map(str::to_owned) })
    }

    /// A question with buttons.
    ///
    /// # Errors
    /// All that is wrong, by field. Of more buttons than there may be none is looked at.
    pub fn buttons(buttons: Vec<ReplyButton>) -> Result<Self, Vec<BadRichContent>> {
        let mut faults = Faults::default();
        if !(1..=MAX_BUTTONS).contains(&buttons.len()) {
            faults.add("buttons", "1 to 3 buttons");
            return faults.or(Self::Buttons { buttons });
        }

        let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
        for (index, ReplyButton { id, title }) in buttons.iter().enumerate() {
            let is_id = is_text(id, MAX_CHOICE_ID) && ids.insert(id);
            faults.check(is_id, &format!("buttons[{index}].id"), CHOICE_ID);
            let is_title = is_text(title, MAX_BUTTON_TITLE) && titles.insert(title);
            faults.check(is_title, &format!("buttons[{index}].title"), BUTTON_TITLE);
        }
        faults.or(Self::Buttons { buttons })
    }

    /// A question with a list.
    ///
    /// # Errors
    /// All that is wrong, by field. Of more rows than there may be none is looked at.
    pub fn list(button: &str, rows: Vec<ListRow>) -> Result<Self, Vec<BadRichContent>> {
        let mut faults = Faults::default();
        let opens = is_text(button, MAX_BUTTON_TITLE);
        faults.check(opens, "list.button", "1 to 20 characters that say something");
        let button = button.to_owned();
        if !(1..=MAX_ROWS).contains(&rows.len()) {
            faults.add("list.rows", "1 to 10 rows");
            return faults.or(Self::List { button, rows });
        }

        let mut ids = HashSet::new();
        for (index, ListRow { id, title, description }) in rows.iter().enumerate() {
            let field = |name: &str| format!("list.rows[{index}].{name}");
            let is_id = is_text(id, MAX_CHOICE_ID) && ids.insert(id);
            faults.check(is_id, &field("id"), CHOICE_ID);
            let detail = "1 to 24 characters that say something";
            faults.check(is_text(title, MAX_ROW_TITLE), &field("title"), detail);
            let describes =
                description.as_ref().is_none_or(|text| is_text(text, MAX_ROW_DESCRIPTION));
            let detail = "1 to 72 characters that say something";
            faults.check(describes, &field("description"), detail);
        }
        faults.or(Self::List { button, rows })
    }

    /// A reaction.
    ///
    /// # Errors
    /// All that is wrong: the id, the emoji.
    pub fn reaction(message_id: &str, emoji: &str) -> Result<Self, Vec<BadRichContent>> {
        let mut faults = Faults::default();
        let is_id = (1..=MAX_MESSAGE_ID).contains(&message_id.len())
            && message_id.bytes().all(|byte| byte.is_ascii_graphic());
        faults.check(is_id, "message_id", "the carrier's id of the person's message");

        let is_emoji = is_text(emoji, MAX_EMOJI)
            && !emoji.is_ascii()
            && !emoji.chars().any(|c| c.is_whitespace() || c.is_alphabetic());
        faults.check(is_emoji, "emoji", "one emoji");
        faults.or(Self::Reaction { message_id: message_id.to_owned(), emoji: emoji.to_owned() })
    }
}

/// All that is wrong with a content.
#[derive(Default)]
struct Faults(Vec<BadRichContent>);

impl Faults {
    fn add(&mut self, field: &str, detail: &'static str) {
        self.0.push(BadRichContent { field: field.to_owned(), detail });
    }

    fn check(&mut self, fine: bool, field: &str, detail: &'static str) {
        if !fine {
            self.add(field, detail);
        }
    }

    /// The content, where nothing is wrong with it.
    fn or(self, content: RichContent) -> Result<RichContent, Vec<BadRichContent>> {
        if self.0.is_empty() { Ok(content) } else { Err(self.0) }
    }
}

/// Whether a text says something, in so many characters at most, and can be sent.
fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest
        && is_storable(text)
        && !is_blank(text)
        && !text.contains(char::is_control)
}

impl fmt::Debug for RichContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { kind, .. } => write!(f, "File({kind:?})"),
            Self::Buttons { buttons } => write!(f, "Buttons({})", buttons.len()),
            Self::List { rows, .. } => write!(f, "List({})", rows.len()),
            Self::Reaction { message_id, .. } => write!(f, "Reaction({message_id})"),
        }
    }
}

// === impl FileKind ===

crate::described_words! {
    FileKind, "What kind of file media are to WhatsApp: an `image` is JPEG or PNG, a `video` MP4 \
        or 3GPP, `audio` AAC, AMR, MP3, MP4 or Ogg, a `sticker` WebP, a `document` of any type.";
}

impl FileKind {
    /// Every kind that there is.
    pub const ALL: [Self; 5] =
        [Self::Image, Self::Video, Self::Audio, Self::Document, Self::Sticker];

    /// The name on the wire and in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind that an address speaks of by the end of its path; a document where it speaks of
    /// none that the others take.
    pub fn of_address(url: &str) -> Self {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let (_, end) = name.rsplit_once('.').unwrap_or_default();
        match end.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "png" => Self::Image,
            "mp4" | "3gp" => Self::Video,
            "aac" | "amr" | "mp3" | "m4a" | "ogg" | "opus" => Self::Audio,
            "webp" => Self::Sticker,
            _ => Self::Document,
        }
    }

    /// Whether a text may stand under it.
    pub fn has_caption(self) -> bool {
        match self {
            Self::Image | Self::Video | Self::Document => true,
            Self::Audio | Self::Sticker => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(id: &str, title: &str) -> ReplyButton {
        ReplyButton { id: id.to_owned(), title: title.to_owned() }
    }

    fn row(id: &str, title: &str, description: Option<&str>) -> ListRow {
        let description = description.map(str::to_owned);
        ListRow { id: id.to_owned(), title: title.to_owned(), description }
    }

    /// The fields that are wrong.
    fn field(made: Result<RichContent, Vec<BadRichContent>>) -> String {
        let faults = made.expect_err("it is wrong");
        faults.into_iter().map(|fault| fault.field).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_its_field() {
        let wrong = vec![button("", "Yes"), button("n", "Yes"), button("m", " ")];
        let fields = "buttons[0].id buttons[1].title buttons[2].title";
        assert_eq!(field(RichContent::buttons(wrong)), fields);

        let wrong = vec![row("1", " ", Some("")), row("1", "Monday", None)];
        let fields = "list.button list.rows[0].title list.rows[0].description list.rows[1].id";
        assert_eq!(field(RichContent::list("", wrong)), fields);
        assert_eq!(field(RichContent::reaction("", "ok")), "message_id emoji");
    }

    #[test]
    fn a_question_has_one_to_three_buttons_that_differ() {
        let made = RichContent::buttons(vec![button("y", "Yes"), button("n", "No")]);
        assert!(made.is_ok());
        assert_eq!(field(RichContent::buttons(vec![])), "buttons");
        let four = (0..4).map(|n| button(&n.to_string(), &n.to_string())).collect();
        assert_eq!(field(RichContent::buttons(four)), "buttons");
        for (second, wrong) in [
            (button("y", "No"), "buttons[1].id"),
            (button("", "No"), "buttons[1].id"),
            (button(&"x".repeat(201), "No"), "buttons[1].id"),
            (button("n", "Yes"), "buttons[1].title"),
            (button("n", " "), "buttons[1].title"),
            (button("n", &"x".repeat(21)), "buttons[1].title"),
            (button("n", "N\no"), "buttons[1].title"),
        ] {
            assert_eq!(field(RichContent::buttons(vec![button("y", "Yes"), second])), wrong);
        }
    }

    #[test]
    fn a_list_has_one_to_ten_rows_that_differ() {
        let made = RichContent::list("Days", vec![row("1", "Monday", Some("Afternoon"))]);
        assert!(made.is_ok());
        assert_eq!(field(RichContent::list("", vec![row("1", "Monday", None)])), "list.button");
        assert_eq!(field(RichContent::list("Days", vec![])), "list.rows");
        let eleven = (0..11).map(|n| row(&n.to_string(), "Day", None)).collect();
        assert_eq!(field(RichContent::list("Days", eleven)), "list.rows");
        for (second, wrong) in [
            (row("1", "Tuesday", None), "list.rows[1].id"),
            (row("2", &"x".repeat(25), None), "list.rows[1].title"),
            (row("2", "Tuesday", Some("")), "list.rows[1].description"),
            (row("2", "Tuesday", Some(&"x".repeat(73))), "list.rows[1].description"),
        ] {
            let rows = vec![row("1", "Monday", None), second];
            assert_eq!(field(RichContent::list("Days", rows)), wrong);
        }
    }

    #[test]
    fn a_reaction_is_one_emoji_on_a_message_of_the_carriers() {
        for emoji in ["👍", "❤\u{fe0f}", "👨\u{200d}👩\u{200d}👧", "1\u{fe0f}\u{20e3}"] {
            assert!(RichContent::reaction("wamid.HBgL", emoji).is_ok(), "{emoji}");
        }
        for emoji in ["", "ok", "é", "👍 👍", ":)"] {
            assert_eq!(field(RichContent::reaction("wamid.HBgL", emoji)), "emoji", "{emoji}");
        }
        assert_eq!(field(RichContent::reaction("", "👍")), "message_id");
        assert_eq!(field(RichContent::reaction("a b", "👍")), "message_id");
    }

    #[test]
    fn documents_alone_have_a_name() {
        assert!(RichContent::file(FileKind::Document, Some("bill.pdf")).is_ok());
        assert!(RichContent::file(FileKind::Image, None).is_ok());
        assert_eq!(field(RichContent::file(FileKind::Image, Some("a.png"))), "filename");
        assert_eq!(field(RichContent::file(FileKind::Document, Some(" "))), "filename");
    }

    #[test]
    fn an_address_speaks_of_its_file_by_its_end() {
        for (url, kind) in [
            ("https://x.test/a.JPG?size=2", FileKind::Image),
            ("https://x.test/a.mp4#t=1", FileKind::Video),
            ("https://x.test/a.ogg", FileKind::Audio),
            ("https://x.test/a.webp", FileKind::Sticker),
            ("https://x.test/a.pdf", FileKind::Document),
            ("https://x.jpg/download", FileKind::Document),
        ] {
            assert_eq!(FileKind::of_address(url), kind, "{url}");
        }
    }
}
