//! `GET /v1/messages`: the messages in pages, the newest first. A page looks at 10,000 messages at
//! most: where a filter lets few of them through, it may hold less than was asked for, or nothing,
//! and `next_cursor` says where it stopped.

use axum::{Json, extract::State};
use domain::{
    address::Address,
    country::Country,
    ids::{CampaignId, SenderId},
    message::{class::MessageClass, state::MessageState},
};
use jiff::Timestamp;
use serde::Deserialize;
use store::{
    campaigns,
    messages::{
        list::{self, AgePosition},
        read::{MessageDetail, MessageFilter},
    },
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::view::{MessageView, view};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    fields,
    http::{Errors, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those to this number, in E.164 or as people of the tenant's country write it.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    to: Option<String>,
    /// Those of this campaign; beside `to`, one that there is not has none.
    campaign: Option<Uuid>,
    /// Those that were accepted at this instant or later.
    #[param(example = "2026-01-01T00:00:00Z")]
    since: Option<Timestamp>,
    /// Those that were accepted before this instant.
    #[param(example = "2027-01-01T00:00:00Z")]
    until: Option<Timestamp>,
    /// Those in one of these states, separated by commas: `accepted`, `deferred`, `held`, `queued`,
    /// `in_doubt`, `sent`, `blocked`, `cancelled`, `expired`, `failed`, `unknown`, `delivered`,
    /// `read`.
    #[param(pattern = "^([a-z_]+(,[a-z_]+)*)?$", max_length = 200, example = "sent,delivered")]
    status: Option<String>,
    /// Those of this class.
    #[param(value_type = Option<MessageClass>, inline, example = "promo")]
    class: Option<String>,
    /// Those that this sender carries.
    #[param(example = json!(examples::SENDER))]
    sender: Option<Uuid>,
    /// Those with this reason of a gate, or this error of the carrier.
    #[param(max_length = 64)]
    code: Option<String>,
}

/// `GET /v1/messages?to=&campaign=&since=&until=&status=&class=&sender=&code=`, for every role: the
/// messages in pages, the newest first; those of a campaign, without `to`, in the order of its
/// audience. A page looks at 10,000 messages at most: where a filter lets few of them through, it
/// may hold less than was asked for, or nothing, and a `next_cursor`, behind which it goes on. 404
/// where there is no such campaign, unless `to` is there.
#[utoipa::path(
    get, path = "/v1/messages", tag = "messages", operation_id = "list_messages",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of messages.", body = Page<MessageView>),
        Always, Missing,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<MessageView>>, Problem> {
    // check
    let limit = usize::try_from(paging.limit()?).unwrap_or_default();
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let filter = filter(wanted, tenant.country.parse().ok())?;

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let of = &caller.tenant;
    let (found, next) = match (&filter.address, filter.campaign) {
        (None, Some(campaign)) => {
            let after = paging.after_number()?.unwrap_or(-1);
            let known = campaigns::get(&mut tx, of, campaign, false).await?;
            known.ok_or_else(|| Problem::not_found("campaign"))?;
            let page = list::by_campaign(&mut tx, of, campaign, &filter, after, limit).await?;
            (page.messages, page.next.map(|seq| seq.to_string()))
        }
        (address, _) => {
            let before = before(&paging, &filter)?;
            let page = match address {
                Some(to) => list::by_address(&mut tx, of, to, &filter, before, limit).await?,
                None => list::by_age(&mut tx, of, &filter, before, limit).await?,
            };
            (page.messages, page.next.map(|(at, id)| format!("{at} {id}")))
        }
    };

    // answer
    let view = |message: MessageDetail| view(message, &tenant.currency);
    Ok(Json(Page::until(found.into_iter().map(view).collect(), next)))
}

/// Where a list in the order of age goes on, or begins.
fn before(paging: &Paging, filter: &MessageFilter) -> Result<AgePosition, Problem> {
    let first = match filter.until {
        Some(until) => (until, Uuid::nil()),
        None => (Timestamp::MAX, Uuid::max()),
    };
    Ok(paging.after_time_and_id()?.unwrap_or(first))
}

/// The filter that the query asks for, or everything that is wrong with it.
fn filter(wanted: Wanted, home: Option<Country>) -> Result<MessageFilter, Problem> {
    let mut errors = Errors::default();
    let to = wanted.to.as_deref();
    let number = to.and_then(|to| fields::number("to", to, home, &mut errors));
    let states = states(wanted.status.as_deref().unwrap_or_default(), &mut errors);

    let class = wanted.class.as_deref().map(MessageClass::from_name);
    let names = MessageClass::ALL.map(MessageClass::as_str).join(", ");
    errors.check(class != Some(None), "class", "unknown", &names);
    errors.done()?;

    Ok(MessageFilter {
        states,
        class: class.flatten(),
        sender: wanted.sender.map(SenderId),
        campaign: wanted.campaign.map(CampaignId),
        code: wanted.code,
        address: number.map(Address::from),
        since: wanted.since,
        until: wanted.until,
    })
}

/// Reads names of states that are separated by commas.
fn states(written: &str, errors: &mut Errors) -> Vec<MessageState> {
    let names = written.split(',').map(str::trim).filter(|name| !name.is_empty());
    let read: Vec<Option<MessageState>> = names.map(MessageState::from_name).collect();
    let known = MessageState::ALL.map(MessageState::as_str).join(", ");
    errors.check(read.iter().all(Option::is_some), "status", "unknown", &known);
    read.into_iter().flatten().collect()
}
