//! A carrier account as callers read it.

use carriers::Carrier;
use jiff::Timestamp;
use serde::Serialize;
use store::settings::accounts::Account;
use utoipa::ToSchema;
use wire::subject::WebhookKind;

use crate::app::App;

/// An account at a carrier, without its token.
#[derive(Serialize, ToSchema)]
#[schema(as = CarrierAccount)]
pub(super) struct AccountView {
    /// The tenant's name of it.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "main")]
    pub(super) account: String,
    /// The platform's name of it, in webhook addresses and subjects.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    handle: String,
    /// The carrier that it is at.
    #[schema(example = json!(Carrier::ALL[0].as_str()))]
    carrier: String,
    /// The account's id at the carrier.
    carrier_sid: String,
    /// Where the carrier's API is called for it.
    #[schema(pattern = "^https?://", max_length = 2000)]
    base_url: String,
    /// Whether the carrier itself answers its opt-out words; else the platform does.
    confirms_opt_out: bool,
    /// What to enter at the carrier for receipts; null where this version does not know the
    /// carrier.
    #[schema(required, pattern = "^https?://")]
    status_webhook: Option<String>,
    /// What to enter at the carrier for inbound texts; null where this version does not know the
    /// carrier.
    #[schema(required, pattern = "^https?://")]
    inbound_webhook: Option<String>,
    /// When it was set up here.
    created_at: Timestamp,
}

/// The account as callers read it.
pub(super) fn view(app: &App, account: Account) -> AccountView {
    let carrier = Carrier::from_name(&account.access.carrier);
    let public_url = &app.settings.public_url;
    let webhook = |kind| Some(carrier?.webhook_url(public_url, &account.handle, kind));
    AccountView {
        status_webhook: webhook(WebhookKind::Status),
        inbound_webhook: webhook(WebhookKind::Inbound),
        account: account.name,
        handle: account.handle,
        carrier: account.access.carrier,
        carrier_sid: account.access.carrier_sid,
        base_url: account.access.base_url,
        confirms_opt_out: account.confirms_opt_out,
        created_at: account.created_at,
    }
}
