//! `/v1/ai/test`: what an assistant would answer. Nothing is sent, and nothing is recorded.

use std::{collections::BTreeMap, time::Duration, time::Instant};

use axum::{Json, extract::State};
use carriers::anthropic::{AiNextStep, AssistantQuestion, Consulted, MODEL, Toolbox};
use domain::{
    assistant::{
        AnswerDoubt, AssistantScope, AssistantSettings, Confidence, Cues, Foreword, ToolFailure,
        TurnSpeaker, judge, turns,
    },
    lexicon::wording,
    money::Micros,
    zones::Zone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::settings::assistant;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{scope::named, tool_trial::toolbox};
use crate::{
    app::App,
    auth::{Allowed, EditSettings, Needs},
    document::answers::{Always, OfBody},
    http::{Body, Errors, Problem},
};

/// The longest call of the model.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Seconds after which a model that gave no answer may be asked again.
const LATER: u64 = 5;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(test))
}

/// What an assistant is to be asked.
#[derive(Deserialize, ToSchema)]
#[schema(as = AssistantTest)]
#[serde(deny_unknown_fields)]
struct Trial {
    /// Whose assistant is asked: by its own settings, not by wider ones.
    #[schema(value_type = AssistantScope)]
    scope: String,
    /// The id of the brand or the inbox; none for the company.
    #[serde(default)]
    target: Option<Uuid>,
    /// What a person writes, text by text, without an answer in between.
    #[schema(min_items = 1, max_items = 20, min_length = 1, max_length = 2000)]
    texts: Vec<String>,
    /// What it goes by in this test; null: what is set.
    #[serde(default)]
    settings: Option<AssistantSettings>,
}

/// What an assistant would do.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = AssistantTested)]
struct Tested {
    /// What it would say; null where it would say nothing.
    #[schema(required)]
    reply: Option<String>,
    /// Where the answer is from, or why there is none: `answered`, `keyword` or `closed_answer`;
    /// `ai_off` where no AI is set up; all others give the conversation to a person.
    reason: &'static str,
    /// How surely the model's answer is right, by its own word: `high`, `medium` or `low`.
    #[schema(required)]
    confidence: Option<&'static str>,
    /// What the model has found out, by the settings' fields.
    qualification: BTreeMap<String, String>,
    /// What the model has looked up, in its order.
    lookups: Vec<LookupView>,
    /// The model that was asked; null where none was.
    #[schema(required)]
    model: Option<String>,
    /// Tokens that it read.
    input_tokens: u64,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// What the call cost by the price in the settings, in millionths of its currency; without a
    /// price it is 0.
    #[schema(value_type = i64)]
    cost_micros: Micros,
    /// Milliseconds from the question to the end of its answer.
    latency_ms: u64,
}

/// A call of a tool.
#[derive(Serialize, ToSchema)]
#[schema(as = AssistantLookup)]
struct LookupView {
    /// The tool, as the model has called it.
    tool: String,
    /// `found`, or why it has said nothing, as in a test of the tool; `unknown_tool` where there is
    /// none of this name, `no_time` where too little was left.
    outcome: &'static str,
}

/// `POST /v1/ai/test`, for admins and owners: what the assistant would answer to these texts now.
/// Nothing is sent and nothing is kept, but the model's provider bills its calls, and the company's
/// tools are called. Answers 200 with
/// the answer, or with why there is none; 503 where the model gives none.
#[utoipa::path(
    post, path = "/v1/ai/test", tag = "settings", operation_id = "test_assistant",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = Trial, example = json!({
        "scope": "company", "texts": ["Hi", "are you open on Saturday?"],
    })),
    responses(
        (status = 200, description = "What it would do.", body = Tested), Always, OfBody,
    ),
)]
async fn test(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<Trial>,
) -> Result<Json<Tested>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut errors = Errors::default();
    errors.check((1..=20).contains(&body.texts.len()), "texts", "out_of_range", "1 to 20 texts");
    for (index, text) in body.texts.iter().enumerate() {
        errors.text(&format!("texts[{index}]"), text, 1, 2_000);
    }
    for fault in body.settings.iter().flat_map(AssistantSettings::faults) {
        errors.add(&format!("settings.{}", fault.field), "out_of_range", fault.fits);
    }
    let asked = (body.scope.as_str(), body.target);
    let (scope, target) = named(&mut tx, &caller, asked, errors).await?;

    // load
    let settings = match body.settings {
        Some(settings) => settings,
        None => match assistant::get(&mut tx, &caller.tenant, scope, target).await? {
            Some(stored) => read(&stored.body)?,
            None => AssistantSettings::default(),
        },
    };
    drop(tx);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;

    // ask
    let zone = Zone::parse(&tenant.time_zone)
        .map_err(|_| Problem::unavailable("a newer version has set the company's zone", LATER))?;
    let last = wording(body.texts.last().map(String::as_str).unwrap_or_default());
    let said =
        |reply: &str, reason| Tested { reply: Some(reply.to_owned()), reason, ..Tested::default() };
    let silent = |reason| Tested { reason, ..Tested::default() };
    Ok(Json(match settings.foreword(&Cues::of(&settings), &last, app.now(), zone) {
        _ if !settings.enabled => silent("ai_off"),
        Foreword::Keyword(answer) => said(answer, "keyword"),
        Foreword::Escalated => silent("escalated"),
        Foreword::Closed(Some(answer)) => said(answer, "closed_answer"),
        Foreword::Closed(None) => silent("closed"),
        Foreword::None => ask(&app, &caller, &settings, &tenant.name, &body.texts).await?,
    }))
}

