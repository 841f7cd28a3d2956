//! Consent: on what ground it was given, until when it holds, and which a class of messages needs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::class::MessageClass;

/// The ground of a consent, as the law names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentBasis)]
pub enum Basis {
    /// Prior express written consent: signed, with its disclosure (47 CFR 64.1200(f)(9)).
    ExpressWritten,
    /// Prior express consent: said, but not in writing.
    Express,
    /// Follows from a relationship, and ends (CASL: 2 years after a purchase, 6 months after an
    /// inquiry).
    Implied,
    /// An own customer, for similar goods, with an opt-out at collection (PECR reg. 22).
    SoftOptIn,
}

impl Basis {
    /// Every ground, in the order in which they are offered.
    pub const ALL: [Self; 4] =
        [Self::ExpressWritten, Self::Express, Self::Implied, Self::SoftOptIn];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExpressWritten => "express_written",
            Self::Express => "express",
            Self::Implied => "implied",
            Self::SoftOptIn => "soft_opt_in",
        }
    }

    /// The ground of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == name)
    }
}

/// A consent that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Its ground; none where nobody has said.
    pub basis: Option<Basis>,
    /// When it ends; none: never.
    pub expires_at: Option<Timestamp>,
}

/// What an entry of the do-not-contact list stops.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = DoNotContactStops)]
pub enum Stops {
    /// Promotions, journeys and conversations.
    #[default]
    Marketing,
    /// Transactional messages too.
    All,
}

impl Stops {
    /// Both, the narrower one first.
    pub const ALL: [Self; 2] = [Self::Marketing, Self::All];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::All => "all",
        }
    }

    /// What this name stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stops| stops.as_str() == name)
    }

    /// What an entry stops whose reason says no more: everything where somebody threatens with the
    /// law, complains, or is not the one who was meant.
    pub fn of_reason(reason: &str) -> Self {
        let reason = reason.to_lowercase().replace(['_', '-'], " ");
        let is_grave = GRAVE_REASONS.iter().any(|grave| reason.contains(grave));
        if is_grave { Self::All } else { Self::Marketing }
    }

    /// Whether messages of a class are stopped. Compliance answers are not asked about.
    pub(super) fn stops(self, class: MessageClass) -> bool {
        match class {
            MessageClass::Transactional => self == Self::All,
            MessageClass::Promo
            | MessageClass::Journey
            | MessageClass::Conversational
            | MessageClass::Compliance => true,
        }
    }
}

/// What reasons hold after which a number is not texted at all.
const GRAVE_REASONS: [&str; 9] = [
    "legal",
    "lawsuit",
    "lawyer",
    "attorney",
    "litigat",
    "complain",
    "wrong number",
    "wrong person",
    "reassigned",
];

/// Which consent a class of messages needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentNeeded)]
pub enum Needed {
    /// No consent is needed.
    None,
    /// One that is recorded, on whatever ground.
    Any,
    /// An express one, written or not.
    Express,
    /// An express one in writing.
    ExpressWritten,
}

/// Why a consent is not the one that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// No consent is recorded.
    Absent,
    /// The one that is recorded has ended.
    Expired,
    /// Its ground is not enough.
    Weak,
}

impl Lacking {
    /// The reason code of the gate's block.
    pub fn code(self) -> &'static str {
        match self {
            Self::Absent => "no_consent",
            Self::Expired => "consent_expired",
            Self::Weak => "consent_insufficient",
        }
    }

    /// The same in an English clause.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Absent => "no consent is recorded, and messages of this class need one",
            Self::Expired => "the consent that is recorded has expired",
            Self::Weak => {
                "the consent that is recorded is not of the kind that the policy asks for"
            }
        }
    }
}

impl Needed {
    /// What a consent lacks at an instant; none where it is enough.
    pub fn lacks(self, consent: Option<Consent>, now: Timestamp) -> Option<Lacking> {
        let enough: &[Basis] = match self {
            Self::None => return None,
            Self::Any => &Basis::ALL,
            Self::Express => &[Basis::Express, Basis::ExpressWritten],
            Self::ExpressWritten => &[Basis::ExpressWritten],
        };

        let Some(consent) = consent else { return Some(Lacking::Absent) };
        if consent.expires_at.is_some_and(|at| at <= now) {
            return Some(Lacking::Expired);
        }

        let fits = match consent.basis {
            Some(basis) => enough.contains(&basis),
            None => self == Self::Any,
        };
        (!fits).then_some(Lacking::Weak)
    }
}

/// Which consent each class needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentPolicy {
    /// What promotions need.
    pub promo: Needed,
    /// What later steps of a journey need.
    pub journey: Needed,
    /// What answers in a conversation need.
    pub conversational: Needed,
    /// What codes, receipts and reminders need.
    pub transactional: Needed,
}

impl Default for ConsentPolicy {
    /// Marketing needs a recorded consent.
    fn default() -> Self {
        let (marketing, other) = (Needed::Any, Needed::None);
        Self { promo: marketing, journey: marketing, conversational: other, transactional: other }
    }
}

impl ConsentPolicy {
    /// No class needs any.
    pub const NOTHING: Self = Self::all(Needed::None);

    /// What holds where the policy cannot be read.
    pub const STRICTEST: Self = Self::all(Needed::ExpressWritten);

    const fn all(needed: Needed) -> Self {
        Self { promo: needed, journey: needed, conversational: needed, transactional: needed }
    }

    /// What a class needs. An answer that the law asks for needs none.
    pub fn of(self, class: MessageClass) -> Needed {
        match class {
            MessageClass::Promo => self.promo,
            MessageClass::Journey => self.journey,
            MessageClass::Conversational => self.conversational,
            MessageClass::Transactional => self.transactional,
            MessageClass::Compliance => Needed::None,
        }
    }
}

/// How far a STOP by text reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptOutScope {
    /// Everything of the tenant, on the channel: of the contact's every address.
    #[default]
    Tenant,
    /// The program of the campaign that was last sent in the thread; everything where there is
    /// none.
    Program,
}

/// The program of a message that belongs to no campaign.
pub fn program_of(class: MessageClass) -> &'static str {
    match class {
        MessageClass::Promo | MessageClass::Journey => "marketing",
        MessageClass::Conversational => "conversational",
        MessageClass::Transactional | MessageClass::Compliance => "transactional",
    }
}

/// Whether a text can name a program: 1 to 40 of a-z, 0-9, `_` and `-`.
pub fn is_program(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(fine)
}
