//! Writes what carriers said about texts without a receipt, in one transaction, and ends what has
//! waited until the horizon.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use domain::message::{
    passport::Stamp,
    state::{MessageState, NO_RECEIPT},
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Scoped, Store,
    messages::receipt::{
        self, Reported,
        poll::{Next, ReceiptWatch, Watched},
    },
};
use wire::{Event, frame::Outgoing};

use super::{ask::Asked, plan::Times};
use crate::receipts::{
    decide::{Change, Merged, merge},
    record::record,
    report::{Key, Report, meaning},
    say,
    taken::Rows,
};

/// One message that waits for its receipt, and its watch's look at it.
#[derive(Clone, Copy)]
struct Look<'a> {
    looked_at: Timestamp,
    watched: &'a Watched,
}

/// The messages of all watches, each once.
type Looks<'a> = BTreeMap<Key, Look<'a>>;

/// The messages that still wait, each with the instant at which it was sent.
type Waiting = HashMap<Key, Timestamp>;

/// Merges what was said, ends what is over, and says when the rest is looked at next.
pub(super) async fn settle(
    store: &Store,
    times: &Times,
    watches: &[ReceiptWatch],
    asked: &Asked,
) -> Result<(Vec<Outgoing>, Vec<Next>), Fault> {
    // load
    let looks = looks(watches);
    if looks.is_empty() {
        let nobody = Waiting::new();
        let next = watches.iter().map(|watch| next(times, watch, asked, &nobody));
        return Ok((Vec::new(), next.collect()));
    }
    let mut tx = store.scoped(looks.keys().map(|key| &key.0)).await?;
    let keys: Vec<Key> = looks.keys().cloned().collect();
    let rows = receipt::lock(&mut tx, &keys).await?;

    // decide
    let reports: BTreeMap<&Key, Report> =
        looks.iter().filter_map(|(key, look)| Some((key, report(key, *look, asked)?))).collect();
    let merged = merge_all(&looks, &rows, &reports);
    let mut waiting = still_waiting(&rows, &merged);
    let over = take_over(times, &looks, &mut waiting);

    // record
    let stored = record(&mut tx, &merged).await?;
    let ended = end(&mut tx, times, &over).await?;
    tx.commit().await.map_err(store::fault)?;

    // say
    let mut say: Vec<Outgoing> = say::events(&merged, &stored).into_values().flatten().collect();
    say.extend(ended);
    let next = watches.iter().map(|watch| next(times, watch, asked, &waiting));
    Ok((say, next.collect()))
}

fn looks(watches: &[ReceiptWatch]) -> Looks<'_> {
    let mut looks = Looks::new();
    for watch in watches {
        for watched in &watch.messages {
            let key = (watch.tenant.clone(), watched.id);
            looks.entry(key).or_insert(Look { looked_at: watch.looked_at, watched });
        }
    }
    looks
}

/// What the carrier told of a text, as a receipt that came at the time of the look.
fn report(key: &Key, look: Look<'_>, asked: &Asked) -> Option<Report> {
    let (carrier, status) = *asked.told.get(key)?;
    let (state, code) = meaning(status);
    Some(Report {
        nth: 0,
        carrier,
        tenant: key.0.clone(),
        message: key.1,
        state,
        code,
        account: look.watched.account.clone()?,
        sid: look.watched.sid.clone()?,
        at: look.looked_at,
    })
}

/// Merges what carriers told into the rows. A row that this look has changed before is said again.
fn merge_all<'a>(
    looks: &'a Looks<'_>,
    rows: &'a Rows,
    reports: &'a BTreeMap<&Key, Report>,
) -> Vec<Merged<'a>> {
    let mut merged = Vec::with_capacity(rows.len());
    for (key, look) in looks {
        let Some(row) = rows.get(key) else { continue };
        let change = match reports.get(key) {
            report if was_changed_by(*look, row) => {
                Change::again(row, report.map(|report| report.carrier))
            }
            Some(report) => merge(row, &[report]),
            None => continue,
        };
        merged.push(Merged { key, row, change });
    }
    merged
}

