//! Writes what receipts make of messages, and lets go what waited for them: parked rows, doubts,
//! places in meters.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use domain::{
    ids::{MessageId, TenantId},
    message::{
        passport::Stamp,
        state::{MessageState, NO_RECEIPT},
    },
};
use stage::{Fault, StageName};
use store::{
    Scoped,
    capacity::late,
    messages::{
        in_doubt,
        receipt::{self, poll, price},
        row::StoredMessage,
    },
    recipients::opt_out::{self, CarrierOptOut},
};

use crate::receipts::{
    decide::{MergedRow, is_watched, late_evidence, stays_ended},
    opt_out::told_by,
    report::Key,
};

/// Why no receipt is waited for of a message that the carrier turned out to have after its end.
const ENDED_BEFORE: &str = "it had ended before its receipt came, and no other is waited for";

/// The messages that were written, as they are now.
pub(crate) type Stored = HashMap<Key, StoredMessage>;

/// Writes what has changed, in the order of the locks.
pub(crate) async fn record(tx: &mut Scoped, merged: &[MergedRow<'_>]) -> Result<Stored, Fault> {
    let changed: Vec<&MergedRow<'_>> = merged
        .iter()
        .filter(|one| {
            one.change.raised_by.is_some() || one.change.sid.is_some() || one.settled.is_some()
        })
        .collect();
    let raised: Vec<&MergedRow<'_>> =
        changed.iter().copied().filter(|one| one.change.raised_by.is_some()).collect();

    late::record(tx, &late_evidence(merged)).await?;
    let stored = write(tx, &changed).await?;
    price::add_used(tx, &months(merged)).await?;
    let_go(tx, &raised).await?;
    opt_out(tx, &raised).await?;
    Ok(stored)
}

/// By how much the service messages of numbers' months move.
fn months(merged: &[MergedRow<'_>]) -> BTreeMap<price::NumberMonth, i32> {
    let mut months = BTreeMap::new();
    let moved = merged.iter().filter_map(|one| one.settled.as_ref()?.month.as_ref());
    for (month, by) in moved {
        *months.entry(month.clone()).or_default() += by;
    }
    months
}

async fn write(tx: &mut Scoped, changed: &[&MergedRow<'_>]) -> Result<Stored, Fault> {
    if changed.is_empty() {
        return Ok(Stored::new());
    }

    let stamps: Vec<Stamp> = changed.iter().map(|one| stamp(one)).collect();
    let rows: Vec<receipt::Merged<'_>> =
        changed.iter().zip(&stamps).map(|(one, stamp)| written(one, stamp)).collect();
    let stored = receipt::write(tx, &rows).await?;

    let stored = stored.into_iter().flatten();
    Ok(stored.map(|message| ((message.tenant.clone(), message.id), message)).collect())
}

/// Takes away what waited for these messages to be raised, and has those watched that nobody else
/// sees to.
async fn let_go(tx: &mut Scoped, raised: &[&MergedRow<'_>]) -> Result<(), Fault> {
    let parked = keys(raised, |one| one.row.message.state.is_parked());
    if !parked.is_empty() {
        receipt::unpark(tx, &parked).await?;
    }

    let doubted = keys(raised, |one| ends_doubt(one));
    if !doubted.is_empty() {
        in_doubt::forget(tx, &doubted).await?;
    }

    let unwatched = keys(raised, |one| !is_watched(one.row, one.change.state));
    poll::watch(tx, &unwatched, Duration::ZERO).await
}

/// Records the opt-outs that new receipts tell of. A repeat records none: the person may have come
/// back since.
async fn opt_out(tx: &mut Scoped, raised: &[&MergedRow<'_>]) -> Result<(), Fault> {
    let opted_out: Vec<CarrierOptOut<'_>> =
        raised.iter().filter_map(|one| told_by(one.row, &one.change)).collect();
    if !opted_out.is_empty() {
        opt_out::opt_out(tx, &opted_out).await?;
    }
    Ok(())
}

fn keys<'a>(
    raised: &[&MergedRow<'a>],
    is_meant: impl Fn(&MergedRow<'a>) -> bool,
) -> Vec<(&'a TenantId, MessageId)> {
    raised.iter().filter(|one| is_meant(one)).map(|one| (&one.key.0, one.key.1)).collect()
}

fn written<'a>(one: &MergedRow<'a>, stamp: &'a Stamp) -> receipt::Merged<'a> {
    let change = &one.change;
    receipt::Merged {
        tenant: &one.key.0,
        message: one.key.1,
        state: change.state,
        raised: change.raised_by.is_some(),
        code: stamp.code.clone(),
        sid: change.sid,
        at: match (change.raised_by, &one.settled) {
            (None, Some(settled)) => settled.at,
            (Some(_), _) | (None, None) => stamp.at,
        },
        reserved_at: change.raised_by.map(|report| report.at),
        settled: one.settled.as_ref().map(|settled| (settled.settlement, settled.cost)),
        repriced: one.is_repriced(),
        stamp,
    }
}

fn stamp(one: &MergedRow<'_>) -> Stamp {
    let change = &one.change;
    let at = change.raised_by.map_or(one.row.message.changed_at, |report| report.at);
    let code = change.raised_by.and_then(|report| report.code);
    let mut said = (
        code.map(|code| code.to_string()),
        code.zip(change.carrier).map(|(code, of)| of.cause(code).cause.to_owned()),
    );
    if stays_ended(one.row, change.state) {
        said = (Some(NO_RECEIPT.into()), Some(ENDED_BEFORE.into()));
    }

    let (code, reason) = said;
    Stamp { code, reason, ..Stamp::plain(StageName::Reconcile.as_str(), at, change.state.as_str()) }
}

/// Whether a receipt tells how a call in doubt ended.
fn ends_doubt(one: &MergedRow<'_>) -> bool {
    one.row.message.state == MessageState::InDoubt && one.change.raised_by.is_some()
}

/// Tells operators what they should know of reports that are recorded.
pub(crate) fn notice(one: &MergedRow<'_>) {
    if one.change.second_sid {
        metrics::counter!("millrace_second_texts_total").increment(1);
        let (tenant, message) = (&one.row.message.tenant, one.row.message.id);
        tracing::error!(%tenant, %message, "the carrier has two texts of one message");
    }
    if ends_doubt(one) {
        metrics::counter!("millrace_in_doubt_resolved_total", "by" => "callback").increment(1);
    }
}
