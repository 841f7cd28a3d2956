//! Where the console of `up` is, and the way in.

use secrecy::ExposeSecret;
use store::{
    Store,
    people::{invitations, members},
    settings::api_keys::KeyRole,
};
use uuid::Uuid;

use super::TENANT;
use crate::{process::ProcessParts, users};

/// Whose place the link is for, until somebody takes it.
const EMAIL: &str = "owner@demo.example";

/// The console's address. While nobody works for the demo's company it is a link that makes whoever
/// opens it its owner: it is good once, and the next start makes another.
///
/// # Errors
/// The database cannot be asked.
pub(super) async fn way_in(
    process: &ProcessParts,
    store: &Store,
    api: &str,
) -> anyhow::Result<String> {
    let tenant = TENANT.parse()?;
    let mut tx = store.scoped([&tenant]).await?;
    if !members::list(&mut tx, &tenant, Uuid::nil(), 1).await?.is_empty() {
        return Ok(format!("{api}/console/"));
    }
    invitations::take_all_by(&mut tx, &tenant, users::OPERATOR).await?;
    tx.commit().await?;

    let (email, now) = (EMAIL.to_owned(), process.time.now());
    let (code, _) = users::invited(store, tenant, email, KeyRole::Owner, now).await?;
    Ok(format!("{api}/console/join#{}  (signs in once)", code.expose_secret()))
}
