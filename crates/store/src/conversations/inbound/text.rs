//! A text that came in, what it asks for and who it is from, and what is known of its thread.

use domain::{
    address::Address,
    automatic::AutomaticAnswer,
    ids::{ContactId, ConversationId, InboxId, SenderId, TenantId},
    message::class::Channel,
    sender_code::SenderCode,
};
use jiff::Timestamp;
use sqlx::types::Uuid;

use crate::recipients::consent::ConsentMethod;

/// What a text asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The person wants no more messages.
    OptOut,
    /// The person wants messages again.
    OptIn,
    /// The person asks who this is, and how to stop it.
    Help,
    /// Something else: a conversation.
    Text,
    /// A sign that a phone puts on a message: nothing is asked, and no conversation opens.
    Reaction,
    /// What a machine answers: likewise, and it is never answered.
    Automatic,
}

impl Meaning {
    /// The name in rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptIn => "opt_in",
            Self::Help => "help",
            Self::Text => "text",
            Self::Reaction => "reaction",
            Self::Automatic => "automatic",
        }
    }

    /// Whether a person has said something: it opens their conversation for a day.
    pub(super) fn is_said(self) -> bool {
        match self {
            Self::OptOut | Self::OptIn | Self::Help | Self::Text => true,
            Self::Reaction | Self::Automatic => false,
        }
    }
}

/// Who a text is from.
#[derive(Debug, Clone)]
pub enum Writer {
    /// A person, who can be answered.
    Person {
        /// The address that they wrote from.
        address: Address,
        /// The number's country, ISO 3166; `ZZ` where it is not known.
        country: String,
    },
    /// A machine: no contact is made of it, and it is never answered.
    Code(SenderCode),
}

impl Writer {
    /// What the contact's id is made of.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person { address, .. } => address.as_str(),
            Self::Code(code) => code.as_str(),
        }
    }
}

/// One text as it is stored.
#[derive(Debug, Clone)]
pub struct NewText {
    /// Whose number was texted.
    pub tenant: TenantId,
    /// Its id, made from the account and the carrier's id of the text.
    pub id: Uuid,
    /// The thread that it belongs to; until [`super::receive`] has found out, that of the contact
    /// with the sender alone.
    pub conversation: ConversationId,
    /// The contact that wrote it, or would have if it were a person.
    pub contact: ContactId,
    /// Who wrote it.
    pub writer: Writer,
    /// The channel that it came by: opt-outs and open conversations are kept by channel.
    pub channel: Channel,
    /// The sender that was texted.
    pub sender: SenderId,
    /// The number that was texted, as the carrier writes it.
    pub to: String,
    /// Whether that number is a sender of the tenant. [`super::receive`] finds it out.
    pub is_to_sender: bool,
    /// The senders that the contact writes to as one: that sender, or the pool that
    /// [`super::receive`] finds it in.
    pub group: Uuid,
    /// What they wrote.
    pub body: String,
    /// What it asks for.
    pub meaning: Meaning,
    /// How an opt-out or opt-in was said: by a keyword or in other words.
    pub method: ConsentMethod,
    /// The lexicon's rule that matched.
    pub rule: Option<String>,
    /// Business time of arrival.
    pub received_at: Timestamp,
}

impl NewText {
    /// The address of the person who wrote it; none for a machine.
    pub fn address(&self) -> Option<&Address> {
        match &self.writer {
            Writer::Person { address, .. } => Some(address),
            Writer::Code(_) => None,
        }
    }

    /// Whether it stands in a conversation that people look at: a sign on a message or what a
    /// machine answers for a person moves none, and no conversation is begun by a guess at whose
    /// number was meant.
    pub(in crate::conversations) fn is_shown(&self) -> bool {
        let is_said = match self.writer {
            Writer::Person { .. } => self.meaning.is_said(),
            Writer::Code(_) => true,
        };
        self.is_to_sender && is_said
    }

    /// Whether a person is to read it: stops, starts and calls for help are answered by
    /// themselves, unless what was said may mean something else.
    pub(in crate::conversations) fn is_for_people(&self) -> bool {
        let is_text = match self.meaning {
            Meaning::Text | Meaning::Automatic => true,
            Meaning::OptOut | Meaning::OptIn | Meaning::Help | Meaning::Reaction => false,
        };
        self.is_shown() && (is_text || self.is_doubtful())
    }

    /// Whether it was read as an opt-out by other words than a keyword: it may be none.
    pub(in crate::conversations) fn is_doubtful(&self) -> bool {
        self.meaning == Meaning::OptOut && self.method == ConsentMethod::Phrase
    }
}

/// What the store knows of a text's thread and person.
#[derive(Debug, Clone)]
pub struct Thread {
    /// The text that it is about.
    pub inbound: Uuid,
    /// Whose text it was when it was stored.
    pub contact: ContactId,
    /// The thread that it was stored in.
    pub conversation: ConversationId,
    /// Whether the number that was texted is a sender of the tenant: else nobody answers.
    pub is_to_sender: bool,
    /// That the text has opened its conversation.
    pub opens: Option<Opening>,
    /// Business time at which it first came: a repeat says the same.
    pub received_at: Timestamp,
    /// The automatic answer that it has had, or gets.
    pub answer: Option<AutomaticAnswer>,
    /// The thread's epoch when the text came.
    pub epoch: i32,
    /// The campaign whose message was the last one sent in this thread.
    pub campaign: Option<Uuid>,
    /// The person's language.
    pub language: Option<String>,
    /// The tenant that the person wrote to.
    pub company: Company,
    /// Whether this hand-over stored the text; false for a repeat.
    pub first: bool,
    /// The program that the text has left, where it has not left everything: see [`left`].
    pub program: Option<String>,
    /// Whether the text asks for messages and a later one has stopped them: see [`overtaken`].
    pub overtaken: bool,
}

/// That a text has opened its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The inbox in which it has opened.
    pub inbox: Option<InboxId>,
}

/// A tenant as it introduces itself to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// The tenant's name.
    pub name: String,
    /// How to reach a person: `help_contact` of the policy in force.
    pub help_contact: Option<String>,
}
