//! What people of the company answer on the phone itself: it stands in the conversation, each text
//! once, and whatever the assistant has begun is void from then on.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    address::Address,
    conversation::{ConversationOwner, ConversationStatus},
    ids::{ContactId, ConversationId, InboxId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{Event, EventKind, event::ConversationData};

use super::{
    senders,
    threads::{self, NewThread},
};
use crate::{
    Scoped,
    audit::{self, AuditEntry},
    contacts::set,
    core::{
        keyed::{self, in_lock_order},
        words::word,
    },
    drafts::ContactKey,
    fault,
    messages::enrich,
    outbox,
};

/// Who has written it, as entries, events and the audit trail name them: the carrier does not say
/// which of the company's people it was.
pub const AUTHOR: &str = "phone";

/// A text that somebody of the company has sent from the phone itself. Holds what it says: it has
/// no `Debug`.
#[derive(Clone)]
pub struct EchoEntry {
    /// Whose phone it is.
    pub tenant: TenantId,
    /// Its id, made from the account and the carrier's id of it: a repeat is the same.
    pub id: Uuid,
    /// The number of the phone, a sender of the tenant.
    pub sender: SenderId,
    /// The channel that it went by.
    pub channel: Channel,
    /// Who was written to.
    pub address: Address,
    /// What was written; empty where it was a file without words.
    pub body: String,
    /// Business time at which it was written, as far as the carrier says it; not after the time at
    /// which the carrier told of it.
    pub at: Timestamp,
}

/// Puts these texts into the conversations of the people that they went to, which are a person's
/// from then on. A conversation that is missing is made: the company has begun it. Gives the
/// conversations, each once, also those that a repeat is in. A text of a number that is no sender
/// is left out.
pub async fn record(
    tx: &mut Scoped,
    echoes: &[EchoEntry],
) -> Result<Vec<(TenantId, ConversationId)>, Fault> {
    // load
    let keys: Vec<_> = echoes.iter().map(|echo| (&echo.tenant, echo.sender)).collect();
    let senders = senders::texted(tx, &keys).await?;
    let is_known = |echo: &EchoEntry| {
        let sender = senders.get(&(echo.tenant.clone(), echo.sender));
        sender.is_some_and(|sender| sender.is_known)
    };
    // A carrier may tell of one twice.
    let mut seen = HashSet::new();
    let echoes = echoes.iter().filter(|echo| is_known(echo));
    let echoes: Vec<&EchoEntry> =
        echoes.filter(|echo| seen.insert((&echo.tenant, echo.id))).collect();
    if echoes.is_empty() {
        return Ok(Vec::new());
    }
    let contacts = contacts(tx, &echoes).await?;

    // record, in lock order: conversations, then what stands in them
    let wanted: Vec<NewThread<'_>> = echoes
        .iter()
        .zip(&contacts)
        .map(|(echo, contact)| {
            let texted = senders[&(echo.tenant.clone(), echo.sender)];
            let (group, conversation) = texted.thread(*contact, echo.sender, echo.channel);
            NewThread {
                tenant: &echo.tenant,
                conversation,
                contact: *contact,
                sender: echo.sender,
                texted,
                channel: echo.channel,
                group,
                address: echo.address.as_str(),
                is_person: true,
                at: echo.at,
                is_said: false,
            }
        })
        .collect();
    let made = threads::make(tx, &wanted).await?;
    let entries: Vec<(&EchoEntry, ConversationId)> = echoes
        .iter()
        .zip(&wanted)
        .filter_map(|(echo, one)| {
            let key = (one.tenant.clone(), one.contact, one.channel, one.group);
            Some((*echo, *made.get(&key)?))
        })
        .collect();
    let new = insert(tx, &entries).await?;
    let new: Vec<_> = entries.iter().filter(|(echo, _)| new.contains(&echo.id)).collect();
    take_over(tx, &new).await?;

    let found: BTreeSet<(TenantId, ConversationId)> =
        entries.iter().map(|(echo, thread)| (echo.tenant.clone(), *thread)).collect();
    Ok(found.into_iter().collect())
}

/// Whose contact each person is that was written to, in their order: made where there is none.
async fn contacts(tx: &mut Scoped, echoes: &[&EchoEntry]) -> Result<Vec<ContactId>, Fault> {
    let card = |echo: &EchoEntry| ContactId::of(&echo.tenant, echo.address.as_str());
    let keys: Vec<ContactKey<'_>> = echoes
        .iter()
        .map(|echo| ContactKey {
            tenant: &echo.tenant,
            contact: card(echo),
            address: &echo.address,
            channel: echo.channel,
            fields: false,
        })
        .collect();
    let Some(first) = echoes.iter().map(|echo| echo.at).min() else { return Ok(Vec::new()) };
    enrich::insert_contacts(tx, first, &keys).await?;

    let cards: Vec<_> = echoes.iter().map(|echo| (&echo.tenant, card(echo).0)).collect();
    let owners = set::owners(tx, &cards).await?;
    let contact = |card: &Uuid| ContactId(owners.get(card).copied().unwrap_or(*card));
    Ok(cards.iter().map(|(_, card)| contact(card)).collect())
}

/// Writes the entries, and gives the ids of those that are new.
async fn insert(
    tx: &mut Scoped,
    entries: &[(&EchoEntry, ConversationId)],
) -> Result<HashSet<Uuid>, Fault> {
    let sorted = in_lock_order(entries, |(echo, _)| (&echo.tenant, echo.id));

    let new = sqlx::query_scalar!(
        "insert into conversation_entries (tenant_id, entry_id, conversation_id, kind, author, body,
                                           sender_id, at)
         select k.tenant_id, k.entry_id, k.conversation_id, 'phone', $7, k.body, k.sender_id, k.at
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[])
              as k (tenant_id, entry_id, conversation_id, body, sender_id, at)
         order by k.tenant_id, k.entry_id
         on conflict do nothing returning entry_id",
        &sorted.iter().map(|(echo, _)| echo.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(echo, _)| echo.id).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, thread)| thread.0).collect::<Vec<_>>(),
        &sorted.iter().map(|(echo, _)| echo.body.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(echo, _)| echo.sender.0).collect::<Vec<_>>(),
        &sorted.iter().map(|(echo, _)| echo.at.to_sqlx()).collect::<Vec<_>>() as _,
        AUTHOR,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(new.into_iter().collect())
}

