//! One message as a caller writes it: validated, canonical, addressed.

mod addresses;
mod canonical;
mod kinds;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use carriers::public::check_address;
use domain::{
    address::Address,
    country::Country,
    gates::OnLate,
    ids::{MediaId, MessageId, TenantId},
    media::{LONGEST_URL, MOST_PER_MESSAGE},
    message::class::{Channel, Lane, MessageClass},
    storable::{UNSTORABLE_TEXT, is_storable},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    messages::read::{KeyOf, Keyed},
    settings::tenants::Tenant,
};
use utoipa::{ToSchema, openapi::schema::Object};
use uuid::Uuid;
use wire::{
    Submitted,
    frame::Outgoing,
    message::{BatchKey, Content, FileKind, From, Head, RichContent},
    subject::Subject,
};

use self::{addresses::sender, canonical::Canonical, kinds::on_late};
pub(crate) use self::{
    addresses::{address, is_short_sender},
    kinds::{NewMessageChannel, NewMessageClass, channel, class},
};
use super::{
    carrier_template::CarrierTemplateRef,
    content::{Given, TemplateRef},
    named::names_something,
    rich::{GivenRich, InteractiveRef, ReactionRef, said},
};
use crate::{
    document::{examples, words::texts_by_name},
    fields,
    http::{
        Errors, FieldError, Trace,
        creation::{RequestKey, is_key},
        wrong_fields::{Wrong, probe_borrowed},
    },
};

/// The longest metadata, keys and values together, in bytes.
const MAX_METADATA: usize = 2 * 1024;

// Written again, it tells whether a batch says the same.
/// A message to one person: a body, media or both, a template, ours or the carrier's, or a
/// reaction.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage<'a> {
    // Required, as is the class: what is missing is told with all else that is wrong.
    /// The person's number, in E.164 or as people of the tenant's country write it.
    #[serde(borrow, default)]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    #[schema(example = json!(examples::PHONE))]
    to: Option<Cow<'a, str>>,
    /// What it is for: `promo` and `journey` are marketing, `conversational` answers a text of the
    /// person, `transactional` is what the person asked for. It decides which gates apply.
    #[serde(borrow, default)]
    #[schema(value_type = NewMessageClass, required)]
    class: Option<Cow<'a, str>>,
    /// The text, of at most 10 segments with the opt-out line that marketing gets. It is sent as
    /// it is written, and refused with a variable in it: those are filled in by templates.
    #[serde(borrow, default)]
    #[schema(min_length = 1, max_length = 4096)]
    body: Option<Cow<'a, str>>,
    /// What goes with the body, or without one: ids of `POST /v1/media` whose state is `stored`, or
    /// https addresses that the carrier fetches itself when it sends. A message with media is sent
    /// as one MMS, at one price, however long its body. On `whatsapp` it is one file, with a body
    /// of at most 1,024 characters under it. `media_urls` is another name for it.
    #[serde(default, alias = "media_urls", skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10, max_length = 2000)]
    media: Vec<String>,
    /// On `whatsapp`: what kind of file the media are. An address need not say it where its path
    /// ends with `.jpg` or the like.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FileKind>)]
    media_kind: Option<Cow<'a, str>>,
    /// On `whatsapp`: the name that the person sees of a document.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 240)]
    media_filename: Option<Cow<'a, str>>,
    /// On `whatsapp`: what the person may answer with, under a body of at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interactive: Option<InteractiveRef>,
    /// On `whatsapp`, instead of a body: a sign on a message of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reaction: Option<ReactionRef>,
    /// Instead of a body: the latest version of a template.
    #[serde(default)]
    template: Option<TemplateRef>,
    /// Instead of a body, on `whatsapp`: a template that the carrier keeps and has approved.
    #[serde(default)]
    carrier_template: Option<CarrierTemplateRef>,
    /// How it travels; `sms` where it is not said. On `whatsapp` a free text goes out within 24
    /// hours of the person's last message alone, and a template that the carrier has approved at
    /// any time.
    #[serde(borrow, default)]
    #[schema(value_type = Option<NewMessageChannel>)]
    channel: Option<Cow<'a, str>>,
    /// The sender that carries it, by its id or its number; none: whichever fits the person's
    /// country.
    #[serde(borrow, default)]
    #[schema(min_length = 1, max_length = 64)]
    from: Option<Cow<'a, str>>,
    /// Instead of a sender: the pool whose senders may carry it.
    #[serde(default)]
    pool: Option<Uuid>,
    /// For how many seconds it is of use, at most a week; none: as long as the policy allows.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 604800)]
    validity_seconds: Option<u32>,
    /// Whether it is sent or dropped once it is later than the policy wants; none: as the policy
    /// says.
    #[serde(borrow, default)]
    #[schema(value_type = Option<OnLate>)]
    on_late: Option<Cow<'a, str>>,
    /// Own fields of the caller.
    #[serde(default)]
    #[schema(schema_with = metadata)]
    metadata: BTreeMap<String, String>,
    /// The item's own key, in a batch alone: a single message has the header `Idempotency-Key`.
    #[serde(borrow, default)]
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub(crate) idempotency_key: Option<Cow<'a, str>>,
}

