//! People who have stopped marketing at the carrier itself, without a text: an entry of the
//! do-not-contact list that stops marketing alone. Repeated, it changes nothing.

use carriers::{Carrier, MarketingStop};
use domain::{
    address::Address,
    gates::Stops,
    ids::{TenantId, carrier_id},
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    recipients::consent::{self, Action, ConsentChange, ConsentMethod, Proof},
};
use wire::WebhookRequest;

use crate::load;

/// What the entry gives as its reason.
const REASON: &str = "stopped marketing at the carrier";

/// Records the stops of a batch. One to a number that is nobody's is left out.
pub(crate) async fn record(
    store: &Store,
    now: Timestamp,
    requests: &[WebhookRequest],
) -> Result<(), Fault> {
    let stops: Vec<(&WebhookRequest, Carrier, MarketingStop)> =
        requests.iter().flat_map(of_request).collect();
    if stops.is_empty() {
        return Ok(());
    }

    // load
    let named = stops.iter().map(|(request, _, stop)| (*request, stop.to.as_str()));
    let owners = load::owners_of_numbers(store, named).await?;

    // decide
    let changes: Vec<ConsentChange> = stops
        .iter()
        .filter_map(|(request, carrier, stop)| {
            let tenant = load::owner(request, &stop.to, &owners)?;
            change(request, *carrier, stop, tenant)
        })
        .collect();

    // record
    let mut tx = store.scoped(changes.iter().map(|change| change.tenant.clone())).await?;
    consent::record(&mut tx, now, &changes).await?;
    tx.commit().await.map_err(store::fault)
}

fn of_request(request: &WebhookRequest) -> Vec<(&WebhookRequest, Carrier, MarketingStop)> {
    let Some(carrier) = Carrier::from_name(&request.carrier) else { return Vec::new() };
    let stops = carrier.read_marketing_stops(&request.body);
    stops.into_iter().map(|stop| (request, carrier, stop)).collect()
}

/// The change that a stop makes; none where it does not say who has stopped.
fn change(
    request: &WebhookRequest,
    carrier: Carrier,
    stop: &MarketingStop,
    tenant: &TenantId,
) -> Option<ConsentChange> {
    let address = stop.from.parse::<Address>().ok()?.canonical();
    Some(ConsentChange {
        tenant: tenant.clone(),
        consent_id: carrier_id(&request.account, &stop.name),
        address,
        channel: carrier.channel(),
        action: Action::DoNotContact,
        program: None,
        stops: Some(Stops::Marketing),
        method: ConsentMethod::Carrier,
        language: None,
        source: Some(REASON.to_owned()),
        proof: Proof::default(),
        evidence: serde_json::json!({ "account": request.account, "request": request.id }),
        at: request.received_at,
        recorded_by: "stage:inbound".to_owned(),
    })
}
