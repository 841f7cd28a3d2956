//! Texts that came in: stored once, with what they mean for the recipient's status.

mod text;

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    address::Address,
    country::Country,
    gates::OptOutScope,
    ids::{ContactId, ConversationId, InboxId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

pub use text::{Company, Meaning, NewText, Opening, Thread, Writer};

use super::{
    arrival,
    senders::{self, TextedSenders},
    threads::{self, NewThread},
};
use crate::{
    Scoped, Store,
    core::{
        keyed::{LockOrder, in_lock_order, index},
        words::{self, optional},
    },
    fault,
    recipients::consent::{self, Action, ConsentChange, Proof},
    settings::policies,
};

/// Makes the contacts, recipient statuses and threads of these texts where they are missing, then
/// stores each text once, and notes on `texts` which thread each is in. Answers in their order.
pub async fn receive(tx: &mut Scoped, texts: &mut [NewText]) -> Result<Vec<Thread>, Fault> {
    let senders = senders::resolve(tx, texts).await?;
    let order = LockOrder::by(texts, |text| (&text.tenant, text.id));
    make_people(tx, &order.sorted(texts)).await?;
    let wanted: Vec<NewThread<'_>> =
        order.sorted(texts).into_iter().map(|text| thread_of(text, &senders)).collect();
    let made = threads::make(tx, &wanted).await?;
    for text in texts.iter_mut() {
        let key = (text.tenant.clone(), text.contact, text.channel, text.group);
        text.conversation = made.get(&key).copied().unwrap_or(text.conversation);
    }

    let sorted = order.sorted(texts);
    let first = insert(tx, &sorted).await?;
    let new: Vec<&NewText> =
        sorted.iter().copied().filter(|text| first.contains(&text.id)).collect();
    arrival::record(tx, &new).await?;

    let mut threads = threads(tx, &sorted, &first).await?;
    let mut thread = |text: &NewText| threads.remove(&text.id);
    Ok(texts.iter().filter_map(&mut thread).collect())
}

/// The thread that a text is in, as it is made where it is missing.
fn thread_of<'a>(text: &'a NewText, senders: &TextedSenders) -> NewThread<'a> {
    NewThread {
        tenant: &text.tenant,
        conversation: text.conversation,
        contact: text.contact,
        sender: text.sender,
        texted: senders.get(&(text.tenant.clone(), text.sender)).copied().unwrap_or_default(),
        channel: text.channel,
        group: text.group,
        address: text.writer.as_str(),
        is_person: text.address().is_some(),
        at: text.received_at,
        is_said: text.meaning.is_said(),
    }
}

/// The threads of texts that are stored, by text.
async fn threads(
    tx: &mut Scoped,
    texts: &[&NewText],
    first: &HashSet<Uuid>,
) -> Result<HashMap<Uuid, Thread>, Fault> {
    let rows = sqlx::query!(
        r#"select i.inbound_id, i.contact_id, i.conversation_id,
                  i.unknown_to is null as "is_to_sender!", i.opens, i.opens_inbox,
                  i.received_at, i.answer, i.epoch, v.last_campaign_id,
                  c.language as "language?", t.name,
                  (select p.body ->> 'help_contact' from policies p
                   where p.tenant_id = k.tenant_id order by p.version desc limit 1) as help_contact
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, inbound_id)
           join inbound_texts i on i.tenant_id = k.tenant_id and i.inbound_id = k.inbound_id
           join conversations v
             on v.tenant_id = i.tenant_id and v.conversation_id = i.conversation_id
           left join contacts c on c.tenant_id = i.tenant_id and c.contact_id = i.contact_id
           join tenants t on t.tenant_id = i.tenant_id"#,
        &tenants(texts),
        &texts.iter().map(|text| text.id).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let threads = rows.into_iter().map(|row| {
        let thread = Thread {
            inbound: row.inbound_id,
            contact: ContactId(row.contact_id),
            conversation: ConversationId(row.conversation_id),
            is_to_sender: row.is_to_sender,
            opens: row.opens.then_some(Opening { inbox: row.opens_inbox.map(InboxId) }),
            received_at: row.received_at.to_jiff(),
            answer: optional(row.answer.as_deref())?,
            epoch: row.epoch,
            campaign: row.last_campaign_id,
            language: row.language,
            company: Company { name: row.name, help_contact: row.help_contact },
            first: first.contains(&row.inbound_id),
            program: None,
            overtaken: false,
        };
        Ok((row.inbound_id, thread))
    });
    threads.collect()
}

fn tenants(texts: &[&NewText]) -> Vec<String> {
    texts.iter().map(|text| text.tenant.to_string()).collect()
}

