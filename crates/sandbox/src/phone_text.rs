//! A text from a phone to a number of a carrier's customer, before any carrier has it.

use std::sync::Arc;

use crate::{
    kind::Kind,
    phone::Phone,
    twilio::keywords::{self, Keyword},
};

/// A text from a phone to a registered number.
pub(crate) struct PhoneText<'a> {
    pub(crate) from: Phone,
    pub(crate) to: &'a str,
    pub(crate) body: &'a str,
    /// How many pictures come with it.
    pub(crate) pictures: u8,
    /// What the person did instead of writing, on WhatsApp; the text is what they then say.
    pub(crate) gesture: Option<Gesture<'a>>,
    /// What Advanced Opt-Out says about it, when it is on.
    pub(crate) opt_out: Option<Keyword>,
    /// What a persona meant; without it the text itself is judged.
    pub(crate) kind: Option<Kind>,
}

/// What a person does with a message on WhatsApp instead of writing.
#[derive(Clone, Copy)]
pub(crate) enum Gesture<'a> {
    /// They press a button of this id.
    Button(&'a str),
    /// They choose the row of this id.
    Row(&'a str),
    /// They press a template's button with this payload.
    TemplateButton(&'a str),
    /// They put a sign on the message of this id.
    Reaction(&'a str),
}

/// What became of an inbound text.
pub(crate) struct Received {
    pub(crate) sid: String,
    /// Where it is delivered to; `None` when the number has no webhook.
    pub(crate) webhook: Option<Arc<str>>,
}

impl PhoneText<'_> {
    /// The kind that it is counted as, whichever carrier has it: what people mean by their words
    /// does not depend on that.
    pub(crate) fn counted_as(&self) -> Kind {
        let by_words = || keywords::kind(self.body, Keyword::of(self.body));
        self.kind.unwrap_or_else(by_words)
    }
}
