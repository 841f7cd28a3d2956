//! `/v1/contacts/bulk`: up to 1,000 contacts at once, each with its own result.

use std::collections::HashMap;

use axum::{http::StatusCode, response::Response};
use domain::{ids::ContactId, phone::PhoneNumber};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use store::recipients::consent::ConsentMethod;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{EditContacts, Needs},
    contacts::{self, Input, OVER_PLAN, Outcome, Raw, Recorder, Reference, Writing},
    document::{
        answers::{Always, OfBody},
        words::ContactOutcome,
    },
    http::{Creation, FieldError, Problem, body::decode_item, creation::IdempotencyKey},
};

/// How many contacts one request may hold.
const MOST: usize = 1_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Contacts to create or to add to, each by itself: one that is invalid stops no other.
#[derive(Deserialize, ToSchema)]
#[schema(as = BulkContacts)]
#[serde(deny_unknown_fields)]
struct Bulk {
    /// 1 to 1,000 contacts; of several with one number the first is taken.
    #[schema(value_type = Vec<Raw>, min_items = 1, max_items = 1000)]
    contacts: Vec<Box<RawValue>>,
}

/// What became of the contacts of a request.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = BulkResult)]
struct Answer {
    /// Contacts that were not known before.
    #[schema(value_type = u32, maximum = 1000)]
    created: usize,
    /// Contacts to which something was added.
    #[schema(value_type = u32, maximum = 1000)]
    updated: usize,
    /// Contacts to which nothing was added.
    #[schema(value_type = u32, maximum = 1000)]
    unchanged: usize,
    /// Items whose number an item before them has.
    #[schema(value_type = u32, maximum = 1000)]
    duplicate: usize,
    /// Items of which nothing was taken, as they are wrong or the company's plan has no room.
    #[schema(value_type = u32, maximum = 1000)]
    invalid: usize,
    /// One for each item, in the order of the request.
    results: Vec<Row>,
}

/// What became of one contact of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRow)]
struct Row {
    /// The item's place in the request, from 0.
    #[schema(value_type = u32, maximum = 999)]
    index: usize,
    #[schema(value_type = ContactOutcome)]
    outcome: &'static str,
    /// The contact; none of an item that is invalid.
    #[schema(required)]
    id: Option<Uuid>,
    /// What is wrong with the item.
    errors: Vec<FieldError>,
}

/// A contact of the request, read.
enum Item {
    /// The person with this number.
    Person(PhoneNumber),
    /// One whose number the contact at index `first` has.
    Duplicate {
        number: PhoneNumber,
        first: usize,
    },
    Invalid(Vec<FieldError>),
}

/// `POST /v1/contacts/bulk`, for every role but viewer: creates up to 1,000 contacts, or adds to
/// those with their numbers. Answers 200 with a result for each, in the order of the request.
#[utoipa::path(
    post, path = "/v1/contacts/bulk", tag = "contacts", operation_id = "create_contacts",
    security(("bearer" = [EditContacts::NAME])),
    params(IdempotencyKey),
    request_body(content = Bulk, example = json!({
        "contacts": [
            { "phone": "+12125550125", "first_name": "Bo" },
            { "phone": "+12125550126", "language": "es", "time_zone": "America/New_York" },
        ],
    })),
    responses(
        (status = 200, description = "A result for each item.", body = Answer), Always, OfBody,
    ),
)]
async fn create(mut new: Creation<EditContacts, Bulk>) -> Result<Response, Problem> {
    // check
    let contacts = std::mem::take(&mut new.body.contacts);
    if !(1..=MOST).contains(&contacts.len()) {
        return Err(Problem::field("contacts", "out_of_range", "1 to 1000 contacts"));
    }
    let reference = Reference::of(&new.tenant, new.now);
    let (items, people) = read(&contacts, &reference, &new.caller.subject);

    // decide and record
    let by = Recorder::of(&new.caller, new.now, ConsentMethod::Api);
    let outcomes = contacts::apply(&mut new.tx, &by, &people, Writing::Yes).await?;

    // answer
    let answer = answer(&by, items, &outcomes);
    new.finish(StatusCode::OK, &answer).await
}

/// Reads the contacts one by one: what each is, and the people among them in the same order. Of
/// several with one number the first is taken.
fn read(contacts: &[Box<RawValue>], reference: &Reference, by: &str) -> (Vec<Item>, Vec<Input>) {
    let mut seen: HashMap<PhoneNumber, usize> = HashMap::new();
    let (mut items, mut people) = (Vec::with_capacity(contacts.len()), Vec::new());
    for (index, contact) in contacts.iter().enumerate() {
        let evidence = json!({ "by": by, "index": index });
        let read = decode_item::<Raw>(contact.get().as_bytes())
            .and_then(|raw| contacts::read(raw, reference, evidence));

        items.push(match read {
            Err(errors) => Item::Invalid(errors),
            Ok(input) => {
                let number = input.number;
                let first = *seen.entry(number).or_insert(index);
                if first == index {
                    people.push(input);
                    Item::Person(number)
                } else {
                    Item::Duplicate { number, first }
                }
            }
        });
    }
    (items, people)
}

/// The rows in the order of the request. `outcomes` are those of the persons among the items.
fn answer(by: &Recorder, items: Vec<Item>, outcomes: &[Outcome]) -> Answer {
    let id = |number: PhoneNumber| Some(ContactId::of(&by.tenant, number.as_str()).0);
    let mut answer = Answer::default();
    let mut outcomes = outcomes.iter();

    for (index, item) in items.into_iter().enumerate() {
        let (count, outcome, id, errors) = match item {
            Item::Invalid(errors) => (&mut answer.invalid, "invalid", None, errors),
            Item::Duplicate { number, first } => {
                let detail = format!("contacts[{first}] has the same number");
                let error = FieldError { field: "phone".into(), code: "duplicate", detail };
                (&mut answer.duplicate, "duplicate", id(number), vec![error])
            }
            Item::Person(number) => match outcomes.next() {
                Some(Outcome::Created) => (&mut answer.created, "created", id(number), Vec::new()),
                Some(Outcome::Updated) => (&mut answer.updated, "updated", id(number), Vec::new()),
                Some(Outcome::Unchanged) | None => {
                    (&mut answer.unchanged, "unchanged", id(number), Vec::new())
                }
                Some(Outcome::OverPlan) => {
                    let (field, detail) = (String::new(), OVER_PLAN.to_owned());
                    let error = FieldError { field, code: "too_many", detail };
                    (&mut answer.invalid, "invalid", None, vec![error])
                }
            },
        };
        *count += 1;
        answer.results.push(Row { index, outcome, id, errors });
    }
    answer
}
