//! `/v1/consent/reviews`: texts that were taken for an opt-out by other words than a keyword. They
//! stop at once; here a person says whether they were one.

use axum::{Json, extract::State};
use domain::{address::Address, ids::ContactId, message::class::Channel};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    outbox::insert,
    recipients::{
        consent::{self, Action, ConsentChange, ConsentMethod, PriorStatus, Proof},
        reviews::{self, Review, ReviewDecision, ReviewFilter},
    },
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{Event, EventKind, event::ContactData};

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditContacts, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Errors, Id, Kind, Page, Paging, Problem, Query, time_and_id},
    ids, outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(decide))
}

/// A text that was taken for an opt-out by other words than a keyword.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsentReview)]
struct ReviewView {
    /// Its id, also of its line in the person's ledger of consent.
    id: Uuid,
    /// The person's number.
    #[schema(example = json!(examples::PHONE))]
    phone: String,
    contact_id: ContactId,
    channel: Channel,
    /// What the person wrote; null where it is not kept.
    #[schema(required)]
    text: Option<String>,
    /// Why it was taken for an opt-out: the rule of the lexicon, its language first.
    #[schema(required, example = "en:phrase:leave me|us alone")]
    rule: Option<String>,
    /// The program that it has stopped; null: everything.
    #[schema(required)]
    program: Option<String>,
    /// When it came.
    at: Timestamp,
    /// What a person has decided; null while nobody has.
    #[schema(required, value_type = Option<ReviewDecision>)]
    decision: Option<&'static str>,
    /// When it was decided.
    #[schema(required)]
    decided_at: Option<Timestamp>,
    /// Who decided, `key:` or `user:` and their id.
    #[schema(required)]
    decided_by: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those of this number alone.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    phone: Option<String>,
    /// Those that are decided (`true`), or those that wait for somebody (`false`).
    #[param(example = false)]
    decided: Option<bool>,
    /// Those that came at this instant or later.
    #[param(example = "2026-01-01T00:00:00Z")]
    since: Option<Timestamp>,
}

/// A decision about a text.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewReviewDecision)]
#[serde(deny_unknown_fields)]
struct NewDecision {
    /// `opted_out`: it was an opt-out, which stands. `dismissed`: it was none, and what it has
    /// stopped goes on, unless the person had left before it, has since, or has at another address.
    #[schema(value_type = ReviewDecision)]
    decision: String,
}

