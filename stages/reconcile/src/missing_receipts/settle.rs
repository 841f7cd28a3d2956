//! What carriers said about texts without a receipt, written down in one transaction; and what has
//! waited until the horizon ends.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use domain::message::{
    passport::Stamp,
    state::{MessageState, NO_RECEIPT},
};
use jiff::Timestamp;
use stage::{Fault, Source};
use store::{
    Scoped,
    messages::receipt::{
        self, Merged, Reported,
        poll::{self, Next, Watched},
    },
};
use wire::frame::Outgoing;

use super::{ReceiptPoller, ask::Asked};
use crate::receipts::{
    merge::{Change, merge},
    record::{Key, record},
    report::{Report, meaning},
};

/// The messages of all rows, each once, with the time of the look and the account.
type Looks<'a> = BTreeMap<Key, (Timestamp, &'a Watched)>;

impl ReceiptPoller {
    /// Merges what was said, ends what is over, and says when the rest is looked at next.
    pub(super) async fn settle(
        &self,
        rows: &[poll::ReceiptWatch],
        asked: &Asked,
    ) -> Result<(Vec<Outgoing>, Vec<Next>), Fault> {
        let mut looks = Looks::new();
        for watch in rows {
            for one in &watch.messages {
                let key = (watch.tenant.clone(), one.id);
                looks.entry(key).or_insert((watch.looked_at, one));
            }
        }
        if looks.is_empty() {
            let over = rows.iter().map(|watch| self.next(watch, asked, &HashMap::new()));
            return Ok((Vec::new(), over.collect()));
        }
        let mut tx = self.store.scoped(looks.keys().map(|key| &key.0)).await?;
        let keys: Vec<Key> = looks.keys().cloned().collect();
        let found = receipt::lock(&mut tx, &keys).await?;
        let reports: BTreeMap<&Key, Report> = looks
            .iter()
            .filter_map(|(key, look)| Some((key, report(key, *look, asked)?)))
            .collect();
        let mut merged = Vec::with_capacity(found.len());
        for (key, (looked_at, _)) in &looks {
            let Some(row) = found.get(key) else { continue };
            let change = match reports.get(key) {
                report if was_raised(row, *looked_at) => {
                    Change::again(row, report.map(|report| report.carrier))
                }
                Some(report) => merge(row, &[report]),
                None => continue,
            };
            merged.push((key, row, change));
        }
        let mut say: Vec<Outgoing> =
            record(&mut tx, &merged).await?.into_values().flatten().collect();
        let raised = merged.iter().filter(|(.., change)| change.state != MessageState::Sent);
        let raised: HashSet<&Key> = raised.map(|(key, ..)| *key).collect();
        let mut waiting: HashMap<Key, Timestamp> = found
            .iter()
            .filter(|(key, row)| waits(row) && !raised.contains(key))
            .map(|(key, row)| (key.clone(), row.message.changed_at))
            .collect();
        say.extend(self.end(&mut tx, &looks, &mut waiting).await?);
        tx.commit().await.map_err(store::fault)?;
        Ok((say, rows.iter().map(|watch| self.next(watch, asked, &waiting)).collect()))
    }

    /// Ends messages that are past the horizon, and takes them out of those that wait.
    async fn end(
        &self,
        tx: &mut Scoped,
        looks: &Looks<'_>,
        waiting: &mut HashMap<Key, Timestamp>,
    ) -> Result<Vec<Outgoing>, Fault> {
        let over: Vec<(&Key, Stamp)> = looks
            .iter()
            .filter(|(key, (at, _))| {
                waiting.get(*key).is_some_and(|since| self.times.is_over(*since, *at))
            })
            .map(|(key, (at, _))| (key, self.stamp(*at)))
            .collect();
        if over.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Merged<'_>> = over.iter().map(|(key, stamp)| ended(key, stamp)).collect();
        let stored = receipt::write(tx, &rows).await?;
        for (key, _) in &over {
            waiting.remove(*key);
        }
        metrics::counter!("millrace_receipts_missing_total").increment(over.len() as u64);
        let events = stored.iter().flatten().filter_map(|message| message.event());
        Ok(events.map(|event| event.outgoing()).collect())
    }

    fn stamp(&self, at: Timestamp) -> Stamp {
        Stamp {
            code: Some(NO_RECEIPT.into()),
            reason: Some(format!("no receipt came within {}", self.times.horizon_in_words())),
            ..Stamp::plain(Self::NAME.as_str(), at, MessageState::Sent.as_str())
        }
    }

    fn next(
        &self,
        watch: &poll::ReceiptWatch,
        asked: &Asked,
        waiting: &HashMap<Key, Timestamp>,
    ) -> Next {
        let mut next = Next {
            tenant: watch.tenant.clone(),
            watch: watch.id,
            looked_at: watch.looked_at,
            left: Vec::new(),
            due: Timestamp::MAX,
            looks: watch.looks,
        };
        let mut since = Vec::new();
        let mut held_back: Option<Duration> = None;
        for one in &watch.messages {
            let key = (watch.tenant.clone(), one.id);
            let Some(sent_at) = waiting.get(&key) else { continue };
            next.left.push(one.id);
            since.push(*sent_at);
            held_back = held_back.max(asked.left_out.get(&key).copied());
        }
        (next.due, next.looks) = self.times.next(watch, &since, held_back);
        if !watch.unread.is_empty() {
            next.left.extend(&watch.unread);
            next.due = next.due.min(self.times.after_a_wait(watch.looked_at));
        }
        next
    }
}

/// What the carrier told of a text, as a receipt that came at the time of the look.
fn report(key: &Key, (at, one): (Timestamp, &Watched), asked: &Asked) -> Option<Report> {
    let (carrier, status) = *asked.told.get(key)?;
    let (state, code) = meaning(status);
    Some(Report {
        nth: 0,
        carrier,
        tenant: key.0.clone(),
        message: key.1,
        state,
        code,
        account: one.account.clone()?,
        sid: one.sid.clone()?,
        at,
    })
}

/// Whether this look has raised or ended the message before, and died before it could say so.
fn was_raised(row: &Reported, looked_at: Timestamp) -> bool {
    row.message.state.is_at_carrier() && row.message.changed_at == looked_at && is_final(row)
}

fn is_final(row: &Reported) -> bool {
    row.message.state.is_final_with(row.message.code.as_deref())
}

fn waits(row: &Reported) -> bool {
    row.message.state == MessageState::Sent && !is_final(row)
}

fn ended<'a>(key: &'a Key, stamp: &'a Stamp) -> Merged<'a> {
    Merged {
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
