//! `/v1/contacts/bulk`: up to 1,000 contacts at once, each with its own result.

use std::collections::HashMap;

use axum::{Router, http::StatusCode, response::Response, routing::post};
use domain::{ids::ContactId, phone::PhoneNumber};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use store::recipients::consent::ConsentMethod;
use uuid::Uuid;

use crate::{
    app::App,
    contacts::{self, Outcome, Raw, Recorder},
    http::{Creation, FieldError, Problem, body::locate},
};

/// How many at once.
const MOST: usize = 1_000;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/contacts/bulk", post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bulk {
    contacts: Vec<Box<RawValue>>,
}

#[derive(Default, Serialize)]
struct Answer {
    created: usize,
    updated: usize,
    unchanged: usize,
    duplicate: usize,
    invalid: usize,
    results: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    index: usize,
    outcome: &'static str,
    id: Option<Uuid>,
    errors: Vec<FieldError>,
}

async fn create(mut new: Creation<Bulk>) -> Result<Response, Problem> {
    let contacts = std::mem::take(&mut new.body.contacts);
    if !(1..=MOST).contains(&contacts.len()) {
        return Err(Problem::field("contacts", "out_of_range", "1 to 1000 contacts"));
    }
    let tenant = new.tenant.clone();
    let home = tenant.country.parse().ok();
    let (mut inputs, mut fates) = (Vec::new(), Vec::with_capacity(contacts.len()));
    let mut seen: HashMap<PhoneNumber, usize> = HashMap::new();
    for (index, contact) in contacts.iter().enumerate() {
        let evidence = json!({ "by": new.caller.subject, "index": index });
        let read = serde_json::from_str::<Raw>(contact.get())
            .map_err(|_| vec![locate::<Raw>(contact.get().as_bytes())])
            .and_then(|raw| contacts::read(raw, home, evidence));
        fates.push(read.map(|input| {
            let first = *seen.entry(input.number).or_insert(index);
            let id = ContactId::of(&tenant.id, input.number.as_str()).0;
            if first == index {
                inputs.push(input);
            }
            (id, first)
        }));
    }
    let by = Recorder {
        tenant: new.caller.tenant.clone(),
        now: new.now,
        method: ConsentMethod::Api,
        by: new.caller.subject.clone(),
    };
    let outcomes = contacts::apply(&mut new.tx, &by, &inputs, true).await?;
    let answer = answer(fates, &outcomes);
    new.finish(StatusCode::OK, &answer).await
}

/// The rows in the order of the request.
fn answer(fates: Vec<Result<(Uuid, usize), Vec<FieldError>>>, outcomes: &[Outcome]) -> Answer {
    let mut answer = Answer::default();
    let mut outcomes = outcomes.iter();
    for (index, fate) in fates.into_iter().enumerate() {
        let row = |outcome, id, errors| Row { index, outcome, id, errors };
        let row = match fate {
            Err(errors) => {
                answer.invalid += 1;
                row("invalid", None, errors)
            }
            Ok((id, first)) if first != index => {
                answer.duplicate += 1;
                let detail = format!("contacts[{first}] has the same number");
                let error = FieldError { field: "phone".into(), code: "duplicate", detail };
                row("duplicate", Some(id), vec![error])
            }
            Ok((id, _)) => match outcomes.next() {
                Some(Outcome::Created) => {
                    answer.created += 1;
                    row("created", Some(id), Vec::new())
                }
                Some(Outcome::Updated) => {
                    answer.updated += 1;
                    row("updated", Some(id), Vec::new())
                }
                Some(Outcome::Unchanged) | None => {
                    answer.unchanged += 1;
                    row("unchanged", Some(id), Vec::new())
                }
            },
        };
        answer.results.push(row);
    }
    answer
}
