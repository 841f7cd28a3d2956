//! The numbers that a tenant has at its carriers, or has ordered there. A number has the id that it
//! has as a sender; it is active once there is such a sender.

mod import;
pub mod open;
mod order;
mod read;
mod release;
mod state;

use domain::{
    ids::{BrandId, PoolId, SenderId, TenantId},
    money::Micros,
};
use jiff::Timestamp;
use stage::Fault;

pub use import::{Imported, ListedAt, import, price_listed};
pub use order::{Ordered, order, settle};
pub use read::{get, list};
pub use release::{begin_release, forget, undo_release};
pub use state::NumberState;

use crate::{Scoped, analytics::sender_days::Carried, fault};

/// How many numbers a tenant has at most.
pub const MOST: i64 = 1_000;

/// A number of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// A UUID v5 of tenant and number, as of the sender.
    pub id: SenderId,
    /// The handle of the carrier account.
    pub account: String,
    /// The tenant's name of that account.
    pub account_name: String,
    /// The carrier's name.
    pub carrier: String,
    /// The number, in E.164.
    pub number: String,
    /// The carrier's name of it.
    pub carrier_id: Option<String>,
    /// How far the tenant has come with it.
    pub state: NumberState,
    /// The carrier's code, of an order that has failed.
    pub code: Option<i32>,
    /// What the carrier takes for it a month, as the tenant says.
    pub monthly_cost: Option<Micros>,
    /// The name that people know it under.
    pub brand: Option<BrandId>,
    /// The pool that it goes into once it is a sender.
    pub pool: Option<PoolId>,
    /// Whether it is a sender.
    pub is_active: bool,
    /// Messages that it has carried in the last 30 days.
    pub used: i64,
    /// Segments that the carrier took of it in these days, and what they cost.
    pub carried: Carried,
    /// When it came to be here, in business time.
    pub created_at: Timestamp,
}

/// Writes what a tenant says of a number: cost, brand, pool.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, number: &Number) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set monthly_cost_micros = $3, brand_id = $4, pool_id = $5
         where tenant_id = $1 and number_id = $2",
        tenant.as_str(),
        number.id.0,
        number.monthly_cost.map(|cost| cost.0),
        number.brand.map(|brand| brand.0),
        number.pool.map(|pool| pool.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
