//! What the gates go by: switches, caps, senders, policies and the status of each recipient. Loaded
//! for a whole batch at once; explain and simulate load the same.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    address::Address,
    country::Country,
    gates::{
        capacity::{line::LineKey, meter::Meter},
        consent::{Basis, Consent, Stops},
        policy::Policy,
    },
    health::SenderHealth,
    ids::{CampaignId, SenderId, TenantId},
    message::class::Channel,
    money::Micros,
    zones::Zone,
};

/// The facts of a batch.
#[derive(Debug, Default)]
pub struct Facts {
    /// The platform's own switch.
    pub platform: SwitchMode,
    /// By tenant. A tenant that is not in here has facts that could not be read.
    pub tenants: HashMap<TenantId, TenantFacts>,
    /// What is known of each recipient. A recipient that is not in here has a status that could not
    /// be read.
    pub recipients: HashMap<RecipientKey, RecipientStatus>,
}

/// What holds for one tenant.
#[derive(Debug, Clone)]
pub struct TenantFacts {
    /// The zone of its days and months.
    pub zone: Zone,
    /// Whether it is archived: then nothing of it is sent.
    pub archived: bool,
    /// The version of the policy in force; 0 while the tenant has none of its own.
    pub policy_version: i64,
    /// The policy; none when its row cannot be read, and then nothing is sent.
    pub policy: Option<Policy>,
    /// Its switches, those of its campaigns and senders included.
    pub switches: Switches,
    /// Its own caps, beside those of its campaigns.
    pub caps: Caps,
    /// Programs by campaign; where none is in here, the class says which.
    pub programs: HashMap<CampaignId, String>,
    /// Caps by campaign.
    pub campaign_caps: HashMap<CampaignId, Caps>,
    /// Its lines: when the next message fits that waits for a capacity.
    pub lines: HashMap<LineKey, Timestamp>,
    /// Its senders, as far as the batch names them.
    pub senders: HashMap<SenderId, SenderFacts>,
    /// Their meters, where it matters whether they have room: for the gate stage alone.
    pub meters: HashMap<SenderId, Meter>,
}

impl TenantFacts {
    /// A tenant without senders, caps or switches, under the default policy.
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            archived: false,
            policy_version: 0,
            policy: Some(Policy::default()),
            switches: Switches::default(),
            caps: Caps::default(),
            programs: HashMap::new(),
            campaign_caps: HashMap::new(),
            lines: HashMap::new(),
            senders: HashMap::new(),
            meters: HashMap::new(),
        }
    }
}

/// What a switch does to the messages that it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SwitchMode {
    /// They go on.
    #[default]
    On,
    /// They wait until the switch is on again.
    Paused,
    /// They are never sent.
    Stopped,
}

impl SwitchMode {
    /// Every mode, the mildest first.
    pub const ALL: [Self; 3] = [Self::On, Self::Paused, Self::Stopped];

    /// The name in rows and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A tenant's switches; what is not in here is on.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    /// Everything of the tenant.
    pub tenant: SwitchMode,
    /// By campaign: its switch, or its own state.
    pub campaigns: HashMap<CampaignId, SwitchMode>,
    /// By sender: its own switch.
    pub senders: HashMap<SenderId, SwitchMode>,
}

/// What may be spent; where there is no cap, there is no limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// In a day of the tenant's zone.
    pub daily: Option<Micros>,
    /// In a month of the tenant's zone.
    pub monthly: Option<Micros>,
}

/// A sender as the gates see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFacts {
    /// The sender's id.
    pub id: SenderId,
    /// Its number or id, as the carrier knows it.
    pub number: String,
    /// The handle of the carrier account that it belongs to.
    pub account: String,
    /// The channel that it carries.
    pub channel: Channel,
    /// The country that it is for; none when the row names none that is known.
    pub country: Option<Country>,
    /// The zone of its days.
    pub zone: Zone,
    /// How many segments it may send a second.
    pub pace: u32,
    /// Since when it is in use: the start of the warm-up curve.
    pub active_since: Timestamp,
    /// Messages a day once warmed up.
    pub daily_cap: u32,
    /// False for one that is not registered, or that the tenant has taken out of use.
    pub usable: bool,
    /// How well it does.
    pub health: SenderHealth,
    /// Whether messages are held because its account does not work as it is set up, or the account
    /// rests because its carrier does not answer.
    pub account_is_held: bool,
    /// The tenant's part of the account where several tenants compete for it; 1 for an account of
    /// its own.
    pub weight: u32,
}

/// Whose status it is: an address on a channel, with a tenant.
pub type RecipientKey = (TenantId, Address, Channel);

/// What a tenant knows of a recipient: stops, consent, and what they have been sent lately.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecipientStatus {
    /// When the person opted out of everything.
    pub opted_out_at: Option<Timestamp>,
    /// Since when the address is on the do-not-contact list of the tenant or of the platform.
    pub do_not_contact_at: Option<Timestamp>,
    /// What that entry stops; none where it does not say: marketing.
    pub do_not_contact_stops: Option<Stops>,
    /// When the consent to marketing that is in force was given.
    pub marketing_consent_at: Option<Timestamp>,
    /// The ground of that consent, where it was said.
    pub consent_basis: Option<Basis>,
    /// When that consent ends; none: never.
    pub consent_expires_at: Option<Timestamp>,
    /// Programs that the person has left.
    pub stopped_programs: Vec<String>,
    /// When the last promotion was admitted.
    pub last_promo_at: Option<Timestamp>,
    /// When the latest marketing was admitted: at most
    /// [`Frequency::MOST`](super::policy::Frequency::MOST) instants.
    pub marketing_at: Vec<Timestamp>,
    /// When the person last wrote.
    pub last_inbound_at: Option<Timestamp>,
}

impl RecipientStatus {
    /// The consent that was given, expired or not.
    pub fn consent(&self) -> Option<Consent> {
        let (basis, expires_at) = (self.consent_basis, self.consent_expires_at);
        self.marketing_consent_at.map(|_| Consent { basis, expires_at })
    }
}
