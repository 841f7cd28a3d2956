//! An account of a tenant's own, whose carrier is asked about what the tenant keeps there: numbers,
//! templates.

use carriers::{Carrier, Client};
use domain::ids::TenantId;
use store::{
    Scoped,
    settings::accounts::{self, Account},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    app::App,
    http::{Kind, Problem},
    shares::Shares,
};

/// Seconds after which a carrier that did not answer may be asked again.
pub(super) const LATER: u64 = 5;

/// An account of the tenant's own, and what speaks to its carrier.
pub(super) struct Asked {
    pub(super) account: Account,
    pub(super) carrier: Carrier,
    pub(super) client: Client,
}

/// The client of a tenant's own account of any carrier, by its name; none where there is no such
/// account. `what` is what it is asked about: `numbers`.
///
/// # Errors
/// It is the platform's, this version does not know its carrier, or its host is not allowed.
pub(super) async fn find(
    app: &App,
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
    what: &str,
) -> Result<Option<Asked>, Problem> {
    let Some(account) = accounts::by_name(tx, tenant, name).await? else { return Ok(None) };
    if accounts::is_shared(tx, &account.handle).await? {
        let detail =
            format!("the platform's operator looks after the {what} of an account that is shared");
        return Err(Problem::new(Kind::Conflict, detail));
    }

    let carrier = Carrier::from_name(&account.access.carrier).ok_or_else(|| {
        Problem::new(Kind::Conflict, "this version does not know the account's carrier")
    })?;
    let client = app.carriers.of(&account.access)?;
    Ok(Some(Asked { account, carrier, client }))
}

/// The same, where the account must be there.
///
/// # Errors
/// Likewise, and there is none.
pub(super) async fn get(
    app: &App,
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
    what: &str,
) -> Result<Asked, Problem> {
    find(app, tx, tenant, name, what).await?.ok_or_else(|| {
        Problem::field("account", "not_found", "the name of one of your carrier accounts")
    })
}

/// A permit to ask a carrier about `what`, of those that the tenant has for it.
///
/// # Errors
/// The tenant has as many calls under way as it may have.
pub(super) fn permit(
    calls: &Shares,
    tenant: &TenantId,
    what: &str,
) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| Problem::too_many(format!("other calls about {what} are under way"), 1);
    calls.of(tenant.as_str()).try_acquire_owned().map_err(busy)
}

/// A carrier that gave no answer that settles it.
pub(super) fn away() -> Problem {
    Problem::unavailable("the carrier does not answer; repeat it", LATER)
}
