//! What a tenant says of a number: what it costs, and which brand and pool it is of.

use domain::{
    ids::{PoolId, TenantId},
    money::{Micros, Money},
};
use store::{
    Scoped,
    settings::{pools, tenants::Tenant},
};
use uuid::Uuid;

use crate::{
    http::{Errors, Problem},
    routes::settings::senders::{NO_BRAND, is_brand},
};

/// What is right where a pool is not.
pub(super) const NO_POOL: &str = "one of your pools";

/// Says where there is no such brand, or no such pool. None of either is right.
pub(super) async fn check_assigned(
    tx: &mut Scoped,
    tenant: &TenantId,
    (brand, pool): (Option<Uuid>, Option<Uuid>),
    errors: &mut Errors,
) -> Result<(), Problem> {
    let is_known = is_brand(tx, tenant, brand).await?;
    errors.check(is_known, "brand", "not_found", NO_BRAND);

    let is_known = match pool {
        None => true,
        Some(pool) => pools::exists(tx, tenant, PoolId(pool)).await?,
    };
    errors.check(is_known, "pool", "not_found", NO_POOL);
    Ok(())
}

/// A cost in the tenant's own currency.
pub(super) fn cost(given: Option<&Money>, tenant: &Tenant, errors: &mut Errors) -> Option<Micros> {
    let given = given?;
    errors.check(given.amount.0 >= 0, "monthly_cost", "out_of_range", "not below zero");
    let same = given.currency.as_str() == tenant.currency;
    errors.check(same, "monthly_cost", "wrong_currency", &format!("in {}", tenant.currency));
    Some(given.amount)
}
