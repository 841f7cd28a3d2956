//! What the ingress speaks to carriers with: about numbers and templates alone, for texts are the
//! stages' to send.

use std::sync::{Arc, OnceLock};

use carriers::{Client, Clients};
use domain::account::Access;
use store::core::seal::Sealer;

use crate::http::{Kind, Problem};

/// The clients of accounts, made when the first is needed: most processes never call a carrier.
pub(crate) struct CarrierClients {
    /// Hosts that accounts may name beside the carriers' own.
    hosts: Vec<String>,
    sealer: Sealer,
    made: OnceLock<Clients>,
}

impl CarrierClients {
    pub(crate) fn new(hosts: Vec<String>, sealer: Sealer) -> Self {
        Self { hosts, sealer, made: OnceLock::new() }
    }

    /// The client of an account.
    ///
    /// # Errors
    /// The account is not set up so that it can be called.
    pub(crate) fn of(&self, account: &Access) -> Result<Client, Problem> {
        let clients = match self.made.get() {
            Some(clients) => clients,
            None => {
                let made = self.make()?;
                self.made.get_or_init(|| made)
            }
        };
        clients.of(account).map_err(|fault| Problem::new(Kind::Conflict, fault.to_string()))
    }

    fn make(&self) -> Result<Clients, Problem> {
        let http = carriers::http::client().map_err(|error| {
            tracing::error!(%error, "no client of carriers can be made");
            Problem::unavailable("carriers cannot be called from here", 60)
        })?;

        let sealer = self.sealer.clone();
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        Ok(Clients::new(http, self.hosts.clone(), carriers::http::REQUEST_TIMEOUT, open))
    }
}
