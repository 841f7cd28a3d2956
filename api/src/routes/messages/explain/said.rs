//! What a question says of the message: its text, its channel, its class. A campaign says what is
//! not said.

use std::borrow::Cow;

use domain::{
    draft::Content,
    message::class::{Channel, MessageClass},
};
use store::campaigns::Campaign;

use crate::{
    fields,
    http::Errors,
    submit::{
        self,
        carrier_template::CarrierTemplateRef,
        content::Given,
        message::{channel, class},
    },
};

/// The text or the template as written, else what the campaign says.
pub(super) fn content(
    said: (Option<String>, Option<CarrierTemplateRef>),
    has_campaign: bool,
    (class, channel): (Option<MessageClass>, Channel),
    errors: &mut Errors,
) -> Option<Content> {
    match said {
        (None, None) if has_campaign => Some(Content::Campaign),
        (None, None) => {
            errors.add("body", "required", "give body, or campaign for what it would say");
            None
        }
        (body, carrier_template) => {
            let body = body.map(Cow::Owned);
            let given = Given { body, carrier_template, ..Given::default() };
            submit::content::content(given, class, channel, errors)
        }
    }
}

/// The channel as written; a campaign's own where there is one.
pub(super) fn channel_of(
    written: Option<&str>,
    campaign: Option<&Campaign>,
    errors: &mut Errors,
) -> Option<Channel> {
    let own = campaign.map(|campaign| campaign.channel);
    if let (Some(own), None) = (own, written) {
        return Some(own);
    }

    let named = channel(written);
    errors.check(named.is_some(), "channel", "unknown", "sms or whatsapp");
    if let Some((own, named)) = own.zip(named) {
        let detail = format!("the campaign's messages go by {}", own.as_str());
        errors.check(own == named, "channel", "other_channel", &detail);
    }
    named
}

/// The class as written; a campaign's own where there is one.
pub(super) fn class_of(
    written: Option<&str>,
    campaign: Option<&Campaign>,
    errors: &mut Errors,
) -> Option<MessageClass> {
    match (written, campaign) {
        (written, None) => {
            fields::required("class", written, errors).and_then(|name| class(name, errors))
        }
        (written, Some(campaign)) => {
            let own = campaign.class.as_str();
            let same = written.is_none_or(|written| written == own);
            let detail = format!("the campaign's messages are {own}");
            errors.check(same, "class", "other_class", &detail);
            Some(campaign.class)
        }
    }
}
