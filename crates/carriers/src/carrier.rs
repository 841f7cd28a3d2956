//! The carriers that there are. Everything that differs between them is asked of this enum; a
//! carrier that is missing in one of its matches does not compile.

use std::time::Duration;

use domain::{gates::Stops, message::class::Channel};

#[cfg(feature = "loopback")]
use crate::loopback;
use crate::{
    abilities::Abilities,
    answer::{AccountVerdict, CodeInfo},
    bandwidth, twilio, whatsapp,
};

/// A carrier that this version speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Twilio Programmable Messaging.
    Twilio,
    /// The Messaging API of Bandwidth.
    Bandwidth,
    /// WhatsApp, by Meta's Cloud API.
    WhatsappCloud,
    /// The carrier of tests: see [`crate::loopback`].
    #[cfg(feature = "loopback")]
    Loopback,
}

impl Carrier {
    /// Every carrier of this build.
    pub const ALL: &[Self] = &[
        Self::Twilio,
        Self::Bandwidth,
        Self::WhatsappCloud,
        #[cfg(feature = "loopback")]
        Self::Loopback,
    ];

    /// The name in rows, subjects, requests and webhook addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Bandwidth => "bandwidth",
            Self::WhatsappCloud => "whatsapp",
            #[cfg(feature = "loopback")]
            Self::Loopback => "loopback",
        }
    }

    /// The carrier of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|carrier| carrier.as_str() == name)
    }

    /// Where its API is, unless an account says otherwise.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Twilio => twilio::BASE_URL,
            Self::Bandwidth => bandwidth::BASE_URL,
            Self::WhatsappCloud => whatsapp::BASE_URL,
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::BASE_URL,
        }
    }

    /// Whether a host is the carrier's own: credentials may go there without being listed.
    pub fn owns_host(self, host: &str) -> bool {
        match self {
            Self::Twilio => twilio::owns_host(host),
            Self::Bandwidth => bandwidth::owns_host(host),
            Self::WhatsappCloud => whatsapp::owns_host(host),
            #[cfg(feature = "loopback")]
            Self::Loopback => false,
        }
    }

    /// What an account's id at this carrier looks like; none where the text is one.
    pub fn account_id_fault(self, id: &str) -> Option<&'static str> {
        match self {
            Self::Twilio => twilio::account_id_fault(id),
            Self::Bandwidth => bandwidth::account_id_fault(id),
            Self::WhatsappCloud => whatsapp::account_id_fault(id),
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::account_id_fault(id),
        }
    }

    /// What an account's secret looks like, where it has a form; none where the text is one.
    pub fn secret_fault(self, secret: &str) -> Option<&'static str> {
        match self {
            Self::Twilio => None,
            Self::Bandwidth => bandwidth::secret_fault(secret),
            Self::WhatsappCloud => whatsapp::secret_fault(secret),
            #[cfg(feature = "loopback")]
            Self::Loopback => None,
        }
    }

    /// Whether senders have ids of the carrier's own, and this is one; false where they are named
    /// by phone numbers, short codes and names.
    ///
    /// # Errors
    /// They have ids, and the text is none: says what one looks like.
    pub fn is_own_sender_id(self, text: &str) -> Result<bool, &'static str> {
        match self {
            Self::Twilio | Self::Bandwidth => Ok(false),
            Self::WhatsappCloud => whatsapp::check_sender(text).map(|()| true),
            #[cfg(feature = "loopback")]
            Self::Loopback => Ok(false),
        }
    }

    /// The channel that it carries: opt-outs and open conversations are kept by channel.
    pub fn channel(self) -> Channel {
        match self {
            Self::Twilio | Self::Bandwidth => Channel::Sms,
            Self::WhatsappCloud => Channel::Whatsapp,
            #[cfg(feature = "loopback")]
            Self::Loopback => Channel::Sms,
        }
    }

    /// The id of an account that only a sandbox knows, as this carrier writes ids.
    pub fn account_id_of(self, handle: &str) -> String {
        match self {
            Self::Twilio => twilio::account_id_of(handle),
            Self::Bandwidth => bandwidth::account_id_of(handle),
            Self::WhatsappCloud => whatsapp::account_id_of(handle),
            #[cfg(feature = "loopback")]
            Self::Loopback => handle.to_owned(),
        }
    }

    /// Whether a name is that of a group of numbers that this carrier itself picks the sender from.
    pub fn names_service(self, sender: &str) -> bool {
        match self {
            Self::Twilio => twilio::is_service(sender),
            Self::Bandwidth | Self::WhatsappCloud => false,
            #[cfg(feature = "loopback")]
            Self::Loopback => false,
        }
    }

    /// What it offers beside taking texts.
    pub fn abilities(self) -> Abilities {
        match self {
            Self::Twilio => twilio::ABILITIES,
            Self::Bandwidth => bandwidth::ABILITIES,
            Self::WhatsappCloud => whatsapp::ABILITIES,
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::ABILITIES,
        }
    }

    /// Cause and next step of one of its error codes; an entry that says so for a code that its
    /// tables do not list.
    pub fn cause(self, code: u32) -> &'static CodeInfo {
        match self {
            Self::Twilio => twilio::cause(code),
            Self::Bandwidth => bandwidth::cause(code),
            Self::WhatsappCloud => whatsapp::cause(code),
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::cause(code),
        }
    }

    /// What an error code says of the account, in the answer to a call that names it alone.
    pub fn account_verdict(self, code: u32) -> AccountVerdict {
        match self {
            Self::Twilio => twilio::account_verdict(code),
            Self::Bandwidth => bandwidth::account_verdict(code),
            Self::WhatsappCloud => whatsapp::account_verdict(code),
            #[cfg(feature = "loopback")]
            Self::Loopback => AccountVerdict::Unsaid,
        }
    }

    /// Whether a code says that the person wants no marketing any more, and everything else as
    /// before. One by which they want nothing any more has `opt_out` in its [`CodeInfo`].
    fn stops_marketing(self, code: u32) -> bool {
        let codes = match self {
            Self::WhatsappCloud => whatsapp::MARKETING_STOPS,
            Self::Twilio | Self::Bandwidth => &[],
            #[cfg(feature = "loopback")]
            Self::Loopback => &[],
        };
        codes.contains(&code)
    }

    /// What a person does not want any more, by a code that says so.
    pub fn wish(self, code: u32) -> Option<Stops> {
        if self.cause(code).opt_out {
            Some(Stops::All)
        } else {
            self.stops_marketing(code).then_some(Stops::Marketing)
        }
    }

    /// Whether a code says that the text was filtered or blocked for what it is or who sends it, so
    /// that the sender's name suffers. The person's own wish is no such code.
    pub fn is_complaint(self, code: u32) -> bool {
        let codes = match self {
            Self::Twilio => twilio::COMPLAINTS,
            Self::Bandwidth => bandwidth::COMPLAINTS,
            Self::WhatsappCloud => whatsapp::COMPLAINTS,
            #[cfg(feature = "loopback")]
            Self::Loopback => &[],
        };
        codes.contains(&code)
    }
}

