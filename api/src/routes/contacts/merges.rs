//! `/v1/contacts/{id}/merges`: two contacts become one, and come apart again.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{address::MAX_ADDRESSES, ids::ContactId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::contacts::merge::{self, Merge, MergeAct, MergeOutcome, UndoOutcome};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, EditContacts, Needs, Read},
    contacts::found,
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{
        Creation, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey, time_and_id,
    },
    ids, outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(undo))
}

/// One contact has taken another in.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactMerge)]
struct MergeView {
    /// The merge's id.
    id: Uuid,
    /// The contact that stays.
    contact_id: Uuid,
    /// The contact that was taken in. Its id names the other while the merge stands.
    merged_id: Uuid,
    /// When they were merged.
    merged_at: Timestamp,
    /// Who merged them: `key:` or `user:` and their id, or the part of the platform that was told
    /// by a carrier.
    merged_by: String,
    /// Until when it can be undone.
    undo_until: Timestamp,
    /// When it was undone; null while it stands.
    #[schema(required)]
    undone_at: Option<Timestamp>,
    /// Who has undone it.
    #[schema(required)]
    undone_by: Option<String>,
}

fn view(merge: Merge) -> MergeView {
    MergeView {
        id: merge.id,
        contact_id: merge.contact,
        merged_id: merge.merged,
        merged_at: merge.merged_at,
        merged_by: merge.merged_by,
        undo_until: merge.merged_at.saturating_add(merge::UNDO).unwrap_or(Timestamp::MAX),
        undone_at: merge.undone_at,
        undone_by: merge.undone_by,
    }
}

/// Who is the same person.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewContactMerge)]
#[serde(deny_unknown_fields)]
struct NewMerge {
    /// The contact that is taken in.
    merged_id: Uuid,
}

/// What who is limited to brands may not do.
const ACT: &str = "merging people";

/// `POST /v1/contacts/{id}/merges`, for every role but viewer: the contact takes another in, with
/// its addresses, its messages and its ledger of consent. What stops texts to any of the addresses
/// stops them to all from then on; consent stays with the address that it was given for. Of the
/// fields the contact keeps its own, and has those that it lacks from the other. Who is limited to
/// brands may not (403). Answers 201 with the merge, which can be undone for 30 days; 409 where the
/// two are one, only the other has a phone number, or they have more than 20 addresses together.
#[utoipa::path(
    post, path = "/v1/contacts/{id}/merges", tag = "contacts", operation_id = "merge_contacts",
    security(("bearer" = [EditContacts::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact that stays.",
            example = json!(examples::CONTACT)),
        IdempotencyKey,
    ),
    request_body(content = NewMerge, example = json!({ "merged_id": examples::SAME_PERSON })),
    responses(
        (status = 201, description = "The merge.", body = MergeView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    Id(id): Id,
    mut new: Creation<EditContacts, NewMerge>,
) -> Result<Response, Problem> {
    // check
    new.caller.sees_all(ACT)?;
    let caller = new.caller.clone();
    let into = found(&mut new.tx, &caller, id, false).await?;
    let merged_id = new.body.merged_id;
    let from = found(&mut new.tx, &caller, merged_id, false).await;
    let unknown = || Problem::field("merged_id", "not_found", "no contact with this id");
    let from = from.map_err(|why| if why.kind() == Kind::NotFound { unknown() } else { why })?;

    // record
    let act = MergeAct {
        tenant: caller.tenant.id(),
        id: ids::fresh(),
        into: ContactId(into.contact_id),
        from: ContactId(from.contact_id),
        at: new.now,
        by: &caller.subject,
        cause: "api",
    };
    let refused = |detail: String| Err(Problem::new(Kind::Conflict, detail));
    let event = match merge::merge(&mut new.tx, &act).await? {
        MergeOutcome::Merged(event) => event,
        MergeOutcome::Same => return refused("the two are one contact".into()),
        MergeOutcome::Unknown => {
            return refused("one of the two has just changed: repeat it".into());
        }
        MergeOutcome::WithoutPhone => {
            return refused("only the other has a phone number: merge this one into it".into());
        }
        MergeOutcome::TooMany => {
            let most = format!("together they have more than {MAX_ADDRESSES} addresses");
            return refused(format!("{most}: remove some before"));
        }
    };

    // answer
    let made = view(Merge {
        id: act.id,
        contact: act.into.0,
        merged: act.from.0,
        merged_at: act.at,
        merged_by: caller.subject.clone(),
        undone_at: None,
        undone_by: None,
    });
    let response = new.finish(StatusCode::CREATED, &made).await?;
    outbox::publish_soon(&app, *event);
    Ok(response)
}

/// `GET /v1/contacts/{id}/merges`, for every role: the contacts that this one has taken in during
/// the last 30 days, in pages, the latest first. Answers 404 where there is no such contact.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/merges", tag = "contacts",
    operation_id = "list_contact_merges", security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        Paging,
    ),
    responses(
        (status = 200, description = "A page of merges.", body = Page<MergeView>),
        Always, Missing,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<MergeView>>, Problem> {
    // load
    let (before, limit) = (paging.after_time_and_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let contact = found(&mut tx, &caller, id, false).await?;
    let contact = ContactId(contact.contact_id);
    let merges = merge::list(&mut tx, &caller.tenant, contact, before, limit).await?;

    // answer
    let merges = merges.into_iter().map(view).collect();
    let key = |one: &MergeView| time_and_id(one.merged_at, one.id);
    Ok(Json(Page::new(merges, limit, key)))
}

/// `POST /v1/contacts/merges/{id}/undo`, for every role but viewer: the contact that was taken in
/// is one of its own again, with its addresses, and what the merge alone had stopped goes on. What
/// was said or changed since stands. Who is limited to brands may not (403). Answers 200 with the
/// merge, 404, or 409 where it was undone before, is too old, or the two have come apart otherwise.
#[utoipa::path(
    post, path = "/v1/contacts/merges/{id}/undo", tag = "contacts",
    operation_id = "undo_contact_merge", security(("bearer" = [EditContacts::NAME])),
    params(("id" = Uuid, Path, description = "The merge.", example = json!(examples::MERGE))),
    responses(
        (status = 200, description = "The merge, undone.", body = MergeView),
        Always, Missing, Conflict,
    ),
)]
async fn undo(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
) -> Result<Json<MergeView>, Problem> {
    // record
    caller.sees_all(ACT)?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let refused = |detail: &'static str| Err(Problem::new(Kind::Conflict, detail));
    let (merge, event) =
        match merge::undo(&mut tx, &caller.tenant, id, app.now(), &caller.subject).await? {
            UndoOutcome::Undone(merge, event) => (merge, event),
            UndoOutcome::Unknown => return Err(Problem::not_found("merge")),
            UndoOutcome::Before => return refused("the merge was undone before"),
            UndoOutcome::TooLate => return refused("a merge can be undone for 30 days"),
            UndoOutcome::Apart => return refused("the two are not one contact any more"),
        };
    tx.commit().await?;

    // answer
    outbox::publish_soon(&app, *event);
    Ok(Json(view(merge)))
}
