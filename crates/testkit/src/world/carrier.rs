//! The carrier and the AI of a test: a sandbox of its own.

use std::net::SocketAddr;

use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::{TestWorld, sealer};

/// A sandbox, and a client to ask it with.
pub struct TestCarrier {
    sandbox: Sandbox,
    /// For whoever calls it.
    pub http: reqwest::Client,
}

impl TestCarrier {
    /// Starts one that calls nobody back: receipts are another stage's, or the test brings them.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listen = "127.0.0.1:0".parse()?;
        let sandbox = sandbox::start(SandboxConfig { listen, ..SandboxConfig::default() }).await?;
        let carrier = Self { sandbox, http: carriers::http::client()? };
        carrier.faults(json!({})).await?;
        Ok(carrier)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.sandbox.addr
    }

    /// Its root as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.sandbox.addr)
    }

    /// Says what goes wrong from now on, besides receipts that do not come.
    ///
    /// # Errors
    /// The sandbox knows no such fault.
    pub async fn faults(&self, mut faults: Value) -> anyhow::Result<()> {
        faults["receipts"]["drop"] = 1.0.into();
        let put = self.http.put(format!("{}/sandbox/faults", self.url())).json(&faults);
        put.send().await?.error_for_status()?;
        Ok(())
    }

    /// Every text that it has accepted, oldest first.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        let ledger = self.http.get(format!("{}/sandbox/ledger", self.url()));
        let text = ledger.send().await?.text().await?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// What it has counted.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn stats(&self) -> anyhow::Result<Value> {
        let stats = self.http.get(format!("{}/sandbox/stats", self.url()));
        Ok(serde_json::from_str(&stats.send().await?.text().await?)?)
    }
}

impl TestWorld {
    /// Makes the account `main` at this carrier, under this token.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn account_at(&self, carrier: &TestCarrier, token: &str) -> anyhow::Result<()> {
        let sealed_token = sealer().seal(token.as_bytes());
        self.account(json!({ "base_url": carrier.url(), "sealed_token": sealed_token })).await
    }
}