/// Has the conversations of new texts be a person's, as a reply does: whoever looked after one
/// still does. What came before has been read by whoever answered; where the contact has written
/// since, as where the carrier tells of an answer late, somebody is still to look at it. Each text
/// begins an epoch, in whatever batches they come.
async fn take_over(tx: &mut Scoped, new: &[&(&EchoEntry, ConversationId)]) -> Result<(), Fault> {
    if new.is_empty() {
        return Ok(());
    }

    let rows = sqlx::query!(
        r#"update conversations v
           set owner = $5, epoch = v.epoch + k.texts, version = v.version + k.texts,
               attention = case when v.last_inbound_at > k.last_at then v.attention end,
               unread = case when v.last_inbound_at > k.last_at then v.unread else 0 end,
               status = case when v.last_inbound_at > k.last_at then v.status else $6 end,
               snoozed_until = case when v.last_inbound_at > k.last_at then v.snoozed_until end,
               opened_at = least(v.opened_at, k.first_at),
               last_text_id = case
                   when v.last_text_id is not null
                        and (v.last_text_at, v.last_text_id) > (k.last_at, k.entries[k.texts])
                   then v.last_text_id else k.entries[k.texts] end,
               last_text_at = greatest(v.last_text_at, k.last_at)
           from (
               select u.tenant_id, u.conversation_id, count(*)::integer as texts,
                      min(u.at) as first_at, max(u.at) as last_at,
                      array_agg(u.entry_id order by u.at, u.entry_id) as entries
               from unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[])
                    as u (tenant_id, conversation_id, entry_id, at)
               group by u.tenant_id, u.conversation_id
           ) k
           join conversations b
             on b.tenant_id = k.tenant_id and b.conversation_id = k.conversation_id
           where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           returning v.tenant_id, v.conversation_id, v.contact_id, v.inbox_id, v.assignee, v.status,
                     b.version as "version!", k.entries as "entries!", b.owner as "had_owner!",
                     b.opened_at is null as "has_opened!""#,
        &new.iter().map(|(echo, _)| echo.tenant.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|(_, thread)| thread.0).collect::<Vec<_>>(),
        &new.iter().map(|(echo, _)| echo.id).collect::<Vec<_>>(),
        &new.iter().map(|(echo, _)| echo.at.to_sqlx()).collect::<Vec<_>>() as _,
        ConversationOwner::Person.as_str(),
        ConversationStatus::Open.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let times: HashMap<Uuid, Timestamp> = new.iter().map(|(echo, _)| (echo.id, echo.at)).collect();
    let (mut events, mut trail) = (Vec::new(), Vec::new());
    for row in rows {
        let conversation = AnsweredByPhone {
            tenant: keyed::tenant(&row.tenant_id),
            data: ConversationData {
                conversation: ConversationId(row.conversation_id),
                contact: ContactId(row.contact_id),
                inbox: row.inbox_id.map(InboxId),
                status: word(&row.status)?,
                owner: ConversationOwner::Person,
                assignee: row.assignee,
                by: Some(AUTHOR.to_owned()),
            },
            version: row.version,
            had_owner: word(&row.had_owner)?,
            has_opened: row.has_opened,
            answers: row.entries.into_iter().map(|entry| (entry, times[&entry])).collect(),
        };
        events.extend(conversation.events());
        trail.extend(conversation.trail());
    }
    outbox::insert(tx, &events).await?;
    audit::append(tx, &trail).await
}

