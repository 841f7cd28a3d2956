//! Automatic answers of every kind: which text has which, and how many a person has had.

use std::collections::HashMap;

use domain::{
    automatic::{AnsweredPerson, AutomaticAnswer, DAY, REPEATED},
    ids::{ContactId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::inbound::NewText;
use crate::{
    Scoped,
    core::{
        keyed::{in_lock_order, tenant},
        words::{word, words},
    },
    fault,
};

words! { AutomaticAnswer = "automatic answer" }

/// What the people of these texts were and had been answered, as it stands. Their recipient
/// statuses are locked by [`super::inbound::receive`], so that two processes count one after the
/// other.
pub async fn people(
    tx: &mut Scoped,
    texts: &[&NewText],
    now: Timestamp,
) -> Result<HashMap<(TenantId, ContactId, Channel), AnsweredPerson>, Fault> {
    let people: Vec<(&NewText, &str)> =
        texts.iter().filter_map(|text| Some((*text, text.address()?.as_str()))).collect();
    if people.is_empty() {
        return Ok(HashMap::new());
    }

    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.contact_id as "contact_id!", s.channel,
                  s.opted_out_at is not null as "is_out!", s.stopped_programs,
                  a.today as "today!", a.had_help as "had_help!", a.had_welcome as "had_welcome!"
           from (select distinct tenant_id, contact_id, number, channel
                 from unnest($1::text[], $2::uuid[], $3::text[], $6::text[])
                      as u (tenant_id, contact_id, number, channel)) k
           join standings s
             on s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel
           cross join lateral (
               select count(*) as today,
                      count(*) filter (where t.answer = 'help' and t.received_at > $5) > 0
                          as had_help,
                      count(*) filter (where t.answer = 'opt_in' and t.received_at > $5) > 0
                          as had_welcome
               from inbound_texts t
               where t.tenant_id = k.tenant_id and t.contact_id = k.contact_id
                 and t.answer is not null and t.received_at > $4
           ) a"#,
        &people.iter().map(|(text, _)| text.tenant.to_string()).collect::<Vec<_>>(),
        &people.iter().map(|(text, _)| text.contact.0).collect::<Vec<_>>(),
        &people.iter().map(|(_, address)| *address).collect::<Vec<_>>() as _,
        (now - DAY).to_sqlx(),
        (now - REPEATED).to_sqlx(),
        &people.iter().map(|(text, _)| text.channel.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let people = rows.into_iter().map(|row| {
        let person = AnsweredPerson {
            is_out: row.is_out,
            left_programs: row.stopped_programs.into_iter().collect(),
            today: row.today,
            had_help: row.had_help,
            had_welcome: row.had_welcome,
        };
        let channel = word(&row.channel)?;
        Ok(((tenant(&row.tenant_id), ContactId(row.contact_id), channel), person))
    });
    people.collect()
}

/// Notes which answer each text gets: whoever sees the text again says the same.
pub async fn record(
    tx: &mut Scoped,
    answers: &[(&TenantId, Uuid, AutomaticAnswer)],
) -> Result<(), Fault> {
    if answers.is_empty() {
        return Ok(());
    }

    let answers = in_lock_order(answers, |(tenant, text, _)| (*tenant, *text));
    sqlx::query!(
        "update inbound_texts t set answer = k.answer
         from unnest($1::text[], $2::uuid[], $3::text[]) as k (tenant_id, inbound_id, answer)
         where t.tenant_id = k.tenant_id and t.inbound_id = k.inbound_id",
        &answers.iter().map(|(tenant, ..)| tenant.as_str()).collect::<Vec<_>>() as _,
        &answers.iter().map(|(_, text, _)| *text).collect::<Vec<_>>(),
        &answers.iter().map(|(.., answer)| answer.as_str()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
