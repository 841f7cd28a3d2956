//! The carrier of an account, as it is asked about numbers.

use carriers::{AccountVerdict, Carrier, Doubt, ReadError};
use domain::ids::TenantId;
use store::Scoped;
use tokio::sync::OwnedSemaphorePermit;

use super::super::own_account::{self, LATER};
pub(super) use super::super::own_account::{Asked, away};
use crate::{
    app::App,
    auth::Reach,
    http::{Kind, Problem},
};

/// What the carrier is asked about.
const WHAT: &str = "numbers";

/// What answers say where the carrier has no such calls.
const NOT_OFFERED: &str = "the account's carrier offers no numbers by its API";

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
    let asked = own_account::get(app, tx, tenant, name, WHAT).await?;
    if !asked.carrier.abilities().numbers {
        return Err(Problem::new(Kind::Conflict, NOT_OFFERED));
    }
    Ok(asked)
}

/// The client of a tenant's own account of any carrier, by its name.
///
/// # Errors
/// There is none, it is the platform's, or this version does not know its carrier.
pub(super) async fn own_account(app: &App, of: &Reach, name: &str) -> Result<Asked, Problem> {
    // No transaction is open while the carrier is asked.
    let mut tx = app.transactions.begin(of).await?;
    let asked = own_account::find(app, &mut tx, of.id(), name, WHAT).await?;
    asked.ok_or_else(|| Problem::not_found("carrier account"))
}

/// A permit to ask a carrier, of those of the tenant.
///
/// # Errors
/// The tenant has as many calls under way as it may have.
pub(super) fn permit(app: &App, tenant: &TenantId) -> Result<OwnedSemaphorePermit, Problem> {
    own_account::permit(&app.number_calls, tenant, WHAT)
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

        ReadError::Unavailable(Doubt::Status { status, code: Some(code) }) => {
            match carrier.account_verdict(*code) {
                AccountVerdict::Refused => refused(carrier, *code),
                AccountVerdict::Unsaid if *status < 500 => refused(carrier, *code),
                AccountVerdict::Later | AccountVerdict::Unsaid => away(),
            }
        }

        ReadError::TooMany(most) => {
            let detail = format!("the account has more than {most} numbers");
            Problem::new(Kind::Conflict, detail)
        }
        ReadError::NotOffered => Problem::new(Kind::Conflict, NOT_OFFERED),
        ReadError::Unavailable(_) | ReadError::NoConnection => away(),
    }
}

/// What a carrier refused, by its code.
pub(super) fn refused(carrier: Carrier, code: u32) -> Problem {
    let info = carrier.cause(code);
    Problem::new(Kind::Conflict, format!("{}: {}", info.cause, info.next_step))
}