/// The messages that nobody has raised above `sent`, neither before nor by what carriers told.
fn still_waiting(rows: &Rows, merged: &[Merged<'_>]) -> Waiting {
    let raised: HashSet<&Key> = merged
        .iter()
        .filter(|one| one.change.state != MessageState::Sent)
        .map(|one| one.key)
        .collect();
    rows.iter()
        .filter(|(key, row)| waits(row) && !raised.contains(key))
        .map(|(key, row)| (key.clone(), row.message.changed_at))
        .collect()
}

/// Takes the messages that are past the horizon out of those that wait, each with the time of its
/// look.
fn take_over<'a>(
    times: &Times,
    looks: &'a Looks<'_>,
    waiting: &mut Waiting,
) -> Vec<(&'a Key, Timestamp)> {
    let mut over = Vec::new();
    for (key, look) in looks {
        let sent_at = waiting.get(key);
        if sent_at.is_some_and(|sent_at| times.is_over(*sent_at, look.looked_at)) {
            waiting.remove(key);
            over.push((key, look.looked_at));
        }
    }
    over
}

/// Ends messages that are past the horizon.
async fn end(
    tx: &mut Scoped,
    times: &Times,
    over: &[(&Key, Timestamp)],
) -> Result<Vec<Outgoing>, Fault> {
    if over.is_empty() {
        return Ok(Vec::new());
    }

    let stamps: Vec<Stamp> = over.iter().map(|(_, looked_at)| stamp(times, *looked_at)).collect();
    let rows: Vec<receipt::Merged<'_>> =
        over.iter().zip(&stamps).map(|((key, _), stamp)| ended(key, stamp)).collect();
    let stored = receipt::write(tx, &rows).await?;

    metrics::counter!("millrace_receipts_missing_total").increment(over.len() as u64);
    let events = stored.iter().flatten().filter_map(|message| message.event());
    Ok(events.map(|event| Event::outgoing(&event)).collect())
}

fn stamp(times: &Times, looked_at: Timestamp) -> Stamp {
    Stamp {
        code: Some(NO_RECEIPT.into()),
        reason: Some(format!("no receipt came within {}", times.horizon_in_words())),
        ..Stamp::plain(StageName::Reconcile.as_str(), looked_at, MessageState::Sent.as_str())
    }
}

fn ended<'a>(key: &'a Key, stamp: &'a Stamp) -> receipt::Merged<'a> {
    receipt::Merged {
        tenant: &key.0,
        message: key.1,
        state: MessageState::Sent,
        raised: true,
        code: stamp.code.clone(),
        sid: None,
        at: stamp.at,
        stamp,
    }
}

/// When a watch is looked at next, and whom it still watches.
fn next(times: &Times, watch: &ReceiptWatch, asked: &Asked, waiting: &Waiting) -> Next {
    let mut left = Vec::new();
    let mut sent_at = Vec::new();
    let mut held_back: Option<Duration> = None;
    for one in &watch.messages {
        let key = (watch.tenant.clone(), one.id);
        let Some(since) = waiting.get(&key) else { continue };
        left.push(one.id);
        sent_at.push(*since);
        held_back = held_back.max(asked.left_out.get(&key).copied());
    }
    let (mut due, looks) = times.next(watch, &sent_at, held_back);

    // Messages that only a newer version can read are watched on.
    if !watch.unread.is_empty() {
        left.extend(&watch.unread);
        due = due.min(times.after_a_wait(watch.looked_at));
    }

    Next {
        tenant: watch.tenant.clone(),
        watch: watch.id,
        looked_at: watch.looked_at,
        left,
        due,
        looks,
    }
}

/// Whether this look has raised or ended the message before, and died before it could say so.
fn was_changed_by(look: Look<'_>, row: &Reported) -> bool {
    row.message.state.is_at_carrier() && row.message.changed_at == look.looked_at && is_final(row)
}

fn is_final(row: &Reported) -> bool {
    row.message.state.is_final_with(row.message.code.as_deref())
}

fn waits(row: &Reported) -> bool {
    row.message.state == MessageState::Sent && !is_final(row)
}
