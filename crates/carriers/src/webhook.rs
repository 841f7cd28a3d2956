//! Webhooks of carriers, in one form for all of them: which addresses there are, whether a request
//! is genuine, and what it says.

use http::{HeaderMap, header};
use secrecy::SecretString;
use wire::subject::WebhookKind;

#[cfg(feature = "loopback")]
use crate::loopback;
use crate::{
    bandwidth,
    carrier::Carrier,
    report::{MarketingStop, PhoneEcho, ReceivedText, StatusReport, WebhookError},
    templates::TemplateNews,
    twilio, whatsapp,
};

/// A request as it came, for the check of its signature.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The public URL that was called, query included: rebuilt from our own settings, never from
    /// the `Host` header.
    pub url: &'a str,
    /// Its headers as they came.
    pub headers: &'a HeaderMap,
    /// The body, to the byte.
    pub body: &'a [u8],
}

/// What is answered to a webhook that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The `Content-Type` of the body; none where there is no body.
    pub content_type: Option<&'static str>,
    /// What the carrier wants to read; there is never an answer to a person in it.
    pub body: &'static str,
}

/// The headers that sign what comes to addresses below an account's own. What comes to that address
/// itself is proven in each carrier's own way.
pub const SIGNATURE_HEADERS: [&str; 1] = ["X-Twilio-Signature"];

