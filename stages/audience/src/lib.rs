//! Audience: a campaign becomes messages, as many at a time as its senders can carry.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; rows of `campaigns` |
//! | Emits | `msg.submitted.<lane>`; by way of the outbox events campaign.audience_fixed, completed |
//! | Reads | `contacts`, `totals`, `moved_counts`, `pools`, `senders`, `lines` |
//! | Writes | `campaign_recipients` (frozen once), `campaigns` (cursor, state), `unsaid_events` |
//! | Calls | nobody |
//! | Never | skips a recipient: the cursor moves after the PubAck |

mod load;
mod say;
mod window;

use stage::{Cx, Fault, Mark, Source, StageName, Tick};
use store::{
    Store,
    campaigns::{
        CampaignState,
        audience::{self, RunningCampaign},
        flight,
    },
};

/// The source that feeds campaigns.
pub struct AudienceSource {
    store: Store,
}

impl AudienceSource {
    /// An audience over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Source for AudienceSource {
    const NAME: StageName = StageName::Audience;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        let mut whole = Tick::default();
        let mut marks: Vec<Mark> = Vec::new();
        for campaign in audience::lease(&self.store, cx.machine).await? {
            let part = self.step(cx, campaign).await?;
            whole.say.extend(part.say);
            whole.more |= part.more;
            marks.extend(part.published);
        }

        whole.published = (!marks.is_empty()).then(|| one_after_the_other(marks));
        Ok(whole)
    }
}

impl AudienceSource {
    /// One step of one campaign: freeze, complete or feed.
    async fn step(&self, cx: &Cx, campaign: RunningCampaign) -> Result<Tick, Fault> {
        if campaign.state == CampaignState::Starting {
            return self.freeze(cx, campaign).await;
        }

        // load
        let mut tx = self.store.scoped([&campaign.tenant]).await?;
        let flight = flight::in_flight(&mut tx, &campaign).await?;
        if campaign.cursor == campaign.audience_size && !flight.is_open {
            drop(tx);
            audience::complete(&self.store, &campaign, cx.now).await?;
            return Ok(Tick::default());
        }
        let next = load::next(&mut tx, cx.now, &campaign, &flight).await?;
        drop(tx);

        // say
        let message = |recipient| say::message(cx.now, &campaign, recipient);
        let say = next.iter().filter_map(message).collect();

        // record, once the broker has stored them
        let cursor = next.last().map_or(campaign.cursor, |last| last.seq + 1);
        let more = next.len() == load::PER_TICK && cursor < campaign.audience_size;
        let is_fed = cursor == campaign.audience_size;
        let rests = (is_fed && flight.messages == 0).then(|| cx.machine + window::REST_OF_WAITING);
        let store = self.store.clone();
        let mark = async move { audience::advance(&store, &campaign, cursor, rests).await };
        Ok(Tick { say, published: Some(Box::pin(mark)), more })
    }

    /// Freezes the next part of the audience. Nothing is published, and the cursor stays.
    async fn freeze(&self, cx: &Cx, campaign: RunningCampaign) -> Result<Tick, Fault> {
        audience::freeze(&self.store, &campaign, cx.now).await?;

        let store = self.store.clone();
        let mark = async move { audience::advance(&store, &campaign, campaign.cursor, None).await };
        Ok(Tick { say: Vec::new(), published: Some(Box::pin(mark)), more: true })
    }
}

/// The marks of several campaigns as one, which ends at the first that fails.
fn one_after_the_other(marks: Vec<Mark>) -> Mark {
    Box::pin(async move {
        for mark in marks {
            mark.await?;
        }
        Ok(())
    })
}
