//! Phone numbers at carriers, in one form for all of them: what is on offer, what an account has,
//! and what came of an order.

use crate::{answer::Doubt, http::CallFault};

/// The most numbers that one search gives.
pub const MAX_OFFERED: usize = 50;

/// The most numbers of an account that are read: beyond it the list is no list of all.
pub const MAX_OWNED: usize = 5_000;

/// Which numbers on offer are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberQuery<'a> {
    /// ISO 3166: the country that they are of.
    pub country: &'a str,
    /// The digits behind the country code that they begin with.
    pub area_code: Option<&'a str>,
    /// Digits that they hold.
    pub contains: Option<&'a str>,
    /// At most so many, held to 1 to [`MAX_OFFERED`].
    pub limit: usize,
}

/// A number that a carrier has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedNumber {
    /// The number, in E.164.
    pub number: String,
    /// The town that it is of, where the carrier says it.
    pub locality: Option<String>,
    /// The state or province that it is of, where the carrier says it.
    pub region: Option<String>,
}

/// A number that an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedNumber {
    /// The number, in E.164.
    pub number: String,
    /// The carrier's id of it, by which it is changed and given back.
    pub id: String,
}

/// A number of an account, with the carrier's own words for how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountNumber {
    /// The carrier's id of it.
    pub id: String,
    /// The number, in E.164, where the carrier says it.
    pub number: Option<String>,
    /// The name that people see, where it has one.
    pub name: Option<String>,
    /// Whether it is connected, where the carrier says it.
    pub status: Option<String>,
    /// How people take its messages, where the carrier says it.
    pub quality: Option<String>,
    /// How many people it may write to first in a day, where the carrier says it.
    pub messaging_limit: Option<String>,
    /// How fast it may send, where the carrier says it.
    pub throughput: Option<String>,
}

impl From<OwnedNumber> for AccountNumber {
    fn from(OwnedNumber { number, id }: OwnedNumber) -> Self {
        Self { id, number: Some(number), ..Self::default() }
    }
}

/// What came of an order, a change or a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberReply {
    /// It is done.
    Done {
        /// The carrier's id of the number.
        id: String,
    },
    /// The carrier has taken the order and works on it: its list of the account's numbers says when
    /// it is done.
    Taken,
    /// The carrier does not do it.
    Refused {
        /// Its code, for [`crate::Carrier::cause`]; 0 where it gave none.
        code: u32,
    },
    /// Nothing has reached the carrier, or it had no time: it may be asked again.
    NotAsked,
    /// It may or may not have been done.
    Unknown {
        /// What was seen of the call.
        why: Doubt,
    },
}

impl NumberReply {
    /// Whether only the carrier's list of the account's numbers can tell what came of it.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Taken | Self::Unknown { .. } => true,
            Self::Done { .. } | Self::Refused { .. } | Self::NotAsked => false,
        }
    }
}

/// A call that gave no complete reply: only without a connection nothing has been asked.
impl From<CallFault> for NumberReply {
    fn from(fault: CallFault) -> Self {
        Doubt::of(fault).map_or(Self::NotAsked, |why| Self::Unknown { why })
    }
}
