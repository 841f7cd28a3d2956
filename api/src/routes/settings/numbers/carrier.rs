//! The carrier of an account, as it is asked about numbers.

use carriers::{Carrier, Client, Doubt, ReadError};
use domain::ids::TenantId;
use store::{
    Scoped,
    settings::accounts::{self, Account},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    app::App,
    http::{Kind, Problem},
};

/// What answers say where the carrier has no such calls.
const NOT_OFFERED: &str = "the account's carrier offers no numbers by its API";

/// What answers say where the carrier has not answered.
const AWAY: &str = "the carrier does not answer; repeat it";

/// Seconds after which a carrier that did not answer may be asked again.
const LATER: u64 = 5;

/// An account of the tenant's own, and what speaks to its carrier.
pub(super) struct Asked {
    pub(super) account: Account,
    pub(super) carrier: Carrier,
    pub(super) client: Client,
}

/// The client of a tenant's own account, by its name.
///
/// # Errors
/// There is no such account, or it has no numbers that the tenant looks after.
pub(super) async fn of_account(
    app: &App,
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
) -> Result<Asked, Problem> {
    let asked = own_account(app, tx, tenant, name).await?.ok_or_else(|| {
        Problem::field("account", "not_found", "the name of one of your carrier accounts")
    })?;
    if !asked.carrier.abilities().numbers {
        return Err(Problem::new(Kind::Conflict, NOT_OFFERED));
    }
    Ok(asked)
}

/// The client of a tenant's own account of any carrier, by its name; none where there is no such
/// account.
///
/// # Errors
/// It is the platform's, or this version does not know its carrier.
pub(super) async fn own_account(
    app: &App,
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Asked>, Problem> {
    let Some(account) = accounts::by_name(tx, tenant, name).await? else { return Ok(None) };
    if accounts::is_shared(tx, &account.handle).await? {
        let detail = "the platform's operator looks after the numbers of an account that is shared";
        return Err(Problem::new(Kind::Conflict, detail));
    }

    let carrier = Carrier::from_name(&account.access.carrier);
    let carrier = carrier.ok_or_else(|| Problem::new(Kind::Conflict, NOT_OFFERED))?;
    let client = app.carriers.of(&account.access)?;
    Ok(Some(Asked { account, carrier, client }))
}

/// A permit to ask a carrier, of those of the tenant.
///
/// # Errors
/// The tenant has as many calls under way as it may have.
pub(super) fn permit(app: &App, tenant: &TenantId) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| Problem::too_many("other calls about numbers are under way", 1);
    app.number_calls.of(tenant.as_str()).try_acquire_owned().map_err(busy)
}

/// A permit for a call that no caller waits for: the next that is free.
pub(super) async fn next_permit(app: &App, tenant: &TenantId) -> Option<OwnedSemaphorePermit> {
    app.number_calls.of(tenant.as_str()).acquire_owned().await.ok()
}

/// Why a carrier gave no list, as the caller is told.
pub(super) fn unread(carrier: Carrier, error: &ReadError) -> Problem {
    match error {
        ReadError::Throttled(throttle) => {
            let wait = throttle.retry_after.map_or(LATER, |wait| wait.as_secs().max(1));
            Problem::unavailable("the carrier asks to be called less", wait)
        }
        ReadError::Stopped { .. } => {
            let detail = "the carrier does not accept the account: check its id and its secret";
            Problem::new(Kind::Conflict, detail)
        }
        ReadError::Unavailable(Doubt::Status { status: 400..=499, code: Some(code) }) => {
            refused(carrier, *code)
        }
        ReadError::TooMany(most) => {
            let detail = format!("the account has more than {most} numbers");
            Problem::new(Kind::Conflict, detail)
        }
        ReadError::NotOffered => Problem::new(Kind::Conflict, NOT_OFFERED),
        ReadError::Unavailable(_) | ReadError::NoConnection => Problem::unavailable(AWAY, LATER),
    }
}

/// What a carrier refused, by its code.
pub(super) fn refused(carrier: Carrier, code: u32) -> Problem {
    let info = carrier.cause(code);
    Problem::new(Kind::Conflict, format!("{}: {}", info.cause, info.next_step))
}

/// A carrier that gave no answer that settles it.
pub(super) fn away() -> Problem {
    Problem::unavailable(AWAY, LATER)
}
