//! `/v1/invitations`: who is to come to the company. The code of an invitation is shown once, to
//! whoever invites; whoever has it may come (`POST /v1/auth/accept-invitation`).

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use domain::ids::TenantId;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    people::{
        invitations::{self, Invitation},
        limits::{self, Allowance, CodeRequest},
        members,
    },
    settings::{api_keys::KeyRole, limits::BrandLimits, tenants},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, ManagePeople, Needs},
    codes::{self, SignInAddress},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Errors, Id, Kind, Page, Paging, Problem, Query, creation::refuse_key},
    ids, letters,
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(take_back))
}

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    /// Their address of mail, which they sign in with; or else `phone`.
    #[serde(default)]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Their number, with its country (`+1...`), which they sign in with; or else `email`.
    #[serde(default)]
    #[schema(max_length = 64)]
    phone: Option<String>,
    /// What they may do.
    #[serde(default)]
    #[schema(required, value_type = KeyRole)]
    role: String,
    /// The brands that they are limited to: they see their senders, pools, campaigns, messages and
    /// inboxes. Without brands and inboxes they see those of the whole company.
    #[serde(default)]
    #[schema(max_items = 100)]
    brands: Vec<Uuid>,
    /// The inboxes that they are limited to: of their brands they see no others.
    #[serde(default)]
    #[schema(max_items = 100)]
    inboxes: Vec<Uuid>,
}

/// An invitation that nobody has accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationView {
    /// The invitation's id, which takes it back.
    id: Uuid,
    /// The address of mail that is invited, in small letters; null where a number is.
    #[schema(required)]
    email: Option<String>,
    /// The number that is invited; null where an address of mail is.
    #[schema(required)]
    phone: Option<String>,
    /// What they may do.
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// The brands that they will be limited to.
    brands: Vec<Uuid>,
    /// The inboxes that they will be limited to; without brands and inboxes they see all.
    inboxes: Vec<Uuid>,
    /// When it was made.
    created_at: Timestamp,
    /// From when it is good no more: seven days after it was made.
    expires_at: Timestamp,
}

fn view(invitation: Invitation) -> InvitationView {
    let Invitation { id, address, role, limits, created_at, expires_at } = invitation;
    let (role, BrandLimits { brands, inboxes }) = (role.as_str(), limits);
    let (email, phone) =
        if address.contains('@') { (Some(address), None) } else { (None, Some(address)) };
    InvitationView { id, email, phone, role, brands, inboxes, created_at, expires_at }
}

/// An invitation that was made just now, with its code: it is never shown again.
#[derive(Serialize, ToSchema)]
struct MadeInvitation {
    #[serde(flatten)]
    invitation: InvitationView,
    /// What the person accepts it with, `mr_invite_...`.
    code: String,
    /// Whether it is mailed to them: where the platform mails, 60 invitations an hour of a company
    /// and five of one person. Else whoever invites gives them the code.
    mailed: bool,
    /// Whether it is texted to them: where the platform texts codes, as many as are mailed, and
    /// none to a country that no codes are texted to.
    texted: bool,
}

