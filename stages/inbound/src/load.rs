//! What has arrived: the texts of each request, each with the tenant whose number it came to.

use std::collections::{HashMap, HashSet};

use carriers::ReceivedText;
use domain::ids::TenantId;
use stage::{Cause, Fault};
use store::{
    Store,
    conversations::inbound::{self, NewText},
};
use wire::WebhookRequest;

use crate::read::{self, Received, UNKNOWN_DESTINATION, UNREADABLE};

/// What one request has brought.
pub(crate) enum Arrived {
    /// Its texts; none where it holds receipts alone.
    Texts(Vec<Received>),
    /// Nothing that can be handled.
    Dead(Cause),
}

/// Reads the requests of a batch.
pub(crate) async fn load(
    store: &Store,
    requests: &[WebhookRequest],
) -> Result<Vec<Arrived>, Fault> {
    let texts: Vec<Option<Vec<ReceivedText>>> = requests.iter().map(read::texts).collect();
    let owners = owners(store, requests, &texts).await?;

    let arrived = requests.iter().zip(texts).map(|(request, texts)| match texts {
        Some(texts) => arrived(request, texts, &owners),
        None => Arrived::Dead(UNREADABLE),
    });
    Ok(arrived.collect())
}

/// Texts to numbers that are nobody's are counted, and end the request only where it holds no
/// other.
fn arrived(request: &WebhookRequest, texts: Vec<ReceivedText>, owners: &Owners) -> Arrived {
    let brought = texts.len();
    let mut received = Vec::with_capacity(brought);
    let mut nobodys = 0;
    for text in texts {
        match owner(request, &text, owners).cloned() {
            Some(tenant) => received.extend(read::read(request, &tenant, text)),
            None => nobodys += 1,
        }
    }

    metrics::counter!("millrace_texts_to_nobody_total").increment(nobodys as u64);
    match (received.is_empty(), brought, nobodys) {
        (false, ..) | (true, 0, _) => Arrived::Texts(received),
        (true, _, 0) => Arrived::Dead(UNREADABLE),
        (true, ..) => Arrived::Dead(UNKNOWN_DESTINATION),
    }
}

/// Tenants by account and number, for accounts that serve several.
type Owners = HashMap<(String, String), TenantId>;

async fn owners(
    store: &Store,
    requests: &[WebhookRequest],
    texts: &[Option<Vec<ReceivedText>>],
) -> Result<Owners, Fault> {
    let shared = requests.iter().zip(texts).filter(|(request, _)| request.tenant.is_none());
    let numbers: Vec<(String, String)> = shared
        .flat_map(|(request, texts)| texts.iter().flatten().map(move |text| (request, text)))
        .map(|(request, text)| (request.account.clone(), text.to.clone()))
        .collect();
    if numbers.is_empty() {
        return Ok(Owners::new());
    }
    inbound::owners(store, &numbers).await
}

fn owner<'a>(
    request: &'a WebhookRequest,
    text: &ReceivedText,
    owners: &'a Owners,
) -> Option<&'a TenantId> {
    let of_number = || owners.get(&(request.account.clone(), text.to.clone()));
    request.tenant.as_ref().or_else(of_number)
}

/// Each text once: a carrier may have sent one twice.
pub(crate) fn distinct(arrived: &[Arrived]) -> Vec<NewText> {
    let mut known = HashSet::new();
    let texts = received(arrived).map(|received| &received.text);
    texts.filter(|text| known.insert((&text.tenant, text.id))).cloned().collect()
}

/// Everything that was received.
pub(crate) fn received(arrived: &[Arrived]) -> impl Iterator<Item = &Received> {
    arrived.iter().flat_map(|arrived| match arrived {
        Arrived::Texts(received) => received.as_slice(),
        Arrived::Dead(_) => &[],
    })
}
