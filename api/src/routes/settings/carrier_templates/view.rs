//! A template of a carrier account, as answers show it.

use domain::{
    carrier_template::{ReviewState, TemplateComponents},
    ids::CarrierTemplateId,
};
use jiff::Timestamp;
use serde::Serialize;
use store::settings::carrier_templates::StoredCarrierTemplate;
use utoipa::ToSchema;

/// A message template that a carrier account keeps.
#[derive(Serialize, ToSchema)]
#[schema(as = CarrierTemplate)]
pub(super) struct CarrierTemplateView {
    /// Derived from the tenant, the account, the name and the language.
    pub(super) id: CarrierTemplateId,
    /// The name of the carrier account that keeps it.
    account: String,
    /// Its name, by which messages are sent with it.
    #[schema(example = "order_shipped")]
    name: String,
    /// The language that it is in, as the carrier writes it.
    #[schema(example = "en_US")]
    language: String,
    /// What it is for, as the carrier says: `marketing`, `utility` or `authentication`. The carrier
    /// may put it into another category than was asked for.
    #[schema(example = "utility")]
    category: String,
    /// How far its review has come. Messages are sent by one that is `approved`.
    #[schema(value_type = ReviewState)]
    state: &'static str,
    /// The carrier's own word for its state; null where it has said none yet.
    #[schema(required, example = "APPROVED")]
    carrier_status: Option<String>,
    /// Why it was rejected, or not taken, in the carrier's words; null where it was not.
    #[schema(required)]
    reason: Option<String>,
    /// What people think of it, as the carrier says: `green`, `yellow`, `red` or `unknown`.
    #[schema(example = "green")]
    quality: String,
    /// What it is made of.
    components: TemplateComponents,
    /// When it came to be here.
    created_at: Timestamp,
}

/// A template as it is shown.
pub(super) fn view(template: StoredCarrierTemplate) -> CarrierTemplateView {
    CarrierTemplateView {
        id: template.id,
        account: template.account_name,
        name: template.name,
        language: template.language,
        category: template.category,
        state: template.state.as_str(),
        carrier_status: template.status,
        reason: template.reason,
        quality: template.quality,
        components: template.components,
        created_at: template.created_at,
    }
}
