//! `/v1/contacts`: one at a time, and lists.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    address::{Address, AddressKind},
    gates::Stops,
    ids::ContactId,
    message::class::Channel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    contacts::{self, Contact, ContactFilter, addresses::ContactAddress},
    recipients::{
        consent::ConsentMethod,
        list::{self, RecipientRow},
    },
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Caller, EditContacts, Needs, Read},
    contacts::{OVER_PLAN, Outcome, Raw, Recorder, Reference, Writing, apply, found, read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Creation, Errors, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show))
}

/// A contact as callers read it.
#[derive(Serialize, ToSchema)]
#[schema(as = Contact)]
pub(super) struct ContactView {
    /// Derived from the tenant and the number: the same number has the same id.
    id: Uuid,
    /// The number that the contact is known by first, in E.164; null where there is none.
    #[schema(required, example = json!(examples::PHONE))]
    phone: Option<String>,
    /// Everything that the contact is known under, 20 at most: numbers first.
    addresses: Vec<AddressView>,
    /// The number's country, ISO 3166-1 alpha-2.
    country: String,
    /// Empty where it is not known.
    first_name: String,
    /// Empty where it is not known.
    last_name: String,
    /// ISO 639-1: which body of a template the person gets.
    #[schema(required)]
    language: Option<String>,
    /// An IANA zone, where one was said; else quiet hours go by postal code, region and number.
    #[schema(required)]
    time_zone: Option<String>,
    /// As it was written.
    #[schema(required)]
    postal_code: Option<String>,
    /// ISO 3166-2, such as `US-FL`.
    #[schema(required)]
    region: Option<String>,
    /// In alphabetical order.
    tags: Vec<String>,
    /// Own fields by name, which templates may use.
    attributes: BTreeMap<String, String>,
    /// When the latest consent to marketing by SMS was given; whether it still holds:
    /// `GET /v1/contacts/{id}/consent`.
    #[schema(required)]
    consent_at: Option<Timestamp>,
    /// Since when the person has opted out of SMS.
    #[schema(required)]
    opted_out_at: Option<Timestamp>,
    /// How the opt-out came.
    #[schema(required)]
    opt_out_cause: Option<ConsentMethod>,
    /// Since when the number is on the do-not-contact list of SMS.
    #[schema(required)]
    do_not_contact_at: Option<Timestamp>,
    /// Why it is on the list.
    #[schema(required)]
    do_not_contact_reason: Option<String>,
    /// What the entry stops.
    #[schema(required)]
    do_not_contact_stops: Option<Stops>,
    /// When the contact was made.
    created_at: Timestamp,
    /// When anything of the contact changed last.
    updated_at: Timestamp,
}

/// What a contact is known under.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactAddress)]
struct AddressView {
    kind: AddressKind,
    /// A number in E.164; other kinds as WhatsApp writes them.
    #[schema(example = json!(examples::PHONE))]
    address: String,
    /// Since when it is the contact's.
    added_at: Timestamp,
}

impl From<ContactAddress> for AddressView {
    fn from(of: ContactAddress) -> Self {
        Self { kind: of.kind, address: of.address, added_at: of.added_at }
    }
}

