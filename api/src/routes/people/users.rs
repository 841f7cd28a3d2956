//! `/v1/users`: who works for the company, and with which role.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    people::{
        invitations,
        members::{self, Member},
    },
    settings::{api_keys::KeyRole, limits::BrandLimits},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, ManagePeople, Needs},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Errors, Id, Kind, Page, Paging, Problem, Query, view::PersonView},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, change, remove))
}

/// Somebody who works for the company.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    #[serde(flatten)]
    person: PersonView,
    /// What they may do.
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// The brands that they are limited to.
    brands: Vec<Uuid>,
    /// The inboxes that they are limited to; without brands and inboxes they see all.
    inboxes: Vec<Uuid>,
    /// Since when they work for the company.
    created_at: Timestamp,
}

fn view(member: Member) -> UserView {
    let Member { person, role, limits: BrandLimits { brands, inboxes }, created_at } = member;
    let (person, role) = (PersonView::of(person), role.as_str());
    UserView { person, role, brands, inboxes, created_at }
}

/// `GET /v1/users`, for admins and owners: who works for the company, in pages.
#[utoipa::path(
    get, path = "/v1/users", tag = "people", operation_id = "list_users",
    security(("bearer" = [ManagePeople::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of people.", body = Page<UserView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<UserView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = members::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |user| user.person.id)))
}

/// `GET /v1/users/{id}`, for admins and owners: somebody who works for the company, or 404.
#[utoipa::path(
    get, path = "/v1/users/{id}", tag = "people", operation_id = "get_user",
    security(("bearer" = [ManagePeople::NAME])),
    params(("id" = Uuid, Path, description = "The person.", example = json!(examples::COLLEAGUE))),
    responses((status = 200, description = "The person.", body = UserView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Id(id): Id,
) -> Result<Json<UserView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = members::get(&mut tx, &caller.tenant, id).await?;
    found.map(|member| Json(view(member))).ok_or_else(|| Problem::not_found("user"))
}

/// What is to be otherwise about somebody. Brands and inboxes that are not said, or `null`, stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    /// What they may do from now on.
    #[schema(value_type = KeyRole)]
    role: String,
    /// The brands that they are limited to from now on; with no inboxes either, they see all.
    #[serde(default)]
    #[schema(max_items = 100)]
    brands: Option<Vec<Uuid>>,
    /// The inboxes that they are limited to from now on.
    #[serde(default)]
    #[schema(max_items = 100)]
    inboxes: Option<Vec<Uuid>>,
}

/// `PATCH /v1/users/{id}`, for admins and owners: gives somebody another role, limits them to
/// brands and inboxes or lifts that, and takes back their invitations. Only an owner makes owners
/// and changes theirs, and nobody gives what they have not (403). It holds within about a second;
/// API keys that they have made stay. Answers 200 with the person, 404, or 409 where the company
/// would be without an owner.
#[utoipa::path(
    patch, path = "/v1/users/{id}", tag = "people", operation_id = "update_user",
    security(("bearer" = [ManagePeople::NAME])),
    params(("id" = Uuid, Path, description = "The person.", example = json!(examples::COLLEAGUE))),
    request_body(content = UserChange, example = json!({ "role": "operator" })),
    responses(
        (status = 200, description = "The person as they are now.", body = UserView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Id(id): Id,
    Body(body): Body<UserChange>,
) -> Result<Json<UserView>, Problem> {
    // check
    let mut errors = Errors::default();
    let role = fields::role("role", &body.role, &mut errors);
    errors.done()?;
    let role = role.ok_or_else(|| Problem::field("role", "unknown", "no such role"))?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = changeable(&mut tx, &caller, id, Some(role)).await?;
    let limits = BrandLimits {
        brands: body.brands.unwrap_or_else(|| before.limits.brands.clone()),
        inboxes: body.inboxes.unwrap_or_else(|| before.limits.inboxes.clone()),
    };
    let mut errors = Errors::default();
    fields::limits(Some(role), &limits, &mut errors);
    errors.done()?;
    fields::are_there(&mut tx, &caller.tenant, &limits).await?;

    // record
    members::set_role(&mut tx, &caller.tenant, id, (role, &limits)).await?;
    invitations::take_all_by(&mut tx, &caller.tenant, &format!("user:{id}")).await?;
    let detail = json!({
        "before": before.role.as_str(), "after": role.as_str(),
        "brands": limits.brands, "inboxes": limits.inboxes,
    });
    let (subject, now) = (format!("user:{id}"), app.now());
    audit::note(&mut tx, &caller, now, "user.role_changed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(Member { role, limits, ..before })))
}

/// `DELETE /v1/users/{id}`, for admins and owners: has somebody work for the company no more, and
/// takes back their invitations. What they have signed in with is good for nothing here within
/// about a second; API keys that they have made stay. Only an owner has an owner leave (403).
/// Answers 200 with the person as they were, 404, or 409 for the last owner.
#[utoipa::path(
    delete, path = "/v1/users/{id}", tag = "people", operation_id = "remove_user",
    security(("bearer" = [ManagePeople::NAME])),
    params(("id" = Uuid, Path, description = "The person.", example = json!(examples::COLLEAGUE))),
    responses(
        (status = 200, description = "The person as they were.", body = UserView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Id(id): Id,
) -> Result<Json<UserView>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = changeable(&mut tx, &caller, id, None).await?;

    // record
    members::remove(&mut tx, &caller.tenant, id).await?;
    invitations::take_all_by(&mut tx, &caller.tenant, &format!("user:{id}")).await?;
    let detail = json!({ "role": before.role.as_str() });
    let (subject, now) = (format!("user:{id}"), app.now());
    audit::note(&mut tx, &caller, now, "user.removed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(before)))
}

/// Somebody whose role may become this one, or who may leave. The owners are locked until the
/// transaction ends, so that of two who leave at once one stays.
async fn changeable(
    tx: &mut Scoped,
    caller: &Caller,
    id: Uuid,
    role: Option<KeyRole>,
) -> Result<Member, Problem> {
    let owners = members::lock_owners(tx, &caller.tenant).await?;
    let member = members::get(tx, &caller.tenant, id).await?;
    let member = member.ok_or_else(|| Problem::not_found("user"))?;

    // Whoever changes somebody has all that they have and get.
    caller.may_give(member.role, None)?;
    caller.may_give(role.unwrap_or(member.role), None)?;
    if owners == [id] && role != Some(KeyRole::Owner) {
        let detail = "a company has an owner: make somebody else one first";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(member)
}