async fn make_people(tx: &mut Scoped, texts: &[&NewText]) -> Result<(), Fault> {
    let people: Vec<Person<'_>> = texts.iter().filter_map(|text| Person::of(text)).collect();
    let tenants: Vec<&str> = people.iter().map(|one| one.text.tenant.as_str()).collect();
    let addresses: Vec<&str> = people.iter().map(|one| one.address.as_str()).collect();
    let times: Vec<_> = people.iter().map(|one| one.text.received_at.to_sqlx()).collect();

    sqlx::query!(
        "insert into contacts (tenant_id, contact_id, number, country, created_at, updated_at)
         select distinct on (k.tenant_id, k.contact_id)
                k.tenant_id, k.contact_id, k.number, k.country, k.at, k.at
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
           as k (tenant_id, contact_id, number, country, at)
         order by 1, 2
         on conflict do nothing",
        &tenants as _,
        &people.iter().map(|one| one.text.contact.0).collect::<Vec<_>>(),
        &addresses as _,
        &people.iter().map(|one| one.country).collect::<Vec<_>>() as _,
        &times as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into standings as s (tenant_id, number, channel, last_inbound_at)
         select k.tenant_id, k.number, k.channel, max(k.at) filter (where k.is_said)
         from unnest($1::text[], $2::text[], $3::timestamptz[], $4::boolean[], $5::text[])
           as k (tenant_id, number, at, is_said, channel)
         group by k.tenant_id, k.number, k.channel order by 1, 2, 3
         on conflict (tenant_id, number, channel) do update
         set last_inbound_at = greatest(s.last_inbound_at, excluded.last_inbound_at)",
        &tenants as _,
        &addresses as _,
        &times as _,
        &people.iter().map(|one| one.text.meaning.is_said()).collect::<Vec<_>>(),
        &people.iter().map(|one| one.text.channel.as_str()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// A text of a person, with what their contact is made of.
struct Person<'a> {
    text: &'a NewText,
    address: &'a Address,
    country: &'a str,
}

impl<'a> Person<'a> {
    fn of(text: &'a NewText) -> Option<Self> {
        match &text.writer {
            Writer::Person { address, country } => Some(Self { text, address, country }),
            Writer::Code(_) => None,
        }
    }
}

/// Stores texts, and answers the ids of those that are new.
async fn insert(tx: &mut Scoped, texts: &[&NewText]) -> Result<HashSet<Uuid>, Fault> {
    let times: Vec<_> = texts.iter().map(|text| text.received_at.to_sqlx()).collect();

    let new = sqlx::query_scalar!(
        "insert into inbound_texts (tenant_id, inbound_id, conversation_id, contact_id, sender_id,
                                    body, meaning, rule, code, unknown_to, epoch, received_at)
         select k.tenant_id, k.inbound_id, k.conversation_id, k.contact_id, k.sender_id, k.body,
                k.meaning, k.rule, k.code, k.unknown_to, v.epoch, k.at
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::text[])
           as k (tenant_id, inbound_id, conversation_id, contact_id, sender_id, body, meaning,
                 rule, code, at, unknown_to)
         join conversations v
           on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
         on conflict do nothing returning inbound_id",
        &tenants(texts),
        &texts.iter().map(|text| text.id).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.conversation.0).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.contact.0).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.sender.0).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.body.clone()).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.meaning.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.rule.clone()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| code(text)).collect::<Vec<_>>() as _,
        &times as _,
        &texts.iter().map(|text| unknown_to(text)).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(new.into_iter().collect())
}

/// The number that was texted, where it is none of the tenant's senders.
fn unknown_to(text: &NewText) -> Option<&str> {
    (!text.is_to_sender).then_some(text.to.as_str())
}

/// Where a machine's text is from; none for a person's.
fn code(text: &NewText) -> Option<&str> {
    match &text.writer {
        Writer::Person { .. } => None,
        Writer::Code(code) => Some(code.as_str()),
    }
}

