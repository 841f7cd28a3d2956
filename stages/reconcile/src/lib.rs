//! Reconcile: what carriers report becomes the state of messages. Never lower, in any order.
//!
//! | | |
//! |---|---|
//! | Consumes | `carrier.<carrier>.<account>.status` and `.mixed`; `dead.<stage>.<tenant>` |
//! | | ([`DeadLetterStage`]) |
//! | Emits | `events.<tenant>.message.sent`, `.delivered`, `.failed`, `.read`, `.cancelled`, |
//! | | `events.<tenant>.contact.opted_out`; [`InDoubtSweep`] also |
//! | | `events.<tenant>.message.deferred`, `.unknown`, and `in_doubt.raised` by the outbox |
//! | Reads | `messages`, `tenants`, `whatsapp_rates`; [`InDoubtSweep`] and [`ReceiptPoller`] also |
//! | | `senders`, `carrier_accounts`, `policies`, `contacts`; receipts without a reference |
//! | | `contact_addresses`, `senders`, `account_shares`; [`TemplateReader`] `template_syncs`, |
//! | | `carrier_accounts` |
//! | Writes | `messages`, `parked`, `standings`, `consents`, `counters`, `doubts`, `taken_sids`, |
//! | | `receipt_watches`, `unmatched_receipts`, `unsaid_events`, `free_service_messages`, |
//! | | `carrier_templates`, `template_syncs`, `numbers`; takes `cancel_marks`, `open_claims` |
//! | Calls | nobody; [`InDoubtSweep`] the carrier's list of texts, [`ReceiptPoller`] its record |
//! | | of a text, [`TemplateReader`] its list of templates, [`OpenNumbers`] its list of numbers, |
//! | | and has numbers taken back again |
//! | Never | lowers a state, sends, or gives the reservation of what a carrier took back: it is |
//! | | billed, delivered or not; takes a list or a record that it could not read for an answer |
//!
//! A receipt names its message by the reference in its address, so it settles a call in doubt, and
//! a call whose answer was lost. Receipts of one message that come together are folded here; a row
//! is locked, merged and written once per batch. A repeat says nothing, unless it is the receipt
//! that made the stored state: whoever recorded that may have died before saying it. A receipt
//! about a message that has no row is kept until there is one.
//!
//! Two stages and four sources: `receipts/` reads receipts, `in_doubt/` clears up calls whose
//! result is not known, `missing_receipts/` fetches receipts that do not come, `templates/` follows
//! the templates that carriers keep, `open_numbers` settles orders and releases of numbers, and
//! `dead_letters/` ends messages that no stage could handle.

mod dead_letters;
mod in_doubt;
mod missing_receipts;
mod open_numbers;
mod receipts;
mod templates;
mod under_way;

pub use crate::{
    dead_letters::DeadLetterStage,
    in_doubt::{InDoubtSweep, InDoubtSweepConfig},
    missing_receipts::{RECEIPT_FETCH, RECEIPT_HORIZON, ReceiptPoller, ReceiptPollerConfig},
    open_numbers::{OpenNumbers, OpenNumbersConfig},
    receipts::ReceiptStage,
    templates::TemplateReader,
};
