//! `/v1/carrier-accounts`: where texts leave. Tokens go in and never come out.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, put},
};
use carriers::{check_base_url, twilio};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::accounts::{self, Account};
use wire::subject::Token;

use crate::{
    app::App,
    audit,
    auth::Caller,
    directory::{self, Entry},
    http::{Body, Creation, Errors, Kind, Page, Paging, Problem, Query, extract::Name},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/carrier-accounts", get(list).post(create))
        .route("/v1/carrier-accounts/{account}", put(set_token))
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
    account: String,
    carrier: String,
    carrier_sid: String,
    base_url: String,
    confirms_opt_out: bool,
    /// What to enter at the carrier.
    status_webhook: String,
    inbound_webhook: String,
    created_at: Timestamp,
}

fn view(app: &App, account: Account) -> AccountView {
    let webhook = |kind: &str| {
        let Account { carrier, account, .. } = &account;
        format!("{}/webhooks/{carrier}/{account}/{kind}", app.settings.public_url)
    };
    AccountView {
        status_webhook: webhook("status"),
        inbound_webhook: webhook("inbound"),
        account: account.account,
        carrier: account.carrier,
        carrier_sid: account.carrier_sid,
        base_url: account.base_url,
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
        return Err(Problem::new(Kind::Conflict, "this account key is taken; choose another"));
    }
    // The token is not told: that it was set is.
    let detail = json!({
        "carrier": account.carrier, "carrier_sid": account.carrier_sid,
        "base_url": account.base_url, "auth_token": "set",
    });
    let subject = format!("carrier_account:{}", account.account);
    let (caller, now) = (new.caller.clone(), new.now);
    audit::note(&mut new.tx, &caller, now, "carrier_account.created", subject, detail).await?;
    let entry = Entry {
        tenant,
        carrier: account.carrier.clone(),
        carrier_sid: account.carrier_sid.clone(),
        sealed_tokens: vec![account.sealed_token.clone()],
    };
    let name = account.account.clone();
    let response = new.finish(StatusCode::CREATED, &view(&app, account)).await?;
    directory::announce(&app, &name, entry).await;
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    auth_token: String,
}

/// Another token for an account: what was held because the carrier refused the old one goes on.
async fn set_token(
    State(app): State<App>,
    caller: Caller,
    Name(account): Name,
    Body(body): Body<NewToken>,
) -> Result<Json<AccountView>, Problem> {
    let mut errors = Errors::default();
    check_token(&body.auth_token, &mut errors);
    errors.done()?;
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let sealed = app.sealer.seal(body.auth_token.as_bytes());
    let set = accounts::set_token(&mut tx, &caller.tenant, &account, &sealed).await?;
    let set = set.ok_or_else(|| Problem::not_found("carrier account"))?;
    let subject = format!("carrier_account:{account}");
    let detail = json!({ "auth_token": "set" });
    audit::note(&mut tx, &caller, app.now(), "carrier_account.changed", subject, detail).await?;
    tx.commit().await.map_err(store::fault)?;
    let entry = Entry {
        tenant: caller.tenant,
        carrier: set.carrier.clone(),
        carrier_sid: set.carrier_sid.clone(),
        sealed_tokens: vec![set.sealed_token.clone()],
    };
    directory::announce(&app, &account, entry).await;
    Ok(Json(view(&app, set)))
}

fn check_token(token: &str, errors: &mut Errors) {
    let fine = (1..=256).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    errors.check(fine, "auth_token", "invalid", "1 to 256 visible characters");
}

fn check(app: &App, new: &Creation<NewAccount>) -> Result<Account, Problem> {
    let body = &new.body;
    let mut errors = Errors::default();
    let key = Token::new(&body.account).is_some();
    errors.check(key, "account", "invalid", "1 to 64 of A-Z, a-z, 0-9, _ and -");
    errors.check(body.carrier == "twilio", "carrier", "unknown", "twilio");
    let sid = (1..=64).contains(&body.carrier_sid.len())
        && body.carrier_sid.bytes().all(|b| b.is_ascii_alphanumeric());
    errors.check(sid, "carrier_sid", "invalid", "the account's SID at the carrier");
    check_token(&body.auth_token, &mut errors);
    let url = body.base_url.as_deref().unwrap_or(twilio::BASE_URL);
    let base_url = match check_base_url(twilio::HOST, url, &app.settings.carrier_hosts) {
        Ok(url) => url,
        Err(why) => {
            errors.add("base_url", "not_allowed", why.to_string());
            String::new()
        }
    };
    errors.done()?;
    Ok(Account {
        account: body.account.clone(),
        carrier: body.carrier.clone(),
        carrier_sid: body.carrier_sid.clone(),
        base_url,
        sealed_token: app.sealer.seal(body.auth_token.as_bytes()),
        confirms_opt_out: body.confirms_opt_out.unwrap_or(true),
        created_at: new.now,
    })
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<AccountView>>, Problem> {
    let (after, limit) = (paging.after_text()?.unwrap_or_default(), paging.limit()?);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = accounts::list(&mut tx, &caller.tenant, &after, limit).await?;
    let found = found.into_iter().map(|account| view(&app, account)).collect();
    Ok(Json(Page::new(found, limit, |account: &AccountView| account.account.clone())))
}