/// Records opt-outs and opt-ins: in the recipients' statuses and the consent ledger. An opt-out
/// also ends the epoch of its thread. Call with first-time texts only.
pub async fn change_recipients(
    tx: &mut Scoped,
    now: Timestamp,
    texts: &[&NewText],
) -> Result<(), Fault> {
    let stops: Vec<&NewText> = texts.iter().copied().filter(|text| is_stop(text)).collect();
    let programs = programs_left(tx, &stops).await?;
    let changes: Vec<ConsentChange> =
        texts.iter().filter_map(|text| change(text, &programs)).collect();
    consent::record(tx, now, &changes).await?;

    let stops = in_lock_order(&stops, |text| (&text.tenant, text.conversation));

    sqlx::query!(
        "update conversations v set epoch = v.epoch + 1
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
         where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id",
        &stops.iter().map(|text| text.tenant.as_str()).collect::<Vec<_>>() as _,
        &stops.iter().map(|text| text.conversation.0).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Those of these texts that ask for messages again although their person has stopped since.
pub async fn overtaken(tx: &mut Scoped, starts: &[&NewText]) -> Result<HashSet<Uuid>, Fault> {
    let changes: Vec<ConsentChange> =
        starts.iter().filter_map(|text| change(text, &HashMap::new())).collect();
    consent::overtaken(tx, &changes.iter().collect::<Vec<_>>()).await
}

fn is_stop(text: &NewText) -> bool {
    text.meaning == Meaning::OptOut
}

/// What a text changes; nothing where no person has written it.
fn change(text: &NewText, programs: &HashMap<Uuid, String>) -> Option<ConsentChange> {
    let address = text.address()?.clone();
    Some(ConsentChange {
        tenant: text.tenant.clone(),
        consent_id: text.id,
        address,
        channel: text.channel,
        action: if is_stop(text) { Action::Revoke } else { Action::Restore },
        program: programs.get(&text.id).cloned(),
        stops: None,
        method: text.method,
        language: None,
        source: None,
        proof: Proof { inbound_id: Some(text.id), ..Proof::default() },
        evidence: serde_json::json!({ "inbound": text.id, "words": text.body, "rule": text.rule }),
        at: text.received_at,
        recorded_by: "stage:inbound".into(),
    })
}

/// The programs that these texts leave, by text: of tenants whose policy says that a STOP reaches
/// one program, that of the campaign last sent in the thread: until the day from which the law has
/// it reach everything. A text that is missing leaves everything.
async fn programs_left(
    tx: &mut Scoped,
    stops: &[&NewText],
) -> Result<HashMap<Uuid, String>, Fault> {
    let tenants: BTreeSet<&TenantId> = stops.iter().map(|text| &text.tenant).collect();
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }

    let policies = policies::in_force(tx, &tenants.into_iter().collect::<Vec<_>>()).await?;
    let of_program = |text: &&&NewText| {
        let policy = policies.get(&text.tenant).and_then(Option::as_ref);
        let scope = policy.map(|policy| policy.opt_out_scope_at(text.received_at, country(text)));
        scope == Some(OptOutScope::Program)
    };
    let asked: Vec<&&NewText> = stops.iter().filter(of_program).collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }

    let rows = sqlx::query!(
        r#"select k.inbound_id as "inbound_id!", c.program
           from unnest($1::text[], $2::uuid[], $3::uuid[])
                as k (tenant_id, inbound_id, conversation_id)
           join conversations v
             on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           join campaigns c
             on c.tenant_id = v.tenant_id and c.campaign_id = v.last_campaign_id"#,
        &asked.iter().map(|text| text.tenant.as_str()).collect::<Vec<_>>() as _,
        &asked.iter().map(|text| text.id).collect::<Vec<_>>(),
        &asked.iter().map(|text| text.conversation.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (row.inbound_id, row.program)).collect())
}

/// The country of the person who wrote a text, where it is known.
fn country(text: &NewText) -> Option<Country> {
    match &text.writer {
        Writer::Person { country, .. } if country != "ZZ" => country.parse().ok(),
        Writer::Person { .. } | Writer::Code(_) => None,
    }
}

/// The programs that texts have left, by text; those that have left everything are missing. Reads
/// the ledger, so that a repeat says what was said at first.
pub async fn left(tx: &mut Scoped, texts: &[&NewText]) -> Result<HashMap<Uuid, String>, Fault> {
    let rows = sqlx::query!(
        r#"select c.consent_id, c.program as "program!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, inbound_id)
           join consents c on c.tenant_id = k.tenant_id and c.consent_id = k.inbound_id
           where c.program is not null"#,
        &texts.iter().map(|text| text.tenant.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.id).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (row.consent_id, row.program)).collect())
}

/// The accounts, among these, whose carrier answers its own opt-out, opt-in and help words.
pub async fn self_answering(
    tx: &mut Scoped,
    tenants: &[String],
    accounts: &[String],
) -> Result<std::collections::HashSet<String>, Fault> {
    let rows = sqlx::query_scalar!(
        "select a.account
         from unnest($1::text[], $2::text[]) as k (tenant_id, account)
         join carrier_accounts a on a.tenant_id = k.tenant_id and a.account = k.account
         where a.confirms_opt_out",
        tenants,
        accounts,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().collect())
}

/// Whose sender each number is that a text came to, by the handle of the account and the number. A
/// number that is nobody's is not in it. Before a tenant is known.
pub async fn owners(
    store: &Store,
    numbers: &[(String, String)],
) -> Result<HashMap<(String, String), TenantId>, Fault> {
    let (handles, to): (Vec<String>, Vec<String>) = numbers.iter().cloned().unzip();
    let rows = sqlx::query!(
        r#"select at as "at!", tenant_id as "tenant_id!" from sender_owners($1, $2)"#,
        &handles,
        &to,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let mut owners = HashMap::with_capacity(rows.len());
    for row in rows {
        owners.insert(numbers[index(row.at)].clone(), words::tenant(&row.tenant_id)?);
    }
    Ok(owners)
}
