//! `POST /v1/explain`: what the gates would say about a message, each of them, and in one sentence.
//! Nothing is sent and nothing is written.

mod said;

use std::iter::once;

use axum::{Json, extract::State};
use domain::{
    address::Address,
    draft::{self, Content, Draft, DraftRequest, From, Origin, Person},
    gates::{Candidate, Counters, Decision, Gate, Memo, Verdict, counter_keys, examine},
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Stamp,
    },
    money::Money,
    zones::{Evidence, Zone},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    campaigns::{self, Campaign},
    capacity::counters,
    drafts,
    settings::tenants::Tenant,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::said::{channel_of, class_of, content};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, OfBody},
        examples,
    },
    dry_run::{
        self, GateView, Outcome, instant,
        sentence::{self, Grounds, Mood},
    },
    fields,
    http::{Body, Errors, Problem, view::money},
    submit::{
        carrier_template::CarrierTemplateRef,
        kept,
        message::{NewMessageChannel, NewMessageClass, address},
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// A message that is not sent: what would become of it is asked.
#[derive(Deserialize, ToSchema)]
#[schema(as = ExplanationRequest)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The person's number, in E.164 or as people of the tenant's country write it; on `whatsapp`
    /// also the carrier's id for somebody who hides their number.
    #[serde(default)]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    #[schema(example = json!(examples::PHONE))]
    to: Option<String>,
    /// The text. With a campaign: instead of what the campaign would say.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4096)]
    body: Option<String>,
    /// Instead of a body, on `whatsapp`: a template that the carrier keeps.
    #[serde(default)]
    carrier_template: Option<CarrierTemplateRef>,
    /// How it would travel; `sms` where it is not said. With a campaign: its own, and may be left
    /// out.
    #[serde(default)]
    #[schema(value_type = Option<NewMessageChannel>)]
    channel: Option<String>,
    /// What it is for. With a campaign: its own, and may be left out.
    #[serde(default)]
    #[schema(value_type = Option<NewMessageClass>)]
    class: Option<String>,
    /// The campaign that it would belong to.
    #[serde(default)]
    campaign: Option<Uuid>,
    /// Where the person is supposed to be; none: what is on file of them decides.
    #[serde(default)]
    contact: Option<Whereabouts>,
    /// The instant at which the gates would be asked; none: now.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    at: Option<String>,
}

/// Where a person is supposed to be, instead of what is on file: what is left out is not known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Whereabouts {
    /// An IANA zone, such as `America/New_York`, or an abbreviation of the United States.
    #[serde(default)]
    #[schema(max_length = 100)]
    timezone: Option<String>,
    /// A postal code of the number's country.
    #[serde(default)]
    #[schema(max_length = 100)]
    postal_code: Option<String>,
    /// A state of the number's country, such as `FL` or `US-FL`.
    #[serde(default)]
    #[schema(max_length = 100)]
    state: Option<String>,
}

/// A question that is right.
struct Asked {
    to: Address,
    class: MessageClass,
    channel: Channel,
    content: Content,
    campaign: Option<Campaign>,
    from: From,
    whereabouts: Option<Whereabouts>,
    at: Timestamp,
}

/// What would become of a message, and why.
#[derive(Serialize, ToSchema)]
struct Explanation {
    /// The instant that it is told for.
    at: Timestamp,
    /// What the gates would decide; `fail` where the text cannot be made.
    #[schema(value_type = Outcome)]
    verdict: String,
    /// The gate that would decide; null where none would.
    #[schema(required)]
    gate: Option<Gate>,
    /// The reason, for programs.
    #[schema(required)]
    code: Option<String>,
    /// The reason in English.
    #[schema(required)]
    reason: Option<String>,
    /// Until when it would wait; of a block from when on the gate would pass; of an admission until
    /// when it may be called.
    #[schema(required)]
    until: Option<Timestamp>,
    /// The whole in one English sentence.
    sentence: String,
    /// The version of the policy that the gates went by.
    #[schema(required)]
    policy_version: Option<i64>,
    /// The sender of an admission.
    #[schema(required)]
    sender_id: Option<SenderId>,
    /// Of an admission: no call may begin that could end after this instant.
    #[schema(required)]
    sendable_until: Option<Timestamp>,
    /// What each gate says, in their order; empty where the text cannot be made.
    gates: Vec<GateView>,
    /// The IANA zones that the person may be in.
    timezones: Vec<&'static str>,
    /// What the time zones rest on.
    evidence: Evidence,
    /// Segments of the text; 0 where it cannot be made.
    segments: u16,
    /// What the text would cost.
    cost: Money,
}

