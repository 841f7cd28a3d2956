//! Message templates that carrier accounts keep, as their carriers have them: made here, read there
//! from time to time, and changed by what carriers tell of them.

mod create;
mod news;
mod read;
mod standing;
mod sync;

use domain::{
    carrier_template::{ReviewState, TemplateComponents},
    ids::{CarrierTemplateId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use stage::Fault;

pub use create::{NewTemplate, TemplateSubmission, forget, settle, submit};
pub use news::{AccountNews, tell};
pub use read::{TemplateFilter, get, list};
pub(crate) use standing::read_standing;
pub use standing::{AskedTemplate, standings};
pub use sync::{DueSync, Synced, TemplatesReadAt, ask, fail, lease, record};

use crate::{Scoped, core::words::words, fault};

/// How many templates an account has at most: as many as Meta keeps.
pub const MOST: i64 = 6_000;

/// How much older than what is known news may be and still be news: a carrier's clock and ours
/// differ, and it tells whole seconds.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

words! { ReviewState = "state of a template's review" }

/// A template of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCarrierTemplate {
    /// A UUID v5 of tenant, account, name and language.
    pub id: CarrierTemplateId,
    /// The handle of the carrier account.
    pub account: String,
    /// The tenant's name of that account.
    pub account_name: String,
    /// Its name at the carrier.
    pub name: String,
    /// Its language, as the carrier writes it.
    pub language: String,
    /// What it is for, as the carrier says, in small letters.
    pub category: String,
    /// What it is made of.
    pub components: TemplateComponents,
    /// How far its review has come.
    pub state: ReviewState,
    /// The carrier's own word for that.
    pub status: Option<String>,
    /// Why it was rejected, or not taken.
    pub reason: Option<String>,
    /// What people think of it, as the carrier says, in small letters.
    pub quality: String,
    /// The carrier's id of it.
    pub carrier_id: Option<String>,
    /// When it came to be here, in business time.
    pub created_at: Timestamp,
}

/// Forgets all templates of an account that is removed.
pub(super) async fn forget_account(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "delete from carrier_templates where tenant_id = $1 and account = $2",
        tenant.as_str(),
        account,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from template_syncs where tenant_id = $1 and account = $2",
        tenant.as_str(),
        account,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
