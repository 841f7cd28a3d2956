//! `PATCH` and `DELETE /v1/contacts/{id}`: a person is changed, or erased.

use axum::{Json, extract::State};
use domain::ids::ContactId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{
    Scoped,
    contacts::{self, Contact, erase},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::manage::{ContactView, views};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditContacts, Needs},
    contacts::{Edit, edited, found},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    http::{Body, Id, Problem},
    withdraw::withdraw,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change, remove))
}

/// `PATCH /v1/contacts/{id}`, for every role but viewer: sets what is named, clears what is `null`,
/// and leaves the rest of a contact. Answers 200 with the contact, or 404.
#[utoipa::path(
    patch, path = "/v1/contacts/{id}", tag = "contacts", operation_id = "update_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT))),
    request_body(content = Edit, example = json!({
        "last_name": "Ruiz", "language": "es", "postal_code": null, "add_tags": ["spring"],
        "attributes": { "plan": "gold" },
    })),
    responses(
        (status = 200, description = "The contact as it is now.", body = ContactView),
        Always, OfBody, Missing,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
    Body(edit): Body<Edit>,
) -> Result<Json<ContactView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = found(&mut tx, &caller, id, true).await?;

    // record
    let mut after = edited(&before, edit).map_err(Problem::invalid)?;
    if after != before {
        after = Contact { updated_at: app.now(), ..after };
        contacts::save(&mut tx, &caller.tenant, std::slice::from_ref(&after)).await?;
    }
    let shown = views(&mut tx, &caller, vec![after]).await?.pop();
    tx.commit().await?;

    // answer
    shown.map(Json).ok_or_else(|| Problem::not_found("contact"))
}

/// What was done to erase a person.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasedContact)]
struct Erased {
    /// The contact that was erased.
    id: ContactId,
    /// When the person was erased.
    erased_at: Timestamp,
    /// Messages that were on their way and are not sent any more.
    messages_cancelled: u64,
    /// Messages, in both directions, whose text was removed.
    texts_removed: u64,
}

/// `DELETE /v1/contacts/{id}`, for every role but viewer: erases a person. What is on its way to
/// them is cancelled; names, fields, tags and texts go. An opt-out, the do-not-contact list, the
/// ledger of consent and the trail keep the number. Who is limited to brands may not (403). Answers
/// 200 with what was done, or 404; 429 while too many campaigns have yet to feed people who are
/// to be erased, or where the contact was merged or got an address meanwhile.
#[utoipa::path(
    delete, path = "/v1/contacts/{id}", tag = "contacts", operation_id = "erase_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT))),
    responses((status = 200, description = "What was done.", body = Erased), Always, Missing),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
) -> Result<Json<Erased>, Problem> {
    // load
    caller.sees_all("erasing a person")?;
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let (contact, rows) = person(&mut tx, &caller, id, false).await?;
    let mut open = Vec::new();
    for row in &rows {
        open.extend(erase::open_messages(&mut tx, ContactId(*row)).await?);
    }
    drop(tx);

    // record: the contact goes last, so that what was cut off can be asked for again
    let mut messages_cancelled = 0;
    for message in open {
        let is_cancelled =
            withdraw(&app, &caller, message.id, now, "the contact was erased").await?;
        messages_cancelled += u64::from(is_cancelled);
    }
    let mut texts_removed = 0;
    for row in &rows {
        texts_removed += texts(&app, &caller, ContactId(*row), now).await?;
    }

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if person(&mut tx, &caller, id, true).await? != (contact, rows.clone()) {
        return Err(Problem::too_many("the contact has just changed: repeat it", 1));
    }
    let mut media_removed = 0;
    for row in rows.into_iter().map(ContactId) {
        texts_removed += erase::texts_of_conversations(&mut tx, row).await?;
        media_removed += erase::media(&mut tx, &caller.tenant, row).await?;
    }
    if !erase::contact(&mut tx, &caller.tenant, contact, now).await? {
        return Err(Problem::not_found("contact"));
    }
    let detail = json!({
        "messages_cancelled": messages_cancelled, "texts_removed": texts_removed,
        "media_removed": media_removed,
    });
    let subject = format!("contact:{contact}");
    audit::note(&mut tx, &caller, now, "contact.erased", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(Erased { id: contact, erased_at: now, messages_cancelled, texts_removed }))
}

/// The contact that an id names, and the rows of all its addresses.
async fn person(
    tx: &mut Scoped,
    caller: &Caller,
    id: Uuid,
    lock: bool,
) -> Result<(ContactId, Vec<Uuid>), Problem> {
    let contact = ContactId(found(tx, caller, id, lock).await?.contact_id);
    let rows = contacts::set::rows_of(tx, &caller.tenant, contact).await?;
    Ok((contact, rows))
}

/// Removes the texts of a person's messages, step by step: each is a transaction of its own.
async fn texts(
    app: &App,
    caller: &Caller,
    contact: ContactId,
    now: Timestamp,
) -> Result<u64, Problem> {
    let mut removed = 0;
    loop {
        let mut tx = app.transactions.begin(&caller.tenant).await?;
        let step = erase::texts_of_messages(&mut tx, contact, now).await?;
        tx.commit().await?;
        if step == 0 {
            return Ok(removed);
        }
        removed += step;
    }
}
