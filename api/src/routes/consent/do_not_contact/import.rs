//! `POST /v1/do-not-contact/import`: up to 10,000 numbers at once, as JSON or CSV, each with its
//! own outcome. Done again, it changes nothing.

use std::{collections::HashMap, fmt, io::Cursor};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{address::Address, country::Country, message::class::Channel};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::recipients::{
    consent::{self, Action, ConsentChange, ConsentMethod},
    list::{self, RecipientRow},
};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{EditContacts, Needs},
    delimited::{self, Census, Next, Table},
    document::{
        answers::{Always, OfBody},
        words::{DoNotContactFile, DoNotContactOutcome},
    },
    http::{
        Creation, Errors, FieldError, Kind, Problem,
        body::{decode_item, decode_list, is_type},
        creation::IdempotencyKey,
        wrong_fields::probe,
    },
    routes::consent::stop::{NewStop, Reach, Stop},
};

/// How many rows one request may hold.
const MOST: usize = 10_000;

/// How long the body may be, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// The rows as they are read; one that cannot be read keeps its place.
type Rows = Vec<(Place, Result<NewStop, Vec<FieldError>>)>;

/// A row that is right, with its reason, or what is wrong with it.
type Checked = Result<(Stop, String), Vec<FieldError>>;

/// Where a row stands: of a list from 0, of a file also in which line.
#[derive(Debug, Clone, Copy)]
struct Place {
    index: usize,
    line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "row {}", self.index),
        }
    }
}

/// Numbers to be put on the do-not-contact list.
#[derive(Deserialize, ToSchema)]
#[schema(as = DoNotContactImport)]
#[serde(deny_unknown_fields)]
struct Import {
    /// 1 to 10,000 numbers; one that is invalid stops no other.
    #[schema(value_type = Vec<NewStop>, min_items = 1, max_items = 10000)]
    rows: Vec<Box<RawValue>>,
}

/// What became of the rows of an import.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = DoNotContactImportResult)]
struct Answer {
    /// Rows whose number is on the list now, or stopped further than before.
    #[schema(value_type = u32, maximum = 10000)]
    created: usize,
    /// Rows that an earlier one or the list says already.
    #[schema(value_type = u32, maximum = 10000)]
    unchanged: usize,
    /// The lines that hold no number.
    #[schema(value_type = u32, maximum = 10000)]
    invalid: usize,
    /// One for each row, in the order of the request.
    results: Vec<Row>,
}

/// What became of one row of an import.
#[derive(Serialize, ToSchema)]
#[schema(as = DoNotContactImportRow)]
struct Row {
    /// The row's place in the request, from 0.
    #[schema(value_type = u32, maximum = 9999)]
    index: usize,
    /// Of a file: the line that the row begins in, as an editor shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<u64>,
    #[schema(value_type = DoNotContactOutcome)]
    outcome: &'static str,
    /// What is wrong with the row, or which earlier row says the same; left out where nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// `POST /v1/do-not-contact/import`, for every role but viewer: puts up to 10,000 numbers on the
/// do-not-contact list. Answers 200 with an outcome for each row, in their order. A repeat
/// changes nothing that is there.
#[utoipa::path(
    post, path = "/v1/do-not-contact/import", tag = "consent",
    operation_id = "import_do_not_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(IdempotencyKey),
    request_body(
        description = "4 MiB at most. CSV has columns in any order: `phone` and `reason`, and if \
            wanted `country`, `stops`, `channel`, `scope` and `program`. An empty cell counts as \
            not said.",
        content(
            (Import = "application/json", example = json!({
                "rows": [
                    { "phone": "+12125550127", "reason": "asked by letter" },
                    { "phone": "+12125550128", "reason": "wrong number", "stops": "all" },
                ],
            })),
            (inline(DoNotContactFile) = "text/csv", example =
                "phone,reason\n+12125550127,asked by letter\n"),
        ),
    ),
    responses(
        (status = 200, description = "An outcome for each row.", body = Answer), Always, OfBody,
    ),
)]
pub(super) async fn import(State(app): State<App>, request: Request) -> Response {
    match Creation::read(request, &app, LIMIT, rows).await {
        Ok(new) => apply(new).await.unwrap_or_else(Problem::into_response),
        Err(response) => response,
    }
}

