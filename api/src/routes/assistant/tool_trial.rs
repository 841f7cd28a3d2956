//! `/v1/ai/tools/{id}/test`: what a tool says to an input.

use std::{
    slice,
    time::{Duration, Instant},
};

use axum::{Json, extract::State};
use carriers::{CallableTool, ToolCallOf, ToolCaller};
use domain::{assistant::ToolFailure, ids::TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::settings::assistant_tools;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::tools::none;
use crate::{
    app::App,
    auth::{Allowed, Caller, EditSettings, Needs},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    http::{Body, Id, Problem},
};

/// The longest time for a call: no tool has more.
const WITHIN: Duration = Duration::from_secs(10);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(test))
}

/// What a tool is to be called with.
#[derive(Deserialize, ToSchema)]
#[schema(as = AssistantToolTest)]
#[serde(deny_unknown_fields)]
struct ToolTrial {
    /// Its input, as the model would give it.
    #[schema(value_type = Object)]
    input: Value,
}

/// What came of a call of a tool.
#[derive(Serialize, ToSchema)]
#[schema(as = AssistantToolTested)]
struct ToolTested {
    /// `found`, or why the tool has said nothing: `bad_input`, `not_allowed`, `unreachable`,
    /// `timed_out`, `refused` (no 2xx), `too_long` (more than 4 KiB), `unreadable` (no JSON).
    outcome: &'static str,
    /// What the model would read: what the tool said, between marks, or how it is told that the
    /// tool has failed.
    shown: String,
    /// How long it took, in milliseconds.
    latency_ms: u64,
}

/// `POST /v1/ai/tools/{id}/test`, for admins and owners: calls a tool once, without a model, and
/// says what came of it. `from` is null in what the tool gets. Answers 200 also where the tool has
/// failed; 404 where there is none; 429 where others are tried.
#[utoipa::path(
    post, path = "/v1/ai/tools/{id}/test", tag = "settings", operation_id = "test_assistant_tool",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = Uuid, Path, description = "The tool.", example = json!(examples::ASSISTANT_TOOL),
    )),
    request_body(content = ToolTrial, example = json!({ "input": { "order": "1042" } })),
    responses(
        (status = 200, description = "What came of it.", body = ToolTested),
        Always, OfBody, Missing,
    ),
)]
async fn test(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<ToolTrial>,
) -> Result<Json<ToolTested>, Problem> {
    // load
    caller.sees_all("the company's tools")?;
    let busy = |_| Problem::too_many("other tests of the assistant are under way", 1);
    let _permit = app.ai_trials.of(caller.tenant.as_str()).try_acquire_owned().map_err(busy)?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let stored = assistant_tools::get(&mut tx, &caller.tenant, id, false).await?;
    let stored = stored.ok_or_else(none)?;
    drop(tx);

    // call
    let begun = Instant::now();
    let called = match &app.settings.tools {
        Some(tools) => {
            let open = |sealed: &str| app.sealer.open_secret(sealed);
            let callable = CallableTool::of(stored.tool, stored.sealed_secret.as_deref(), open);
            let of = ToolCallOf { from: None, within: WITHIN };
            tools.call(&callable, &body.input, of).await
        }
        None => Err(ToolFailure::NotAllowed),
    };
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);

    // answer
    let (outcome, shown) = match called {
        Ok(result) => ("found", result.shown),
        Err(failure) => (failure.as_str(), failure.told().to_owned()),
    };
    Ok(Json(ToolTested { outcome, shown, latency_ms }))
}

/// The tools of a tenant that can be called now, and what calls them; none where nothing does.
pub(super) async fn toolbox<'a>(
    app: &'a App,
    caller: &Caller,
) -> Result<Option<(&'a ToolCaller, Vec<CallableTool>)>, Problem> {
    let Some(calls) = &app.settings.tools else { return Ok(None) };
    let tenant: &TenantId = &caller.tenant;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut tools = assistant_tools::of_tenants(&mut tx, slice::from_ref(tenant)).await?;
    let tools = tools.remove(tenant).unwrap_or_default();
    let open = |sealed: &str| app.sealer.open_secret(sealed);
    Ok(Some((calls, calls.callable(&tools, open))))
}
