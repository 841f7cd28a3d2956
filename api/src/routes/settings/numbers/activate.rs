//! `POST /v1/numbers/{id}/activate`: makes a number a sender.

use axum::{Json, extract::State};
use carriers::NumberReply;
use domain::{ids::SenderId, message::class::Channel, phone::PhoneNumber, zones::Zone};
use serde::Deserialize;
use store::settings::{
    numbers::{Number, NumberState},
    senders::{self, Sender},
    tenants::Tenant,
};
use utoipa::ToSchema;
use wire::subject::WebhookKind;

use super::{
    carrier::{away, of_account, permit, refused},
    change::assign,
    number,
    view::{NumberView, shown},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditNumbers, Needs},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Errors, Id, Kind, Problem},
    routes::settings::senders::{DAILY_CAP, check_numbers, read},
};

/// How a number is to be used as a sender.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Activation {
    /// How many segments a second it may carry.
    #[schema(minimum = 1, maximum = 10000)]
    pace: i32,
    /// How many messages a day it may carry once it is warmed up; 100,000 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1)]
    daily_cap: Option<i32>,
    /// The IANA zone of its days; the tenant's where it is not said.
    #[serde(default)]
    #[schema(max_length = 100, example = "America/New_York")]
    time_zone: Option<String>,
}

/// `POST /v1/numbers/{id}/activate`, for admins and owners: has the carrier post texts to the
/// number here, and makes it a sender of its brand and pool, whose warm-up begins now. Answers 200
/// with it, 404, 409 where the account does not have it, it is a sender, or the carrier refuses, or
/// 503 where the carrier does not answer: then it may be repeated.
#[utoipa::path(
    post, path = "/v1/numbers/{id}/activate", tag = "settings", operation_id = "activate_number",
    security(("bearer" = [EditNumbers::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The number.", example = json!(examples::NUMBER),
    )),
    request_body(content = Activation, example = json!({ "pace": 1 })),
    responses(
        (status = 200, description = "The number, which is a sender.", body = NumberView),
        Always, OfBody, Missing, Conflict,
    ),
)]
pub(super) async fn activate(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Id(id): Id,
    Body(body): Body<Activation>,
) -> Result<Json<NumberView>, Problem> {
    // load: no transaction is open while the carrier is asked
    let (id, now) = (SenderId(id), app.now());
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let owned = ready(number(&mut tx, &tenant.id, id, now, false).await?)?;
    let sender = check(&tenant, &owned, &body, now)?;
    let asked = of_account(&app, &mut tx, &tenant.id, &owned.account_name).await?;
    drop(tx);

    // ask
    let _permit = permit(&app, &tenant.id)?;
    let (url, handle) = (&app.settings.public_url, &asked.account.handle);
    let webhook = asked.carrier.webhook_url(url, handle, WebhookKind::Inbound);
    let name = owned.carrier_id.as_deref().unwrap_or_default();
    match asked.client.point_number(name, &webhook).await {
        NumberReply::Done { .. } | NumberReply::Taken => {}
        NumberReply::Refused { code } => return Err(refused(asked.carrier, code)),
        NumberReply::NotAsked | NumberReply::Unknown { .. } => return Err(away()),
    }

    // record
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let owned = ready(number(&mut tx, &tenant.id, id, now, true).await?)?;
    if !senders::create(&mut tx, &tenant.id, &sender).await? {
        let detail = "somebody who uses the account has this number as a sender";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    assign(&mut tx, &tenant.id, &owned).await?;
    let active = Number { is_active: true, ..owned };
    let view = shown(&mut tx, &tenant, active, now).await?;
    let (subject, detail) = (format!("number:{id}"), wire::json::to_value(&view));
    audit::note(&mut tx, &caller, now, "number.activated", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(view))
}

/// The number, if the account has it and nothing leaves from it yet.
fn ready(number: Number) -> Result<Number, Problem> {
    let detail = match (number.state, number.is_active) {
        (NumberState::Owned, false) => return Ok(number),
        (NumberState::Owned, true) => "the number is active".to_owned(),
        (state, _) => format!("the account does not have the number: it is {}", state.as_str()),
    };
    Err(Problem::new(Kind::Conflict, detail))
}

/// The sender that the number becomes, or everything that is wrong with it.
fn check(
    tenant: &Tenant,
    number: &Number,
    body: &Activation,
    now: jiff::Timestamp,
) -> Result<Sender, Problem> {
    let mut errors = Errors::default();
    let daily_cap = body.daily_cap.unwrap_or(DAILY_CAP);
    check_numbers(body.pace, daily_cap, &mut errors);
    let zone = body.time_zone.as_deref().unwrap_or(&tenant.time_zone);
    let time_zone = read::<Zone>("time_zone", zone, &mut errors);
    errors.done()?;

    let country = PhoneNumber::from_e164(&number.number).ok().and_then(|of| of.country());
    Ok(Sender {
        id: number.id,
        account: number.account.clone(),
        account_name: number.account_name.clone(),
        number: number.number.clone(),
        channel: Channel::Sms,
        country: country.map_or_else(|| tenant.country.clone(), |country| country.to_string()),
        time_zone,
        pace: body.pace,
        active_since: now,
        daily_cap,
        usable: true,
        brand: number.brand,
        created_at: now,
    })
}