async fn apply(mut new: Creation<EditContacts, Rows>) -> Result<Response, Problem> {
    // check
    let home: Option<Country> = new.tenant.country.parse().ok();
    let rows = std::mem::take(&mut new.body);
    let check = |row: NewStop| Ok((row.check(home)?, row.reason));
    let (places, rows): (Vec<Place>, Vec<Checked>) =
        rows.into_iter().map(|(place, row)| (place, row.and_then(check))).unzip();

    // load
    let known = recipients(&mut new, &rows).await?;

    // decide
    let (mut answer, mut changes) = (Answer::default(), Vec::new());
    let mut seen: HashMap<_, (Place, Reach)> = HashMap::new();
    for (place, row) in places.into_iter().zip(rows) {
        let (stop, reason) = match row {
            Ok(checked) => checked,
            Err(errors) => {
                answer.invalid(place, errors);
                continue;
            }
        };
        let earlier = seen.get(&stop.subject()).filter(|(_, reach)| *reach >= stop.reach);
        let earlier = earlier.map(|(place, _)| *place);
        let before = known.get(&(stop.address.to_string(), stop.channel));
        if let Some(first) = earlier {
            let detail = format!("{first} says the same");
            let error = FieldError { field: "phone".into(), code: "duplicate", detail };
            answer.unchanged(place, vec![error]);
            continue;
        }
        seen.insert(stop.subject(), (place, stop.reach.clone()));
        if stop.is_listed(before) {
            answer.unchanged(place, Vec::new());
        } else {
            let change = stop.change(&new.caller, Action::DoNotContact, &reason, new.now);
            changes.push(ConsentChange { method: ConsentMethod::Import, ..change });
            answer.created(place);
        }
    }

    // record
    consent::record(&mut new.tx, new.now, &changes).await?;

    // answer
    new.finish(StatusCode::OK, &answer).await
}

/// What is known of the numbers in the rows, locked, by number and channel.
async fn recipients(
    new: &mut Creation<EditContacts, Rows>,
    rows: &[Checked],
) -> Result<HashMap<(String, Channel), RecipientRow>, Problem> {
    let mut known = HashMap::new();
    for channel in [Channel::Sms, Channel::Whatsapp] {
        let of_channel = rows.iter().flatten().filter(|(stop, _)| stop.channel == channel);
        let addresses: Vec<Address> = of_channel.map(|(stop, _)| stop.address.clone()).collect();
        if addresses.is_empty() {
            continue;
        }
        let found = list::load(&mut new.tx, &new.caller.tenant, &addresses, channel, true).await?;
        known.extend(found.into_iter().map(|row| ((row.address.clone(), channel), row)));
    }
    Ok(known)
}

impl Answer {
    fn created(&mut self, place: Place) {
        self.created += 1;
        self.push(place, "created", Vec::new());
    }

    fn unchanged(&mut self, place: Place, errors: Vec<FieldError>) {
        self.unchanged += 1;
        self.push(place, "unchanged", errors);
    }

    fn invalid(&mut self, place: Place, errors: Vec<FieldError>) {
        self.invalid += 1;
        self.push(place, "invalid", errors);
    }

    fn push(
        &mut self,
        Place { index, line }: Place,
        outcome: &'static str,
        errors: Vec<FieldError>,
    ) {
        self.results.push(Row { index, line, outcome, errors });
    }
}

