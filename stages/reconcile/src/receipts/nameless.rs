//! Receipts that do not bring our reference back, as where somebody has changed the address at the
//! carrier: their messages are found by the carrier's id of the text, within the account that
//! signed.

use domain::ids::TenantId;
use stage::Fault;
use store::{
    Store,
    conversations::inbound,
    messages::receipt::by_sid::{self, SentText},
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
    let found = by_sid::find(&mut tx, &texts).await?;
    let known = texts
        .into_iter()
        .zip(found)
        .filter_map(|(text, message)| Some(((text.account, text.sid), (text.tenant, message?))));
    Ok(known.collect())
}

/// The texts that reports are about. Of an account that serves several tenants, our number says
/// whose each is; without it, it may be any of theirs.
async fn texts(store: &Store, nameless: &[Nameless<'_>]) -> Result<Vec<SentText>, Fault> {
    let shared = || nameless.iter().filter(|one| one.request.tenant.is_none());
    let numbers: Vec<(String, String)> = shared().filter_map(Nameless::number).collect();
    let owners = inbound::owners(store, &numbers).await?;
    let mut handles: Vec<String> =
        shared().filter(|one| one.from.is_none()).map(|one| one.request.account.clone()).collect();
    handles.sort_unstable();
    handles.dedup();
    let sharers = by_sid::sharers(store, &handles).await?;

    let texts = nameless.iter().flat_map(|one| {
        let tenants: Vec<&TenantId> = match (&one.request.tenant, one.number()) {
            (Some(tenant), _) => vec![tenant],
            (None, Some(number)) => owners.get(&number).into_iter().collect(),
            (None, None) => {
                let of_account = sharers.iter().filter(|(of, _)| *of == one.request.account);
                of_account.map(|(_, tenant)| tenant).collect()
            }
        };
        tenants.into_iter().map(|tenant| one.text(tenant))
    });
    Ok(texts.collect())
}

/// A report without a reference.
struct Nameless<'a> {
    request: &'a WebhookRequest,
    sid: &'a str,
    to: Option<&'a str>,
    from: Option<&'a str>,
}

impl Nameless<'_> {
    /// Our number, with the account that it is of; none where the report does not say it.
    fn number(&self) -> Option<(String, String)> {
        Some((self.request.account.clone(), self.from?.to_owned()))
    }

    /// The text, as one of this tenant.
    fn text(&self, tenant: &TenantId) -> SentText {
        SentText {
            tenant: tenant.clone(),
            account: self.request.account.clone(),
            to: self.to.map(str::to_owned),
            sid: self.sid.to_owned(),
        }
    }
}

fn of_request<'a>(
    request: &'a WebhookRequest,
    said: &'a Said,
) -> impl Iterator<Item = Nameless<'a>> {
    said.reports.iter().filter(|report| report.reference.is_none()).map(move |report| Nameless {
        request,
        sid: &report.sid,
        to: report.numbers.to.as_deref(),
        from: report.numbers.from.as_deref(),
    })
}