fn view(
    contact: Contact,
    addresses: Vec<ContactAddress>,
    recipient: Option<&RecipientRow>,
) -> ContactView {
    let phone = Some(contact.number).filter(|number| number.starts_with('+'));

    ContactView {
        id: contact.contact_id,
        phone,
        addresses: addresses.into_iter().map(AddressView::from).collect(),
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
pub(super) async fn views(
    tx: &mut Scoped,
    caller: &Caller,
    found: Vec<Contact>,
) -> Result<Vec<ContactView>, Problem> {
    let addresses: Vec<_> = found.iter().filter_map(Contact::address).collect();
    let recipients = list::load(tx, &caller.tenant, &addresses, Channel::Sms, false).await?;
    let ids: Vec<Uuid> = found.iter().map(|contact| contact.contact_id).collect();
    let mut addresses = contacts::addresses::list(tx, &caller.tenant, &ids).await?;

    let of = |address: &str| recipients.iter().find(|recipient| recipient.address == address);
    let with_recipient = |contact: Contact| {
        let recipient = of(&contact.number);
        let addresses = addresses.remove(&contact.contact_id).unwrap_or_default();
        view(contact, addresses, recipient)
    };
    Ok(found.into_iter().map(with_recipient).collect())
}

/// `POST /v1/contacts`, for every role but viewer: creates a contact, or adds to the one with this
/// number. Answers 201 or 200 with the contact, 409 where they are new and the company's plan has
/// no room; who says in it that they want no texts is taken all the same.
#[utoipa::path(
    post, path = "/v1/contacts", tag = "contacts", operation_id = "create_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(IdempotencyKey),
    request_body(content = Raw, example = json!({
        "phone": "+12125550124", "first_name": "Ana", "tags": ["vip"],
        "consent": { "source": "web form", "basis": "express_written" },
    })),
    responses(
        (status = 201, description = "The new contact.", body = ContactView, headers(
            ("Location" = String, description = "The contact's path."),
        )),
        (status = 200, description = "The one that has the number.", body = ContactView, headers(
            ("Location" = String, description = "The contact's path."),
        )),
        Always, OfBody, Conflict,
    ),
)]
async fn create(mut new: Creation<EditContacts, Raw>) -> Result<Response, Problem> {
    // check
    let evidence = json!({ "by": new.caller.subject });
    let raw = std::mem::take(&mut new.body);
    let reference = Reference::of(&new.tenant, new.now);
    let input = read(raw, &reference, evidence).map_err(Problem::invalid)?;

    // record
    let by = Recorder::of(&new.caller, new.now, ConsentMethod::Api);
    let outcomes = apply(&mut new.tx, &by, std::slice::from_ref(&input), Writing::Yes).await?;
    if outcomes.first() == Some(&Outcome::OverPlan) {
        return Err(Problem::new(Kind::Conflict, OVER_PLAN));
    }

    // answer
    let id = ContactId::of(&by.tenant, input.number.as_str()).0;
    let found = found(&mut new.tx, &new.caller, id, false).await?;
    let id = found.contact_id;
    let found = views(&mut new.tx, &new.caller, vec![found]).await?;
    let Some(contact) = found.first() else { return Err(Problem::not_found("contact")) };
    let is_new = outcomes.first() == Some(&Outcome::Created);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    new.finish_at(status, contact, &format!("/v1/contacts/{id}")).await
}

/// `GET /v1/contacts/{id}`, for every role: one contact, or 404. The id of one that was taken in
/// names the contact that has taken it in.
#[utoipa::path(
    get, path = "/v1/contacts/{id}", tag = "contacts", operation_id = "get_contact",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT))),
    responses((status = 200, description = "The contact.", body = ContactView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<ContactView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = found(&mut tx, &caller, id, false).await?;
    let shown = views(&mut tx, &caller, vec![found]).await?.pop();
    shown.map(Json).ok_or_else(|| Problem::not_found("contact"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The contact with this number alone.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    phone: Option<String>,
    /// Those with this tag.
    #[param(example = "vip", max_length = 64)]
    tag: Option<String>,
    /// Those with this in their names, or as digits in their number.
    #[param(min_length = 2, max_length = 100, example = "Ana")]
    q: Option<String>,
}

/// `GET /v1/contacts?phone=&tag=&q=`, for every role: the contacts in pages. With a phone number,
/// the one that has it; with a tag, those that have it; with `q`, those with it in their names or,
/// as digits, in their number. With a tag or `q` a page looks at 10,000 contacts at most:
/// `next_cursor` says where it stopped.
#[utoipa::path(
    get, path = "/v1/contacts", tag = "contacts", operation_id = "list_contacts",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of contacts.", body = Page<ContactView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<ContactView>>, Problem> {
    // check
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let (phone, home) = (wanted.phone.as_deref(), tenant.country.parse().ok());
    let number = phone.and_then(|phone| fields::number("phone", phone, home, &mut errors));
    if let Some(text) = &wanted.q {
        errors.text("q", text, 2, 100);
    }
    errors.done()?;
    let text = wanted.q.map(|text| text.trim().to_owned());
    let filter = ContactFilter { tag: wanted.tag, text };

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let (found, next) = match number.map(Address::from) {
        Some(address) => {
            (contacts::by_address(&mut tx, &caller.tenant, &address, &filter).await?, None)
        }
        None => contacts::list(&mut tx, &caller.tenant, &filter, after, limit).await?,
    };

    // answer
    let found = views(&mut tx, &caller, found).await?;
    Ok(Json(Page::until(found, next.map(|id| id.to_string()))))
}
