//! Dead letters: a message that no stage could handle ends as `failed` with the code `internal`,
//! with what it had reserved given back. The letter itself stays in DEAD for a redrive.
//!
//! The row decides: a message that has moved on, or that a carrier may have, is left alone, and so
//! is one whose letter is about another body under its id. A letter that names no message is
//! counted. What cannot be handled here is left where it is: no letter is written about a letter.

mod judge;
mod letter;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    ids::{MessageId, TenantId},
    message::{passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::{Batch, Cx, Dependency, Fault, Outcome, Stage, StageName};
use store::{
    Scoped, Store,
    capacity::release::{self, Reservation},
    core::seal::Sealer,
    messages::{
        cancel,
        dead_letter::{self, CODE, DeadKey, DeadRow, Death, Shell},
        row::StoredMessage,
    },
};
use wire::{DeadLetter, Event, Stream, frame::Outgoing};

use self::{
    judge::{Fate, judge},
    letter::Letter,
};

/// How often a message may move on between our look and our write.
const TRIES: usize = 8;

/// The stage that reads dead letters, beside the one that reads receipts.
pub struct DeadLetterStage {
    store: Store,
    /// Opens a letter for whose message it is, never for its text.
    sealer: Sealer,
}

/// The letters of one batch by message, in key order, with their places in the batch.
type Letters<'a> = BTreeMap<DeadKey, Vec<(usize, Letter<'a>)>>;

/// What was recorded, or was before, and is to be said; and what each letter came to.
#[derive(Default)]
struct Recorded {
    rows: HashMap<DeadKey, StoredMessage>,
    fates: Vec<(StageName, Fate)>,
}

impl DeadLetterStage {
    /// A reader of dead letters over this store.
    pub fn new(store: Store, sealer: Sealer) -> Self {
        Self { store, sealer }
    }
}

impl Stage for DeadLetterStage {
    const NAME: StageName = StageName::Reconcile;
    const FROM: Stream = Stream::Dead;
    type In = DeadLetter;

    async fn handle(&self, cx: &Cx, batch: Batch<DeadLetter>) -> Result<(), Fault> {
        let mut letters = Letters::new();
        for (index, one) in batch.items().iter().enumerate() {
            match Letter::read(one, &self.sealer) {
                Some(letter) => {
                    let key = (one.tenant.clone(), letter.message);
                    letters.entry(key).or_default().push((index, letter));
                }
                None => {
                    count(letter::stage_of(one).map_or("other", StageName::as_str), "no_message");
                    batch.answer(index, Outcome::DONE);
                }
            }
        }
        if letters.is_empty() {
            return Ok(());
        }
        let mut recorded = None;
        for _ in 0..TRIES {
            recorded = self.record(cx.now, &letters).await?;
            if recorded.is_some() {
                break;
            }
        }
        let Some(mut recorded) = recorded else {
            let source = "a message moved on each time its death was about to be written".into();
            return Err(Fault::Unavailable { what: Dependency::Database, source });
        };
        for (stage, fate) in recorded.fates {
            count(stage.as_str(), fate.as_str());
        }
        for (key, of_message) in letters {
            let row = recorded.rows.remove(&key);
            let mut say = row.map(|row| said(&row)).unwrap_or_default();
            for (index, _) in of_message {
                batch.answer(index, Outcome::Emit(std::mem::take(&mut say)));
            }
        }
        Ok(())
    }
}

