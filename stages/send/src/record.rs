//! Writes what was decided or answered. Both functions answer in the order of their rows; none for
//! a message that has moved on.

use std::time::Duration;

use domain::{
    billing,
    message::{passport::Stamp, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Scoped,
    capacity::release::{self, Reservation},
    messages::{
        conclude::{self, Conclusion},
        row::StoredMessage,
        sent::{self, Taken},
    },
    recipients::opt_out::{self, CarrierOptOut},
};
use uuid::Uuid;
use wire::Admitted;

use crate::{end::End, opt_out::told_by};

/// A text that the carrier took.
pub(crate) struct Accepted<'a> {
    /// The message's index in the batch.
    pub(crate) index: usize,
    pub(crate) message: &'a Admitted,
    /// The number of the call.
    pub(crate) attempt: i16,
    /// The carrier's id of the text.
    pub(crate) sid: &'a str,
    /// How many segments the carrier bills; none where it does not say.
    pub(crate) segments: Option<u16>,
}

/// Records ends, and marks the people who have opted out. A doubt
/// waits `first_look` for its first look at the carrier's list.
pub(crate) async fn ends(
    tx: &mut Scoped,
    now: Timestamp,
    first_look: Duration,
    ends: &[End<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let conclusions: Vec<Conclusion<'_>> =
        ends.iter().map(|end| end.conclusion(now, first_look)).collect();
    let concluded = conclude::conclude(tx, now, &conclusions).await?;
    let recorded =
        || ends.iter().zip(&concluded).filter_map(|(end, done)| Some((end, done.as_ref()?)));

    let opted_out: Vec<CarrierOptOut<'_>> = recorded()
        .filter_map(|(end, done)| told_by(end.message, end.carrier, end.opt_out?, done.changed_at))
        .collect();
    if !opted_out.is_empty() {
        opt_out::opt_out(tx, &opted_out).await?;
    }

    Ok(concluded)
}

/// Records what the carrier took, and corrects budgets to what it bills. A message whose claim is
/// no longer ours has moved on.
pub(crate) async fn accepted(
    tx: &mut Scoped,
    owner: Uuid,
    now: Timestamp,
    accepted: &[Accepted<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let stamp = Stamp::plain(StageName::Send.as_str(), now, MessageState::Sent.as_str());
    let taken: Vec<Taken<'_>> = accepted.iter().map(|one| one.taken(&stamp)).collect();
    let stored = sent::sent(tx, owner, now, &taken).await?;

    let corrected: Vec<Reservation<'_>> = accepted
        .iter()
        .zip(&stored)
        .zip(&taken)
        .filter_map(|((one, stored), taken)| {
            correction(one.message, taken.billed, stored.as_ref()?.1?)
        })
        .collect();
    if !corrected.is_empty() {
        release::release(tx, now, &corrected).await?;
    }

    Ok(stored.into_iter().map(|stored| Some(stored?.0)).collect())
}

/// Budgets hold what is billed: the difference to the estimate goes back, or is taken too. What a
/// receipt has settled before the answer was recorded is corrected by who recorded that.
fn correction<'a>(
    message: &'a Admitted,
    billed: Option<(u16, Micros)>,
    reserved_at: Timestamp,
) -> Option<Reservation<'a>> {
    let cost = billing::correction(message.message.cost, billed?.1)?;

    let head = &message.message.head;
    Some(Reservation {
        tenant: &head.tenant,
        class: head.class,
        campaign: head.campaign,
        sender: message.route.sender,
        reserved_at: Some(reserved_at),
        segments: message.message.segments,
        claimed: true,
        cost,
        unsent: None,
        over: true,
    })
}

// === impl Accepted ===

impl<'a> Accepted<'a> {
    fn taken(&self, stamp: &'a Stamp) -> Taken<'a> {
        let message = &self.message.message;
        Taken {
            tenant: &message.head.tenant,
            message: message.head.id,
            attempt: self.attempt,
            sid: self.sid,
            billed: billing::billed(message.segments, message.cost, self.segments),
            passport: &message.passport,
            stamp,
        }
    }
}
