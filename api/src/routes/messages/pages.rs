//! Pages of messages: in the order of age, or of a campaign's audience.

use std::fmt;

use domain::ids::{CampaignId, TenantId};
use jiff::Timestamp;
use store::{
    Scoped,
    messages::{
        list::{self, AgePosition},
        read::{MessageDetail, MessageFilter},
    },
};
use uuid::Uuid;

use crate::http::{Paging, Problem, time_and_id};

/// Where a list of messages goes on, or begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum ListPosition {
    /// Before this position, in the order of age.
    Age(AgePosition),
    /// After this index, in the order of the campaign's audience.
    Audience(CampaignId, i64),
}

impl ListPosition {
    /// The position that a caller asks for. A campaign's messages are in the order of its audience,
    /// unless those to one number are asked for.
    pub(super) fn of(paging: &Paging, filter: &MessageFilter) -> Result<Self, Problem> {
        if let (None, Some(campaign)) = (&filter.address, filter.campaign) {
            return Ok(Self::Audience(campaign, paging.after_number()?.unwrap_or(-1)));
        }
        let first = match filter.until {
            Some(until) => (until, Uuid::nil()),
            None => (Timestamp::MAX, Uuid::max()),
        };
        Ok(Self::Age(paging.after_time_and_id()?.unwrap_or(first)))
    }
}

/// As a cursor has it.
impl fmt::Display for ListPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age((at, id)) => f.write_str(&time_and_id(*at, id)),
            Self::Audience(_, seq) => seq.fmt(f),
        }
    }
}

/// The messages from a position on, and where the next ones are; none where there is nothing more.
pub(super) async fn load(
    tx: &mut Scoped,
    of: &TenantId,
    filter: &MessageFilter,
    from: ListPosition,
    limit: usize,
) -> Result<(Vec<MessageDetail>, Option<ListPosition>), Problem> {
    let before = match from {
        ListPosition::Audience(id, after) => {
            let page = list::by_campaign(tx, of, id, filter, after, limit).await?;
            return Ok((page.messages, page.next.map(|seq| ListPosition::Audience(id, seq))));
        }
        ListPosition::Age(before) => before,
    };

    let page = match &filter.address {
        Some(to) => list::by_address(tx, of, to, filter, before, limit).await?,
        None => list::by_age(tx, of, filter, before, limit).await?,
    };
    Ok((page.messages, page.next.map(ListPosition::Age)))
}
