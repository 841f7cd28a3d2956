//! `/v1/carrier-accounts`: where texts leave. Tokens go in and never come out.

mod view;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use carriers::{Carrier, check_base_url, is_same_place};
use domain::{
    account::Access,
    ids::{TenantId, account_handle},
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Scoped,
    settings::{
        accounts::{self, Account, AccountChange, AccountChanged},
        carrier_templates,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    directory::{Entry, mirror},
    document::answers::{Always, Conflict, Missing, OfBody},
    fields,
    http::{
        Body, Creation, Errors, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey,
        extract::Name,
    },
};
use view::{AccountView, view};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, put, change, remove))
}

/// An account at a carrier, to be added.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCarrierAccount)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The tenant's name of it.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "main")]
    account: String,
    /// The carrier that it is at.
    #[schema(max_length = 64, example = json!(Carrier::ALL[0].as_str()))]
    carrier: String,
    /// The account's id at the carrier, as the carrier writes it; with an application of it, as
    /// account/application, where texts are an application's.
    #[schema(min_length = 1, max_length = 64)]
    carrier_sid: String,
    /// The account's secret at the carrier, which no answer shows; user:password where the carrier
    /// gives both, and token:secret:verify where it signs with a secret of its own and verifies the
    /// webhook address by a word.
    #[schema(pattern = "^[!-~]{1,1024}$", write_only)]
    auth_token: String,
    /// Where the carrier's API is, on a host of the carrier or one that the platform allows; the
    /// carrier's own address where it is not said.
    #[serde(default)]
    #[schema(max_length = 2000)]
    base_url: Option<String>,
    /// Whether the carrier itself answers its opt-out words; true where it is not said.
    #[serde(default)]
    confirms_opt_out: Option<bool>,
}

/// `POST /v1/carrier-accounts`, for admins and owners: adds an account at a carrier. Its token goes
/// in and never comes out. Answers 201 with the account, or 409 where its name is taken.
#[utoipa::path(
    post, path = "/v1/carrier-accounts", tag = "settings",
    operation_id = "create_carrier_account", security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewAccount, example = json!({
        "account": "second", "carrier": Carrier::ALL[0].as_str(), "carrier_sid": "ACexample2",
        "auth_token": "example-token",
    })),
    responses(
        (status = 201, description = "The new account.", body = AccountView),
        Always, OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    mut new: Creation<EditSettings, NewAccount>,
) -> Result<Response, Problem> {
    let account = check(&app, &new)?;
    let tenant = new.caller.tenant.id().clone();
    if !accounts::create(&mut new.tx, &tenant, &account).await? {
        return Err(Problem::new(Kind::Conflict, "this account name is taken; choose another"));
    }
    read_templates(&mut new.tx, &tenant, &account).await?;

    // The token is not told: that it was set is.
    let access = &account.access;
    let detail = json!({
        "carrier": access.carrier, "carrier_sid": access.carrier_sid, "base_url": access.base_url,
        "auth_token": "set",
    });
    let subject = format!("carrier_account:{}", account.name);
    let (caller, now) = (new.caller.clone(), new.now);
    audit::note(&mut new.tx, &caller, now, "carrier_account.created", subject, detail).await?;

    let (handle, entry) = (account.handle.clone(), Entry::of_tenant(tenant, &account));
    let response = new.finish(StatusCode::CREATED, &view(&app, account)).await?;
    mirror::announce(&app, &handle, entry).await;
    Ok(response)
}

/// `GET /v1/carrier-accounts/{account}`, for every role: one account, or 404.
#[utoipa::path(
    get, path = "/v1/carrier-accounts/{account}", tag = "settings",
    operation_id = "get_carrier_account", security(("bearer" = [Read::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "main",
    )),
    responses((status = 200, description = "The account.", body = AccountView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Name(name): Name,
) -> Result<Json<AccountView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = accounts::by_name(&mut tx, &caller.tenant, &name).await?;
    let found = found.ok_or_else(|| Problem::not_found("carrier account"))?;
    Ok(Json(view(&app, found)))
}

/// What is to be otherwise about an account. What is not said, or `null`, stays.
#[derive(Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = CarrierAccountChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The account's new secret at the carrier, which no answer shows.
    #[serde(default)]
    #[schema(pattern = "^[!-~]{1,1024}$", write_only)]
    auth_token: Option<String>,
    /// Where the carrier's API is, on a host of the carrier or one that the platform allows.
    #[serde(default)]
    #[schema(max_length = 2000)]
    base_url: Option<String>,
    /// Whether the carrier itself answers its opt-out words; else the platform does.
    #[serde(default)]
    confirms_opt_out: Option<bool>,
}

