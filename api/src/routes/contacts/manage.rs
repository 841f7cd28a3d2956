//! `/v1/contacts`: one at a time, and lists.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::{gates::Stops, ids::ContactId, message::class::Channel};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{
    Scoped,
    contacts::{self, Contact},
    recipients::{
        consent::ConsentMethod,
        list::{self, RecipientRow},
    },
};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    contacts::{Outcome, Raw, Recorder, Reference, apply, read},
    http::{Creation, Id, Page, Paging, Problem, Query, view::located},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/contacts", get(list).post(create))
        .route("/v1/contacts/{id}", get(show))
}

/// A contact as callers read it.
#[derive(Serialize)]
pub(super) struct ContactView {
    id: Uuid,
    phone: String,
    country: String,
    first_name: String,
    last_name: String,
    language: Option<String>,
    time_zone: Option<String>,
    postal_code: Option<String>,
    region: Option<String>,
    tags: Vec<String>,
    attributes: BTreeMap<String, String>,
    consent_at: Option<Timestamp>,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<ConsentMethod>,
    do_not_contact_at: Option<Timestamp>,
    do_not_contact_reason: Option<String>,
    do_not_contact_stops: Option<Stops>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn view(contact: Contact, recipient: Option<&RecipientRow>) -> ContactView {
    ContactView {
        id: contact.contact_id,
        phone: contact.number,
        country: contact.country,
        first_name: contact.first_name,
        last_name: contact.last_name,
        language: contact.language,
        time_zone: contact.time_zone,
        postal_code: contact.postal_code,
        region: contact.region,
        tags: contact.tags,
        attributes: contact.attributes,
        consent_at: recipient.and_then(|recipient| recipient.marketing_consent_at),
        opted_out_at: recipient.and_then(|recipient| recipient.opted_out_at),
        opt_out_cause: recipient.and_then(|recipient| recipient.opt_out_cause),
        do_not_contact_at: recipient.and_then(|recipient| recipient.do_not_contact_at),
        do_not_contact_reason: recipient
            .and_then(|recipient| recipient.do_not_contact_reason.clone()),
        do_not_contact_stops: recipient.and_then(RecipientRow::stops),
        created_at: contact.created_at,
        updated_at: contact.updated_at,
    }
}

/// The contacts as callers read them, with what is known of their addresses.
async fn views(
    tx: &mut Scoped,
    caller: &Caller,
    found: Vec<Contact>,
) -> Result<Vec<ContactView>, Problem> {
    let addresses: Vec<_> = found.iter().filter_map(Contact::address).collect();
    let recipients = list::load(tx, &caller.tenant, &addresses, Channel::Sms, false).await?;

    let of = |address: &str| recipients.iter().find(|recipient| recipient.address == address);
    let with_recipient = |contact: Contact| {
        let recipient = of(&contact.number);
        view(contact, recipient)
    };
    Ok(found.into_iter().map(with_recipient).collect())
}

/// `POST /v1/contacts`, for every role but viewer: creates a contact, or adds to the one with this
/// number. Answers 201 or 200 with the contact.
async fn create(mut new: Creation<Raw>) -> Result<Response, Problem> {
    // check
    let evidence = json!({ "by": new.caller.subject });
    let raw = std::mem::take(&mut new.body);
    let reference = Reference::of(&new.tenant, new.now);
    let input = read(raw, &reference, evidence).map_err(Problem::invalid)?;

    // record
    let by = Recorder::of(&new.caller, new.now, ConsentMethod::Api);
    let outcomes = apply(&mut new.tx, &by, std::slice::from_ref(&input), true).await?;

    // answer
    let id = ContactId::of(&by.tenant, input.number.as_str()).0;
    let found = contacts::load(&mut new.tx, &by.tenant, &[id], false).await?;
    let found = views(&mut new.tx, &new.caller, found).await?;
    let Some(contact) = found.first() else { return Err(Problem::not_found("contact")) };
    let is_new = outcomes.first() == Some(&Outcome::Created);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(located(new.finish(status, contact).await?, &format!("/v1/contacts/{id}")))
}

/// `GET /v1/contacts/{id}`, for every role: one contact, or 404.
async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<ContactView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = contacts::load(&mut tx, &caller.tenant, &[id], false).await?;
    let found = views(&mut tx, &caller, found).await?.pop();
    found.map(Json).ok_or_else(|| Problem::not_found("contact"))
}

#[derive(serde::Deserialize)]
struct Tagged {
    tag: Option<String>,
}

/// `GET /v1/contacts?tag=`, for every role: the contacts in pages; with a tag, those that have it.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
    Query(Tagged { tag }): Query<Tagged>,
) -> Result<Json<Page<ContactView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = contacts::list(&mut tx, &caller.tenant, tag.as_deref(), after, limit).await?;
    let found = views(&mut tx, &caller, found).await?;

    Ok(Json(Page::new(found, limit, |contact| contact.id)))
}
