//! Writing down what was decided or answered, and saying it.

use std::time::Duration;

use carriers::Carrier;
use domain::{
    billing,
    gates::Gate,
    message::{class::MessageClass, passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::{Cause, Fault, Outcome, StageName};
use store::{
    Scoped,
    capacity::release::{self, Reservation},
    messages::{
        conclude::{self, Conclusion, NewDoubt, Waiting},
        row::StoredMessage,
        sent::{self, Taken},
    },
    recipients::opt_out::{self, CarrierOptOut},
};
use uuid::Uuid;
use wire::{Admitted, Enriched, Event, frame::Outgoing};

/// The end of a message's turn, to be recorded: see [`sent::Conclusion`].
pub(crate) struct End<'a> {
    pub(crate) index: usize,
    pub(crate) message: &'a Admitted,
    /// The claim it was decided under, and the number of the attempt.
    pub(crate) claim: (Option<Uuid>, i16),
    pub(crate) state: MessageState,
    pub(crate) gate: Option<Gate>,
    pub(crate) code: String,
    pub(crate) reason: String,
    pub(crate) due: Option<Timestamp>,
    pub(crate) wake: Option<String>,
    /// The carrier's code by which the person has opted out.
    pub(crate) opt_out: Option<u32>,
    /// The carrier of the sender, as far as this version knows it.
    pub(crate) carrier: Option<Carrier>,
    /// One word for metrics.
    pub(crate) label: &'static str,
}

/// A text that the carrier took.
pub(crate) struct Accepted<'a> {
    pub(crate) index: usize,
    pub(crate) message: &'a Admitted,
    pub(crate) attempt: i16,
    pub(crate) sid: &'a str,
    pub(crate) segments: Option<u16>,
}

/// Records ends, gives reservations back and marks opt-outs. A doubt waits `first_look` for its
/// first look at the carrier's list. Answers in the order of `ends`; none for a message that has
/// moved on.
pub(crate) async fn ends(
    tx: &mut Scoped,
    now: Timestamp,
    first_look: Duration,
    ends: &[End<'_>],
) -> Result<Vec<Option<Outcome>>, Fault> {
    let conclusions: Vec<Conclusion<'_>> =
        ends.iter().map(|end| end.conclusion(now, first_look)).collect();
    let concluded = conclude::conclude(tx, now, &conclusions).await?;
    let recorded =
        || ends.iter().zip(&concluded).filter_map(|(end, done)| Some((end, done.as_ref()?)));
    let freed: Vec<Reservation<'_>> = recorded()
        .filter_map(|(end, done)| {
            let head = &end.message.message.head;
            Reservation::whole(&done.message, done.reserved_at?, head.to.as_str(), head.channel)
        })
        .collect();
    if !freed.is_empty() {
        release::release(tx, now, &freed).await?;
    }
    let opted_out: Vec<CarrierOptOut<'_>> = recorded()
        .filter_map(|(end, done)| opt_out(end.message, end.opt_out?, done.message.changed_at))
        .collect();
    if !opted_out.is_empty() {
        opt_out::opt_out(tx, &opted_out).await?;
    }
    let outcome = |(end, done): (&End<'_>, Option<conclude::Concluded>)| {
        Some(outcome(end.message, &done?.message, end.carrier, Cause(end.label)))
    };
    Ok(ends.iter().zip(concluded).map(outcome).collect())
}

/// Records what the carrier took. Answers in the order of `accepted`; none for a message whose
/// claim is no longer ours.
pub(crate) async fn accepted(
    tx: &mut Scoped,
    owner: Uuid,
    now: Timestamp,
    accepted: &[Accepted<'_>],
) -> Result<Vec<Option<Outcome>>, Fault> {
    let stamp = Stamp::plain(StageName::Send.as_str(), now, MessageState::Sent.as_str());
    let taken: Vec<Taken<'_>> = accepted
        .iter()
        .map(|one| Taken {
            tenant: &one.message.message.head.tenant,
            message: one.message.message.head.id,
            attempt: one.attempt,
            sid: one.sid,
            billed: billing::billed(
                one.message.message.segments,
                one.message.message.cost,
                one.segments,
            ),
            passport: &one.message.message.passport,
            stamp: &stamp,
        })
        .collect();
    let stored = sent::sent(tx, owner, now, &taken).await?;
    let corrected: Vec<Reservation<'_>> = accepted
        .iter()
        .zip(&stored)
        .filter_map(|(one, done)| correction(one.message, done.as_ref()?))
        .collect();
    if !corrected.is_empty() {
        release::release(tx, now, &corrected).await?;
    }
    let outcome = |(one, done): (&Accepted<'_>, Option<(StoredMessage, _)>)| {
        Some(outcome(one.message, &done?.0, None, Cause("sent")))
    };
    Ok(accepted.iter().zip(stored).map(outcome).collect())
}

/// What a message's stored state makes of it here: a repeat says the same. The carrier tells which
/// of its codes are opt-outs.
pub(crate) fn outcome(
    message: &Admitted,
    stored: &StoredMessage,
    carrier: Option<Carrier>,
    cause: Cause,
) -> Outcome {
    let mut say: Vec<Outgoing> = stored.event().iter().map(Event::outgoing).collect();
    match stored.state {
        MessageState::Deferred | MessageState::Held => {
            Outcome::Park { due: stored.due, cause, say }
        }
        MessageState::Failed => {
            let code = stored.code.as_deref().and_then(|code| code.parse().ok());
            let code = code.zip(carrier).filter(|(code, carrier)| carrier.cause(*code).opt_out);
            let code = code.map(|(code, _)| code);
            let told = code.and_then(|code| opt_out(message, code, stored.changed_at));
            say.extend(told.map(|told| told.event().outgoing()));
            Outcome::Emit(say)
        }
        MessageState::Accepted
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read => Outcome::Emit(say),
    }
}

/// An opt-out confirmation that was refused because the person opted out tells nothing new.
fn opt_out(message: &Admitted, code: u32, at: Timestamp) -> Option<CarrierOptOut<'_>> {
    let head = &message.message.head;
    (head.class != MessageClass::Compliance).then(|| CarrierOptOut {
        tenant: &head.tenant,
        message: head.id,
        contact: message.message.contact,
        number: head.to.as_str(),
        channel: head.channel,
        code,
        at,
        by: StageName::Send.as_str(),
    })
}

/// Budgets hold what is billed: the difference to the estimate goes back, or is taken too.
fn correction<'a>(
    message: &'a Admitted,
    (stored, reserved_at): &(StoredMessage, Option<Timestamp>),
) -> Option<Reservation<'a>> {
    let cost = billing::correction(message.message.cost, stored.cost)?;
    let head = &message.message.head;
    Some(Reservation {
        tenant: &head.tenant,
        class: head.class,
        campaign: head.campaign,
        sender: message.route.sender,
        reserved_at: (*reserved_at)?,
        cost,
        unsent: None,
        over: true,
    })
}

