//! What the ingress speaks to carriers with: about numbers alone, for texts are the stages' to send.

use std::sync::{Arc, OnceLock};

use carriers::{Client, Clients};
use domain::account::Access;

use crate::{
    app::App,
    http::{Kind, Problem},
};

/// The clients of accounts, made when the first is needed: most processes never call a carrier.
#[derive(Default)]
pub(crate) struct CarrierClients(OnceLock<Clients>);

impl CarrierClients {
    /// The client of an account.
    ///
    /// # Errors
    /// The account is not set up so that it can be called.
    pub(crate) fn of(&self, app: &App, account: &Access) -> Result<Client, Problem> {
        let clients = match self.0.get() {
            Some(clients) => clients,
            None => {
                let made = made(app)?;
                self.0.get_or_init(|| made)
            }
        };
        clients.of(account).map_err(|fault| Problem::new(Kind::Conflict, fault.to_string()))
    }
}

fn made(app: &App) -> Result<Clients, Problem> {
    let http = carriers::http::client().map_err(|error| {
        tracing::error!(%error, "no client of carriers can be made");
        Problem::unavailable("carriers cannot be called from here", 60)
    })?;

    let sealer = app.sealer.clone();
    let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
    let hosts = app.settings.carrier_hosts.clone();
    Ok(Clients::new(http, hosts, carriers::http::REQUEST_TIMEOUT, open))
}
