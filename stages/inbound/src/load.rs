//! Reads the texts of each request, and whose number each of them came to.

use std::collections::HashMap;

use carriers::{Carrier, ReceivedText};
use domain::ids::TenantId;
use stage::Fault;
use store::{Store, conversations::inbound};
use wire::WebhookRequest;

/// A text, and the tenant whose number it came to; none where the number is nobody's.
pub(crate) type OwnedText = (ReceivedText, Option<TenantId>);

/// Tenants by account and sender, of accounts that serve several, and of groups of numbers.
pub(crate) type Owners = HashMap<(String, String), TenantId>;

/// Reads the requests of a batch: the texts of each, none where a request cannot be read.
pub(crate) async fn load(
    store: &Store,
    requests: &[WebhookRequest],
) -> Result<Vec<Option<Vec<OwnedText>>>, Fault> {
    let texts: Vec<Option<Vec<ReceivedText>>> = requests.iter().map(texts).collect();
    let owners = owners(store, requests, &texts).await?;

    let owned = requests.iter().zip(texts).map(|(request, texts)| {
        let texts = texts?.into_iter().map(|text| {
            let text = addressed(request, text, &owners);
            let owner = owner(request, &text.to, &owners).cloned();
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
    let all = requests.iter().zip(texts);
    let all =
        all.flat_map(|(request, texts)| texts.iter().flatten().map(move |text| (request, text)));
    let wanted = all.filter(|(request, text)| request.tenant.is_none() || text.service.is_some());
    let numbers: Vec<(String, String)> = wanted
        .flat_map(|(request, text)| {
            let names = [Some(&text.to), text.service.as_ref()].into_iter().flatten();
            names.map(move |name| (request.account.clone(), name.clone()))
        })
        .collect();
    if numbers.is_empty() {
        return Ok(Owners::new());
    }

    inbound::owners(store, &numbers).await
}

/// Whose the numbers of accounts are that serve several tenants: each is named by a request.
pub(crate) async fn owners_of_numbers<'a>(
    store: &Store,
    named: impl Iterator<Item = (&'a WebhookRequest, &'a str)>,
) -> Result<Owners, Fault> {
    let shared = named.filter(|(request, _)| request.tenant.is_none());
    let numbers: Vec<(String, String)> =
        shared.map(|(request, number)| (request.account.clone(), number.to_owned())).collect();
    if numbers.is_empty() {
        return Ok(Owners::new());
    }
    inbound::owners(store, &numbers).await
}

/// A text to a number that is no sender's, and is in a group that is one, is a text to that sender.
fn addressed(request: &WebhookRequest, text: ReceivedText, owners: &Owners) -> ReceivedText {
    let is_sender = |name: &str| owners.contains_key(&(request.account.clone(), name.to_owned()));
    match &text.service {
        Some(service) if !is_sender(&text.to) && is_sender(service) => {
            ReceivedText { to: service.clone(), ..text }
        }
        Some(_) | None => text,
    }
}

/// The tenant of the account, where the account is one tenant's alone, else of the number.
pub(crate) fn owner<'a>(
    request: &'a WebhookRequest,
    number: &str,
    owners: &'a Owners,
) -> Option<&'a TenantId> {
    let of_number = || owners.get(&(request.account.clone(), number.to_owned()));
    request.tenant.as_ref().or_else(of_number)
}