impl Carrier {
    /// The addresses of its webhooks below `/webhooks/{carrier}/{account}`, each with what comes
    /// there. An empty path is that address itself.
    pub fn webhooks(self) -> &'static [(&'static str, WebhookKind)] {
        match self {
            Self::Twilio => &[("status", WebhookKind::Status), ("inbound", WebhookKind::Inbound)],
            Self::Bandwidth | Self::WhatsappCloud => &[("", WebhookKind::Mixed)],
            #[cfg(feature = "loopback")]
            Self::Loopback => &[("", WebhookKind::Mixed)],
        }
    }

    /// The address that a person enters at the carrier for what an account reports or receives.
    pub fn webhook_url(self, public_url: &str, account: &str, kind: WebhookKind) -> String {
        let serves = |of: WebhookKind| of == kind || of == WebhookKind::Mixed;
        let path = self.webhooks().iter().find(|(_, of)| serves(*of)).map_or("", |(path, _)| path);
        let separator = if path.is_empty() { "" } else { "/" };
        format!("{public_url}/webhooks/{}/{account}{separator}{path}", self.as_str())
    }

    /// The media types that its webhooks may have, the usual one first.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Twilio => &["application/x-www-form-urlencoded", "application/json"],
            Self::Bandwidth | Self::WhatsappCloud => &["application/json"],
            #[cfg(feature = "loopback")]
            Self::Loopback => &["application/json"],
        }
    }

    /// Whether a request was signed with one of an account's secrets: several while one replaces
    /// another. Takes the same time whatever differs.
    pub fn is_genuine(self, secrets: &[SecretString], request: &Incoming<'_>) -> bool {
        match self {
            Self::Twilio => twilio::is_genuine(secrets, request),
            Self::Bandwidth => bandwidth::is_genuine(secrets, request),
            Self::WhatsappCloud => whatsapp::is_genuine(secrets, request),
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::is_genuine(secrets, request),
        }
    }

    /// Whether it verifies an address by a GET before it calls it.
    pub fn verifies_addresses(self) -> bool {
        match self {
            Self::Twilio | Self::Bandwidth => false,
            Self::WhatsappCloud => true,
            #[cfg(feature = "loopback")]
            Self::Loopback => false,
        }
    }

    /// What is answered to a carrier that verifies an address by a GET before it calls it: the
    /// challenge of its query, where that names one of the account's secrets; none where it does
    /// not, and for carriers that verify no address. Takes the same time whatever differs.
    pub fn handshake(self, secrets: &[SecretString], query: &str) -> Option<String> {
        match self {
            Self::Twilio | Self::Bandwidth => None,
            Self::WhatsappCloud => whatsapp::handshake(secrets, query),
            #[cfg(feature = "loopback")]
            Self::Loopback => None,
        }
    }

    /// The carrier's own name for a request, the same on its repeats; none where it gives none.
    pub fn request_name(self, headers: &HeaderMap) -> Option<&str> {
        let named = match self {
            Self::Twilio => text(headers, twilio::REQUEST_NAME_HEADER),
            Self::Bandwidth | Self::WhatsappCloud => None,
            #[cfg(feature = "loopback")]
            Self::Loopback => None,
        };
        named.filter(|name| (1..=255).contains(&name.len()))
    }

    /// What is answered once a request is stored.
    pub fn acknowledgement(self, kind: WebhookKind) -> Acknowledgement {
        match self {
            Self::Twilio => twilio::acknowledgement(kind),
            Self::Bandwidth | Self::WhatsappCloud => {
                Acknowledgement { content_type: None, body: "" }
            }
            #[cfg(feature = "loopback")]
            Self::Loopback => Acknowledgement { content_type: None, body: "" },
        }
    }

    /// What a stored request says about texts of ours, as it can be stored; nothing where it is
    /// about none. `query` is that of the address that was called, without the question mark.
    ///
    /// # Errors
    /// It is signed, and cannot be read.
    pub fn read_reports(self, query: &str, body: &[u8]) -> Result<Vec<StatusReport>, WebhookError> {
        let reports: Result<Vec<StatusReport>, WebhookError> = match self {
            Self::Twilio => {
                twilio::read_report(query, body).map(|report| report.into_iter().collect())
            }
            Self::Bandwidth => bandwidth::read_reports(body),
            Self::WhatsappCloud => whatsapp::read_reports(body),
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::read_reports(body),
        };
        Ok(reports?.into_iter().map(StatusReport::storable).collect())
    }

    /// The texts of people in a stored request, as they can be stored; nothing where it holds none.
    ///
    /// # Errors
    /// It is signed, and cannot be read.
    pub fn read_texts(self, body: &[u8]) -> Result<Vec<ReceivedText>, WebhookError> {
        let texts = match self {
            Self::Twilio => twilio::read_text(body).map(|text| vec![text]),
            Self::Bandwidth => bandwidth::read_texts(body),
            Self::WhatsappCloud => whatsapp::read_texts(body),
            #[cfg(feature = "loopback")]
            Self::Loopback => loopback::read_texts(body),
        };
        Ok(texts?.into_iter().map(ReceivedText::storable).collect())
    }

    /// What people of the company have sent on the phone that has the number itself, by a stored
    /// request, as it can be stored. Where nothing of it can be read, [`Self::read_texts`] says so.
    pub fn read_echoes(self, body: &[u8]) -> Vec<PhoneEcho> {
        match self {
            Self::Twilio | Self::Bandwidth => Vec::new(),
            Self::WhatsappCloud => {
                whatsapp::read_echoes(body).into_iter().map(PhoneEcho::storable).collect()
            }
            #[cfg(feature = "loopback")]
            Self::Loopback => Vec::new(),
        }
    }

    /// The people who have stopped marketing at the carrier itself, by a stored request. What
    /// cannot be read of it stops nothing.
    pub fn read_marketing_stops(self, body: &[u8]) -> Vec<MarketingStop> {
        match self {
            Self::Twilio | Self::Bandwidth => Vec::new(),
            Self::WhatsappCloud => whatsapp::read_marketing_stops(body),
            #[cfg(feature = "loopback")]
            Self::Loopback => Vec::new(),
        }
    }

    /// What a stored request tells of the account's templates. What cannot be read of it, and what
    /// this version does not know, tells nothing.
    pub fn read_template_news(self, body: &[u8]) -> Vec<TemplateNews> {
        match self {
            Self::Twilio | Self::Bandwidth => Vec::new(),
            Self::WhatsappCloud => whatsapp::read_template_news(body),
            #[cfg(feature = "loopback")]
            Self::Loopback => Vec::new(),
        }
    }

    /// How many parts of a stored request could not be read, where a request has parts and others
    /// of them could.
    pub fn unread_parts(self, body: &[u8]) -> usize {
        match self {
            Self::Twilio => 0,
            Self::Bandwidth => bandwidth::unread(body),
            Self::WhatsappCloud => whatsapp::unread(body),
            #[cfg(feature = "loopback")]
            Self::Loopback => 0,
        }
    }
}

/// A header as text; none where it is missing or not ASCII.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The media type of a request, as it names it.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::CONTENT_TYPE.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carrier_has_an_address_for_reports_and_one_for_texts() {
        for carrier in Carrier::ALL {
            for kind in [WebhookKind::Status, WebhookKind::Inbound] {
                let url = carrier.webhook_url("https://x.test", "acct", kind);
                let prefix = format!("https://x.test/webhooks/{}/acct", carrier.as_str());
                let path = url.strip_prefix(&prefix).expect("below the account");
                let path = path.strip_prefix('/').unwrap_or(path);
                let served = carrier.webhooks().iter().find(|(of, _)| *of == path);
                let served = served.expect("one of its addresses").1;
                assert!(served == kind || served == WebhookKind::Mixed, "{carrier:?} {url}");
            }
        }
    }
}
