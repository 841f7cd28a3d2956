//! Writes deaths: into the rows that there are, and into new ones for messages that have none.

use std::collections::HashMap;

use domain::{
    ids::{MessageId, TenantId},
    message::{passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Scoped,
    capacity::release::{self, Reservation},
    messages::{
        cancel,
        dead_letter::{self, CODE, DeadKey, DeadRow, Death, Shell},
        row::StoredMessage,
    },
};

use super::{
    decide::{Fate, Verdict},
    letter::Letter,
    load::Loaded,
};

/// The rows that say a death, by message: written now, or before.
pub(super) type Rows = HashMap<DeadKey, StoredMessage>;

/// Writes what the verdicts say. None where a row has moved on since it was read: the caller must
/// not commit then.
pub(super) async fn record(
    tx: &mut Scoped,
    now: Timestamp,
    verdicts: &[Verdict<'_>],
    loaded: &Loaded,
) -> Result<Option<Rows>, Fault> {
    let mut rows = Rows::new();
    let mut deaths: Vec<(&DeadRow, &Letter<'_>)> = Vec::new();
    let mut missing: Vec<(&TenantId, &Letter<'_>)> = Vec::new();
    for Verdict { key, fate, letter, .. } in verdicts {
        match (fate, loaded.rows.get(*key)) {
            (Fate::Recorded, Some(found)) => deaths.push((found, letter)),
            (Fate::Made, _) => missing.push((&key.0, letter)),
            (Fate::Repeated, Some(found)) => {
                rows.insert((*key).clone(), found.message.clone());
            }
            (Fate::Recorded | Fate::Repeated, None) => {}
            (Fate::MovedOn | Fate::OtherBody | Fate::Behind | Fate::UnknownTenant, _) => {}
        }
    }

    let failed = fail(tx, now, &deaths).await?;
    let made = make(tx, now, &missing).await?;
    let written: Vec<StoredMessage> = failed.into_iter().chain(made).flatten().collect();
    if written.len() < deaths.len() + missing.len() {
        return Ok(None);
    }

    rows.extend(written.into_iter().map(|row| ((row.tenant.clone(), row.id), row)));
    Ok(Some(rows))
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
            let person = (found.address.as_ref()?, found.channel);
            Reservation::whole(&found.message, found.reserved_at, found.claimed, person)
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

/// Makes rows without a text for messages that have none. One that its tenant withdrew before any
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
            let is_withdrawn = withdrawn.contains(&((*tenant).clone(), letter.message));
            let state = if is_withdrawn { MessageState::Cancelled } else { MessageState::Failed };
            letter.shell(now, state, stamp(now, letter, state))
        })
        .collect();
    dead_letter::insert(tx, now, &shells).await
}

fn stamp(now: Timestamp, letter: &Letter<'_>, state: MessageState) -> Stamp {
    let reason = format!("{} could not handle it: {}", letter.stage.as_str(), letter.detail);
    Stamp {
        code: (state == MessageState::Failed).then(|| CODE.to_owned()),
        reason: Some(reason),
        ..Stamp::plain(StageName::Reconcile.as_str(), now, state.as_str())
    }
}
