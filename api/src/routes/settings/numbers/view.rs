//! A number, as answers show it.

use carriers::Carrier;
use domain::{
    country::Country,
    ids::{BrandId, PoolId, SenderId},
    money::{Micros, Money},
    phone::PhoneNumber,
};
use jiff::Timestamp;
use serde::Serialize;
use store::{
    Scoped,
    settings::{
        numbers::{Number, NumberState},
        senders,
        tenants::Tenant,
    },
};
use utoipa::ToSchema;

use crate::{
    http::{self, Problem},
    routes::settings::senders::{
        policy,
        warmup::{Warmup, warmups},
    },
};

/// A number that the tenant has at a carrier, or has ordered there.
#[derive(Serialize, ToSchema)]
#[schema(as = Number)]
pub(super) struct NumberView {
    /// Derived from the tenant and the number: the same that it has as a sender.
    pub(super) id: SenderId,
    /// The number, in E.164.
    #[schema(example = "+12025550150")]
    number: String,
    /// The name of the carrier account that it is of.
    account: String,
    /// The country that it is of; null where it is of none.
    #[schema(required)]
    country: Option<Country>,
    /// How far the tenant has come with it.
    #[schema(value_type = NumberState)]
    state: &'static str,
    /// Why the carrier has not given it; null where it has, or nobody knows.
    #[schema(required)]
    refusal: Option<Refusal>,
    /// Whether texts leave from it: it is one of the senders.
    active: bool,
    /// The brand that people know it under; null where none is said.
    #[schema(required)]
    brand: Option<BrandId>,
    /// The pool that it goes into once it is active; null where none is said.
    #[schema(required)]
    pool: Option<PoolId>,
    /// What the carrier takes for it a month, as the tenant has said; null where it has not.
    #[schema(required)]
    monthly_cost: Option<Money>,
    /// Messages that it has carried on the last 30 days, today among them.
    used_30_days: i64,
    /// Segments that the carrier took of it in these days, by the day in UTC.
    segments_30_days: i64,
    /// What these cost, in the tenant's currency: cost of messages alone, beside the monthly one.
    spent_30_days: Money,
    /// What it may carry today, and has carried; null where it is not active.
    #[schema(required)]
    warmup: Option<Warmup>,
    /// When it came to be here.
    created_at: Timestamp,
}

/// Why a carrier has not given a number.
#[derive(Serialize, ToSchema)]
#[schema(as = NumberRefusal)]
struct Refusal {
    /// The carrier's code; null where it gave none.
    #[schema(required)]
    code: Option<u32>,
    /// What has happened.
    cause: &'static str,
    /// What to do about it.
    next_step: &'static str,
}

/// Numbers as they are shown, in their order.
pub(super) async fn views(
    tx: &mut Scoped,
    tenant: &Tenant,
    numbers: Vec<Number>,
    now: Timestamp,
) -> Result<Vec<NumberView>, Problem> {
    let active: Vec<_> = numbers.iter().filter(|one| one.is_active).map(|one| one.id.0).collect();
    let senders = senders::by_ids(tx, &tenant.id, &active).await?;
    let policy = policy(tx, &tenant.id).await?;
    let days = warmups(tx, &tenant.id, &policy, now, &senders).await?;

    let mut days: std::collections::HashMap<SenderId, Option<Warmup>> =
        senders.iter().map(|sender| sender.id).zip(days).collect();
    let warmups: Vec<Option<Warmup>> =
        numbers.iter().map(|number| days.remove(&number.id).flatten()).collect();
    Ok(numbers.into_iter().zip(warmups).map(|(one, day)| view(tenant, one, day)).collect())
}

/// One number as it is shown.
pub(super) async fn shown(
    tx: &mut Scoped,
    tenant: &Tenant,
    number: Number,
    now: Timestamp,
) -> Result<NumberView, Problem> {
    let shown = views(tx, tenant, vec![number], now).await?.pop();
    shown.ok_or_else(|| Problem::not_found("number"))
}

/// A number that is no sender, as it is shown.
pub(super) fn bare(tenant: &Tenant, number: Number) -> NumberView {
    view(tenant, number, None)
}

fn view(tenant: &Tenant, number: Number, warmup: Option<Warmup>) -> NumberView {
    let refusal = refusal(&number);
    let currency = tenant.currency.parse().ok();
    let money = |amount: Micros| Some(Money { amount, currency: currency? });
    let of = PhoneNumber::from_e164(&number.number).ok();

    NumberView {
        id: number.id,
        country: of.and_then(|of| of.country()),
        number: number.number,
        account: number.account_name,
        state: number.state.as_str(),
        refusal,
        active: number.is_active,
        brand: number.brand,
        pool: number.pool,
        monthly_cost: number.monthly_cost.and_then(money),
        used_30_days: number.used,
        segments_30_days: number.carried.segments,
        spent_30_days: http::view::money(number.carried.cost, &tenant.currency),
        warmup,
        created_at: number.created_at,
    }
}

/// What the carrier's code means, of an order that has failed.
fn refusal(number: &Number) -> Option<Refusal> {
    match number.state {
        NumberState::Failed => {}
        NumberState::Ordered
        | NumberState::InDoubt
        | NumberState::Owned
        | NumberState::Gone
        | NumberState::Releasing => return None,
    }

    let code = number.code.and_then(|code| u32::try_from(code).ok());
    let carrier = Carrier::from_name(&number.carrier);
    Some(match code.zip(carrier) {
        Some((code, carrier)) => {
            let info = carrier.cause(code);
            Refusal { code: Some(code), cause: info.cause, next_step: info.next_step }
        }
        None => Refusal {
            code: None,
            cause: "the carrier was not reached, or does not list the number",
            next_step: "Order it again, or another one",
        },
    })
}
