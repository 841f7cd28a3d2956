//! The carrier of an account, as it is asked about templates.

use carriers::{Carrier, CarrierTemplateError, Client};
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

/// Seconds after which a carrier that did not answer may be asked again.
const LATER: u64 = 5;

/// Seconds after which a carrier that wants to be called less may be asked again.
const LESS: u64 = 60;

/// An account of the tenant's own, and what speaks to its carrier.
pub(super) struct Asked {
    pub(super) account: Account,
    pub(super) client: Client,
}

/// The client of a tenant's own account, by its name.
///
/// # Errors
/// There is no such account, or it has no templates that the tenant looks after.
pub(super) async fn of_account(
    app: &App,
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
) -> Result<Asked, Problem> {
    let found = accounts::by_name(tx, tenant, name).await?;
    let account = found.ok_or_else(|| {
        Problem::field("account", "not_found", "the name of one of your carrier accounts")
    })?;
    if accounts::is_shared(tx, &account.handle).await? {
        let detail =
            "the platform's operator looks after the templates of an account that is shared";
        return Err(Problem::new(Kind::Conflict, detail));
    }

    let carrier = Carrier::from_name(&account.access.carrier);
    if !carrier.is_some_and(|carrier| carrier.abilities().templates) {
        let detail = "the account's carrier keeps no templates: use POST /v1/templates";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let client = app.carriers.of(&account.access)?;
    Ok(Asked { account, client })
}

/// A permit to ask a carrier, of those of the tenant.
///
/// # Errors
/// The tenant has as many calls under way as it may have.
pub(super) fn permit(app: &App, tenant: &TenantId) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| Problem::too_many("other calls about templates are under way", 1);
    app.template_calls.of(tenant.as_str()).try_acquire_owned().map_err(busy)
}

/// Why a carrier did not do what it was asked, as the caller is told.
pub(super) fn problem(error: &CarrierTemplateError) -> Problem {
    match error {
        CarrierTemplateError::Refused { code, words } => {
            Problem::new(Kind::Conflict, format!("the carrier refuses it ({code}): {words}"))
        }
        CarrierTemplateError::Throttled { .. } => {
            Problem::unavailable("the carrier asks to be called less", LESS)
        }
        CarrierTemplateError::TooMany(_) | CarrierTemplateError::NotOffered => {
            Problem::new(Kind::Conflict, error.to_string())
        }
        CarrierTemplateError::Unavailable(_) | CarrierTemplateError::NoConnection => {
            Problem::unavailable("the carrier does not answer; repeat it", LATER)
        }
    }
}
