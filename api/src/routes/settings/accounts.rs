//! `/v1/carrier-accounts`: where texts leave. Tokens go in and never come out.

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use carriers::{Carrier, check_base_url};
use domain::{account::Access, ids::account_handle};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::accounts::{self, Account, AccountChange, AccountChanged};
use wire::subject::{Token, WebhookKind};

use crate::{
    app::App,
    audit,
    auth::Caller,
    directory::{Entry, mirror},
    http::{Body, Creation, Errors, Kind, Page, Paging, Problem, Query, extract::Name},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/carrier-accounts", get(list).post(create))
        .route("/v1/carrier-accounts/{account}", get(show).put(change).patch(change).delete(remove))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    account: String,
    carrier: String,
    carrier_sid: String,
    auth_token: String,
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    confirms_opt_out: Option<bool>,
}

#[derive(Serialize)]
struct AccountView {
    /// The tenant's name of it.
    account: String,
    /// The platform's name of it, in webhook addresses and subjects.
    handle: String,
    carrier: String,
    carrier_sid: String,
    base_url: String,
    confirms_opt_out: bool,
    /// What to enter at the carrier.
    status_webhook: Option<String>,
    inbound_webhook: Option<String>,
    created_at: Timestamp,
}

fn view(app: &App, account: Account) -> AccountView {
    let carrier = Carrier::from_name(&account.access.carrier);
    let public_url = &app.settings.public_url;
    let webhook = |kind| Some(carrier?.webhook_url(public_url, &account.handle, kind));
    AccountView {
        status_webhook: webhook(WebhookKind::Status),
        inbound_webhook: webhook(WebhookKind::Inbound),
        account: account.name,
        handle: account.handle,
        carrier: account.access.carrier,
        carrier_sid: account.access.carrier_sid,
        base_url: account.access.base_url,
        confirms_opt_out: account.confirms_opt_out,
        created_at: account.created_at,
    }
}

async fn create(
    State(app): State<App>,
    mut new: Creation<NewAccount>,
) -> Result<Response, Problem> {
    let account = check(&app, &new)?;
    let tenant = new.caller.tenant.clone();
    if !accounts::create(&mut new.tx, &tenant, &account).await? {
        return Err(Problem::new(Kind::Conflict, "this account name is taken; choose another"));
    }

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
async fn show(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name,
) -> Result<Json<AccountView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = accounts::by_name(&mut tx, &caller.tenant, &name).await?;
    let found = found.ok_or_else(|| Problem::not_found("carrier account"))?;
    Ok(Json(view(&app, found)))
}

/// What is to be otherwise about an account. What is not said stays.
#[derive(Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    auth_token: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    confirms_opt_out: Option<bool>,
}

/// `PATCH` and `PUT /v1/carrier-accounts/{account}`, for admins and owners: changes what is said of
/// an account. What was held because the carrier refused it as it was goes on. Answers 200 with it,
/// 404, or 409 for an account that the platform lends.
async fn change(
    State(app): State<App>,
    caller: Caller,
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
    if let Some(token) = &change.auth_token {
        check_token(token, &mut errors);
    }
    let carrier = Carrier::from_name(&before.access.carrier);
    let base_url = change.base_url.as_deref().and_then(|url| match carrier {
        Some(carrier) => Some(check_url(&app, carrier, url, &mut errors)),
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
    mirror::announce(&app, &account.handle, Entry::of_tenant(caller.tenant, &account)).await;
    Ok(Json(view(&app, account)))
}

/// `DELETE /v1/carrier-accounts/{account}`, for admins and owners: removes an account that has no
/// senders. Receipts and texts that still come through it are taken. Answers 200 with it, 404, or
/// 409 where senders belong to it or the platform lends it.
async fn remove(
    State(app): State<App>,
    caller: Caller,
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
        AccountChanged::NotFound => Err(Problem::not_found("carrier account")),
    }
}

fn check(app: &App, new: &Creation<NewAccount>) -> Result<Account, Problem> {
    let body = &new.body;
    let mut errors = Errors::default();
    let name = Token::new(&body.account).is_some();
    errors.check(name, "account", "invalid", "1 to 64 of A-Z, a-z, 0-9, _ and -");
    check_token(&body.auth_token, &mut errors);
    let base_url = match Carrier::from_name(&body.carrier) {
        Some(carrier) => check_carrier(app, carrier, body, &mut errors),
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

fn check_token(token: &str, errors: &mut Errors) {
    let fine = (1..=256).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    errors.check(fine, "auth_token", "invalid", "1 to 256 visible characters");
}

/// What the carrier says of the account's id, and where its API is for this account.
fn check_carrier(app: &App, carrier: Carrier, body: &NewAccount, errors: &mut Errors) -> String {
    if let Some(why) = carrier.account_id_fault(&body.carrier_sid) {
        errors.add("carrier_sid", "invalid", why);
    }
    let url = body.base_url.as_deref().unwrap_or(carrier.base_url());
    check_url(app, carrier, url, errors)
}

/// The address of a carrier's API, where accounts may point at it.
fn check_url(app: &App, carrier: Carrier, url: &str, errors: &mut Errors) -> String {
    match check_base_url(|host| carrier.owns_host(host), url, &app.settings.carrier_hosts) {
        Ok(url) => url,
        Err(why) => {
            errors.add("base_url", "not_allowed", why.to_string());
            String::new()
        }
    }
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<AccountView>>, Problem> {
    let (after, limit) = (paging.after_text()?.unwrap_or_default(), paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = accounts::list(&mut tx, &caller.tenant, &after, limit).await?;
    let found: Vec<_> = found.into_iter().map(|account| view(&app, account)).collect();
    Ok(Json(Page::new(found, limit, |account: &AccountView| account.account.clone())))
}
