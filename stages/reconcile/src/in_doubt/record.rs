//! Writes how doubts end: with a text that the carrier has, without one, or at their last date.

use carriers::MessageRecord;
use domain::{
    billing,
    ids::MessageId,
    message::{passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Scoped,
    capacity::release::{self, Reservation},
    messages::{
        conclude::{self, Conclusion, Waiting},
        in_doubt::{self, FoundText, Open},
        row::StoredMessage,
    },
};

use super::{decide::End, pairs::Pair, resend, say::Ended};

/// A message without a text, its end, and what is written about it.
struct Ending<'a> {
    one: &'a Open,
    end: End,
    stamp: Stamp,
}

/// Records texts that the list has as sent, and corrects budgets to what the carrier bills. A text
/// that was given to another message between two looks leaves its message in doubt.
pub(super) async fn found(
    tx: &mut Scoped,
    now: Timestamp,
    pair: &Pair,
    found: &[(&Open, &MessageRecord)],
) -> Result<Vec<Ended>, Fault> {
    if found.is_empty() {
        return Ok(Vec::new());
    }

    // Give each message its text, unless the text was given to another message meanwhile.
    let account = (&pair.tenant, pair.account.as_str());
    let wanted: Vec<(&str, MessageId)> =
        found.iter().map(|(one, record)| (record.sid.as_str(), one.message.id)).collect();
    let given = in_doubt::take_sids(tx, account, &wanted).await?;
    let found: Vec<&(&Open, &MessageRecord)> =
        found.iter().filter(|(_, record)| given.contains(&record.sid)).collect();

    // Write the messages that got theirs.
    let stamp = Stamp {
        reason: Some("the carrier's list has it; its answer was lost".into()),
        ..Stamp::plain(StageName::Reconcile.as_str(), now, MessageState::Sent.as_str())
    };
    let texts: Vec<FoundText<'_>> = found
        .iter()
        .map(|(one, record)| FoundText {
            tenant: &one.message.tenant,
            message: one.message.id,
            sid: &record.sid,
            billed: billing::billed(one.message.segments, one.message.cost, record.segments),
            stamp: &stamp,
        })
        .collect();
    let stored = in_doubt::found(tx, now, &texts).await?;

    let corrected: Vec<Reservation<'_>> = found
        .iter()
        .zip(&stored)
        .filter_map(|((one, _), stored)| correction(one, stored.as_ref()?))
        .collect();
    if !corrected.is_empty() {
        release::release(tx, now, &corrected).await?;
    }

    Ok(stored.into_iter().flatten().map(|message| (message, "list")).collect())
}

/// Ends messages without a text at the carrier, and gives back what absent ones had reserved. One
/// that is to be sent again, and cannot be put together again, stays in doubt.
pub(super) async fn without(
    tx: &mut Scoped,
    now: Timestamp,
    pair: &Pair,
    ends: &[(&Open, End)],
) -> Result<Vec<Ended>, Fault> {
    if ends.is_empty() {
        return Ok(Vec::new());
    }

    // Put together the parked rows by which texts go back to the gates.
    let endings: Vec<Ending<'_>> =
        ends.iter().map(|(one, end)| Ending { one, end: *end, stamp: stamp(now, *end) }).collect();
    let resent: Vec<(&Open, &Stamp)> = endings
        .iter()
        .filter(|ending| ending.end == End::Resend)
        .map(|ending| (ending.one, &ending.stamp))
        .collect();
    let mut payloads = resend::payloads(tx, &pair.tenant, &resent).await?;

    // Write the ends. A resend whose row could not be put together is left out.
    let mut ended = Vec::with_capacity(endings.len());
    let mut conclusions = Vec::with_capacity(endings.len());
    for Ending { one, end, stamp } in endings {
        let waiting = payloads.remove(&one.message.id);
        if end != End::Resend || waiting.is_some() {
            ended.push((one, end));
            conclusions.push(conclusion(one, end, stamp, waiting));
        }
    }
    let concluded = conclude::conclude(tx, now, &conclusions).await?;

    let ended = ended.iter().zip(concluded);
    Ok(ended.filter_map(|((_, end), done)| Some((done?, end.label()))).collect())
}

fn stamp(now: Timestamp, end: End) -> Stamp {
    let (code, reason) = end.reason();
    Stamp {
        code: Some(code.into()),
        reason: Some(reason.into()),
        until: (end == End::Resend).then_some(now),
        ..Stamp::plain(StageName::Reconcile.as_str(), now, end.state().as_str())
    }
}

fn conclusion(one: &Open, end: End, stamp: Stamp, waiting: Option<Waiting>) -> Conclusion<'_> {
    Conclusion {
        tenant: &one.message.tenant,
        message: one.message.id,
        turn: one.message.turn,
        claim: one.claim,
        state: end.state(),
        gate: None,
        code: stamp.code.clone(),
        due: stamp.until,
        passport: &one.passport,
        stamp,
        waiting,
        doubt: None,
    }
}

/// Budgets hold what is billed: the difference to the estimate goes back, or is taken too.
fn correction<'a>(one: &'a Open, stored: &StoredMessage) -> Option<Reservation<'a>> {
    let cost = billing::correction(one.message.cost, stored.cost)?;
    let person = (one.address.as_ref()?, one.channel);
    let whole = Reservation::whole(&one.message, one.reserved_at, true, person)?;
    Some(Reservation { cost, unsent: None, ..whole })
}