/// From a claim's `call_by` to the first look at the carrier's list: the call may still be answered
/// until then, and what was taken is listed. `list_lag` is an operator's, in place of the longest
/// of any carrier.
pub fn first_look(request_timeout: Duration, list_lag: Option<Duration>) -> Duration {
    request_timeout + list_lag.unwrap_or_else(longest_list_lag)
}

/// The longest list lag of any carrier: no text in doubt is looked for sooner.
pub fn longest_list_lag() -> Duration {
    let lags = Carrier::ALL.iter().map(|carrier| carrier.abilities().list_lag);
    lags.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_is_a_carrier() {
        for carrier in Carrier::ALL {
            assert_eq!(Carrier::from_name(carrier.as_str()), Some(*carrier));
        }
        assert_eq!(Carrier::from_name("Twilio"), None);
        assert_eq!(Carrier::from_name(""), None);
    }

    #[test]
    fn an_account_that_a_sandbox_alone_knows_has_an_id_of_its_carriers_form() {
        let handles = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
        for carrier in Carrier::ALL {
            let ids = handles.map(|handle| carrier.account_id_of(handle));
            assert!(ids.iter().all(|id| carrier.account_id_fault(id).is_none()), "{ids:?}");
            assert_ne!(ids[0], ids[1]);
        }
    }

    #[test]
    fn the_first_carrier_takes_the_secret_that_a_twin_makes_itself() {
        assert_eq!(Carrier::ALL[0].secret_fault("sandbox_0123456789abcdef"), None);
    }

    #[test]
    fn a_messaging_service_is_twilios_alone() {
        let service = "MG0123456789abcdef0123456789abcdef";
        for carrier in Carrier::ALL {
            assert_eq!(carrier.names_service(service), *carrier == Carrier::Twilio);
            for other in ["", "MG", "MG1", "+12125550198", "Acme", &service[..33], &service[1..]] {
                assert!(!carrier.names_service(other), "{other}");
            }
            assert!(!carrier.names_service(&service.to_uppercase()), "SIDs are lower case");
        }
    }

    #[test]
    fn every_carrier_explains_a_code_that_it_does_not_know() {
        for carrier in Carrier::ALL {
            let unknown = carrier.cause(u32::MAX);
            assert_eq!(unknown.code, 0, "{carrier:?}");
            assert!(!unknown.cause.is_empty() && !unknown.next_step.is_empty());
        }
    }

    #[test]
    fn every_complaint_is_a_code_of_its_carriers_table_and_no_opt_out() {
        for (carrier, codes) in [
            (Carrier::Twilio, twilio::COMPLAINTS),
            (Carrier::Bandwidth, bandwidth::COMPLAINTS),
            (Carrier::WhatsappCloud, whatsapp::COMPLAINTS),
        ] {
            assert!(!codes.is_empty());
            for code in codes {
                let listed = carrier.cause(*code);
                assert!(listed.code == *code && !listed.opt_out, "{carrier:?} {code}");
                assert!(carrier.is_complaint(*code));
            }
        }
        assert!(!Carrier::Twilio.is_complaint(30003));
    }
}