/// `POST /v1/invitations`, for admins and owners: invites somebody, in place of an invitation that
/// they have already, and mails or texts them the link that accepts it. Nobody gives a role that
/// may do more than they (403). Answers 201 with the code, which is never shown again: so an
/// `Idempotency-Key` is refused. Answers 409 while 1,000 invitations are open, or where as many
/// people work for the company as its plan has.
#[utoipa::path(
    post, path = "/v1/invitations", tag = "people", operation_id = "create_invitation",
    security(("bearer" = [ManagePeople::NAME])),
    request_body(content = NewInvitation, example = json!({
        "email": "ben@example.com", "role": "agent",
    })),
    responses(
        (status = 201, description = "The invitation with its code.", body = MadeInvitation),
        Always, OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    headers: HeaderMap,
    Body(body): Body<NewInvitation>,
) -> Result<(StatusCode, Json<MadeInvitation>), Problem> {
    // check
    refuse_key(&headers)?;
    let mut errors = Errors::default();
    let (email, phone) = (body.email.as_deref(), body.phone.as_deref());
    SignInAddress::is_one(email, phone, &mut errors);
    let role = match body.role.as_str() {
        "" => fields::required("role", None, &mut errors).and(None),
        role => fields::role("role", role, &mut errors),
    };
    let limits = BrandLimits { brands: body.brands, inboxes: body.inboxes };
    fields::limits(role, &limits, &mut errors);
    errors.done()?;
    let role = role.ok_or_else(|| Problem::field("role", "unknown", "no such role"))?;
    caller.may_give(role, None)?;
    let to = SignInAddress::either(email, phone)?;

    // record
    let machine = stage::machine::now();
    let (id, expires_at) = (ids::fresh(), machine + invitations::GOOD_FOR);
    let address = to.as_str().to_owned();
    let new = Invitation { id, address, role, limits, created_at: machine, expires_at };
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    is_room(&mut tx, &caller.tenant, Uuid::nil()).await?;
    fields::are_there(&mut tx, &caller.tenant, &new.limits).await?;
    let by = &caller.subject;
    let code = invitations::create(&mut tx, &caller.tenant, &new, by).await?;
    let code = code.ok_or_else(|| {
        let most = invitations::MOST;
        let detail = format!("{most} invitations are open: take some back, or wait for their end");
        Problem::new(Kind::Conflict, detail)
    })?;
    let BrandLimits { brands, inboxes } = &new.limits;
    let detail = json!({ "role": role.as_str(), "brands": brands, "inboxes": inboxes });
    let (subject, now) = (format!("invitation:{id}"), app.now());
    audit::note(&mut tx, &caller, now, "user.invited", subject, detail).await?;
    let is_said = say(&app, &mut tx, &caller.tenant, &to, &code).await?;
    tx.commit().await?;

    // answer
    let code = code.expose_secret().to_owned();
    let is_mail = matches!(to, SignInAddress::Mail(_));
    let (mailed, texted) = (is_said && is_mail, is_said && !is_mail);
    let made = MadeInvitation { invitation: view(new), code, mailed, texted };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Refuses one more person than the plan of a company has. Somebody who works for it already is
/// not counted twice.
pub(super) async fn is_room(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: Uuid,
) -> Result<(), Problem> {
    match tenants::lock_limits(tx, tenant).await?.members {
        Some(most) if members::count_others(tx, tenant, person).await? >= i64::from(most) => {
            Err(Problem::over_plan("members", most))
        }
        Some(_) | None => Ok(()),
    }
}

/// Mails or texts the link that accepts an invitation, unless the company has had too many said, or
/// no codes are texted to the country. Says whether it did.
async fn say(
    app: &App,
    tx: &mut TenantTx,
    tenant: &TenantId,
    to: &SignInAddress,
    code: &SecretString,
) -> Result<bool, Problem> {
    if codes::can_reach(app, to).is_err() {
        return Ok(false);
    }

    // Apart from what is counted of codes: nobody is kept from signing in by who invites them. The
    // country of a number is counted with its codes: texts to it cost as much.
    let machine = stage::machine::now();
    let (address, place) = (format!("invited {}", to.as_str()), format!("company {tenant}"));
    let prefix = to.prefix();
    let request = CodeRequest { address: &address, place: &place, prefix: prefix.as_deref() };
    if limits::count(tx, &request, machine).await? != Allowance::Granted {
        return Ok(false);
    }

    let (url, code) = (&app.settings.public_url, code.expose_secret());
    let letter = match to {
        SignInAddress::Mail(_) => letters::invited(url, code),
        SignInAddress::Phone(_) => letters::invited_by_text(url, code),
    };
    codes::say(app, tx, to.channel(), to.as_str(), letter).await?;
    if let Some(prefix) = prefix {
        limits::note_texted(tx, &prefix, 1, machine).await?;
    }
    Ok(true)
}

/// `GET /v1/invitations`, for admins and owners: those that nobody has accepted, in pages.
#[utoipa::path(
    get, path = "/v1/invitations", tag = "people", operation_id = "list_invitations",
    security(("bearer" = [ManagePeople::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of invitations.", body = Page<InvitationView>),
        Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<InvitationView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = invitations::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |one| one.id)))
}

/// `DELETE /v1/invitations/{id}`, for admins and owners: takes an invitation back. Answers 204, or
/// 404 where it was accepted or taken back before.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", tag = "people", operation_id = "delete_invitation",
    security(("bearer" = [ManagePeople::NAME])),
    params((
        "id" = Uuid, Path, description = "The invitation.", example = json!(examples::INVITATION),
    )),
    responses((status = 204, description = "It is good no more."), Always, Missing),
)]
async fn take_back(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let taken = invitations::take(&mut tx, &caller.tenant, id).await?;
    taken.ok_or_else(|| Problem::not_found("invitation"))?;

    let (subject, now) = (format!("invitation:{id}"), app.now());
    audit::note(&mut tx, &caller, now, "user.invitation_taken_back", subject, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