/// `PUT /v1/carrier-accounts/{account}`, for admins and owners: changes what is said of an account,
/// as PATCH does. What is not said stays, here too. Answers as PATCH does.
#[utoipa::path(
    put, path = "/v1/carrier-accounts/{account}", tag = "settings",
    operation_id = "put_carrier_account", security(("bearer" = [EditSettings::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "main",
    )),
    request_body(content = Change, example = json!({ "auth_token": "example-token-2" })),
    responses(
        (status = 200, description = "The account as it is now.", body = AccountView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn put(
    app: State<App>,
    caller: Allowed<EditSettings>,
    name: Name,
    body: Body<Change>,
) -> Result<Json<AccountView>, Problem> {
    change(app, caller, name, body).await
}

/// `PATCH /v1/carrier-accounts/{account}`, for admins and owners: changes what is said of an
/// account. What was held because the carrier refused it as it was goes on. Answers 200 with it,
/// 404, or 409 for an account that the platform lends.
#[utoipa::path(
    patch, path = "/v1/carrier-accounts/{account}", tag = "settings",
    operation_id = "update_carrier_account", security(("bearer" = [EditSettings::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "main",
    )),
    request_body(content = Change, example = json!({ "confirms_opt_out": false })),
    responses(
        (status = 200, description = "The account as it is now.", body = AccountView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Name(name): Name,
    Body(change): Body<Change>,
) -> Result<Json<AccountView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = accounts::by_name(&mut tx, &caller.tenant, &name).await?;
    let before = before.ok_or_else(|| Problem::not_found("carrier account"))?;

    // check
    let mut errors = Errors::default();
    let detail = "give auth_token, base_url or confirms_opt_out";
    errors.check(change != Change::default(), "auth_token", "required", detail);
    let carrier = Carrier::from_name(&before.access.carrier);
    if let Some(token) = &change.auth_token {
        check_token(carrier, token, &mut errors);
    }
    let base_url = change.base_url.as_deref().and_then(|url| match carrier {
        Some(carrier) => Some(check_url(&app, &caller.tenant, carrier, url, &mut errors)),
        None => {
            errors.add("base_url", "unknown_carrier", "this version does not know the carrier");
            None
        }
    });
    errors.done()?;

    // record
    let to = AccountChange {
        sealed_token: change.auth_token.as_ref().map(|token| app.sealer.seal(token.as_bytes())),
        base_url: base_url.clone(),
        confirms_opt_out: change.confirms_opt_out,
    };
    let changed = accounts::change(&mut tx, &caller.tenant, &name, &to).await?;
    let account = done(changed)?;
    read_templates(&mut tx, &caller.tenant, &account).await?;
    let mut detail = json!({});
    if change.auth_token.is_some() {
        detail["auth_token"] = "set".into();
    }
    if let Some(url) = base_url {
        detail["base_url"] = json!({ "before": before.access.base_url, "after": url });
    }
    if let Some(confirms) = change.confirms_opt_out {
        detail["confirms_opt_out"] =
            json!({ "before": before.confirms_opt_out, "after": confirms });
    }
    let subject = format!("carrier_account:{name}");
    audit::note(&mut tx, &caller, app.now(), "carrier_account.changed", subject, detail).await?;
    tx.commit().await?;

    // answer
    mirror::announce(&app, &account.handle, Entry::of_tenant(caller.tenant.id().clone(), &account))
        .await;
    Ok(Json(view(&app, account)))
}

/// `DELETE /v1/carrier-accounts/{account}`, for admins and owners: removes an account that has no
/// senders. Receipts and texts that still come through it are taken. Answers 200 with it, 404, or
/// 409 where senders belong to it or the platform lends it.
#[utoipa::path(
    delete, path = "/v1/carrier-accounts/{account}", tag = "settings",
    operation_id = "delete_carrier_account", security(("bearer" = [EditSettings::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "spare",
    )),
    responses(
        (status = 200, description = "The account as it was.", body = AccountView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Name(name): Name,
) -> Result<Json<AccountView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let removed = accounts::remove(&mut tx, &caller.tenant, &name, app.now()).await?;
    let account = done(removed)?;

    let subject = format!("carrier_account:{name}");
    let now = app.now();
    audit::note(&mut tx, &caller, now, "carrier_account.removed", subject, json!({})).await?;
    tx.commit().await?;
    Ok(Json(view(&app, account)))
}

/// Has the templates of an account read that is new or called otherwise, where its carrier keeps
/// such.
async fn read_templates(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &Account,
) -> Result<(), Problem> {
    let carrier = Carrier::from_name(&account.access.carrier);
    if carrier.is_some_and(|carrier| carrier.abilities().templates) {
        let now = stage::machine::now();
        carrier_templates::ask(tx, tenant, &account.handle, now).await?;
    }
    Ok(())
}

/// The account, or why it is not changed.
fn done(changed: AccountChanged) -> Result<Account, Problem> {
    match changed {
        AccountChanged::Done(account) => Ok(account),
        AccountChanged::OfThePlatform => {
            let detail = "the platform's operator changes an account that is shared";
            Err(Problem::new(Kind::Conflict, detail))
        }
        AccountChanged::HasSenders(count) => {
            let detail = format!("{count} senders belong to this account: remove them first");
            Err(Problem::new(Kind::Conflict, detail))
        }
        AccountChanged::HasNumbers(count) => {
            let detail = format!("the account has {count} numbers: release them first");
            Err(Problem::new(Kind::Conflict, detail))
        }
        AccountChanged::NotFound => Err(Problem::not_found("carrier account")),
    }
}

fn check(app: &App, new: &Creation<EditSettings, NewAccount>) -> Result<Account, Problem> {
    let body = &new.body;
    let mut errors = Errors::default();
    fields::account(&body.account, &mut errors);
    let carrier = Carrier::from_name(&body.carrier);
    check_token(carrier, &body.auth_token, &mut errors);
    let base_url = match carrier {
        Some(carrier) => check_carrier(app, carrier, new, &mut errors),
        None => {
            let known: Vec<&str> = Carrier::ALL.iter().map(|known| known.as_str()).collect();
            errors.add("carrier", "unknown", known.join(", "));
            String::new()
        }
    };
    errors.done()?;

    Ok(Account {
        handle: account_handle(Some(&new.caller.tenant), &body.account),
        name: body.account.clone(),
        access: Access {
            carrier: body.carrier.clone(),
            carrier_sid: body.carrier_sid.clone(),
            base_url,
            sealed_token: app.sealer.seal(body.auth_token.as_bytes()),
        },
        confirms_opt_out: body.confirms_opt_out.unwrap_or(true),
        created_at: new.now,
    })
}

/// What every secret looks like, and what the carrier says of its own.
fn check_token(carrier: Option<Carrier>, token: &str, errors: &mut Errors) {
    let fine = (1..=1024).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    errors.check(fine, "auth_token", "invalid", "1 to 1024 visible characters");
    if let Some(why) = carrier.filter(|_| fine).and_then(|carrier| carrier.secret_fault(token)) {
        errors.add("auth_token", "invalid", why);
    }
}

/// What the carrier says of the account's id, and where its API is for this account.
fn check_carrier(
    app: &App,
    carrier: Carrier,
    new: &Creation<EditSettings, NewAccount>,
    errors: &mut Errors,
) -> String {
    let (tenant, body) = (&new.caller.tenant, &new.body);
    if let Some(why) = carrier.account_id_fault(&body.carrier_sid) {
        errors.add("carrier_sid", "invalid", why);
    }
    let sandbox = app.settings.sandbox_url.as_deref().filter(|_| tenant.is_twin());
    let usual = sandbox.unwrap_or(carrier.base_url());
    check_url(app, tenant, carrier, body.base_url.as_deref().unwrap_or(usual), errors)
}

/// The address of a carrier's API, where accounts may point at it. Those of a twin are at the
/// sandbox alone: what is tried out is nobody's text.
fn check_url(
    app: &App,
    tenant: &TenantId,
    carrier: Carrier,
    url: &str,
    errors: &mut Errors,
) -> String {
    fields::url("base_url", url, errors);
    let sandbox = app.settings.sandbox_url.as_deref().unwrap_or_default();
    if tenant.is_twin() && !is_same_place(sandbox, url) {
        let detail = format!("what a test key sets up is at the sandbox alone: {sandbox}");
        errors.add("base_url", "not_allowed", detail);
        return String::new();
    }
    match check_base_url(|host| carrier.owns_host(host), url, &app.settings.carrier_hosts) {
        Ok(url) => url,
        Err(why) => {
            errors.add("base_url", "not_allowed", why.to_string());
            String::new()
        }
    }
}

/// `GET /v1/carrier-accounts`, for every role: the accounts in pages, by name, those that the
/// platform lends among them.
#[utoipa::path(
    get, path = "/v1/carrier-accounts", tag = "settings", operation_id = "list_carrier_accounts",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of accounts.", body = Page<AccountView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<AccountView>>, Problem> {
    let (after, limit) = (paging.after_text()?.unwrap_or_default(), paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = accounts::list(&mut tx, &caller.tenant, &after, limit).await?;
    let found: Vec<_> = found.into_iter().map(|account| view(&app, account)).collect();
    Ok(Json(Page::new(found, limit, |account: &AccountView| account.account.clone())))
}
