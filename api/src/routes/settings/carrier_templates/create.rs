//! `POST /v1/carrier-templates`: asks a carrier to keep and review a template. The wish is recorded
//! before the carrier is asked, so that none is lost: what came of one whose answer is lost tells
//! the carrier's list of the account's templates.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use carriers::{CarrierTemplateError, Client, NewCarrierTemplate};
use domain::{
    carrier_template::{KeptTemplate, ReviewState, TemplateComponents},
    draft::CarrierTemplate,
    ids::CarrierTemplateId,
};
use serde::Deserialize;
use serde_json::json;
use store::settings::carrier_templates::{
    self, NewTemplate, StoredCarrierTemplate, TemplateSubmission,
};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::{
    carrier::{of_account, permit},
    view::{CarrierTemplateView, view},
};
use crate::{
    app::App,
    audit,
    auth::{EditCampaigns, Needs, Reach},
    document::answers::{Always, Conflict, OfBody},
    http::{Creation, Errors, Kind, Problem, creation::IdempotencyKey},
};

/// How long after a call without an answer the account's list is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What templates that are made here may be for. The text of an `authentication` is the carrier's
/// own.
const CATEGORIES: [&str; 2] = ["marketing", "utility"];

/// A template to be reviewed.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCarrierTemplate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTemplateBody {
    /// The name of the carrier account that is to keep it.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "verified")]
    account: String,
    /// Its name at the carrier: one name may have several languages.
    #[schema(pattern = "^[a-z0-9_]{1,512}$", example = "order_shipped")]
    name: String,
    /// The language that it is in, as the carrier writes it.
    #[schema(pattern = "^[a-z]{2,3}(_[A-Za-z0-9]{2,4})?$", example = "en_US")]
    language: String,
    /// What it is for. One that signs people in is made at the carrier, whose own text it has.
    #[schema(value_type = NewTemplateCategory)]
    category: String,
    /// What it is made of.
    components: TemplateComponents,
}

/// What a template that is made here may be for.
struct NewTemplateCategory;

impl PartialSchema for NewTemplateCategory {
    fn schema() -> RefOr<Schema> {
        domain::schema::words("What a template that is made here is for.", CATEGORIES)
    }
}

impl ToSchema for NewTemplateCategory {
    fn name() -> std::borrow::Cow<'static, str> {
        "NewCarrierTemplateCategory".into()
    }
}

