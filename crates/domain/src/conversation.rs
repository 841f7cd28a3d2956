//! Conversations that people and an assistant share: who answers next, and what becomes of that
//! when somebody takes over, answers, or closes. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::class::Channel;

/// How long WhatsApp lets a business answer freely after a person's message: its customer service
/// window (Meta, "Messaging limits and windows" of the Cloud API). A tenant's policy may be
/// narrower, not wider.
const WHATSAPP_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How many labels a conversation has at most.
pub const MOST_LABELS: usize = 20;

/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 50;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 4_096;

/// Whether somebody is to look at a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// It is to be looked at.
    Open,
    /// It is to be looked at from an instant on, or when its person writes again.
    Snoozed,
    /// It is done, until its person writes again.
    Closed,
}

impl ConversationStatus {
    /// Every status that there is.
    pub const ALL: [Self; 3] = [Self::Open, Self::Snoozed, Self::Closed];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Who answers the next text of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationOwner {
    /// The assistant, where the tenant has one.
    Assistant,
    /// A person; the assistant is quiet.
    Person,
    /// Nobody yet: a person is to take it, and the assistant is quiet.
    Nobody,
}

impl ConversationOwner {
    /// Everybody who may answer.
    pub const ALL: [Self; 3] = [Self::Assistant, Self::Person, Self::Nobody];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Person => "person",
            Self::Nobody => "nobody",
        }
    }

    /// The owner of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.as_str() == name)
    }
}

/// Why a person is to look at a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// A text was read as an opt-out by other words than a keyword: it may be none.
    Review,
    /// The assistant has given it to people.
    Handoff,
}

impl Attention {
    /// Every reason that there is.
    pub const ALL: [Self; 2] = [Self::Review, Self::Handoff];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Handoff => "handoff",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attention| attention.as_str() == name)
    }
}

/// What somebody has done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A person answers from now on.
    TakenOver,
    /// The assistant answers from now on.
    HandedBack,
    /// The assistant has given it to people.
    HandedOff,
    /// A person was named to look after it, or nobody any more; or another inbox was.
    Assigned,
    /// It is looked at again later.
    Snoozed,
    /// It is done.
    Closed,
    /// It is to be looked at again.
    Reopened,
    /// Its labels have changed.
    Labelled,
}

impl Act {
    /// Everything that is done with conversations.
    pub const ALL: [Self; 8] = [
        Self::TakenOver,
        Self::HandedBack,
        Self::HandedOff,
        Self::Assigned,
        Self::Snoozed,
        Self::Closed,
        Self::Reopened,
        Self::Labelled,
    ];

    /// The name in rows, answers and, behind `conversation.`, of its event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakenOver => "taken_over",
            Self::HandedBack => "handed_back",
            Self::HandedOff => "handed_off",
            Self::Assigned => "assigned",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Labelled => "labelled",
        }
    }

    /// The act of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == name)
    }
}

crate::described_words! {
    ConversationStatus, "Whether somebody is to look at a conversation.";
    ConversationOwner, "Who answers the next text of a conversation.";
    Attention, "Why a person is to look at a conversation.";
    Act, "What somebody has done with a conversation.";
}

/// Who answers a conversation, and in which epoch: an answer that was begun in an earlier one is
/// thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// Who answers its next text.
    pub owner: ConversationOwner,
    /// The person who looks after it; only where a person owns it.
    pub assignee: Option<Uuid>,
    /// Rises with every take-over, hand-back, hand-off, assignment, answer of a person and opt-out,
    /// and where people close what was theirs.
    pub epoch: i32,
}

impl Ownership {
    /// Whether an answer that the assistant began in this epoch may still be sent.
    pub fn lets_assistant_answer(&self, begun_in: i32) -> bool {
        self.owner == ConversationOwner::Assistant && self.epoch == begun_in
    }

    /// A person answers from now on; none: somebody with an API key. What the assistant has begun
    /// is void, also where a person had the conversation already.
    pub fn take_over(&mut self, person: Option<Uuid>) {
        *self = Self {
            owner: ConversationOwner::Person,
            assignee: person.or(self.assignee),
            epoch: self.epoch + 1,
        };
    }

    /// The assistant answers from now on, beginning with the next text.
    pub fn hand_back(&mut self) {
        *self = Self { owner: ConversationOwner::Assistant, assignee: None, epoch: self.epoch + 1 };
    }

    /// The assistant gives it to people.
    pub fn hand_off(&mut self) {
        *self = Self { owner: ConversationOwner::Nobody, assignee: None, epoch: self.epoch + 1 };
    }

    /// It is done. Where people had it, what was written to them is theirs: whoever writes again is
    /// answered by the assistant, which reads what was written since.
    pub fn close(&mut self) {
        match self.owner {
            ConversationOwner::Assistant => {}
            ConversationOwner::Person | ConversationOwner::Nobody => self.epoch += 1,
        }
    }

