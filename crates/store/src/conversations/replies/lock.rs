//! What is locked before a decision is recorded: people's recipient statuses, threads and bursts,
//! in this order and each in key order, so that two processes count one after the other, and
//! nothing is answered that a person has taken over in the meantime.

use std::collections::{BTreeSet, HashSet};

use sqlx::types::Uuid;
use stage::Fault;

use super::Ask;
use crate::{Scoped, conversations::bursts, fault};

/// Locks what answers are counted by, whose turn it is, and the bursts. Gives the texts after which
/// more was written in their bursts.
pub async fn lock(tx: &mut Scoped, asks: &[Ask]) -> Result<HashSet<Uuid>, Fault> {
    lock_people(tx, asks).await?;
    lock_threads(tx, asks).await?;
    bursts::overtaken(tx, asks).await
}

async fn lock_people(tx: &mut Scoped, asks: &[Ask]) -> Result<(), Fault> {
    let people: BTreeSet<(&str, &str, &str)> = asks
        .iter()
        .map(|ask| (ask.tenant.as_str(), ask.address.as_str(), ask.channel.as_str()))
        .collect();
    sqlx::query!(
        "select from standings s
         join unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
           on s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel
         order by s.tenant_id, s.number, s.channel for update of s",
        &people.iter().map(|person| person.0).collect::<Vec<_>>() as _,
        &people.iter().map(|person| person.1).collect::<Vec<_>>() as _,
        &people.iter().map(|person| person.2).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

async fn lock_threads(tx: &mut Scoped, asks: &[Ask]) -> Result<(), Fault> {
    let threads: BTreeSet<(&str, Uuid)> =
        asks.iter().map(|ask| (ask.tenant.as_str(), ask.conversation.0)).collect();
    sqlx::query!(
        "select from conversations v
         join unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
           on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
         order by v.tenant_id, v.conversation_id for update of v",
        &threads.iter().map(|thread| thread.0).collect::<Vec<_>>() as _,
        &threads.iter().map(|thread| thread.1).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
