//! Audience: a campaign becomes messages, as many at a time as its senders can carry.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; rows of `campaigns` |
//! | Emits | `msg.submitted.<lane>`; event campaign.completed |
//! | Reads | `contacts`, `campaign_recipients`, `messages` (states), `pools`, `senders`, `lines` |
//! | Writes | `campaign_recipients` (frozen once), `campaigns` (cursor, state) |
//! | Calls | nobody |
//! | Never | skips a recipient: the cursor moves after the PubAck |

pub mod window;

use domain::{message::class::Channel, phone::PhoneNumber};
use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    campaigns::{
        CampaignState,
        audience::{self, FedRecipient, RunningCampaign},
    },
};
use wire::{
    Event, EventKind, Subject, Submitted,
    event::CampaignData,
    frame::Outgoing,
    message::{Content, From, Head},
};

/// How many recipients one tick feeds of one campaign at most: four frames.
const PER_TICK: i64 = 1_024;

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
        let mut marks: Vec<stage::Mark> = Vec::new();
        for campaign in audience::lease(&self.store, cx.machine).await? {
            let part = self.work(cx, campaign).await?;
            whole.say.extend(part.say);
            whole.more |= part.more;
            marks.extend(part.published);
        }
        whole.published = (!marks.is_empty()).then(|| -> stage::Mark {
            Box::pin(async move {
                for mark in marks {
                    mark.await?;
                }
                Ok(())
            })
        });
        Ok(whole)
    }
}

impl AudienceSource {
    /// One step of one campaign: freeze, complete or feed.
    async fn work(&self, cx: &Cx, campaign: RunningCampaign) -> Result<Tick, Fault> {
        let store = self.store.clone();
        if campaign.state == CampaignState::Starting {
            audience::freeze(&store, &campaign).await?;
            let (cursor, settled) = (campaign.cursor, campaign.settled_below);
            let mark = async move { audience::advance(&store, &campaign, cursor, settled).await };
            return Ok(Tick { say: Vec::new(), published: Some(Box::pin(mark)), more: true });
        }
        let mut tx = store.scoped([&campaign.tenant]).await?;
        let flight = audience::in_flight(&mut tx, &campaign).await?;
        if campaign.cursor == campaign.audience_size && flight.open == 0 {
            return Ok(self.complete(cx.now, campaign));
        }
        let carriers = audience::carriers(&mut tx, &campaign).await?;
        let (zone, lines) = audience::lines(&mut tx, &campaign.tenant).await?;
        let open = window::is_open(campaign.id, &carriers, &lines, zone, cx.now);
        let pace = carriers.iter().map(|carrier| carrier.pace).sum();
        let room = if open { window::room(pace, flight.messages).min(PER_TICK) } else { 0 };
        let next = audience::next(&mut tx, &campaign, room).await?;
        drop(tx);
        let say = next.iter().filter_map(|recipient| submit(cx.now, &campaign, recipient));
        let say = say.collect();
        let cursor = next.last().map_or(campaign.cursor, |last| last.seq + 1);
        let more = !next.is_empty() && cursor < campaign.audience_size;
        let mark =
            async move { audience::advance(&store, &campaign, cursor, flight.lowest_open).await };
        Ok(Tick { say, published: Some(Box::pin(mark)), more })
    }

    fn complete(&self, now: Timestamp, campaign: RunningCampaign) -> Tick {
        let data = CampaignData { campaign: campaign.id, audience: campaign.audience_size };
        let kind = EventKind::CampaignCompleted;
        let version = campaign.version + 1;
        let event = Event::new(kind, &campaign.tenant, campaign.id.0, version, now, &data);
        let say = vec![event.outgoing()];
        let store = self.store.clone();
        let mark = async move { audience::complete(&store, &campaign, now).await };
        Tick { say, published: Some(Box::pin(mark)), more: false }
    }
}

/// The message to one recipient. A number that no longer reads as one has been validated when the
/// contact was made, so it is never absent here.
fn submit(now: Timestamp, campaign: &RunningCampaign, to: &FedRecipient) -> Option<Outgoing> {
    let validity = campaign.validity_seconds.map(|s| SignedDuration::from_secs(s.into()));
    let head = Head {
        id: to.message,
        tenant: campaign.tenant.clone(),
        turn: 1,
        class: campaign.class,
        channel: Channel::Sms,
        to: PhoneNumber::from_e164(&to.number).ok()?,
        campaign: Some(campaign.id),
        submitted_at: now,
        expires_at: validity.map(|validity| now + validity),
        on_late: None,
        trace: None,
    };
    let message = Submitted {
        head,
        content: Content::Campaign,
        from: From::Pool(campaign.pool),
        body_hash: String::new(),
        metadata: Default::default(),
    };
    Some(Outgoing::new(Subject::Submitted(campaign.class.lane()), &message.with_body_hash()))
}
