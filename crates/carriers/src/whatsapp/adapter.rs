//! WhatsApp in the form that all carriers have: what [`crate::Carrier`] dispatches to.

use std::time::Duration;

use super::{
    HOST,
    client::{Client, WhatsappMessage},
    content::{MessageContent, Recipient},
};
use crate::{
    abilities::Abilities,
    answer::{CarrierReply, ThrottleScope},
    outbound::Outbound,
    tag::tag,
};

/// The Graph API lists no messages and tells nothing of one: statuses are all the evidence.
pub(crate) const ABILITIES: Abilities = Abilities {
    lists: false,
    fetches: false,
    reports: true,
    list_lag: Duration::ZERO,
    throttles: ThrottleScope::Account,
    numbers: false,
    templates: true,
};

pub(crate) fn owns_host(host: &str) -> bool {
    host == HOST
}

impl Client {
    /// Asks WhatsApp to send one message, whose callback data comes back with what is reported on
    /// it. WhatsApp takes no validity: what is too late is not begun.
    pub(crate) async fn send_text(&self, outbound: &Outbound<'_>) -> CarrierReply {
        let tag = tag(outbound.reference);
        let content = match outbound.template {
            Some(template) => MessageContent::Template(template),
            None => MessageContent::Text(outbound.body),
        };
        let message = WhatsappMessage {
            from: outbound.from,
            to: Recipient::of(outbound.to),
            content,
            callback_data: &tag,
            traceparent: outbound.traceparent,
        };
        self.send(&message).await
    }
}
