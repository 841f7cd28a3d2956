//! `/v1/contacts/{id}/consent`: the ledger of a person's consent, and what is added to it.

mod new_line;
mod view;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{address::Address, ids::ContactId, message::class::Channel};
use serde::Serialize;
use store::{
    Scoped,
    contacts::{self, addresses::ContactAddress},
    outbox::insert,
    recipients::{
        consent::{self, Action, ConsentChange},
        list::{self, RecipientRow},
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{Event, EventKind, event::ContactData};

use new_line::{NewLine, change};
use view::{LineView, RecipientView, line_view, recipient_view};

use crate::{
    app::App,
    auth::{Allowed, Caller, EditContacts, Needs, Read},
    contacts::{Reference, found},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{
        Creation, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey, time_and_id,
    },
    outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add))
}

/// A line that was added to a ledger.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedConsentLine)]
struct Added {
    /// The line in the ledger.
    id: Uuid,
    /// What is known of the number on the line's channel after it.
    #[serde(rename = "standing")]
    #[schema(required)]
    recipient: Option<RecipientView>,
}

/// The consent of a person, with a page of its ledger.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsentLedger)]
struct Ledger {
    /// What is known of each address on each channel, where anything is.
    #[serde(rename = "standings")]
    recipients: Vec<RecipientView>,
    #[serde(flatten)]
    lines: Page<LineView>,
}

/// `POST /v1/contacts/{id}/consent`, for every role but viewer: adds a line to a person's ledger of
/// consent. Answers 201 with its id and the recipient status after it; 409 where nothing is revoked
/// that could be restored.
#[utoipa::path(
    post, path = "/v1/contacts/{id}/consent", tag = "consent", operation_id = "add_consent",
    security(("bearer" = [EditContacts::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        IdempotencyKey,
    ),
    request_body(content = NewLine, example = json!({
        "action": "grant", "basis": "express_written", "method": "web_form",
        "source": "newsletter", "page_url": "https://example.com/newsletter",
        "disclosure": "Send me offers by text. Reply STOP to end.",
    })),
    responses(
        (status = 201, description = "The line, and what holds after it.", body = Added),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn add(
    State(app): State<App>,
    Id(contact): Id,
    mut new: Creation<EditContacts, NewLine>,
) -> Result<Response, Problem> {
    // check
    let checked = new.body.check(&Reference::of(&new.tenant, new.now))?;

    // load
    let (tenant, channel) = (new.caller.tenant.clone(), new.body.channel);
    let address = address_of(&mut new.tx, &new.caller, contact).await?;
    let addresses = [address.clone()];
    let before = list::load(&mut new.tx, &tenant, &addresses, channel, true).await?.pop();

    // decide
    let is_void = checked.action == Action::Restore
        && !is_revoked(before.as_ref(), checked.program.as_deref());
    if is_void {
        return Err(Problem::new(Kind::Conflict, "nothing is revoked that could be restored"));
    }
    let change = change(&new, checked, address);

    // record
    consent::record(&mut new.tx, new.now, std::slice::from_ref(&change)).await?;
    let is_overtaken = !consent::overtaken(&mut new.tx, &[&change]).await?.is_empty();
    let event = event(&change, contact).filter(|_| !is_overtaken);
    if let Some(event) = &event {
        insert(&mut new.tx, std::slice::from_ref(event)).await?;
    }

    // answer
    let after = list::load(&mut new.tx, &tenant, &addresses, channel, false).await?.pop();
    let recipient = after.map(|after| recipient_view(after, new.now));
    let added = Added { id: change.consent_id, recipient };
    let response = new.finish(StatusCode::CREATED, &added).await?;
    if let Some(event) = event {
        outbox::publish_soon(&app, event);
    }
    Ok(response)
}

/// Whether the program, or anything at all, is revoked.
fn is_revoked(recipient: Option<&RecipientRow>, program: Option<&str>) -> bool {
    recipient.is_some_and(|recipient| match program {
        Some(program) => recipient.stopped_programs.iter().any(|stopped| stopped == program),
        None => recipient.opted_out_at.is_some() || !recipient.stopped_programs.is_empty(),
    })
}

/// The event that tells of a revocation or restoration of everything.
fn event(change: &ConsentChange, contact: Uuid) -> Option<Event> {
    let kind = match change.action {
        Action::Revoke => EventKind::ContactOptedOut,
        Action::Restore => EventKind::ContactOptedIn,
        Action::Grant | Action::Confirm | Action::DoNotContact | Action::Allow => return None,
    };

    let data = ContactData {
        contact: ContactId(contact),
        cause: "api".to_owned(),
        campaign: None,
        merged: None,
    };
    let event = || Event::new(kind, &change.tenant, change.consent_id, 1, change.at, &data);
    change.program.is_none().then(event)
}

/// The address that a contact is known by first.
async fn address_of(tx: &mut Scoped, caller: &Caller, contact: Uuid) -> Result<Address, Problem> {
    let found = found(tx, caller, contact, false).await?;
    found.address().ok_or_else(|| Problem::not_found("contact"))
}

/// Every address of a contact that texts can go to.
async fn addresses_of(
    tx: &mut Scoped,
    caller: &Caller,
    contact: Uuid,
) -> Result<Vec<Address>, Problem> {
    let id = found(tx, caller, contact, false).await?.contact_id;
    let all = contacts::addresses::list(tx, &caller.tenant, &[id]).await?.remove(&id);
    let all = all.unwrap_or_default();
    Ok(all.iter().filter_map(ContactAddress::reachable).collect())
}

/// `GET /v1/contacts/{id}/consent`, for every role: the recipient status of each address on each
/// channel, and the ledger's lines in pages, the latest first by when they were said. Answers 404
/// where there is no such contact.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/consent", tag = "consent", operation_id = "list_consent",
    security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        Paging,
    ),
    responses(
        (status = 200, description = "The status, and a page of the ledger.", body = Ledger),
        Always, Missing,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(contact): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Ledger>, Problem> {
    // load
    let (before, limit) = (paging.after_time_and_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let addresses = addresses_of(&mut tx, &caller, contact).await?;
    let mut recipients = Vec::new();
    for channel in Channel::ALL {
        let found = list::load(&mut tx, &caller.tenant, &addresses, channel, false).await?;
        recipients.extend(found.into_iter().map(|found| recipient_view(found, app.now())));
    }
    let found = consent::list(&mut tx, &caller.tenant, &addresses, before, limit).await?;

    // answer
    let found = found.into_iter().map(line_view).collect();
    let lines = Page::new(found, limit, |line: &LineView| time_and_id(line.at, line.id));
    Ok(Json(Ledger { recipients, lines }))
}