/// A conversation as answers on the phone have left it.
struct AnsweredByPhone {
    tenant: TenantId,
    data: ConversationData,
    /// The version that it had.
    version: i64,
    /// Who had it.
    had_owner: ConversationOwner,
    has_opened: bool,
    /// The answers in their order, each with the business time at which it was told.
    answers: Vec<(Uuid, Timestamp)>,
}

impl AnsweredByPhone {
    /// That each answer was given, and what the first of them has changed.
    fn events(&self) -> Vec<Event> {
        let event = |kind, version, at| {
            Event::new(kind, &self.tenant, self.data.conversation.0, version, at, &self.data)
        };
        let mut events: Vec<Event> = (self.version + 1..)
            .zip(&self.answers)
            .map(|(version, (_, at))| event(EventKind::ConversationReplied, version, *at))
            .collect();

        if let Some((_, first_at)) = self.answers.first() {
            // That a conversation opens happens once: its version is the first.
            events.extend(
                self.has_opened.then(|| event(EventKind::ConversationOpened, 1, *first_at)),
            );
            let is_taken = self.had_owner != ConversationOwner::Person;
            let (kind, version) = (EventKind::ConversationTakenOver, self.version + 1);
            events.extend(is_taken.then(|| event(kind, version, *first_at)));
        }
        events
    }

    /// The lines of the audit trail: a person has decided each.
    fn trail(&self) -> impl Iterator<Item = AuditEntry> {
        self.answers.iter().map(|(entry, at)| AuditEntry {
            tenant: self.tenant.clone(),
            at: *at,
            actor: AUTHOR.to_owned(),
            action: "conversation.replied".to_owned(),
            subject: format!("conversation:{}", self.data.conversation),
            detail: json!({ "entry": entry }),
        })
    }
}