/// `POST /v1/carrier-templates`, for operators, admins and owners: asks the carrier of one of the
/// tenant's own accounts to keep a template and review it. Answers 202 once that is on record, with
/// the template as it is then; `GET /v1/carrier-templates/{id}` says what came of it. 409 where the
/// account has one of this name in this language, or 6,000 templates.
#[utoipa::path(
    post, path = "/v1/carrier-templates", tag = "settings",
    operation_id = "create_carrier_template", security(("bearer" = [EditCampaigns::NAME])),
    params(IdempotencyKey),
    request_body(content = NewTemplateBody, example = json!({
        "account": "verified", "name": "order_left", "language": "en_US", "category": "utility",
        "components": {
            "header": { "format": "text", "text": "Your order" },
            "body": {
                "text": "Hello {{1}}, order {{2}} has left our house.", "examples": ["Ana", "417"],
            },
            "footer": "Acme",
            "buttons": [{
                "type": "url", "text": "Follow it", "url": "https://example.com/orders/{{1}}",
                "example": "https://example.com/orders/417",
            }],
        },
    })),
    responses(
        (status = 202, description = "The wish is on record.", body = CarrierTemplateView),
        Always, OfBody, Conflict,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    mut new: Creation<EditCampaigns, NewTemplateBody>,
) -> Result<Response, Problem> {
    // check
    new.caller.sees_all("a template of a carrier account")?;
    check(&new.body)?;
    let tenant = new.tenant.clone();
    let asked = of_account(&app, &mut new.tx, &tenant.id, &new.body.account).await?;
    let permit = permit(&app, &tenant.id)?;

    // record
    let (body, handle) = (&new.body, &asked.account.handle);
    let template = NewTemplate {
        id: CarrierTemplateId::of(&tenant.id, handle, &body.name, &body.language),
        account: handle.clone(),
        name: body.name.clone(),
        language: body.language.clone(),
        category: body.category.clone(),
        components: body.components.clone(),
    };
    let (now, machine) = (new.now, stage::machine::now());
    let submitted =
        carrier_templates::submit(&mut new.tx, &tenant.id, &template, now, machine).await?;
    let begun = match submitted {
        TemplateSubmission::Begun(template) => *template,
        TemplateSubmission::Exists(state) => {
            let detail = format!("the account has this template: it is {}", state.as_str());
            return Err(Problem::new(Kind::Conflict, detail));
        }
        TemplateSubmission::Full => {
            let most = carrier_templates::MOST;
            let detail = format!("the account has {most} templates: delete some first");
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    let (caller, subject) = (new.caller.clone(), format!("carrier_template:{}", begun.id));
    let detail = json!({
        "account": begun.account_name, "name": begun.name, "language": begun.language,
        "category": begun.category,
    });
    audit::note(&mut new.tx, &caller, now, "carrier_template.created", subject, detail).await?;
    let answer = new.finish(StatusCode::ACCEPTED, &view(begun.clone())).await?;

    // say: the review is asked for whether or not the caller waits
    let working = app.clone();
    app.background.spawn(async move {
        carry_out(&working, &caller.tenant, &asked.client, begun, permit).await;
    });
    Ok(answer)
}

/// Says of all fields at once what is wrong.
fn check(body: &NewTemplateBody) -> Result<(), Problem> {
    let mut errors = Errors::default();
    for fault in CarrierTemplate::new(&body.name, &body.language, &[]).err().into_iter().flatten() {
        errors.add(&fault.field(), "invalid", fault.to_string());
    }
    let is_known = CATEGORIES.contains(&body.category.as_str());
    errors.check(is_known, "category", "unknown", "marketing or utility");
    for fault in body.components.faults() {
        errors.add(&format!("components.{}", fault.field), "invalid", fault.detail);
    }
    errors.done()
}

/// Asks the carrier once, and records what it said.
async fn carry_out(
    app: &App,
    tenant: &Reach,
    client: &Client,
    template: StoredCarrierTemplate,
    permit: OwnedSemaphorePermit,
) {
    let new = NewCarrierTemplate {
        name: &template.name,
        language: &template.language,
        category: &template.category,
        components: &template.components,
    };
    let reply = client.create_template(&new).await;
    drop(permit);

    let (settled, is_open) = match reply {
        Ok(kept) => (taken(&template, kept), false),
        Err(error) => match failed(&template, &error) {
            Some(failed) => (failed, false),
            None => {
                tracing::warn!(%tenant, %error, "whether a template was made is not known");
                (template, true)
            }
        },
    };

    // Without the database it stays as it is, and the account's list settles it.
    let noted = async {
        let mut tx = app.transactions.begin(tenant).await?;
        carrier_templates::settle(&mut tx, tenant, &settled).await?;
        if is_open {
            let due = stage::machine::now() + LOOK;
            carrier_templates::ask(&mut tx, tenant, &settled.account, due).await?;
        }
        tx.commit().await.map_err(Problem::from)
    };
    if let Err(problem) = noted.await {
        tracing::warn!(%tenant, %problem, "what came of a template is not recorded");
    }
}

/// The template as the carrier has taken it.
fn taken(template: &StoredCarrierTemplate, kept: KeptTemplate) -> StoredCarrierTemplate {
    StoredCarrierTemplate {
        state: kept.state,
        status: Some(kept.status),
        reason: kept.reason,
        category: kept.category,
        carrier_id: Some(kept.id),
        ..template.clone()
    }
}

/// The template as the carrier has not taken it; none where that is not known.
fn failed(
    template: &StoredCarrierTemplate,
    error: &CarrierTemplateError,
) -> Option<StoredCarrierTemplate> {
    match error {
        CarrierTemplateError::Unavailable(_) => None,
        CarrierTemplateError::Refused { .. }
        | CarrierTemplateError::Throttled { .. }
        | CarrierTemplateError::NoConnection
        | CarrierTemplateError::TooMany(_)
        | CarrierTemplateError::NotOffered => Some(StoredCarrierTemplate {
            state: ReviewState::Failed,
            reason: Some(error.to_string()),
            ..template.clone()
        }),
    }
}
