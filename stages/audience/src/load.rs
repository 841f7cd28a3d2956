//! Who of a campaign's audience comes next.

use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    campaigns::{
        audience::{self, FedRecipient, RunningCampaign},
        flight::{self, InFlight},
    },
};

use crate::window;

/// How many recipients one tick feeds of one campaign at most: four frames.
pub(crate) const PER_TICK: usize = 1_024;

/// The next recipients, as many as there is room for in the pipe.
pub(crate) async fn next(
    tx: &mut Scoped,
    now: Timestamp,
    campaign: &RunningCampaign,
    flight: &InFlight,
) -> Result<Vec<FedRecipient>, Fault> {
    let carriers = flight::carriers(tx, campaign).await?;
    let (zone, lines) = flight::lines(tx, &campaign.tenant).await?;

    let is_open = window::is_open(campaign.id, &carriers, &lines, zone, now);
    let pace = window::pace(&carriers);
    let room = if is_open { window::room(pace, flight.messages).min(PER_TICK as i64) } else { 0 };

    audience::next(tx, campaign, room).await
}
