//! The carrier of an account, as it is asked about templates.

use carriers::CarrierTemplateError;
use domain::ids::TenantId;
use store::Scoped;
use tokio::sync::OwnedSemaphorePermit;

pub(super) use super::super::own_account::Asked;
use super::super::own_account::{self, away};
use crate::{
    app::App,
    http::{Kind, Problem},
};

/// What the carrier is asked about.
const WHAT: &str = "templates";

/// Seconds after which a carrier that wants to be called less may be asked again.
const LESS: u64 = 60;

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
    let asked = own_account::get(app, tx, tenant, name, WHAT).await?;
    if !asked.carrier.abilities().templates {
        let detail = "the account's carrier keeps no templates: use POST /v1/templates";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(asked)
}

/// A permit to ask a carrier, of those of the tenant.
///
/// # Errors
/// The tenant has as many calls under way as it may have.
pub(super) fn permit(app: &App, tenant: &TenantId) -> Result<OwnedSemaphorePermit, Problem> {
    own_account::permit(&app.template_calls, tenant, WHAT)
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
        CarrierTemplateError::Unavailable(_) | CarrierTemplateError::NoConnection => away(),
    }
}
