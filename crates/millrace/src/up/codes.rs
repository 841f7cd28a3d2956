//! The platform's own tenant, whose sender and budget codes are texted with that people sign in
//! with: at the sandbox's carrier, as everything of `up`.

use anyhow::Context;
use domain::{
    ids::{SenderId, TenantId, account_handle},
    message::class::Channel,
    money::Micros,
};
use jiff::Timestamp;
use store::{
    Store,
    core::seal::Sealer,
    settings::{
        accounts::{self, Account},
        budgets::{self, Budget, BudgetScope},
        senders::{self, Sender},
        tenants::{self, Tenant},
    },
};

use crate::demo::setup;

/// The tenant's key, and its account.
pub const TENANT: &str = "platform";

/// The number that codes leave from: of the range that is kept free for examples.
const NUMBER: &str = "+12025550170";

/// Segments per second.
const PACE: i32 = 50;

/// What codes may cost in a day: 10 dollars, some thousand of them.
const DAILY: Micros = Micros(10_000_000);

/// Makes the tenant with its account, its sender and its budget, where it is not there.
///
/// # Errors
/// The database is away.
pub async fn make(
    store: &Store,
    sealer: &Sealer,
    sandbox: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let tenant: TenantId = TENANT.parse().context("the platform's tenant")?;
    let named = Tenant::named(&tenant, "Millrace");
    if !tenants::create(store, &named, now).await? {
        return Ok(());
    }

    let handle = account_handle(Some(&tenant), TENANT);
    let account = Account {
        handle: handle.clone(),
        name: TENANT.to_owned(),
        access: setup::access(TENANT, sandbox, sealer),
        confirms_opt_out: false,
        created_at: now,
    };
    let sender = Sender {
        id: SenderId::of(&tenant, NUMBER),
        account: handle,
        account_name: TENANT.to_owned(),
        number: NUMBER.to_owned(),
        channel: Channel::Sms,
        country: named.country,
        time_zone: named.time_zone,
        pace: PACE,
        active_since: "2026-01-01T00:00:00Z".parse()?,
        daily_cap: 1_000_000,
        usable: true,
        brand: None,
        created_at: now,
    };
    let (scope, target) = (BudgetScope::Tenant, String::new());
    let budget = Budget { scope, target, daily: Some(DAILY), monthly: None };

    let mut tx = store.scoped([&tenant]).await?;
    accounts::create(&mut tx, &tenant, &account).await?;
    senders::create(&mut tx, &tenant, &sender).await?;
    budgets::set(&mut tx, &tenant, &budget).await?;
    tx.commit().await.context("the platform's tenant")
}
