//! A private NATS with the streams and consumers of this checkout.

use boot::embedded::{EmbeddedOptions, Nats, Scratch};
use pipeline::{
    broker,
    consumers::{ConsumerSettings, apply_consumers},
    streams::{StreamSettings, apply_streams},
};
use secrecy::ExposeSecret;

/// Streams that need little of a disk: a broker sets their sizes aside.
pub(crate) const STREAMS: StreamSettings = StreamSettings::at_most(64 << 20);

/// One test's broker. Dropping it stops the server and removes its files.
pub struct TestBroker {
    // Dropped in this order: the server before its directory.
    nats: Nats,
    _scratch: Scratch,
}

impl TestBroker {
    /// Starts one, with every stream and consumer declared.
    ///
    /// # Errors
    /// No nats-server on this machine that is new enough.
    pub async fn start() -> anyhow::Result<Self> {
        let scratch = Scratch::new()?;
        let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await?;
        let this = Self { nats, _scratch: scratch };

        let connection = this.connect().await?;
        apply_streams(&connection, &STREAMS).await?;
        apply_consumers(&connection, &ConsumerSettings::default()).await?;
        Ok(this)
    }

    /// The address for `NATS_URL`.
    pub fn url(&self) -> String {
        self.nats.url().expose_secret().to_owned()
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// The server is away.
    pub async fn connect(&self) -> anyhow::Result<broker::Broker> {
        Ok(broker::Broker::connect(&self.url(), None, "test").await?)
    }

    /// The server itself, to kill, freeze and restart.
    pub fn server(&mut self) -> &mut Nats {
        &mut self.nats
    }
}