/// Reads the body by its content type.
fn rows(headers: &HeaderMap, bytes: &[u8]) -> Result<Rows, Problem> {
    let rows: Rows = if is_type(headers, &["text/csv"]) {
        csv_rows(bytes)?
    } else if is_type(headers, &["application/json"]) {
        let list = decode_list::<Import>(bytes, probe::<Import>)?;
        let items = list.rows.iter().map(|row| decode_item(row.get().as_bytes())).enumerate();
        items.map(|(index, item)| (Place { index, line: None }, item)).collect()
    } else {
        let detail = "send Content-Type: application/json or text/csv";
        return Err(Problem::new(Kind::UnsupportedMedia, detail));
    };

    match rows.len() {
        1..=MOST => Ok(rows),
        _ => Err(Problem::field("rows", "out_of_range", "1 to 10000 rows")),
    }
}

/// Columns in any order: `phone` and `reason`, and if wanted the others of [`COLUMNS`].
fn csv_rows(bytes: &[u8]) -> Result<Rows, Problem> {
    let is_known = |name: &str| COLUMNS.contains(&name.to_ascii_lowercase().as_str());
    let file = Cursor::new(bytes.to_vec());
    let mut table = Table::open(file, &Census::of(bytes), &is_known)?;
    let names: Vec<String> = table.header.iter().map(|name| name.to_ascii_lowercase()).collect();
    check_header(&names)?;

    let (mut rows, mut row) = (Rows::new(), delimited::Row::default());
    // One more than is allowed shows that there are too many.
    while rows.len() <= MOST {
        let (read, is_last) = match table.next(&mut row) {
            Next::Row => (csv_row(&names, &row), false),
            Next::Bad(why) => (Err(vec![wrong("", format!("line {}: {why}", row.line))]), false),
            Next::End => break,
            Next::Broken(why) => (Err(vec![wrong("", why)]), true),
        };
        rows.push((Place { index: rows.len(), line: Some(row.line) }, read));
        if is_last {
            break;
        }
    }
    Ok(rows)
}

/// The columns that a file may have.
const COLUMNS: [&str; 7] = ["phone", "country", "reason", "stops", "channel", "scope", "program"];

/// Every column is known and there once, and those that are needed are there.
fn check_header(names: &[String]) -> Result<(), Problem> {
    let mut errors = Errors::default();
    for (index, name) in names.iter().enumerate() {
        let is_known = COLUMNS.contains(&name.as_str());
        errors.check(is_known, name, "unknown_field", "there is no such column");
        let is_first = !names[..index].contains(name);
        errors.check(is_first, name, "ambiguous", "there are two columns of this name");
    }
    for needed in ["phone", "reason"] {
        let is_there = names.iter().any(|name| name == needed);
        errors.check(is_there, needed, "required", "this column is required");
    }
    errors.done()
}

/// Reads one row; an empty cell counts as not given.
fn csv_row(names: &[String], row: &delimited::Row) -> Result<NewStop, Vec<FieldError>> {
    let at = |why: &str| format!("line {}: {why}", row.line);
    if row.len() != names.len() {
        let why = at("it has another number of columns than the first one");
        return Err(vec![wrong("", why)]);
    }

    let mut values = HashMap::new();
    for (name, cell) in names.iter().zip(row.cells()) {
        let text = std::str::from_utf8(cell).map_err(|_| vec![wrong(name, at("not UTF-8"))])?;
        let text = text.trim();
        if text.contains('\n') {
            let why = at("a cell takes in other lines: is a quote not closed?");
            return Err(vec![wrong(name, why)]);
        }
        if !text.is_empty() {
            values.insert(name.as_str(), text.to_owned());
        }
    }
    let mut value = |name: &str| values.remove(name);
    let channel = match value("channel").as_deref() {
        None | Some("sms") => Channel::Sms,
        Some("whatsapp") => Channel::Whatsapp,
        Some(_) => return Err(vec![wrong("channel", at("sms or whatsapp"))]),
    };

    Ok(NewStop {
        phone: value("phone").unwrap_or_default(),
        country: value("country"),
        reason: value("reason").unwrap_or_default(),
        stops: value("stops"),
        channel,
        scope: value("scope"),
        program: value("program"),
    })
}

fn wrong(field: &str, detail: String) -> FieldError {
    FieldError { field: field.into(), code: "invalid", detail }
}
