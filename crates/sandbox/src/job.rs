//! The pieces of work that are due later: receipts, answers of people, retries.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{delivery::Delivery, dice::Dice, ledger::Index, personas::Utterance, phone::Phone};

/// One piece of work.
pub(crate) enum Job {
    /// A text takes its next step.
    Step(NextStep),
    /// A person sends a text.
    Say(Reaction),
    /// A callback is made, for the first time or again.
    Post(Box<Delivery>),
}

/// A step of a text.
pub(crate) struct NextStep {
    pub(crate) index: Index,
    /// The ledger's generation that the index belongs to.
    pub(crate) generation: u32,
    pub(crate) dice: Dice,
    pub(crate) step: Step,
}

/// What happens to the text.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// A scheduled text whose time may have come.
    Release { send_at: Timestamp },
    /// A text of a service gets its sender.
    Queue,
    /// It goes to the phone's network.
    Send,
    /// The network says what became of it.
    End,
}

impl NextStep {
    /// Another step of the same text.
    pub(crate) fn then(&self, step: Step) -> Self {
        Self { index: self.index, generation: self.generation, dice: self.dice, step }
    }
}

/// A text that a person has decided to send, as a reaction to one that was delivered.
pub(crate) struct Reaction {
    pub(crate) from: Phone,
    pub(crate) to: Arc<str>,
    pub(crate) utterance: Utterance,
    /// The ledger's generation of the text that the person reacts to.
    pub(crate) generation: u32,
}