/// `POST /v1/explain`, for every role: what each gate would say about a message, at an instant.
/// Answers 200, also where the message would not be sent.
#[utoipa::path(
    post, path = "/v1/explain", tag = "messages", operation_id = "explain_message",
    security(("bearer" = [Read::NAME])),
    request_body(content = Question, example = json!({
        "to": examples::PHONE, "class": "promo", "body": "Spring sale: 20% off until Sunday.",
        "at": "2026-05-01T16:00:00Z",
    })),
    responses(
        (status = 200, description = "What would become of it.", body = Explanation),
        Always, OfBody,
    ),
)]
async fn explain(
    State(app): State<App>,
    caller: Allowed<Read>,
    Body(question): Body<Question>,
) -> Result<Json<Explanation>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let asked = check(&mut tx, &tenant, question, app.now()).await?;

    // load and decide
    let draft = drafted(&mut tx, &tenant.id, &asked).await?;
    if let Some(code) = draft.failed {
        return failed(&asked, &draft, code, &tenant.currency).map(Json);
    }
    let decision = decision(&mut tx, &tenant.id, &asked, &draft).await?;

    // answer
    let stamp = decision.stamp(asked.at);
    Ok(Json(view(&asked, &draft, stamp, Some(decision), &tenant.currency)))
}

/// Reads every field, and says of all of them at once what is wrong.
async fn check(
    tx: &mut Scoped,
    tenant: &Tenant,
    question: Question,
    now: Timestamp,
) -> Result<Asked, Problem> {
    let mut errors = Errors::default();
    let campaign = match question.campaign {
        None => None,
        Some(id) => campaigns::get(tx, &tenant.id, CampaignId(id), false).await?,
    };

    let channel = channel_of(question.channel.as_deref(), campaign.as_ref(), &mut errors);
    let to = fields::required("to", question.to.as_deref(), &mut errors);
    let home = tenant.country.parse().ok();
    let to = to.and_then(|to| address(to, channel, home, &mut errors));
    let channel = channel.unwrap_or_default();
    let is_known = question.campaign.is_none() || campaign.is_some();
    errors.check(is_known, "campaign", "not_found", "no campaign with this id");
    let class = class_of(question.class.as_deref(), campaign.as_ref(), &mut errors);
    let said = (question.body, question.carrier_template);
    let content = content(said, question.campaign.is_some(), (class, channel), &mut errors);
    if let (Some(contact), Some(to)) = (&question.contact, &to) {
        check_whereabouts(contact, to, &mut errors);
    }
    let at = instant(question.at.as_deref(), &mut errors).unwrap_or(now);

    let from = campaign.as_ref().map_or(From::Any, |campaign| From::Pool(campaign.pool));
    if let Some(Content::Carrier(template)) = &content
        && let Some(why) = kept::unsendable(tx, &tenant.id, template, &from).await?
    {
        errors.add("carrier_template", why.code, why.detail);
    }
    let (Some(to), Some(class), Some(content), true) = (to, class, content, errors.is_empty())
    else {
        return Err(Problem::invalid(errors.into_vec()));
    };
    let whereabouts = question.contact;
    Ok(Asked { to, class, channel, content, campaign, from, whereabouts, at })
}

/// Refuses what cannot be read: it would count as not known, and the caller would not notice.
fn check_whereabouts(contact: &Whereabouts, to: &Address, errors: &mut Errors) {
    if let Some(Err(why)) = contact.timezone.as_deref().map(Zone::read) {
        errors.add("contact.timezone", "unknown", why.to_string());
    }

    let evidence = |person: Person| draft::place(to, &person, None).evidence;
    if let Some(code) = &contact.postal_code {
        let person = Person { postal_code: Some(code.clone()), ..Person::default() };
        let known = evidence(person) == Evidence::PostalCode;
        let detail = "a postal code of the number's country";
        errors.check(known, "contact.postal_code", "unknown", detail);
    }
    if let Some(state) = &contact.state {
        let person = Person { region: Some(state.clone()), ..Person::default() };
        let known = evidence(person) == Evidence::State;
        let detail = "a state of the number's country, such as FL or US-FL";
        errors.check(known, "contact.state", "unknown", detail);
    }
}

impl Asked {
    fn origin<'a>(&'a self, tenant: &'a TenantId) -> Origin<'a> {
        let campaign = self.campaign.as_ref().map(|campaign| campaign.id);
        Origin { tenant, campaign, content: &self.content, from: &self.from }
    }
}

/// The message as enrich would make it.
async fn drafted(tx: &mut Scoped, tenant: &TenantId, asked: &Asked) -> Result<Draft, Problem> {
    let contact = ContactId::of(tenant, asked.to.as_str());
    let fields = asked.content.is_template();
    let people = [(contact, &asked.to)];
    let found = dry_run::people(tx, tenant, asked.channel, &people, fields).await?.pop();
    let mut person = found.and_then(|found| found.contact).unwrap_or_default();
    if let Some(contact) = &asked.whereabouts {
        person.time_zone.clone_from(&contact.timezone);
        person.postal_code.clone_from(&contact.postal_code);
        person.region.clone_from(&contact.state);
    }

    let origin = asked.origin(tenant);
    let (class, channel) = (asked.class, asked.channel);
    let supplies = drafts::supplies(tx, asked.at, once((origin, channel))).await?;
    let request = DraftRequest { class, channel, to: &asked.to, origin };
    draft::draft(&request, contact, &person, &supplies).ok_or_else(|| Problem::not_found("tenant"))
}

