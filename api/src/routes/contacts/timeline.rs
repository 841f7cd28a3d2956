//! `GET /v1/contacts/{id}/timeline`: everything between the company and a person, the newest first.

mod view;

use axum::{Json, extract::State};
use domain::ids::ContactId;
use store::contacts::timeline::{self, TimelineKind, TimelinePosition};
use utoipa_axum::{router::OpenApiRouter, routes};

use view::{TimelineEntryView, view};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    contacts::found,
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// `GET /v1/contacts/{id}/timeline`, for every role: what was between a contact and the company,
/// the newest first. Messages to the contact, what was written to them on the phone itself, texts
/// of theirs, changes of their consent, opt-outs, notes in their conversations, and the campaigns
/// that they were in; 404 where there is no such contact. A page looks at 10,000 messages at most,
/// and may hold less than was asked for where a contact has more: `next_cursor` says where it
/// stopped. Of the campaigns 10,000 are looked at.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/timeline", tag = "contacts",
    operation_id = "list_contact_timeline",
    security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The contact.", example = json!(examples::CONTACT)),
        Paging,
    ),
    responses(
        (status = 200, description = "A page of the timeline.", body = Page<TimelineEntryView>),
        Always, Missing,
    ),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TimelineEntryView>>, Problem> {
    // check
    let limit = usize::try_from(paging.limit()?).unwrap_or_default();
    let before = position(&paging)?;

    // load
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let contact = ContactId(found(&mut tx, &caller, id, false).await?.contact_id);
    let page = timeline::page(&mut tx, &caller.tenant, contact, before, limit).await?;

    // answer
    let next = page.next.map(|next| format!("{} {} {}", next.at, next.kind.as_str(), next.id));
    Ok(Json(Page::until(page.entries.into_iter().map(view).collect(), next)))
}

/// Where the caller has stopped; before everything at first.
fn position(paging: &Paging) -> Result<TimelinePosition, Problem> {
    let Some((at, kind, id)) = paging.after_time_word_and_id()? else {
        return Ok(TimelinePosition::NEWEST);
    };
    let kind = TimelineKind::from_name(&kind).ok_or_else(Paging::bad_cursor)?;
    Ok(TimelinePosition { at, kind, id })
}