fn read(stored: &serde_json::Value) -> Result<AssistantSettings, Problem> {
    let settings = AssistantSettings::read(&stored.to_string());
    settings.ok_or_else(|| Problem::unavailable("a newer version has set these settings", LATER))
}

/// Asks the model once.
async fn ask(
    app: &App,
    caller: &Allowed<EditSettings>,
    settings: &AssistantSettings,
    company: &str,
    texts: &[String],
) -> Result<Tested, Problem> {
    let Some(client) = app.settings.ai.clone() else {
        return Ok(Tested { reason: "ai_off", ..Tested::default() });
    };
    let busy = |_| Problem::too_many("other tests of the assistant are under way", 1);
    let _permit = app.ai_trials.of(caller.tenant.as_str()).try_acquire_owned().map_err(busy)?;

    let turns = turns(texts.iter().map(|text| (TurnSpeaker::Person, text.as_str())));
    let begun = Instant::now();
    let conversation = AssistantQuestion { settings, company, turns: &turns, model: MODEL };
    let tools = toolbox(app, caller).await?;
    let tools = tools.as_ref().map(|(caller, tools)| Toolbox { caller, tools, from: None });
    let consulted = client.with_timeout(TIMEOUT).consult(conversation, tools).await;
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &consulted.answer {
        Ok(said) => Ok(tested(settings, said.as_ref(), &consulted, latency_ms)),
        Err(error) => {
            tracing::warn!(%error, "the AI gives a test no answer");
            Ok(match error.next_step() {
                AiNextStep::Retry { after } => {
                    let wait = after.map_or(LATER, |after| after.as_secs().max(1));
                    return Err(Problem::unavailable("the AI gives no answer", wait));
                }
                AiNextStep::StopAccount => Tested { reason: "ai_account", ..Tested::default() },
                AiNextStep::GiveUp => Tested { reason: "ai_refused", ..Tested::default() },
            })
        }
    }
}

fn tested(
    settings: &AssistantSettings,
    said: Option<&Value>,
    consulted: &Consulted,
    latency_ms: u64,
) -> Tested {
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let (read, written) = (number(consulted.input_tokens), number(consulted.output_tokens));
    let lookups = consulted.lookups.iter().map(|lookup| LookupView {
        tool: lookup.tool.clone(),
        outcome: lookup.failure.map_or("found", ToolFailure::as_str),
    });

    let mut tested = Tested {
        lookups: lookups.collect(),
        model: Some(consulted.model.clone()),
        input_tokens: consulted.input_tokens,
        output_tokens: consulted.output_tokens,
        cost_micros: settings.price.map_or(Micros::ZERO, |price| price.of(read, written)),
        latency_ms,
        ..Tested::default()
    };

    let judge = |said| judge(settings, &consulted.looked_up, said);
    match said.ok_or(AnswerDoubt::Unreadable).and_then(judge) {
        Ok(draft) => {
            tested.reason = "answered";
            tested.reply = Some(draft.body);
            tested.confidence = Some(Confidence::as_str(draft.confidence));
            tested.qualification = draft.qualification;
        }
        Err(doubt) => tested.reason = doubt.as_str(),
    }
    tested
}