// === impl End ===

impl<'a> End<'a> {
    fn conclusion(&self, now: Timestamp, first_look: Duration) -> Conclusion<'a> {
        let head = &self.message.message.head;
        let stamp = Stamp {
            gate: self.gate,
            code: Some(self.code.clone()),
            reason: Some(self.reason.clone()),
            until: self.due,
            policy_version: Some(self.message.route.policy_version),
            ..Stamp::plain(StageName::Send.as_str(), now, self.state.as_str())
        };
        Conclusion {
            tenant: &head.tenant,
            message: head.id,
            turn: head.turn,
            claim: self.claim,
            state: self.state,
            gate: self.gate,
            code: Some(self.code.clone()),
            due: self.due,
            passport: &self.message.message.passport,
            waiting: self.waiting(&stamp),
            doubt: self.doubt(first_look),
            stamp,
        }
    }

    /// What `reconcile` clears up, for a call whose result is not known.
    fn doubt(&self, first_look: Duration) -> Option<NewDoubt> {
        (self.state == MessageState::InDoubt).then(|| NewDoubt {
            account: self.message.route.account.clone(),
            first_look,
            payload: json(&self.message.message),
        })
    }

    /// The row that brings it back, for a message that waits.
    fn waiting(&self, stamp: &Stamp) -> Option<Waiting> {
        if !self.state.is_parked() {
            return None;
        }
        let mut payload = self.message.message.clone();
        payload.passport.stamp(stamp.clone());
        Some(Waiting {
            cause: format!("{}:{}", StageName::Send.as_str(), self.code),
            cause_key: self.wake.clone(),
            expires_at: payload.head.expires_at,
            lane: payload.head.class.lane(),
            payload: json(&payload),
        })
    }
}

fn json(message: &Enriched) -> String {
    serde_json::to_string(message).expect("plain data with string keys")
}
