//! The twin of a company, in which its test keys work: made with the first of them.

use carriers::Carrier;
use domain::{account::Access, ids::TenantId};
use secrecy::{ExposeSecret, SecretString};
use store::{
    Scoped,
    settings::{accounts::Account, tenants::Tenant, twins},
};

use crate::{
    app::App,
    directory::{Entry, mirror},
    http::Problem,
};

/// What an operator does about a platform without a sandbox.
const NO_SANDBOX: &str = "this platform has no sandbox to test in: its operator starts \
                          `millrace sandbox`, and sets MILLRACE_SANDBOX_URL in every process";

/// Makes the twin, if it is not there. Answers its account at the sandbox where it is new.
///
/// # Errors
/// There is no sandbox; the database is away.
pub(super) async fn make(
    app: &App,
    tx: &mut Scoped,
    tenant: &Tenant,
) -> Result<Option<Account>, Problem> {
    let none = || Problem::field("mode", "not_allowed", NO_SANDBOX);
    let sandbox = app.settings.sandbox_url.as_ref().ok_or_else(none)?;
    let carrier = Carrier::ALL.first().ok_or_else(none)?;

    let access = |handle: &str, secret: &SecretString| Access {
        carrier: carrier.as_str().to_owned(),
        carrier_sid: carrier.account_id_of(handle),
        base_url: sandbox.clone(),
        sealed_token: app.sealer.seal(secret.expose_secret().as_bytes()),
    };
    Ok(twins::make(tx, tenant, access, app.now()).await?)
}

/// Has every process take the webhooks of a twin's account from now on.
pub(super) async fn announce(app: &App, of: &TenantId, account: &Account) {
    mirror::announce(app, &account.handle, Entry::of_tenant(of.twin(), account)).await;
}
