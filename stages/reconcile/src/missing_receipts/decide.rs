//! What becomes of messages that wait for their receipts, and of the watches over them. Pure.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use domain::message::state::MessageState;
use jiff::Timestamp;
use store::messages::receipt::{
    Reported,
    poll::{Next, ReceiptWatch},
};

use super::{
    ask::Asked,
    load::{Look, Looks},
    plan::Times,
};
use crate::receipts::{
    decide::{Change, MergedRow, merge},
    report::{Key, Report, meaning},
    taken::Rows,
};

/// The messages that still wait, each with the instant at which it was sent.
pub(super) type Waiting = HashMap<Key, Timestamp>;

/// What carriers told about the messages that are looked at, by message.
pub(super) fn reports<'a>(looks: &'a Looks<'_>, asked: &Asked) -> BTreeMap<&'a Key, Report> {
    looks.iter().filter_map(|(key, look)| Some((key, report(key, *look, asked)?))).collect()
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
        price: None,
    })
}

/// Merges what carriers told into the rows. A row that this look has changed before is said again.
pub(super) fn merge_all<'a>(
    looks: &'a Looks<'_>,
    rows: &'a Rows,
    reports: &'a BTreeMap<&Key, Report>,
) -> Vec<MergedRow<'a>> {
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
        merged.push(MergedRow { key, row, change, settled: None });
    }
    merged
}

/// The messages that nobody has raised above `sent`, neither before nor by what carriers told.
pub(super) fn still_waiting(rows: &Rows, merged: &[MergedRow<'_>]) -> Waiting {
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
pub(super) fn take_over<'a>(
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

/// When a watch is looked at next, and whom it still watches.
pub(super) fn next(times: &Times, watch: &ReceiptWatch, asked: &Asked, waiting: &Waiting) -> Next {
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
