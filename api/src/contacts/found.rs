//! The contact that an id in a path names.

use domain::ids::ContactId;
use store::{
    Scoped,
    contacts::{self, Contact},
};
use uuid::Uuid;

use crate::{auth::Caller, http::Problem};

/// The contact of this id, which may be that of one that it has taken in. `lock` keeps it from
/// changing until the transaction ends.
///
/// # Errors
/// 404 where there is none, beside outages.
pub(crate) async fn found(
    tx: &mut Scoped,
    caller: &Caller,
    id: Uuid,
    lock: bool,
) -> Result<Contact, Problem> {
    let (tenant, id) = (&caller.tenant, ContactId(id));
    let found = if lock {
        contacts::set::lock(tx, tenant, id).await?.1
    } else {
        let contact = contacts::set::contact_of(tx, tenant, id).await?;
        contacts::load(tx, tenant, &[contact.0], false).await?.pop()
    };
    found.ok_or_else(|| Problem::not_found("contact"))
}
