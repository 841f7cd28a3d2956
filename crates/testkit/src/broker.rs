//! A private NATS with the streams and consumers of this checkout.

use boot::{
    embedded::{EmbeddedOptions, Nats, Scratch},
    nats_access::NatsAccess,
};
use pipeline::{
    access::{ProcessKind, SubscriberSigner},
    broker,
    consumers::{ConsumerSettings, apply_consumers},
    streams::{StreamSettings, apply_streams},
};

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
        self.nats.url()
    }

    /// The credentials of each kind of process.
    pub fn access(&self) -> &NatsAccess {
        self.nats.access()
    }

    /// A connection as this kind of process.
    ///
    /// # Errors
    /// The server is away.
    pub async fn connect_as(&self, kind: ProcessKind) -> anyhow::Result<broker::Broker> {
        let creds = self.access().credentials(kind);
        Ok(broker::Broker::connect(&self.url(), Some(&creds), kind.as_str()).await?)
    }

    /// What signs the credentials of tenants.
    ///
    /// # Panics
    /// Where the server's keys are not what they should be.
    pub fn signer(&self) -> SubscriberSigner {
        let text = std::fs::read_to_string(self.access().subscriber_key()).expect("a file");
        SubscriberSigner::parse(&text.into()).expect("a key")
    }

    /// A connection of its own, as the operator.
    ///
    /// # Errors
    /// The server is away.
    pub async fn connect(&self) -> anyhow::Result<broker::Broker> {
        self.connect_as(ProcessKind::Operator).await
    }

    /// The server itself, to kill, freeze and restart.
    pub fn server(&mut self) -> &mut Nats {
        &mut self.nats
    }
}
