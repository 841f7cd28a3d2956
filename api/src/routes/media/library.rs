//! `/v1/media`: what came with texts, and what a tenant gives to be sent.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use carriers::media::check_media_url;
use domain::{
    ids::{ContactId, MediaId},
    media::{LONGEST_URL, MediaDirection, MediaRefusal, MediaState},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stage::machine;
use store::media::{self, MOST_WAITING, Media, NewMedia, link, link::MediaLink};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::{App, KeptMedia},
    audit,
    auth::{Allowed, Caller, EditContacts, Needs, Read, SendMessages},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Creation, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey},
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, delete))
}

/// What is to be sent with messages.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewMedia)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Where it is fetched, once: https, the usual port, a public host. At most 5 MiB of a picture,
    /// sound, video, PDF or vCard, whatever type its server names.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
}

/// A picture, a sound or a paper.
#[derive(Serialize, ToSchema)]
#[schema(as = Media)]
struct MediaView {
    id: MediaId,
    direction: MediaDirection,
    state: MediaState,
    /// Why it is refused; null otherwise.
    #[schema(required)]
    reason: Option<MediaRefusal>,
    /// What the reason means, and what to do; null otherwise.
    #[schema(required)]
    next_step: Option<&'static str>,
    /// The inbound text that it came with, as `message.received` names it; null where it was given.
    #[schema(required)]
    inbound: Option<Uuid>,
    /// Who has sent it; null where it was given.
    #[schema(required)]
    contact: Option<ContactId>,
    /// Its type, by its first bytes; null until it is stored.
    #[schema(required)]
    media_type: Option<String>,
    /// How many bytes it has; null until it is stored.
    #[schema(required)]
    bytes: Option<u64>,
    /// SHA-256 of the bytes, hexadecimal; null until it is stored.
    #[schema(required)]
    sha256: Option<String>,
    /// When it came or was given.
    created_at: Timestamp,
    /// Where its bytes are read without credentials for 15 minutes; null in lists and until stored.
    #[schema(required)]
    url: Option<String>,
    /// Until when `url` is good, by the machine's clock.
    #[schema(required)]
    url_expires_at: Option<Timestamp>,
}

fn view(media: Media) -> MediaView {
    let Media { id, direction, inbound, contact, state, reason, stored, created_at } = media;
    let stored = stored.map(|it| (it.media_type, it.bytes, wire::hex(&it.sha256)));
    let (media_type, bytes, sha256) = match stored {
        Some((media_type, bytes, sha256)) => (Some(media_type), Some(bytes), Some(sha256)),
        None => (None, None, None),
    };
    MediaView {
        id,
        direction,
        state,
        reason,
        next_step: reason.map(MediaRefusal::reason),
        inbound,
        contact,
        media_type,
        bytes,
        sha256,
        created_at,
        url: None,
        url_expires_at: None,
    }
}

/// Adds a link to what is stored.
fn with_link(app: &App, caller: &Caller, view: MediaView) -> MediaView {
    if view.state != MediaState::Stored || app.settings.media.is_none() {
        return view;
    }
    let tenant = caller.tenant.id().clone();
    let link = MediaLink::new(tenant, view.id, machine::now(), link::SHOWN);
    MediaView {
        url: Some(link.url(&app.settings.public_url, &app.sealer)),
        url_expires_at: Some(link.expires_at),
        ..view
    }
}

/// What this platform keeps media in.
fn kept(app: &App) -> Result<&KeptMedia, Problem> {
    let detail = "this platform keeps no media: its operator has not set MILLRACE_MEDIA_URL";
    app.settings.media.as_ref().ok_or_else(|| Problem::new(Kind::Conflict, detail))
}

/// `POST /v1/media`, for all but viewers: gives what is to be sent with messages. It is fetched
/// once, checked and kept for 90 days; messages name its id in `media` once its state is `stored`.
/// Answers 202 with it, or 409 where 10,000 wait to be fetched or the platform keeps none.
#[utoipa::path(
    post, path = "/v1/media", tag = "messages", operation_id = "create_media",
    security(("bearer" = [SendMessages::NAME])),
    params(IdempotencyKey),
    request_body(content = Given, example = json!({
        "url": "https://www.example.com/menu.jpg",
    })),
    responses(
        (status = 202, description = "It is fetched from now on.", body = MediaView),
        Always, OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    mut new: Creation<SendMessages, Given>,
) -> Result<Response, Problem> {
    // check
    let hosts = &kept(&app)?.hosts;
    let url = std::mem::take(&mut new.body.url);
    if url.len() > LONGEST_URL {
        return Err(Problem::field("url", "too_long", "at most 2000 bytes"));
    }
    check_media_url(&url, hosts)
        .map_err(|why| Problem::field("url", "invalid", why.to_string()))?;

    // record
    let (tenant, id) = (new.caller.tenant.clone(), MediaId(ids::fresh()));
    let given = NewMedia { id, url, created_at: new.now };
    if !media::create(&mut new.tx, &tenant, &given, machine::now()).await? {
        let detail = format!("{MOST_WAITING} media wait to be fetched: try again in a while");
        return Err(Problem::new(Kind::Conflict, detail));
    }

    // answer
    let made = media::get(&mut new.tx, &tenant, id).await?;
    let made = made.ok_or_else(|| Problem::new(Kind::Internal, "a row that was just written"))?;
    new.finish(StatusCode::ACCEPTED, &view(made)).await
}

/// `GET /v1/media/{id}`, for every role: what has become of one, with a link to its bytes, or 404.
#[utoipa::path(
    get, path = "/v1/media/{id}", tag = "messages", operation_id = "get_media",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The media.", example = json!(examples::MEDIA))),
    responses((status = 200, description = "The media.", body = MediaView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<MediaView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = media::get(&mut tx, &caller.tenant, MediaId(id)).await?;
    let found = found.ok_or_else(|| Problem::not_found("media"))?;
    Ok(Json(with_link(&app, &caller, view(found))))
}

/// Which media are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only what came with this inbound text, as `message.received` names it.
    inbound: Option<Uuid>,
}

/// `GET /v1/media`, for every role: the media in pages, without links.
#[utoipa::path(
    get, path = "/v1/media", tag = "messages", operation_id = "list_media",
    security(("bearer" = [Read::NAME])),
    params(Paging, Filter),
    responses((status = 200, description = "A page of media.", body = Page<MediaView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<MediaView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = media::list(&mut tx, &caller.tenant, filter.inbound, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |media| media.id)))
}

/// `DELETE /v1/media/{id}`, for all but viewers: removes media before their time. Links to it end
/// at once, its bytes go within seconds. Answers 204, or 404.
#[utoipa::path(
    delete, path = "/v1/media/{id}", tag = "messages", operation_id = "delete_media",
    security(("bearer" = [EditContacts::NAME])),
    params(("id" = Uuid, Path, description = "The media.", example = json!(examples::MEDIA))),
    responses((status = 204, description = "It is removed."), Always, Missing),
)]
async fn delete(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if !media::give_up(&mut tx, &caller.tenant, MediaId(id)).await? {
        return Err(Problem::not_found("media"));
    }
    let subject = format!("media:{id}");
    audit::note(&mut tx, &caller, app.now(), "media.deleted", subject, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
