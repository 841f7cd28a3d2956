//! A tenant with an account at the sandbox, an object store in a folder, and the two sources.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use boot::embedded::Scratch;
use domain::ids::{ContactId, MediaId, SenderId, TenantId};
use jiff::{SignedDuration, Timestamp};
use media::{MediaConfig, MediaKeeper, MediaSource};
use objects::{ObjectPlace, Objects};
use stage::{Cx, Source, machine};
use store::media::{
    self as rows, Media,
    inbound::{self, ReceivedMedia},
};
use testkit::world::{TestCarrier, TestWorld, now, sealer};
use uuid::Uuid;

/// The account at the carrier, as the row of the test's account names it.
pub const SID: &str = "AC00000000000000000000000000000001";

/// Everything that a test of media needs.
pub struct World {
    pub inner: TestWorld,
    pub carrier: TestCarrier,
    pub objects: Objects,
    /// Hosts that tenants may name though they are not public.
    hosts: Vec<String>,
    _folder: Scratch,
}

impl World {
    pub async fn start(hosts: Vec<String>) -> anyhow::Result<Self> {
        let (inner, carrier) = tokio::try_join!(TestWorld::start(), TestCarrier::start())?;
        inner.account_at(&carrier, "token").await?;
        let folder = Scratch::new()?;
        let place = ObjectPlace::Folder(folder.path().join("media"));
        let objects = Objects::open(&place, carriers::http::client()?)?;
        Ok(Self { inner, carrier, objects, hosts, _folder: folder })
    }

    /// Makes the account one at WhatsApp.
    pub async fn whatsapp(&self) -> anyhow::Result<()> {
        let root = self.carrier.url();
        let business = format!(
            r#"{{"access_token": "token", "app_secret": "secret", "numbers": [],
                 "callback_url": "{root}"}}"#
        );
        let put = self.carrier.http.put(format!("{root}/sandbox/businesses/102290129340398"));
        put.body(business).send().await?.error_for_status()?;

        let sealed_token = sealer().seal(b"token:secret:word");
        let change = format!(
            "update millrace.carrier_accounts set carrier = 'whatsapp',
                    carrier_sid = '102290129340398', sealed_token = '{sealed_token}'"
        );
        self.inner.run(&change).await
    }

    pub fn tenant(&self) -> &TenantId {
        &self.inner.tenant
    }

    /// Records media of a text, as inbound does; gives their ids.
    pub async fn received(&self, text: u128, urls: &[&str]) -> anyhow::Result<Vec<MediaId>> {
        let row = |(position, url): (u16, &&str)| ReceivedMedia {
            tenant: self.tenant().clone(),
            inbound: Uuid::from_u128(text),
            position,
            contact: ContactId(Uuid::from_u128(1)),
            sender: SenderId(Uuid::from_u128(2)),
            account: "main".into(),
            url: (*url).to_owned(),
            received_at: now(),
        };
        let rows: Vec<ReceivedMedia> = (0..).zip(urls).map(row).collect();
        let mut tx = self.inner.scoped().await?;
        inbound::record(&mut tx, &rows, machine::now()).await?;
        tx.commit().await?;
        Ok(rows.iter().map(ReceivedMedia::id).collect())
    }

    /// Gives an address, as a tenant does.
    pub async fn given(&self, url: &str) -> anyhow::Result<MediaId> {
        static GIVEN: AtomicU64 = AtomicU64::new(1);
        let id = MediaId(Uuid::from_u128(GIVEN.fetch_add(1, Ordering::Relaxed).into()));
        let new = rows::NewMedia { id, url: url.to_owned(), created_at: now() };
        let mut tx = self.inner.scoped().await?;
        assert!(rows::create(&mut tx, self.tenant(), &new, machine::now()).await?);
        tx.commit().await?;
        Ok(id)
    }

    pub async fn source(&self) -> anyhow::Result<MediaSource> {
        let config = MediaConfig {
            listed: carriers::http::client()?,
            public: carriers::public::client()?,
            carrier_hosts: vec![self.carrier.address().to_string()],
            media_hosts: self.hosts.clone(),
            request_timeout: Duration::from_secs(5),
        };
        let store = self.inner.pipeline().await?;
        Ok(MediaSource::new(store, Some(self.objects.clone()), sealer(), config))
    }

    /// Ticks until nothing more is due now.
    pub async fn fetch(&self) -> anyhow::Result<()> {
        let source = self.source().await?;
        while source.tick(&Cx::at(now(), machine::now())).await?.more {}
        Ok(())
    }

    /// Removes what is kept for 90 days by this business time.
    pub async fn keep(&self, as_of: Timestamp) -> anyhow::Result<()> {
        let store = self.inner.pipeline().await?;
        let days = SignedDuration::from_hours(24 * 90);
        let keeper = MediaKeeper::new(store, Some(self.objects.clone()), days);
        while keeper.tick(&Cx::at(as_of, machine::now())).await?.more {}
        Ok(())
    }

    pub async fn row(&self, id: MediaId) -> anyhow::Result<Option<Media>> {
        let mut tx = self.inner.scoped().await?;
        Ok(rows::get(&mut tx, self.tenant(), id).await?)
    }

    pub async fn object(&self, id: MediaId) -> anyhow::Result<Option<Vec<u8>>> {
        let found = self.objects.get(&rows::key(self.tenant(), id)).await?;
        Ok(found.map(Vec::from))
    }
}
