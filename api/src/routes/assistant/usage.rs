//! `/v1/ai/usage`: what the assistants have used of their budgets.

use axum::{Json, extract::State};
use domain::{assistant::AssistantScope, money::Micros};
use jiff::civil::Date;
use serde::Serialize;
use store::settings::assistant::{self, AssistantUse};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What was used under settings of the assistant on the last day on which something was.
#[derive(Serialize, ToSchema)]
#[schema(as = AssistantUsage)]
struct UseView {
    /// Whose settings they are.
    #[schema(value_type = AssistantScope)]
    scope: &'static str,
    /// The id of the brand or the inbox; null for the company.
    #[schema(required)]
    target: Option<Uuid>,
    /// The day, in the company's zone: budgets begin anew with the next.
    #[schema(required)]
    day: Option<Date>,
    /// Answers that the model has written.
    #[schema(minimum = 0)]
    answers: i64,
    /// Tokens that it has read and written, for answers that were thrown away too.
    #[schema(minimum = 0)]
    tokens: i64,
    /// What the calls cost by the price in the settings, in millionths of its currency; without a
    /// price it is 0.
    #[schema(value_type = i64, minimum = 0)]
    cost_micros: Micros,
    /// Calls of the company's tools.
    #[schema(minimum = 0)]
    tool_calls: i64,
}

fn view(used: AssistantUse) -> UseView {
    UseView {
        scope: used.scope.as_str(),
        target: (used.scope != AssistantScope::Company).then_some(used.target),
        day: used.day,
        answers: used.answers,
        tokens: used.tokens,
        cost_micros: used.cost,
        tool_calls: used.tool_calls,
    }
}

/// `GET /v1/ai/usage`, for every role: what was used of the assistants' budgets of a day, in pages,
/// the company's first. Of settings under which no model was ever asked there is no row.
#[utoipa::path(
    get, path = "/v1/ai/usage", tag = "settings", operation_id = "list_assistant_usage",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of what was used.", body = Page<UseView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<UseView>>, Problem> {
    let is_first = paging.after_text()?.is_none();
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let after = (!is_first).then_some(after);
    let found = assistant::used(&mut tx, &caller.tenant, after, limit).await?;
    let page = found.into_iter().map(view).collect();
    Ok(Json(Page::new(page, limit, |one| one.target.unwrap_or_default())))
}