    /// Names the person who looks after it, or nobody. What the assistant has begun is void.
    pub fn assign(&mut self, person: Option<Uuid>) {
        let owner = match person {
            Some(_) => ConversationOwner::Person,
            None => ConversationOwner::Nobody,
        };
        *self = Self { owner, assignee: person, epoch: self.epoch + 1 };
    }
}

/// Until when a contact who wrote last at an instant may be answered freely; `after` is how long
/// the tenant's policy lets conversations be open.
pub fn answerable_until(wrote_at: Timestamp, channel: Channel, after: SignedDuration) -> Timestamp {
    let after = match channel {
        Channel::Sms => after,
        Channel::Whatsapp => after.min(WHATSAPP_WINDOW),
    };
    wrote_at.saturating_add(after).unwrap_or(wrote_at)
}

/// The status at an instant: a snooze that has ended counts as open.
pub fn status_at(
    status: ConversationStatus,
    snoozed_until: Option<Timestamp>,
    now: Timestamp,
) -> ConversationStatus {
    match status {
        ConversationStatus::Snoozed if snoozed_until.is_none_or(|until| until <= now) => {
            ConversationStatus::Open
        }
        ConversationStatus::Open | ConversationStatus::Snoozed | ConversationStatus::Closed => {
            status
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: Uuid = Uuid::from_u128(7);

    fn of_assistant() -> Ownership {
        Ownership { owner: ConversationOwner::Assistant, assignee: None, epoch: 3 }
    }

    #[test]
    fn every_change_of_owner_voids_what_the_assistant_has_begun() {
        let changes: [fn(&mut Ownership); 4] = [
            |one| one.take_over(Some(PERSON)),
            Ownership::hand_back,
            Ownership::hand_off,
            |one| one.assign(None),
        ];
        for change in changes {
            let mut one = of_assistant();
            assert!(one.lets_assistant_answer(3));
            change(&mut one);
            assert!(!one.lets_assistant_answer(3), "{one:?}");
            assert_eq!(one.epoch, 4);
        }
    }

    #[test]
    fn the_assistant_answers_again_what_comes_after_a_hand_back() {
        let mut one = of_assistant();
        one.take_over(Some(PERSON));
        assert!(!one.lets_assistant_answer(one.epoch), "a person has it");
        one.hand_back();
        assert!(one.lets_assistant_answer(one.epoch));
        assert_eq!(one.assignee, None);
    }

    #[test]
    fn what_people_had_is_not_read_by_the_assistant_once_they_have_closed_it() {
        let mut one = of_assistant();
        one.close();
        assert_eq!(one, of_assistant(), "it may answer what it has begun");
        let changes: [fn(&mut Ownership); 2] = [|one| one.take_over(None), Ownership::hand_off];
        for change in changes {
            let mut one = of_assistant();
            change(&mut one);
            let epoch = one.epoch;
            one.close();
            assert_eq!(one.epoch, epoch + 1);
        }
    }

    #[test]
    fn a_key_that_takes_over_leaves_the_person_who_had_it() {
        let mut one = of_assistant();
        one.assign(Some(PERSON));
        one.take_over(None);
        assert_eq!((one.owner, one.assignee), (ConversationOwner::Person, Some(PERSON)));
        one.assign(None);
        assert_eq!((one.owner, one.assignee), (ConversationOwner::Nobody, None));
    }

    #[test]
    fn whatsapp_is_answered_for_a_day_at_most_and_less_where_the_policy_says_so() {
        let last = Timestamp::UNIX_EPOCH;
        let hours = |channel, hours| {
            let until = answerable_until(last, channel, SignedDuration::from_hours(hours));
            until.duration_since(last).as_hours()
        };
        assert_eq!(hours(Channel::Sms, 72), 72);
        assert_eq!(hours(Channel::Whatsapp, 72), 24);
        assert_eq!(hours(Channel::Whatsapp, 8), 8);
    }

    #[test]
    fn a_snooze_ends_at_its_instant() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let status = |now| status_at(ConversationStatus::Snoozed, Some(at(10)), now);
        assert_eq!(status(at(9)), ConversationStatus::Snoozed);
        assert_eq!(status(at(10)), ConversationStatus::Open);
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for one in ConversationStatus::ALL {
            assert_eq!(ConversationStatus::from_name(one.as_str()), Some(one));
        }
        for one in ConversationOwner::ALL {
            assert_eq!(ConversationOwner::from_name(one.as_str()), Some(one));
        }
        for one in Attention::ALL {
            assert_eq!(Attention::from_name(one.as_str()), Some(one));
        }
        for one in Act::ALL {
            assert_eq!(Act::from_name(one.as_str()), Some(one));
        }
    }
}
