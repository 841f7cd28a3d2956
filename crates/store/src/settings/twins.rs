//! Twins: the tenants in which test keys work. A twin has people, counters and opt-outs of its own,
//! as every tenant has, and its texts leave through an account at the sandbox.

use domain::{
    account::Access,
    ids::{PoolId, SenderId, TenantId, account_handle},
    message::class::Channel,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    accounts::{self, Account},
    policies,
    pools::{self, Pool},
    senders::{self, Sender},
    tenants::Tenant,
};
use crate::{Scoped, core::secrets::secret, fault};

/// What a twin's account is called, and its pool.
const NAME: &str = "sandbox";

/// Segments per second of a twin's sender.
const PACE: i32 = 100;

/// Messages a day of a twin's sender.
const DAILY_CAP: i32 = 100_000;

/// How long a twin's sender is in use: past every warm-up.
const IN_USE: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Makes a tenant's twin with an account at the sandbox, a sender, a pool, and the policy that is
/// in force. `access` says how an account of this handle is called there with this secret. The
/// transaction sees both tenants. Answers the account; none where the twin is there, which stays as
/// it is.
pub async fn make(
    tx: &mut Scoped,
    tenant: &Tenant,
    access: impl FnOnce(&str, &SecretString) -> Access,
    now: Timestamp,
) -> Result<Option<Account>, Fault> {
    let twin = tenant.id.twin();
    if !insert(tx, tenant, &twin, now).await? {
        return Ok(None);
    }

    let handle = account_handle(Some(&twin), NAME);
    // The sandbox takes the first secret that it sees of an account.
    let (access, name) = (access(&handle, &secret("sandbox_")), NAME.to_owned());
    let account = Account { handle, name, access, confirms_opt_out: true, created_at: now };
    accounts::create(tx, &twin, &account).await?;

    let sender = sender(tenant, &twin, &account, now);
    senders::create(tx, &twin, &sender).await?;
    let id = PoolId(Uuid::new_v5(&Uuid::NAMESPACE_OID, twin.as_str().as_bytes()));
    let pool = Pool { id, name: NAME.into(), senders: vec![sender.id.0], created_at: now };
    pools::create(tx, &twin, &pool).await?;

    if let Some(policy) = policies::list(tx, &tenant.id, i64::MAX, 1).await?.pop() {
        policies::add(tx, &twin, &policy.body, &policy.created_by, now).await?;
    }
    Ok(Some(account))
}

async fn insert(
    tx: &mut Scoped,
    tenant: &Tenant,
    twin: &TenantId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into tenants
             (tenant_id, name, country, time_zone, currency, language, created_at, twin_of)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant_id) do nothing",
        twin.as_str(),
        tenant.name,
        tenant.country,
        tenant.time_zone,
        tenant.currency,
        tenant.language,
        now.to_sqlx(),
        tenant.id.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// The twin's sender: a number of a range that nobody is called at, another for each twin.
fn sender(tenant: &Tenant, twin: &TenantId, account: &Account, now: Timestamp) -> Sender {
    let digits = Uuid::new_v5(&Uuid::NAMESPACE_OID, twin.as_str().as_bytes()).as_u128() % 2_000_000;
    let number = format!("+1500{}", 2_000_000 + digits);
    Sender {
        id: SenderId::of(twin, &number),
        account: account.handle.clone(),
        account_name: account.name.clone(),
        number,
        channel: Channel::Sms,
        country: tenant.country.clone(),
        time_zone: tenant.time_zone.clone(),
        pace: PACE,
        active_since: now - IN_USE,
        daily_cap: DAILY_CAP,
        usable: true,
        brand: None,
        created_at: now,
    }
}