impl DeadLetterStage {
    /// Judges, writes and commits. None where a row has moved on meanwhile: nothing is written.
    async fn record(
        &self,
        now: Timestamp,
        letters: &Letters<'_>,
    ) -> Result<Option<Recorded>, Fault> {
        let mut tx = self.store.scoped(letters.keys().map(|key| &key.0)).await?;
        let keys: BTreeSet<DeadKey> = letters.keys().cloned().collect();
        let found = dead_letter::find(&mut tx, &keys).await?;
        let tenants =
            dead_letter::tenants(&mut tx, &keys.iter().map(|key| &key.0).collect()).await?;
        let mut recorded = Recorded::default();
        let (mut deaths, mut missing) = (Vec::new(), Vec::new());
        for (key, of_message) in letters {
            let row = found.get(key);
            let candidate = of_message.iter().map(|(_, letter)| {
                let known = tenants.contains(&key.0);
                (judge(letter, row, known), letter)
            });
            let candidate: Vec<(Fate, &Letter<'_>)> = candidate.collect();
            recorded.fates.extend(candidate.iter().map(|(fate, letter)| (letter.stage, *fate)));
            let Some((fate, letter)) = candidate.into_iter().min_by_key(|(fate, _)| *fate) else {
                continue;
            };
            match (fate, row) {
                (Fate::Recorded, Some(found)) => deaths.push((found, letter)),
                (Fate::Made, _) => missing.push((&key.0, letter)),
                (Fate::Repeated, Some(found)) => {
                    recorded.rows.insert(key.clone(), found.message.clone());
                }
                (Fate::Recorded | Fate::Repeated, None) => {}
                (Fate::MovedOn | Fate::OtherBody | Fate::Behind | Fate::UnknownTenant, _) => {}
            }
        }
        let (dead, made) = (deaths.len(), missing.len());
        let rows = fail(&mut tx, now, &deaths).await?;
        let rows = rows.into_iter().chain(make(&mut tx, now, &missing).await?);
        let rows: Vec<StoredMessage> = rows.flatten().collect();
        if rows.len() < dead + made {
            return Ok(None);
        }
        tx.commit().await.map_err(store::fault)?;
        recorded.rows.extend(rows.into_iter().map(|row| ((row.tenant.clone(), row.id), row)));
        Ok(Some(recorded))
    }
}

/// Gives back what the messages had reserved, then writes their deaths.
async fn fail(
    tx: &mut Scoped,
    now: Timestamp,
    deaths: &[(&DeadRow, &Letter<'_>)],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let freed: Vec<Reservation<'_>> = deaths
        .iter()
        .filter_map(|(found, _)| {
            Reservation::whole(&found.message, found.reserved_at?, &found.number, found.channel)
        })
        .map(|freed| Reservation { over: true, ..freed })
        .collect();
    if !freed.is_empty() {
        release::release(tx, now, &freed).await?;
    }
    let deaths: Vec<Death<'_>> = deaths
        .iter()
        .map(|(found, letter)| Death { found, stamp: stamp(now, letter, MessageState::Failed) })
        .collect();
    dead_letter::fail(tx, now, &deaths).await
}

/// Makes rows without a text for messages that have none; one that its tenant withdrew before any
/// stage stored it is `cancelled`, as it would have been.
async fn make(
    tx: &mut Scoped,
    now: Timestamp,
    missing: &[(&TenantId, &Letter<'_>)],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<(&TenantId, MessageId)> =
        missing.iter().map(|(tenant, letter)| (*tenant, letter.message)).collect();
    let withdrawn = cancel::take_marks(tx, &keys).await?;
    let shells: Vec<Shell<'_>> = missing
        .iter()
        .map(|(tenant, letter)| {
            let marked = withdrawn.contains(&((*tenant).clone(), letter.message));
            let state = if marked { MessageState::Cancelled } else { MessageState::Failed };
            letter.shell(now, state, stamp(now, letter, state))
        })
        .collect();
    dead_letter::insert(tx, now, &shells).await
}

fn stamp(now: Timestamp, letter: &Letter<'_>, state: MessageState) -> Stamp {
    let why = format!("{} could not handle it: {}", letter.stage.as_str(), letter.detail);
    Stamp {
        code: (state == MessageState::Failed).then(|| CODE.to_owned()),
        reason: Some(why),
        ..Stamp::plain(StageName::Reconcile.as_str(), now, state.as_str())
    }
}

fn said(row: &StoredMessage) -> Vec<Outgoing> {
    row.event().iter().map(Event::outgoing).collect()
}

fn count(stage: &'static str, outcome: &'static str) {
    metrics::counter!("millrace_dead_letters_read_total", "stage" => stage, "outcome" => outcome)
        .increment(1);
}
