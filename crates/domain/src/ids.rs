//! Names of things: typed ids, and the deterministic ids that make repeats harmless.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::message::class::Channel;

/// The tenant's own key: `[a-z0-9-]{2,32}`, immutable, the same in rows, subjects and URLs.
/// Two characters at least, so that it is never a NATS wildcard or empty token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TenantId(Arc<str>);

/// Why a text is not a tenant key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant key has 2 to 32 characters of a-z, 0-9 and -")]
pub struct BadTenantId;

impl TenantId {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the tenant's twin, in which its test keys work: `test-`, how the tenant's own
    /// begins, and 16 hexadecimal digits of all of it. No other tenant has a key of this form.
    pub fn twin(&self) -> Self {
        let begin = &self.0[..self.0.len().min(10)];
        let digits = derive("twin", &[self.0.as_bytes()]).simple().to_string();
        Self(format!("test-{begin}-{}", &digits[..16]).into())
    }

    /// Whether it is the key of a twin, by its form.
    pub fn is_twin(&self) -> bool {
        let parts = self.0.strip_prefix("test-").and_then(|rest| rest.rsplit_once('-'));
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        parts.is_some_and(|(begin, digits)| {
            (1..=10).contains(&begin.len()) && digits.len() == 16 && digits.bytes().all(is_digit)
        })
    }
}

impl FromStr for TenantId {
    type Err = BadTenantId;

