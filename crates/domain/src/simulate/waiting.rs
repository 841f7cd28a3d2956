//! Recipients who wait, kept small: a simulation holds a quarter of a million of them.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::setting::{Setting, SimulatedRecipient};
use crate::{
    address::Address,
    gates::Candidate,
    ids::{MessageId, SenderId},
    money::Micros,
    zones::Place,
};

/// Somebody who waits, or who is admitted and waits for their sender. Orders by `due`.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// When they are asked, and their number in the audience.
    pub(super) due: (Timestamp, u64),
    pub(super) message: MessageId,
    pub(super) address: Address,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) place: Arc<Place>,
    pub(super) senders: Arc<[SenderId]>,
    pub(super) segments: u16,
    pub(super) cost: Micros,
}

impl Waiting {
    /// The message as the gates see it whenever they are asked again.
    pub(super) fn candidate<'a>(&'a self, setting: &'a Setting) -> Candidate<'a> {
        Candidate {
            id: self.message,
            tenant: &setting.tenant,
            class: setting.class,
            channel: setting.channel,
            is_carrier_template: setting.is_carrier_template,
            address: &self.address,
            campaign: Some(setting.campaign),
            submitted_at: setting.at,
            expires_at: self.expires_at,
            on_late: None,
            cost: self.cost,
            segments: self.segments,
            placed: None,
            place: &self.place,
            senders: &self.senders,
        }
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// Places and lists of senders that many recipients share, kept once.
#[derive(Debug, Default)]
pub(super) struct Interned {
    places: HashMap<Place, Arc<Place>>,
    senders: HashMap<Vec<SenderId>, Arc<[SenderId]>>,
}

impl Interned {
    /// A recipient who waits until `due`.
    pub(super) fn waiting(&mut self, one: &SimulatedRecipient, due: (Timestamp, u64)) -> Waiting {
        Waiting {
            due,
            message: one.message,
            address: one.address.clone(),
            expires_at: one.expires_at,
            place: self.place(&one.draft.place),
            senders: self.senders(&one.draft.senders),
            segments: one.draft.segments,
            cost: one.draft.cost,
        }
    }

    fn place(&mut self, place: &Place) -> Arc<Place> {
        if let Some(known) = self.places.get(place) {
            return known.clone();
        }

        let kept = Arc::new(place.clone());
        self.places.insert(place.clone(), kept.clone());
        kept
    }

    fn senders(&mut self, senders: &[SenderId]) -> Arc<[SenderId]> {
        if let Some(known) = self.senders.get(senders) {
            return known.clone();
        }

        let kept: Arc<[SenderId]> = senders.into();
        self.senders.insert(senders.to_vec(), kept.clone());
        kept
    }
}
