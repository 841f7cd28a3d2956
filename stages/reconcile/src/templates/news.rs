//! What carriers tell of templates, as it is in the requests of a batch.

use carriers::{Carrier, TemplateChange, TemplateNews};
use domain::ids::CarrierTemplateId;
use stage::{Cx, Fault};
use store::{
    Store,
    settings::carrier_templates::{self, AccountNews},
};
use wire::WebhookRequest;

/// Records what a batch tells of templates. Repeated, it changes nothing. What is told of an
/// account of the platform is nobody's: its templates are its operator's.
pub(crate) async fn tell(store: &Store, cx: &Cx, requests: &[WebhookRequest]) -> Result<(), Fault> {
    let told: Vec<AccountNews> = requests.iter().flat_map(of_request).collect();
    if told.is_empty() {
        return Ok(());
    }

    let mut tx = store.scoped(told.iter().map(|one| &one.tenant)).await?;
    carrier_templates::tell(&mut tx, &told, cx.machine).await?;
    tx.commit().await.map_err(store::fault)
}

fn of_request(request: &WebhookRequest) -> Vec<AccountNews> {
    let carrier = Carrier::from_name(&request.carrier);
    let Some((tenant, carrier)) = request.tenant.as_ref().zip(carrier) else { return Vec::new() };

    let told = |news: TemplateNews| {
        let TemplateNews { name, language, told, at } = news;
        let bare = AccountNews {
            tenant: tenant.clone(),
            account: request.account.clone(),
            template: CarrierTemplateId::of(tenant, &request.account, &name, &language),
            at: at.unwrap_or(request.received_at),
            state: None,
            quality: None,
            category: None,
        };
        match told {
            TemplateChange::State { state, status, reason } => {
                AccountNews { state: Some((state, status, reason)), ..bare }
            }
            TemplateChange::Quality(quality) => AccountNews { quality: Some(quality), ..bare },
            TemplateChange::Category(category) => AccountNews { category: Some(category), ..bare },
        }
    };
    carrier.read_template_news(&request.body).into_iter().map(told).collect()
}