    fn from_str(text: &str) -> Result<Self, BadTenantId> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (2..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(BadTenantId)
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

uuid_ids! {
    /// One message to one person. The same request under the same key always names the same one.
    MessageId
    /// A person as one tenant knows them. Derived from the tenant and the address that they were
    /// first known by: the same number has the same id.
    ContactId
    /// A marketing send to many contacts.
    CampaignId
    /// A number or short code that messages leave from. Derived from the tenant and the number.
    SenderId
    /// A group of senders that a campaign spreads over.
    PoolId
    /// One of the names that a tenant writes to people under.
    BrandId
    /// Where the conversations of a brand are looked after.
    InboxId
    /// A message text with variables, in versions.
    TemplateId
    /// A template that a carrier account keeps, in one language. Derived from the tenant, the
    /// account, the name and the language.
    CarrierTemplateId
    /// The thread between one contact and one sender, or one pool of senders, derived from both.
    ConversationId
    /// A picture, a sound or a paper: what came with a text, or what a tenant sends.
    MediaId
}

/// The root of every name-based id here. Changing it would give every message a new identity.
const ROOT: Uuid = Uuid::from_u128(0x6d69_6c6c_7261_6365_8000_7465_7874_6564);

/// A name-based id (UUID v5) under a kind, so that two kinds never share an id by accident.
/// Parts are joined with a zero byte, which no part may contain.
fn derive(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(96);
    name.extend_from_slice(kind.as_bytes());
    for part in parts {
        name.push(0);
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&ROOT, &name)
}

/// What the keys begin with that the ingress gives to requests without one. A UUID v7 follows, with
/// the time of the request.
pub const GENERATED_KEY: &str = "auto-";

/// An id of a key that the ingress generated sorts by the time of its request, as UUIDs v7 do: rows
/// made together lie together. Ids of other keys stay as they are.
fn in_order(key: &str, hashed: Uuid) -> Uuid {
    let made = key.strip_prefix(GENERATED_KEY).and_then(|made| made.parse::<Uuid>().ok());
    let Some(made) = made.filter(|made| made.get_version_num() == 7) else { return hashed };

    let mut bytes = *hashed.as_bytes();
    bytes[..6].copy_from_slice(&made.as_bytes()[..6]);
    uuid::Builder::from_bytes(bytes).with_version(uuid::Version::SortRand).into_uuid()
}

impl MessageId {
    /// The id of a message submitted with an `Idempotency-Key`: the same key gives the same id for
    /// good.
    pub fn from_key(tenant: &TenantId, key: &str) -> Self {
        let hashed = derive("key", &[tenant.as_str().as_bytes(), key.as_bytes()]);
        Self(in_order(key, hashed))
    }

    /// The id of item `index` of a batch submitted with an `Idempotency-Key`.
    pub fn from_batch(tenant: &TenantId, key: &str, index: u32) -> Self {
        let parts: [&[u8]; 3] = [tenant.as_str().as_bytes(), key.as_bytes(), &index.to_be_bytes()];
        Self(in_order(key, derive("batch", &parts)))
    }

    /// The id of a campaign's message to a contact; `step` is 0 but in journeys.
    pub fn from_campaign(campaign: CampaignId, contact: ContactId, step: u32) -> Self {
        let step = step.to_be_bytes();
        Self(derive("campaign", &[campaign.0.as_bytes(), contact.0.as_bytes(), &step]))
    }

    /// The id of the one compliance answer (confirmation, HELP) to an inbound text.
    pub fn from_inbound(inbound: Uuid) -> Self {
        Self(derive("confirmation", &[inbound.as_bytes()]))
    }

    /// The id of the AI's answer to one burst of texts in one epoch of a conversation.
    pub fn from_burst(conversation: ConversationId, epoch: u32, burst: Uuid) -> Self {
        let parts: [&[u8]; 3] = [conversation.0.as_bytes(), &epoch.to_be_bytes(), burst.as_bytes()];
        Self(derive("reply", &parts))
    }
}

/// The line of the consent ledger by which what another line, or an act, says reaches an address.
pub fn consent_at(said_by: Uuid, address: &str) -> Uuid {
    derive("consent", &[said_by.as_bytes(), address.as_bytes()])
}

/// The merge by which a contact takes in another as a carrier tells that both are one person. It is
/// the same however often that is told.
pub fn told_merge(into: ContactId, from: ContactId) -> Uuid {
    derive("told_merge", &[into.0.as_bytes(), from.0.as_bytes()])
}

impl ContactId {
    /// The contact that this tenant first knew by this address.
    pub fn of(tenant: &TenantId, address: &str) -> Self {
        Self(derive("contact", &[tenant.as_str().as_bytes(), address.as_bytes()]))
    }
}

impl SenderId {
    /// The sender with this number (E.164, short code or alphanumeric id) in this tenant.
    pub fn of(tenant: &TenantId, number: &str) -> Self {
        Self(derive("sender", &[tenant.as_str().as_bytes(), number.as_bytes()]))
    }
}

impl CarrierTemplateId {
    /// The template of this name and language that this account of the tenant keeps.
    pub fn of(tenant: &TenantId, account: &str, name: &str, language: &str) -> Self {
        let parts = [tenant.as_str(), account, name, language].map(str::as_bytes);
        Self(derive("carrier_template", &parts))
    }
}

impl ConversationId {
    /// The thread between a contact and a sender.
    pub fn of(contact: ContactId, sender: SenderId) -> Self {
        Self(derive("conversation", &[contact.0.as_bytes(), sender.0.as_bytes()]))
    }

    /// The thread between a contact and the senders of a pool that are of one channel.
    pub fn of_pool(contact: ContactId, pool: PoolId, channel: Channel) -> Self {
        let channel = channel.as_str().as_bytes();
        Self(derive("conversation_pool", &[contact.0.as_bytes(), pool.0.as_bytes(), channel]))
    }
}

impl MediaId {
    /// The id of what came with an inbound text, at this index among its media.
    pub fn from_inbound(inbound: Uuid, index: u16) -> Self {
        Self(derive("media", &[inbound.as_bytes(), &index.to_be_bytes()]))
    }
}

/// The id of another body under the id of a message that exists.
pub fn conflict_id(message: MessageId, body_hash: &[u8]) -> Uuid {
    derive("conflict", &[message.0.as_bytes(), body_hash])
}

/// The id of a batch submitted with an `Idempotency-Key`: the same key gives the same id for good.
pub fn batch_id(tenant: &TenantId, key: &str) -> Uuid {
    derive("batch_key", &[tenant.as_str().as_bytes(), key.as_bytes()])
}

/// The id of an event: the same entity, type and version always name the same event.
pub fn event_id(entity: Uuid, kind: &str, version: i64) -> Uuid {
    derive("event", &[entity.as_bytes(), kind.as_bytes(), &version.to_be_bytes()])
}

/// The id of a counter's window, which an event about a budget is about.
pub fn window_id(
    tenant: &TenantId,
    kind: &str,
    target: Option<Uuid>,
    window_start: jiff::Timestamp,
) -> Uuid {
    let start = window_start.as_microsecond().to_be_bytes();
    let target = target.unwrap_or(Uuid::nil());
    derive("window", &[tenant.as_str().as_bytes(), kind.as_bytes(), target.as_bytes(), &start])
}

/// The platform's name of a carrier account: opaque, and the same for everybody who uses it.
/// `owner` is the tenant that sets it up, none for an account of the platform; `name` is its own
/// there.
pub fn account_handle(owner: Option<&TenantId>, name: &str) -> String {
    let owner = owner.map_or("", TenantId::as_str);
    derive("account", &[owner.as_bytes(), name.as_bytes()]).simple().to_string()
}

/// The id of something that arrived from a carrier account: its own name there.
pub fn carrier_id(account: &str, name: &str) -> Uuid {
    derive("carrier", &[account.as_bytes(), name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_key_cannot_carry_a_subject_wildcard() {
        for bad in ["", "a", "a.b", "a*", "a>", "A1", "x y", &"a".repeat(33)] {
            assert_eq!(bad.parse::<TenantId>(), Err(BadTenantId), "{bad:?}");
        }
        assert_eq!("acme-2".parse::<TenantId>().expect("valid").as_str(), "acme-2");
    }

    #[test]
    fn a_twin_has_a_key_of_its_own_form_which_is_its_tenants_alone() {
        let long = "a".repeat(32);
        let keys = ["ab", "a-", "acme", "acme-2", "test-acme", "test-x-0123456789abcdef", &long];
        let tenants = keys.map(|key| key.parse::<TenantId>().expect("a tenant"));
        let twins: std::collections::HashSet<_> = tenants.iter().map(TenantId::twin).collect();
        assert_eq!(twins.len(), keys.len());
        for twin in &twins {
            assert_eq!(twin.as_str().parse::<TenantId>().as_ref(), Ok(twin));
            assert!(twin.is_twin(), "{twin}");
        }

        let are_twins = tenants.map(|tenant| tenant.is_twin());
        assert_eq!(are_twins, [false, false, false, false, false, true, false]);
        let almost =
            ["test--0123456789abcdef", "test-a-0123456789abcdeg", "test-a-0123456789abcde"];
        assert!(almost.iter().all(|key| !key.parse::<TenantId>().expect("a tenant").is_twin()));
    }

    #[test]
    fn ids_of_generated_keys_sort_by_their_time_and_differ_between_tenants_and_items() {
        let of = |tenant: &str, made: u64| {
            let tenant = tenant.parse().expect("valid");
            let made = uuid::Builder::from_unix_timestamp_millis(made, &[7; 10]).into_uuid();
            let key = format!("{GENERATED_KEY}{}", made.simple());
            (MessageId::from_key(&tenant, &key), MessageId::from_batch(&tenant, &key, 1))
        };

        let (first, later) = (of("demo", 1_780_000_000_000), of("demo", 1_780_000_000_001));
        assert!(first.0 < later.0 && first.1 < later.1);
        assert_eq!(first.0.0.get_version_num(), 7);
        assert_eq!(first, of("demo", 1_780_000_000_000), "a repeat is the same message");
        assert_ne!(first.0, first.1);
        assert_ne!(first.0, of("other", 1_780_000_000_000).0);
    }

    /// Values made by another program: SHA-1 over the root and the joined parts, per RFC 9562.
    /// One that changes gives messages on their way a second identity.
    #[test]
    fn an_id_never_changes_for_the_same_key() {
        let tenant: TenantId = "demo".parse().expect("valid");
        let (campaign, contact) = (CampaignId(id(1)), ContactId(id(2)));
        let thread = ConversationId(id(4));
        let golden: [(Uuid, &str); 12] = [
            (MessageId::from_key(&tenant, "k1").0, "e6831f67-bc45-5837-a302-ca563d986c47"),
            (MessageId::from_batch(&tenant, "k1", 7).0, "7a24c9bd-7b03-57e8-8ab5-e4ef25f24dac"),
            (
                MessageId::from_campaign(campaign, contact, 0).0,
                "19c72745-4409-51b0-b0f3-84db58b27b78",
            ),
            (MessageId::from_inbound(id(3)).0, "611d6492-2b90-58e5-8655-d37c8413f2ea"),
            (MessageId::from_burst(thread, 2, id(5)).0, "c40ef1bc-d48f-5e74-8960-7f33c4666262"),
            (ContactId::of(&tenant, "+14155550100").0, "aaeed09a-6abc-5044-8c60-0eb7e4e785d1"),
            (SenderId::of(&tenant, "+12125550199").0, "4f28c51a-f694-5ed0-9dfb-9542f68dcaf8"),
            (
                ConversationId::of(contact, SenderId(id(6))).0,
                "96d713c8-5aba-5400-96ba-b955f1b28ce6",
            ),
            (conflict_id(MessageId(id(7)), &[9; 32]), "0bbefa0c-8e4b-5d1f-a64d-0a9ce6ce79c0"),
            (event_id(id(7), "message.sent", 3), "5ef30238-41de-582a-acba-7dd8b56c5810"),
            (carrier_id("twilio-main", "SM0001"), "19c84aaa-9944-5a8d-962b-e8c11fd05339"),
            (MediaId::from_inbound(id(7), 1).0, "522f67af-6bde-5e2f-9ac8-33b073b0a714"),
        ];

        for (made, expected) in golden {
            assert_eq!(made.to_string(), expected);
        }
    }

    #[test]
    fn the_kinds_of_ids_share_none() {
        let tenant: TenantId = "demo".parse().expect("valid");
        assert_ne!(MessageId::from_key(&tenant, "k1"), MessageId::from_batch(&tenant, "k1", 0));
        assert_ne!(ContactId::of(&tenant, "+1").0, SenderId::of(&tenant, "+1").0);
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }
}
