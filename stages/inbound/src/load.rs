//! Reads the texts of each request, and whose number each of them came to.

use std::collections::HashMap;

use carriers::{Carrier, ReceivedText};
use domain::ids::TenantId;
use stage::Fault;
use store::{Store, conversations::inbound};
use wire::WebhookRequest;

/// A text, and the tenant whose number it came to; none where the number is nobody's.
pub(crate) type OwnedText = (ReceivedText, Option<TenantId>);

/// Tenants by account and number, for accounts that serve several.
type Owners = HashMap<(String, String), TenantId>;

/// Reads the requests of a batch: the texts of each, none where a request cannot be read.
pub(crate) async fn load(
    store: &Store,
    requests: &[WebhookRequest],
) -> Result<Vec<Option<Vec<OwnedText>>>, Fault> {
    let texts: Vec<Option<Vec<ReceivedText>>> = requests.iter().map(texts).collect();
    let owners = owners(store, requests, &texts).await?;

    let owned = requests.iter().zip(texts).map(|(request, texts)| {
        let texts = texts?.into_iter().map(|text| {
            let owner = owner(request, &text, &owners).cloned();
            (text, owner)
        });
        Some(texts.collect())
    });
    Ok(owned.collect())
}

/// How many texts came to numbers that are nobody's.
pub(crate) fn to_nobody(texts: &[Option<Vec<OwnedText>>]) -> usize {
    texts.iter().flatten().flatten().filter(|(_, owner)| owner.is_none()).count()
}

/// The texts of a request as its carrier writes them; none where it cannot be read.
fn texts(request: &WebhookRequest) -> Option<Vec<ReceivedText>> {
    let carrier = Carrier::from_name(&request.carrier)?;
    carrier.read_texts(&request.body).ok()
}

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

/// The tenant of the account, where the account is one tenant's alone, else of the number.
fn owner<'a>(
    request: &'a WebhookRequest,
    text: &ReceivedText,
    owners: &'a Owners,
) -> Option<&'a TenantId> {
    let of_number = || owners.get(&(request.account.clone(), text.to.clone()));
    request.tenant.as_ref().or_else(of_number)
}
