//! A campaign's simulation, fed from the database in chunks. Each chunk is read in a transaction of
//! its own that may not write, and lets go of its connection before anybody is asked.

use std::iter::once;

use domain::{
    address::Address,
    draft::{Content, DraftRequest, From, Origin, Supplies, draft},
    gates::Facts,
    ids::TenantId,
    message::class::MessageClass,
    simulate::{Answered, Setting, SimulatedRecipient, Simulation, SimulationReport},
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped, Store,
    campaigns::{
        Campaign,
        simulate::{self, AudienceMember, FeedPosition},
    },
    capacity::counters,
    drafts,
};

use crate::transactions::TenantTx;

/// How many recipients are read at once.
const CHUNK: i64 = 1_000;

/// How many recipients are asked before other requests have their turn.
const ASKS: u32 = 2_000;

/// A simulation and how far it has read.
pub(crate) struct Run {
    store: Store,
    tenant: TenantId,
    campaign: Campaign,
    class: MessageClass,
    at: Timestamp,
    from: From,
    supplies: Supplies,
    /// How far the audience has been read.
    reached: FeedPosition,
    simulation: Simulation,
}

impl Run {
    /// Begins: what all recipients share is read.
    pub(crate) async fn begin(
        store: Store,
        mut tx: TenantTx,
        tenant: TenantId,
        campaign: Campaign,
        at: Timestamp,
    ) -> Result<Self, Fault> {
        let class = campaign.class;
        let from = From::Pool(campaign.pool);
        let setting = Setting {
            at,
            tenant: tenant.clone(),
            campaign: campaign.id,
            class,
            channel: campaign.channel,
            is_carrier_template: campaign.carrier_template.is_some(),
        };

        let mut run = Self {
            simulation: Simulation::new(setting),
            reached: FeedPosition::first(&campaign),
            supplies: Supplies::default(),
            store,
            tenant,
            campaign,
            class,
            at,
            from,
        };
        let origin = (run.origin(), run.campaign.channel);
        run.supplies = drafts::supplies(&mut tx, at, once(origin)).await?;
        Ok(run)
    }

    /// Reads the next recipients and asks about them. None at the end of the audience.
    pub(crate) async fn chunk(&mut self, whole: bool) -> Result<Option<Vec<Answered>>, Fault> {
        // load
        let mut tx = self.store.reading(&self.tenant, None).await?;
        let (tenant, campaign) = (&self.tenant, &self.campaign);
        let (next, reached) =
            simulate::next(&mut tx, tenant, campaign, self.reached, self.at, CHUNK).await?;
        let Some(reached) = reached else { return Ok(None) };
        self.reached = reached;

        // draft
        let people: Vec<_> = next.iter().map(|one| (one.contact, &one.address)).collect();
        let found = super::people(&mut tx, tenant, campaign.channel, &people, true).await?;
        let drafts = next.iter().zip(found).filter_map(|(one, found)| {
            let person = found.contact.unwrap_or_default();
            let draft = draft(&self.request(&one.address), one.contact, &person, &self.supplies)?;
            let AudienceMember { contact, message, address, expires_at } = one.clone();
            Some(SimulatedRecipient { contact, message, address, expires_at, draft })
        });
        let recipients: Vec<SimulatedRecipient> = drafts.collect();

        // load what the gates go by
        let facts = self.facts(&mut tx, &recipients).await?;
        self.simulation.learn(facts, &recipients);
        let keys = self.simulation.unknown_counters(&recipients);
        let used = counters::peek(&mut tx, &keys).await?;
        drop(tx);
        for (key, used) in keys.into_iter().zip(used) {
            self.simulation.load(key, used);
        }

        // decide
        let answered = recipients.iter().map(|one| self.simulation.ask(one, whole)).collect();
        Ok(Some(answered))
    }

    /// What the gates go by for these recipients.
    async fn facts(
        &self,
        tx: &mut Scoped,
        recipients: &[SimulatedRecipient],
    ) -> Result<Facts, Fault> {
        let drafts = recipients.iter().map(|one| (&one.address, &one.draft));
        let kind = (self.class, self.campaign.channel);
        super::facts(tx, &self.tenant, kind, Some(self.campaign.id), drafts).await
    }

    /// Follows who waits to the end. Other requests have their turn meanwhile.
    pub(crate) async fn finish(mut self) -> SimulationReport {
        while self.simulation.follow_on(ASKS) {
            tokio::task::yield_now().await;
        }
        self.simulation.report()
    }

    fn request<'a>(&'a self, to: &'a Address) -> DraftRequest<'a> {
        let (class, channel) = (self.class, self.campaign.channel);
        DraftRequest { class, channel, to, origin: self.origin() }
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            tenant: &self.tenant,
            campaign: Some(self.campaign.id),
            content: &Content::Campaign,
            from: &self.from,
        }
    }
}