/// `GET /v1/consent/reviews?phone=&decided=&since=`, for every role: texts that were taken for an
/// opt-out by other words than a keyword, in pages, the latest first.
#[utoipa::path(
    get, path = "/v1/consent/reviews", tag = "consent", operation_id = "list_consent_reviews",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses((status = 200, description = "A page of texts.", body = Page<ReviewView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<ReviewView>>, Problem> {
    // check
    let (before, limit) = (paging.after_time_and_id()?, paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let (phone, home) = (wanted.phone.as_deref(), tenant.country.parse().ok());
    let mut errors = Errors::default();
    let number = phone.and_then(|phone| fields::number("phone", phone, home, &mut errors));
    errors.done()?;

    // load
    let (decided, since) = (wanted.decided, wanted.since);
    let address = number.as_ref().map(|number| number.as_str());
    let filter = ReviewFilter { id: None, address, decided, since };
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = reviews::list(&mut tx, &caller.tenant, &filter, before, limit).await?;

    // answer
    let found = found.into_iter().map(|review| view(&caller, review)).collect();
    Ok(Json(Page::new(found, limit, |one: &ReviewView| time_and_id(one.at, one.id))))
}

/// `POST /v1/consent/reviews/{id}/decision`, for every role but viewer: says whether the text was
/// an opt-out. Answers 200 with it, 404, or 409 where it was decided otherwise.
#[utoipa::path(
    post, path = "/v1/consent/reviews/{id}/decision", tag = "consent",
    operation_id = "decide_consent_review", security(("bearer" = [EditContacts::NAME])),
    params(("id" = Uuid, Path, description = "The text.", example = json!(examples::REVIEW))),
    request_body(content = NewDecision, example = json!({ "decision": "dismissed" })),
    responses(
        (status = 200, description = "The text, decided.", body = ReviewView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn decide(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Id(id): Id,
    Body(body): Body<NewDecision>,
) -> Result<Json<ReviewView>, Problem> {
    // check
    let decision = ReviewDecision::from_name(&body.decision);
    let words = "opted_out or dismissed";
    let decision = decision.ok_or_else(|| Problem::field("decision", "unknown", words))?;

    // load
    let (now, tenant) = (app.now(), caller.tenant.clone());
    let mut tx = app.transactions.begin(&tenant).await?;
    let review = load(&mut tx, &caller, id).await?;

    // record
    let by = caller.subject.as_str();
    if !reviews::decide(&mut tx, &tenant, id, (decision, now, by)).await? {
        let decided = load(&mut tx, &caller, id).await?;
        let same = decided.decided.as_ref().is_some_and(|(first, ..)| *first == decision);
        let detail = "it has been decided otherwise: add to the person's ledger of consent";
        let differs = || Problem::new(Kind::Conflict, detail);
        return if same { Ok(Json(view(&caller, decided))) } else { Err(differs()) };
    }
    let events = take_back(&mut tx, &caller, now, &review, decision).await?;
    insert(&mut tx, &events).await?;
    let detail = json!({ "consent": id, "decision": decision.as_str() });
    let subject = format!("number:{}", review.address);
    audit::note(&mut tx, &caller, now, "consent.reviewed", subject, detail).await?;
    let decided = load(&mut tx, &caller, id).await?;
    tx.commit().await?;

    // answer
    events.into_iter().for_each(|event| outbox::publish_soon(&app, event));
    Ok(Json(view(&caller, decided)))
}

/// The review of this id.
async fn load(tx: &mut Scoped, caller: &Caller, id: Uuid) -> Result<Review, Problem> {
    let filter = ReviewFilter { id: Some(id), ..ReviewFilter::default() };
    let found = reviews::list(tx, &caller.tenant, &filter, None, 1).await?.pop();
    found.ok_or_else(|| Problem::not_found("text under review"))
}

/// Takes back what a text that was no opt-out has stopped, as of the instant at which it came: what
/// the person has said since, or at another address, stands. Answers the events of the decision.
async fn take_back(
    tx: &mut Scoped,
    caller: &Caller,
    now: Timestamp,
    review: &Review,
    decision: ReviewDecision,
) -> Result<Vec<Event>, Problem> {
    let mut events =
        vec![event(EventKind::ContactReviewed, caller, review, now, decision.as_str())];
    let was_out = match review.program {
        None => review.previous == Some(PriorStatus::OptedOut),
        Some(_) => review.previous.is_some_and(|status| {
            matches!(status, PriorStatus::OptedOut | PriorStatus::ProgramStopped)
        }),
    };
    let Ok(address) = review.address.parse::<Address>() else { return Ok(events) };
    if decision == ReviewDecision::OptedOut
        || was_out
        || reviews::is_stopped_elsewhere(tx, &caller.tenant, review).await?
    {
        return Ok(events);
    }

    let change = ConsentChange {
        tenant: caller.tenant.id().clone(),
        consent_id: ids::fresh(),
        address,
        channel: review.channel,
        action: Action::Restore,
        program: review.program.clone(),
        stops: None,
        method: ConsentMethod::Api,
        language: None,
        source: Some("review: no opt-out".to_owned()),
        proof: Proof { inbound_id: Some(review.id), ..Proof::default() },
        evidence: json!({ "by": caller.subject, "review": review.id }),
        at: review.at,
        recorded_by: caller.subject.clone(),
    };
    consent::record(tx, now, std::slice::from_ref(&change)).await?;
    let is_overtaken = !consent::overtaken(tx, &[&change]).await?.is_empty();
    if !is_overtaken && review.program.is_none() {
        events.push(event(EventKind::ContactOptedIn, caller, review, now, "api"));
    }
    Ok(events)
}

fn event(kind: EventKind, caller: &Caller, review: &Review, now: Timestamp, cause: &str) -> Event {
    let contact = ContactId::of(&caller.tenant, &review.address);
    let data = ContactData { contact, cause: cause.to_owned(), campaign: None, merged: None };
    Event::new(kind, &caller.tenant, review.id, 1, now, &data)
}

fn view(caller: &Caller, review: Review) -> ReviewView {
    let (decision, decided_at, decided_by) = match review.decided {
        Some((decision, at, by)) => (Some(decision.as_str()), Some(at), Some(by)),
        None => (None, None, None),
    };
    ReviewView {
        id: review.id,
        contact_id: ContactId::of(&caller.tenant, &review.address),
        phone: review.address,
        channel: review.channel,
        text: review.text,
        rule: review.rule,
        program: review.program,
        at: review.at,
        decision,
        decided_at,
        decided_by,
    }
}