/// What the document says of metadata.
fn metadata() -> Object {
    let about =
        "Own fields of the caller, given back with the message: at most 2,048 bytes in all.";
    texts_by_name(about, MAX_METADATA).build()
}

/// What all messages of a request share.
pub(crate) struct Submission<'a> {
    /// The tenant that submits them.
    pub(crate) tenant: &'a Tenant,
    /// The business time of the request.
    pub(crate) now: Timestamp,
    /// The request's trace.
    pub(crate) trace: &'a Trace,
    /// The request's key.
    pub(crate) key: &'a RequestKey,
    /// Whether messages are items of a batch.
    pub(crate) is_batch: bool,
    /// The batch, where its caller has named it by a key.
    pub(crate) batch: Option<BatchKey>,
}

/// A message that is right, ready to publish.
pub(crate) struct Accepted {
    /// The message's id, by its key where it has one.
    pub(crate) id: MessageId,
    /// The lane that it travels in.
    pub(crate) lane: Lane,
    /// What is published.
    pub(crate) outgoing: Outgoing,
    /// What its key is checked by; none without a key.
    pub(crate) keyed: Option<Keyed>,
    /// The message, where it names a sender, a pool or a template.
    pub(crate) naming: Option<Arc<Submitted>>,
}

/// The fields of a message, read and right.
struct Checked {
    id: MessageId,
    class: MessageClass,
    channel: Channel,
    to: Address,
    from: From,
    content: Content,
    rich: Option<RichContent>,
    expires_at: Option<Timestamp>,
    on_late: Option<OnLate>,
}

impl NewMessage<'_> {
    /// A person's reply in a conversation, as a caller would write it.
    pub(crate) fn reply(
        to: String,
        channel: Channel,
        from: String,
        body: Option<String>,
        media: Vec<String>,
    ) -> NewMessage<'static> {
        NewMessage {
            to: Some(to.into()),
            class: Some(MessageClass::Conversational.as_str().into()),
            body: body.map(Cow::Owned),
            media,
            channel: Some(channel.as_str().into()),
            from: Some(from.into()),
            ..NewMessage::default()
        }
    }

    /// What the decoder of a message objects to first.
    pub(crate) fn probe(written: &Value) -> Option<Wrong> {
        probe_borrowed::<NewMessage<'_>>(written)
    }
}

