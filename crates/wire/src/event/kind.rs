//! The types of events, in one list: each is two tokens of a subject, `<entity>.<what>`.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($name:ident $text:literal)*) => {
        /// The type of an event, also the last two tokens of its subject.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $(#[doc = concat!("The event `", $text, "`.")] #[serde(rename = $text)] $name,)*
        }

        impl EventKind {
            /// Every type, in the order of `subjects.md`.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The type as `<entity>.<what>`: in the payload, and as the end of the subject.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    MessageAccepted "message.accepted"
    MessageRejected "message.rejected"
    MessageBlocked "message.blocked"
    MessageDeferred "message.deferred"
    MessageHeld "message.held"
    MessageSent "message.sent"
    MessageDelivered "message.delivered"
    MessageRead "message.read"
    MessageFailed "message.failed"
    MessageUnknown "message.unknown"
    MessageCancelled "message.cancelled"
    MessageExpired "message.expired"
    MessageReceived "message.received"
    ContactOptedOut "contact.opted_out"
    ContactOptedIn "contact.opted_in"
    ContactReviewed "contact.reviewed"
    ContactMerged "contact.merged"
    ContactUnmerged "contact.unmerged"
    CampaignStarted "campaign.started"
    CampaignPaused "campaign.paused"
    CampaignResumed "campaign.resumed"
    CampaignStopped "campaign.stopped"
    CampaignCompleted "campaign.completed"
    CampaignAudienceFixed "campaign.audience_fixed"
    InDoubtRaised "in_doubt.raised"
    BudgetWarning "budget.warning"
    BudgetExhausted "budget.exhausted"
    SenderQuarantined "sender.quarantined"
    SenderRecovered "sender.recovered"
    ConversationOpened "conversation.opened"
    ConversationReplied "conversation.replied"
    ConversationNoted "conversation.noted"
    ConversationRead "conversation.read"
    ConversationLabelled "conversation.labelled"
    ConversationAssigned "conversation.assigned"
    ConversationSnoozed "conversation.snoozed"
    ConversationClosed "conversation.closed"
    ConversationReopened "conversation.reopened"
    ConversationTakenOver "conversation.taken_over"
    ConversationHandedBack "conversation.handed_back"
    ConversationHandedOff "conversation.handed_off"
    CountsMoved "counts.moved"
}

domain::described_words! {
    EventKind, "The type of an event, also the last two tokens of its subject.";
}
