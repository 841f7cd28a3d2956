//! `/v1/carrier-accounts`: where texts leave. Tokens go in and never come out.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, put},
};
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
        .route("/v1/carrier-accounts/{account}", put(change))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedAccount {
    #[serde(default)]
    auth_token: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
}

/// Another token or address for an account: what was held because it could not be used goes on.
async fn change(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<ChangedAccount>,
) -> Result<Json<AccountView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let Some(before) = accounts::by_name(&mut tx, &caller.tenant, &name).await? else {
        return Err(Problem::not_found("carrier account"));
    };
    let base_url = check_change(&app, &before, &body)?;

    let sealed = body.auth_token.as_ref().map(|token| app.sealer.seal(token.as_bytes()));
    let change = AccountChange { sealed_token: sealed.as_deref(), base_url: base_url.as_deref() };
    let account = match accounts::change(&mut tx, &caller.tenant, &name, change).await? {
        AccountChanged::Done(account) => account,
        AccountChanged::OfThePlatform => {
            let detail = "the platform's operator changes an account that is shared";
            return Err(Problem::new(Kind::Conflict, detail));
        }
        AccountChanged::NotFound => return Err(Problem::not_found("carrier account")),
    };

    let subject = format!("carrier_account:{name}");
    let mut detail = json!({});
    if sealed.is_some() {
        detail["auth_token"] = "set".into();
    }
    if let Some(url) = &base_url {
        detail["base_url"] = json!({ "before": before.access.base_url, "after": url });
    }
    audit::note(&mut tx, &caller, app.now(), "carrier_account.changed", subject, detail).await?;
    tx.commit().await?;

    mirror::announce(&app, &account.handle, Entry::of_tenant(caller.tenant, &account)).await;
    Ok(Json(view(&app, account)))
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

/// What makes a change possible; gives where the carrier's API is from now on, if that changes.
fn check_change(
    app: &App,
    account: &Account,
    body: &ChangedAccount,
) -> Result<Option<String>, Problem> {
    let mut errors = Errors::default();
    let changes = body.auth_token.is_some() || body.base_url.is_some();
    errors.check(changes, "auth_token", "required", "give auth_token, base_url or both");
    if let Some(token) = &body.auth_token {
        check_token(token, &mut errors);
    }

    let url = body.base_url.as_deref();
    let base_url = url.and_then(|url| match Carrier::from_name(&account.access.carrier) {
        Some(carrier) => Some(check_url(app, carrier, url, &mut errors)),
        None => {
            errors.add("base_url", "unknown_carrier", "this version does not know the carrier");
            None
        }
    });
    errors.done()?;
    Ok(base_url)
}

/// What the carrier says of the account's id, and where its API is for this account.
fn check_carrier(app: &App, carrier: Carrier, body: &NewAccount, errors: &mut Errors) -> String {
    if let Some(why) = carrier.account_id_fault(&body.carrier_sid) {
        errors.add("carrier_sid", "invalid", why);
    }
    check_url(app, carrier, body.base_url.as_deref().unwrap_or(carrier.base_url()), errors)
}

/// An address of the carrier's API in the form in which it is stored.
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