impl Submission<'_> {
    /// The message, ready to publish, or everything that is wrong with it.
    pub(crate) fn accept(
        &self,
        index: u32,
        mut new: NewMessage<'_>,
    ) -> Result<Accepted, Vec<FieldError>> {
        // check
        let Checked { id, class, channel, to, from, content, rich, expires_at, on_late } =
            self.check(index, &mut new)?;

        // what its key is checked by
        let canonical = Canonical {
            to: &to,
            channel: (channel != Channel::Sms).then_some(channel),
            class,
            content: &content,
            rich: rich.as_ref(),
            from: &from,
            validity: new.validity_seconds,
            on_late,
            metadata: &new.metadata,
        };
        let body_hash = canonical.hash();
        let has_key = self.key.is_given || new.idempotency_key.is_some();
        let tenant = self.tenant.id.clone();
        let keyed = has_key.then_some(Keyed { tenant, of: KeyOf::Message(id), body_hash });
        let batch = self.batch.clone();

        // what is published
        let head = Head {
            id,
            tenant: self.tenant.id.clone(),
            turn: 1,
            class,
            channel,
            to,
            campaign: None,
            submitted_at: self.now,
            expires_at,
            on_late,
            trace: self.trace.to_owned(),
        };
        let body_hash = wire::hex(&body_hash);
        let metadata = new.metadata;
        let submitted = Submitted { head, content, rich, from, body_hash, metadata, batch };
        let lane = class.lane();
        let outgoing = Outgoing::new(Subject::Submitted(lane), &submitted);
        let naming = names_something(&submitted).then(|| Arc::new(submitted));
        Ok(Accepted { id, lane, outgoing, keyed, naming })
    }

    /// Reads every field, and says of all of them at once what is wrong. Takes the text out of
    /// `new`.
    fn check(&self, index: u32, new: &mut NewMessage<'_>) -> Result<Checked, Vec<FieldError>> {
        let mut errors = Errors::default();
        let id = self.id(index, new.idempotency_key.as_deref(), &mut errors);
        let class_name = fields::required("class", new.class.as_deref(), &mut errors);
        let class = class_name.and_then(|name| class(name, &mut errors));
        let to = fields::required("to", new.to.as_deref(), &mut errors);
        let channel = channel(new.channel.as_deref());
        let home = self.home();
        let to = to.and_then(|to| address(to, channel, home, &mut errors));
        errors.check(channel.is_some(), "channel", "unknown", "sms or whatsapp");
        let channel = channel.unwrap_or_default();
        let from = self.from(new, channel, &mut errors);
        check_media(&new.media, &mut errors);
        let given = Given {
            body: new.body.take(),
            media: std::mem::take(&mut new.media),
            template: new.template.take(),
            carrier_template: new.carrier_template.take(),
        };
        let rich = GivenRich {
            media_kind: new.media_kind.take(),
            media_filename: new.media_filename.take(),
            interactive: new.interactive.take(),
            reaction: new.reaction.take(),
        };
        let said = said(given, rich, class, channel, &mut errors);
        let expires_at = self.expires_at(new.validity_seconds, &mut errors);
        let on_late = on_late(new.on_late.as_deref(), &mut errors);
        check_metadata(&new.metadata, &mut errors);

        let (Some(class), Some(to), Some((content, rich)), true) =
            (class, to, said, errors.is_empty())
        else {
            return Err(errors.into_vec());
        };
        Ok(Checked { id, class, channel, to, from, content, rich, expires_at, on_late })
    }

    /// The id that the key gives: of the item, else of the request.
    fn id(&self, index: u32, own: Option<&str>, errors: &mut Errors) -> MessageId {
        let tenant: &TenantId = &self.tenant.id;
        match own {
            Some(key) if self.is_batch => {
                let detail = "1 to 255 visible characters";
                errors.check(is_key(key), "idempotency_key", "invalid", detail);
                MessageId::from_key(tenant, key)
            }
            Some(_) => {
                errors.add("idempotency_key", "unknown_field", "use the header Idempotency-Key");
                MessageId(Uuid::nil())
            }
            None if self.is_batch => MessageId::from_batch(tenant, &self.key.text, index),
            None => MessageId::from_key(tenant, &self.key.text),
        }
    }

    /// Which senders may carry it.
    fn from(&self, new: &NewMessage<'_>, channel: Channel, errors: &mut Errors) -> From {
        match (&new.from, new.pool) {
            (Some(_), Some(_)) => {
                errors.add("from", "ambiguous", "give from or pool, not both");
                From::Any
            }
            (None, Some(pool)) => From::Pool(pool.into()),
            (None, None) => From::Any,
            (Some(from), None) => match sender(&self.tenant.id, self.home(), from, channel) {
                Some(sender) => From::Sender(sender),
                None => {
                    errors.add("from", "invalid", "a sender's id or number");
                    From::Any
                }
            },
        }
    }

    /// When its validity ends; none without one.
    fn expires_at(&self, validity: Option<u32>, errors: &mut Errors) -> Option<Timestamp> {
        let seconds = i64::from(validity?);
        fields::validity(seconds, errors);
        self.now.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    /// The country of numbers without a plus sign.
    fn home(&self) -> Option<Country> {
        self.tenant.country.parse().ok()
    }
}

/// Whether each is an id, or an address that anybody may call.
fn check_media(media: &[String], errors: &mut Errors) {
    errors.check(media.len() <= MOST_PER_MESSAGE, "media", "too_many", "at most 10 media");
    for (i, one) in media.iter().enumerate() {
        let is_id = one.len() == 36 && one.parse::<MediaId>().is_ok();
        let is_address = one.len() <= LONGEST_URL
            && check_address(one).is_ok_and(|url| url.as_str().len() <= LONGEST_URL)
            && !one.contains(char::is_control);
        let detail =
            "the id of media, or an https address with a public host of 2000 bytes at most";
        errors.check(is_id || is_address, &format!("media[{i}]"), "invalid", detail);
    }
}

fn check_metadata(metadata: &BTreeMap<String, String>, errors: &mut Errors) {
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    errors.check(bytes <= MAX_METADATA, "metadata", "too_long", "at most 2048 bytes in all");

    let clean = metadata.iter().all(|(name, value)| is_storable(name) && is_storable(value));
    errors.check(clean, "metadata", "invalid_character", UNSTORABLE_TEXT);
}
