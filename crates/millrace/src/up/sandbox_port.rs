//! The port of the sandbox, which stays with the data directory: accounts of earlier runs are
//! called there. Where another program has taken it meanwhile, they move with the sandbox.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::Context;
use sandbox::Sandbox;
use store::{
    Store,
    settings::{accounts, tenants},
};

use crate::serve;

/// The file of the data directory that keeps the address.
const FILE: &str = "sandbox-address";

/// How many tenants are looked up at once.
const TENANTS: i64 = 1_000;

/// Starts the sandbox where it was before, else at its usual address if there is one, else
/// anywhere.
///
/// # Errors
/// No port is free.
pub async fn start(data: &Path, usual: Option<SocketAddr>) -> anyhow::Result<Sandbox> {
    for wanted in before(data).into_iter().chain(usual) {
        if let Ok(sandbox) = serve::sandbox::start(wanted).await {
            return Ok(sandbox);
        }
    }
    serve::sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0))).await
}

/// Has accounts follow a sandbox that listens elsewhere than before, and keeps where it listens.
///
/// # Errors
/// The database is away, or the file cannot be written.
pub async fn keep(data: &Path, store: &Store, sandbox: SocketAddr) -> anyhow::Result<()> {
    if let Some(before) = before(data).filter(|before| *before != sandbox) {
        follow(store, &format!("http://{before}"), &format!("http://{sandbox}")).await?;
    }
    let file = data.join(FILE);
    fs::write(&file, sandbox.to_string()).with_context(|| file.display().to_string())
}

/// Where the sandbox of this data directory was; none on its first start.
fn before(data: &Path) -> Option<SocketAddr> {
    fs::read_to_string(data.join(FILE)).ok()?.trim().parse().ok()
}

/// Moves the accounts of every tenant from one address to another.
async fn follow(store: &Store, from: &str, to: &str) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let found = tenants::after(store, &after, TENANTS).await?;
        for key in &found {
            let tenant = key.parse().context("a tenant's key")?;
            let mut tx = store.scoped([&tenant]).await?;
            accounts::move_base_url(&mut tx, &tenant, from, to).await?;
            tx.commit().await?;
        }
        match found.into_iter().next_back() {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sandbox_comes_back_where_it_was_while_nobody_else_is_there() {
        let data = boot::embedded::Scratch::new().expect("a directory");

        let first = start(data.path(), None).await.expect("a port");
        fs::write(data.path().join(FILE), first.addr.to_string()).expect("written");
        let second = start(data.path(), None).await.expect("another port");
        assert_ne!(second.addr, first.addr);

        let at = first.addr;
        first.stop().await;
        assert_eq!(start(data.path(), None).await.expect("the port").addr, at);
    }
}
