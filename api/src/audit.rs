//! Acts of callers on their way into their tenant's audit trail.

use jiff::Timestamp;
use serde_json::Value;
use store::{
    Scoped,
    audit::{self, AuditEntry},
};

use crate::{auth::Caller, http::Problem};

/// Adds an act of a caller to their tenant's trail, in the transaction of the act and after
/// everything else in it. `detail` holds no text of a message.
pub(crate) async fn note(
    tx: &mut Scoped,
    caller: &Caller,
    at: Timestamp,
    action: &str,
    subject: String,
    detail: Value,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        tenant: caller.tenant.id().clone(),
        at,
        actor: caller.subject.clone(),
        action: action.to_owned(),
        subject,
        detail,
    };
    Ok(audit::append(tx, &[entry]).await?)
}
