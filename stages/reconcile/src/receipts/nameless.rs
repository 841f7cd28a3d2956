//! Receipts that do not bring our reference back, as where somebody has changed the address at the
//! carrier: their messages are found by the carrier's id of the text. Messages have no index by it,
//! which every send would have to write; the person's number leads to the few that it can be.

use stage::Fault;
use store::{
    Store,
    conversations::inbound,
    messages::receipt::{self, SentText},
};
use wire::WebhookRequest;

use crate::receipts::report::{BySid, Said, Unusable};

/// The messages of reports without a reference. Asks nobody where there are none, as is usual.
pub(crate) async fn messages(
    store: &Store,
    requests: &[WebhookRequest],
    said: &[Result<Said, Unusable>],
) -> Result<BySid, Fault> {
    let nameless: Vec<Nameless<'_>> = requests
        .iter()
        .zip(said)
        .filter_map(|(request, said)| Some((request, said.as_ref().ok()?)))
        .flat_map(|(request, said)| of_request(request, said))
        .collect();
    if nameless.is_empty() {
        return Ok(BySid::new());
    }

    let texts = texts(store, &nameless).await?;
    if texts.is_empty() {
        return Ok(BySid::new());
    }

    let mut tx = store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;
    let found = receipt::by_sid(&mut tx, &texts).await?;
    let known = texts
        .into_iter()
        .zip(found)
        .filter_map(|(text, message)| Some(((text.account, text.sid), (text.tenant, message?))));
    Ok(known.collect())
}

/// The texts that reports are about. Of an account that serves several tenants, our number says
/// whose each is.
async fn texts(store: &Store, nameless: &[Nameless<'_>]) -> Result<Vec<SentText>, Fault> {
    let number = |one: &Nameless<'_>| (one.request.account.clone(), one.from.to_owned());
    let shared = nameless.iter().filter(|one| one.request.tenant.is_none());
    let owners = inbound::owners(store, &shared.map(number).collect::<Vec<_>>()).await?;

    let texts = nameless.iter().filter_map(|one| {
        let tenant = one.request.tenant.as_ref().or_else(|| owners.get(&number(one)))?;
        Some(SentText {
            tenant: tenant.clone(),
            account: one.request.account.clone(),
            to: one.to.to_owned(),
            sid: one.sid.to_owned(),
        })
    });
    Ok(texts.collect())
}

/// A report without a reference.
struct Nameless<'a> {
    request: &'a WebhookRequest,
    sid: &'a str,
    to: &'a str,
    from: &'a str,
}

fn of_request<'a>(
    request: &'a WebhookRequest,
    said: &'a Said,
) -> impl Iterator<Item = Nameless<'a>> {
    said.reports.iter().filter(|report| report.reference.is_none()).filter_map(move |report| {
        let numbers = report.numbers.as_ref()?;
        Some(Nameless { request, sid: &report.sid, to: &numbers.to, from: &numbers.from })
    })
}