/// What every gate says. A message of no campaign has no id yet: a deferral is told for the first
/// instant of its window, where real ones are spread over the first minutes.
async fn decision(
    tx: &mut Scoped,
    tenant: &TenantId,
    asked: &Asked,
    draft: &Draft,
) -> Result<Decision, Problem> {
    // load
    let candidate = candidate(tenant, asked, draft);
    let drafts = once((&asked.to, draft));
    let kind = (asked.class, asked.channel);
    let mut facts = dry_run::facts(tx, tenant, kind, candidate.campaign, drafts).await?;
    // Of somebody new nothing is known, as enrich would write them down.
    facts.recipients.entry(candidate.recipient()).or_default();

    let mut memo = Memo::new(asked.at);
    let keys = counter_keys(&candidate, &facts, &mut memo);
    let used = counters::peek(tx, &keys).await?;
    let mut counters = Counters::default();
    keys.into_iter().zip(used).for_each(|(key, used)| counters.load(key, used));

    // decide
    Ok(examine(&candidate, &facts, &mut counters, &mut memo))
}

/// The message as the gates see it.
fn candidate<'a>(tenant: &'a TenantId, asked: &'a Asked, draft: &'a Draft) -> Candidate<'a> {
    let campaign = asked.campaign.as_ref().map(|campaign| campaign.id);
    let contact = ContactId::of(tenant, asked.to.as_str());
    let id = campaign.map(|campaign| MessageId::from_campaign(campaign, contact, 0));
    let validity = asked.campaign.as_ref().and_then(|campaign| campaign.validity_seconds);
    let validity = validity.map(|seconds| SignedDuration::from_secs(seconds.into()));

    Candidate {
        id: id.unwrap_or(MessageId(Uuid::nil())),
        tenant,
        class: asked.class,
        channel: asked.channel,
        is_carrier_template: draft.carrier.is_some(),
        address: &asked.to,
        campaign,
        submitted_at: asked.at,
        on_late: None,
        expires_at: validity.and_then(|validity| asked.at.checked_add(validity).ok()),
        cost: draft.cost,
        segments: draft.segments,
        placed: None,
        place: &draft.place,
        senders: &draft.senders,
    }
}

/// The answer about a text that cannot be made: the caller's own is wrong, the campaign's would
/// fail.
fn failed(
    asked: &Asked,
    draft: &Draft,
    code: draft::Code,
    currency: &str,
) -> Result<Explanation, Problem> {
    let reason = draft::reason(code);
    match asked.content {
        Content::Body(_) | Content::Media { .. } => Err(Problem::field("body", code, reason)),
        Content::Template { .. } | Content::Campaign | Content::Carrier(_) => {
            let stamp = Stamp {
                code: Some(code.into()),
                reason: Some(reason.into()),
                ..Stamp::plain("enrich", asked.at, "fail")
            };
            Ok(view(asked, draft, stamp, None, currency))
        }
    }
}

/// The explanation as callers read it.
fn view(
    asked: &Asked,
    draft: &Draft,
    stamp: Stamp,
    decision: Option<Decision>,
    currency: &str,
) -> Explanation {
    let grounds = Grounds::of(&stamp);
    let sentence = match decision.as_ref().map(|decision| &decision.verdict) {
        Some(Verdict::Admit { .. }) => sentence::admitted(Mood::Would),
        Some(Verdict::Defer { .. } | Verdict::AwaitPace { .. }) => {
            sentence::deferred(Mood::Would, &grounds)
        }
        Some(Verdict::Hold { .. }) => sentence::held(Mood::Would, &grounds),
        Some(Verdict::Block { .. }) => sentence::blocked(Mood::Would, &grounds),
        Some(Verdict::Expire { .. }) => sentence::expired(Mood::Would, &grounds),
        None => sentence::unmade(&grounds),
    };

    let admission = decision.as_ref().and_then(|decision| match decision.verdict {
        Verdict::Admit { sender, sendable_until } => Some((sender, sendable_until)),
        Verdict::Defer { .. }
        | Verdict::AwaitPace { .. }
        | Verdict::Hold { .. }
        | Verdict::Block { .. }
        | Verdict::Expire { .. } => None,
    });

    Explanation {
        at: asked.at,
        sentence,
        sender_id: admission.map(|(sender, _)| sender),
        sendable_until: admission.map(|(_, until)| until),
        gates: decision.map_or(Vec::new(), |decision| dry_run::gates(decision.gates)),
        verdict: stamp.verdict,
        gate: stamp.gate,
        code: stamp.code,
        reason: stamp.reason,
        until: stamp.until,
        policy_version: stamp.policy_version,
        timezones: draft.place.zones.as_slice().iter().map(|zone| zone.as_str()).collect(),
        evidence: draft.place.evidence,
        segments: draft.segments,
        cost: money(draft.cost, currency),
    }
}
