//! NATS servers that form one cluster on this machine: what each must know of the others.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{EmbeddedError, EmbeddedOptions, Nats};
use crate::{keys::random_hex, ports};

/// A server's place in a cluster. It stays the same over restarts: the others know it by its name.
#[derive(Debug, Clone)]
pub struct NatsPeer {
    /// The server's name.
    pub(super) name: String,
    /// Its port on 127.0.0.1 for the others.
    port: u16,
    /// The ports of all.
    ports: Vec<u16>,
    /// The password of all, for each other.
    password: SecretString,
    /// The folder with the keys of all.
    pub(super) keys: PathBuf,
}

/// Starts so many servers under a directory, and waits until streams can be made and kept on all of
/// them.
///
/// # Errors
/// As for [`Nats::start`].
pub async fn start_nats_cluster(
    dir: &Path,
    servers: usize,
    options: &EmbeddedOptions,
) -> Result<Vec<Nats>, EmbeddedError> {
    let port = || {
        let found = ports::free_loopback();
        let what = || "looking for a free port on 127.0.0.1".to_owned();
        found.map(|it| it.port()).map_err(|source| EmbeddedError::Io { what: what(), source })
    };
    let ports = (0..servers).map(|_| port()).collect::<Result<Vec<u16>, _>>()?;
    let password: SecretString = random_hex(24).into();

    let mut cluster = Vec::with_capacity(servers);
    for (index, &port) in ports.iter().enumerate() {
        let name = format!("server-{}", index + 1);
        let home = dir.join(&name);
        let (ports, password, keys) = (ports.clone(), password.clone(), dir.join("access"));
        let peer = NatsPeer { name, port, ports, password, keys };
        let options = EmbeddedOptions { nats_peer: Some(peer), ..options.clone() };
        cluster.push(Nats::start(&home, &options).await?);
    }
    for server in &cluster {
        server.current().await?;
    }
    Ok(cluster)
}

impl NatsPeer {
    /// The part of the configuration that joins the cluster.
    pub(super) fn config(&self) -> String {
        let user = "millrace";
        let password = self.password.expose_secret();
        let others = self.ports.iter().filter(|port| **port != self.port);
        let routes: Vec<String> =
            others.map(|port| format!("\"nats://{user}:{password}@127.0.0.1:{port}\"")).collect();

        format!(
            "cluster {{ name: millrace, listen: \"127.0.0.1:{port}\", no_advertise: true\n\
             authorization {{ user: {user}, password: \"{password}\" }}\nroutes: [{routes}] }}\n",
            port = self.port,
            routes = routes.join(", "),
        )
    }
}
