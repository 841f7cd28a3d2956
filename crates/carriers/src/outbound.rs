//! One text on its way to a carrier, in one form for all of them.

use std::fmt;

use domain::draft::{CarrierTemplate, RichContent};
use jiff::Timestamp;

use crate::{redact::Hidden, report::Reference};

/// One text to be sent.
#[derive(Clone, Copy)]
pub struct Outbound<'a> {
    /// The recipient's number, E.164.
    pub to: &'a str,
    /// Sender, E.164 or what the account may send from.
    pub from: &'a str,
    /// The text as it was rendered, opt-out line included.
    pub body: &'a str,
    /// Addresses of what goes with it, at most 10. The carrier fetches it; the body may be empty.
    pub media: &'a [String],
    /// The template that the carrier keeps, where the message is one. Then `body` is our copy of
    /// what it says.
    pub template: Option<&'a CarrierTemplate>,
    /// What goes with the text on a channel with rich messages.
    pub rich: Option<&'a RichContent>,
    /// Our name of the message, which comes back with every report.
    pub reference: &'a Reference,
    /// `MILLRACE_PUBLIC_URL`: where the carrier reaches us.
    pub public_url: &'a str,
    /// The handle of the account, which names our webhooks.
    pub account: &'a str,
    /// How long the carrier may keep the text in its queue, in seconds; none is its own default.
    pub validity_seconds: Option<u32>,
    /// The end of that time on the machine's clock, for carriers that want an instant.
    pub expires_at: Option<Timestamp>,
    /// W3C trace context, passed on as a header; an unusable value is left out.
    pub traceparent: Option<&'a str>,
}

impl fmt::Debug for Outbound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("to", &Hidden(self.to))
            .field("from", &Hidden(self.from))
            .field("body", &Hidden(self.body))
            .field("media", &self.media.len())
            .field("reference", &self.reference)
            .field("account", &self.account)
            .field("validity_seconds", &self.validity_seconds)
            .finish_non_exhaustive()
    }
}
