//! `/v1/contacts/{id}/addresses`: what a person is known under is added and removed.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    address::{Address, AddressKind, MAX_ADDRESSES, is_username, is_whatsapp_id},
    country::Country,
    ids::ContactId,
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Scoped,
    contacts::addresses::{self, AddOutcome, NewAddress, RemoveOutcome},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::manage::{ContactView, views};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditContacts, Needs},
    contacts::found,
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Creation, Errors, Id, Kind, Problem, Query, creation::IdempotencyKey},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add, remove))
}

/// What a person is known under.
#[derive(Default, Deserialize, ToSchema, IntoParams)]
#[schema(as = NewContactAddress)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Named {
    /// What it is.
    #[schema(value_type = AddressKind)]
    #[param(value_type = AddressKind, example = "username")]
    kind: String,
    /// A phone number as people write it, WhatsApp's business-scoped user id as it stands, the
    /// digits by which WhatsApp names the person, or their username there.
    #[schema(min_length = 1, max_length = 135)]
    #[param(min_length = 1, max_length = 135, example = "ana.ruiz")]
    address: String,
}

impl Named {
    /// What is named, as it is kept. Numbers without `+` are of `home`.
    fn read(&self, home: Option<Country>) -> Result<(AddressKind, String), Problem> {
        let Some(kind) = AddressKind::from_name(&self.kind) else {
            let words = AddressKind::ALL.map(AddressKind::as_str).join(", ");
            return Err(Problem::field("kind", "unknown", words));
        };
        let written = self.address.trim();
        let is_fine = match kind {
            AddressKind::Phone => {
                let mut errors = Errors::default();
                let number = fields::number("address", written, home, &mut errors);
                errors.done()?;
                return Ok((kind, number.map(|number| number.to_string()).unwrap_or_default()));
            }
            AddressKind::CarrierId => matches!(written.parse(), Ok(Address::Carrier(_))),
            AddressKind::WhatsappId => is_whatsapp_id(written),
            AddressKind::Username => is_username(&written.to_lowercase()),
        };

        let detail = match kind {
            AddressKind::Phone | AddressKind::CarrierId => {
                "a business-scoped user id, such as US.13491208655302741918"
            }
            AddressKind::WhatsappId => "7 to 15 digits, those of a number with its country code",
            AddressKind::Username => "3 to 35 of a-z, 0-9, dot and _, one of them a letter",
        };
        match (is_fine, kind) {
            (false, _) => Err(Problem::field("address", "invalid", detail)),
            (true, AddressKind::Username) => Ok((kind, written.to_lowercase())),
            (true, _) => Ok((kind, written.to_owned())),
        }
    }
}

/// `POST /v1/contacts/{id}/addresses`, for every role but viewer: adds an address to a contact.
/// What stops texts to one of them stops them to all. Who is limited to brands may not (403).
/// Answers 200 with the contact, also where it had the address, 404, or 409 where the address is
/// another contact's, or the contact has as many as fit.
#[utoipa::path(
    post, path = "/v1/contacts/{id}/addresses", tag = "contacts",
    operation_id = "add_contact_address", security(("bearer" = [EditContacts::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        IdempotencyKey,
    ),
    request_body(content = Named, example = json!({
        "kind": "carrier_id", "address": "US.13491208655302741918",
    })),
    responses(
        (status = 200, description = "The contact, which has the address.", body = ContactView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn add(Id(id): Id, mut new: Creation<EditContacts, Named>) -> Result<Response, Problem> {
    // check
    new.caller.sees_all(ACT)?;
    let caller = new.caller.clone();
    let contact = found(&mut new.tx, &caller, id, true).await?;
    let (kind, address) = new.body.read(new.tenant.country.parse().ok())?;

    // record
    let new_address = NewAddress {
        tenant: caller.tenant.id(),
        contact: ContactId(contact.contact_id),
        kind,
        address: &address,
        at: new.now,
        by: &caller.subject,
    };
    match addresses::add(&mut new.tx, &new_address).await? {
        AddOutcome::Known => {}
        AddOutcome::Added => {
            note(&mut new.tx, &caller, new.now, "contact.address_added", &new_address).await?;
        }
        AddOutcome::OfAnother(other) => return Err(of_another(other)),
        AddOutcome::TooMany => {
            let detail = format!("a contact has {MAX_ADDRESSES} addresses at most: remove one");
            return Err(Problem::new(Kind::Conflict, detail));
        }
        AddOutcome::WithoutPhone => return Err(Problem::new(Kind::Conflict, WITHOUT_PHONE)),
    }

    // answer
    let shown = views(&mut new.tx, &caller, vec![contact]).await?.pop();
    let shown = shown.ok_or_else(|| Problem::not_found("contact"))?;
    new.finish(StatusCode::OK, &shown).await
}

/// What who is limited to brands may not do.
const ACT: &str = "what a person is known under";

/// Why a contact without a number gets none.
const WITHOUT_PHONE: &str = "this contact has no phone number: make a contact of the number with \
    POST /v1/contacts, and have it take this one in with POST /v1/contacts/{id}/merges";

fn of_another(other: ContactId) -> Problem {
    let detail = format!(
        "the contact {other} has this address: merge the two with POST /v1/contacts/{{id}}/merges, \
         or remove it there"
    );
    Problem::new(Kind::Conflict, detail)
}

/// `DELETE /v1/contacts/{id}/addresses?kind=&address=`, for every role but viewer: takes an address
/// from a contact. What texts go to is a contact of its own again, and keeps every stop that it
/// has. Who is limited to brands may not (403). Answers 200 with the contact, 404 where it does not
/// have the address, or 409 for the one that it is known by first.
#[utoipa::path(
    delete, path = "/v1/contacts/{id}/addresses", tag = "contacts",
    operation_id = "remove_contact_address", security(("bearer" = [EditContacts::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        Named,
    ),
    responses(
        (status = 200, description = "The contact, without the address.", body = ContactView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
    Query(named): Query<Named>,
) -> Result<Json<ContactView>, Problem> {
    // check
    caller.sees_all(ACT)?;
    let now = app.now();
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let contact = found(&mut tx, &caller, id, true).await?;
    let (kind, address) = named.read(tenant.country.parse().ok())?;

    // record
    let of = ContactId(contact.contact_id);
    let gone = NewAddress {
        tenant: caller.tenant.id(),
        contact: of,
        kind,
        address: &address,
        at: now,
        by: &caller.subject,
    };
    match addresses::remove(&mut tx, &caller.tenant, of, kind, &address).await? {
        RemoveOutcome::Removed => {
            note(&mut tx, &caller, now, "contact.address_removed", &gone).await?;
        }
        RemoveOutcome::Unknown => return Err(Problem::not_found("address of this contact")),
        RemoveOutcome::First => {
            let detail = "the contact is known by this address: erase the contact instead";
            return Err(Problem::new(Kind::Conflict, detail));
        }
    }
    let shown = views(&mut tx, &caller, vec![contact]).await?.pop();
    tx.commit().await?;

    // answer
    shown.map(Json).ok_or_else(|| Problem::not_found("contact"))
}

/// Writes the change of an address to the trail.
async fn note(
    tx: &mut Scoped,
    caller: &Caller,
    at: jiff::Timestamp,
    action: &str,
    changed: &NewAddress<'_>,
) -> Result<(), Problem> {
    let detail = json!({ "kind": changed.kind.as_str(), "address": changed.address });
    audit::note(tx, caller, at, action, format!("contact:{}", changed.contact), detail).await
}
