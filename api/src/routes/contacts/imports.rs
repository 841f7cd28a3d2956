//! `/v1/contacts/import` and its preview, `/v1/imports/{id}`: contacts from a CSV file. Both run
//! the same code; the preview leaves the writing out.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    contacts::imports::{self, Import, ImportState},
    idempotency,
    recipients::consent::ConsentMethod,
};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Caller, EditContacts, Needs, Read},
    contacts::{Recorder, Reference},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
        words::{ContactFile, FileEncoding},
    },
    http::{
        Id, Kind, Page, Paging, Problem, Query,
        body::is_type,
        creation::{IdempotencyKey, first_answer, key_of},
        view::located,
    },
    ids,
    import::{self, Column, CountsView, LineOutcome, Report, Run, Target, Upload},
};

/// How long a file waits for the tenant's imports before it, once it is here.
const TURN: Duration = Duration::from_secs(10);

/// How long the answer waits for the import: a small file is done by then, a large one goes on.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(execute))
        .routes(routes!(preview))
        .routes(routes!(show))
        .routes(routes!(rows))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// A JSON object `{field: column}`: the field of the contact, and the name of its column in the
    /// file's first line. A field is named as a column of that name would be, an own one
    /// `attributes.<name>`. What it does not name is known by the header; with `"attributes": "*"`
    /// all other columns are own fields.
    #[param(max_length = 20000)]
    #[param(example = "{\"phone\": \"Mobile\", \"attributes.plan\": \"Plan\"}")]
    mapping: Option<String>,
}

impl Wanted {
    fn read(&self) -> Result<BTreeMap<String, String>, Problem> {
        let Some(mapping) = &self.mapping else { return Ok(BTreeMap::new()) };
        let wrong = |_| {
            Problem::field(
                "mapping",
                "invalid",
                "a JSON object of field: column, such as {\"phone\": \"Mobile\"}",
            )
        };
        serde_json::from_str(mapping).map_err(wrong)
    }
}

/// What a file is, for the document.
const CSV: &str = "The file, 512 MiB at most, its first line with the names of the columns, in any \
    order. Known by their names are `phone`, which must be there, `country`, `first_name`, \
    `last_name`, `language`, `postal_code`, `region`, `time_zone`, `tags`, `consent`, \
    `consent_source`, `consent_at`, `consent_basis`, `consent_expires_at`, `do_not_contact`, \
    `do_not_contact_reason` and `do_not_contact_stops`, and usual others for the same, such as \
    `mobile`, `zip`, `state`, `opt_in` or `dnc`. Capitals and blanks do not matter. A column that \
    is none of these is left out, unless `mapping` names it. One that says more of `consent` or of \
    `do_not_contact` needs that column beside it; `consent_source` alone is left out.";

/// How a file is read, and what an import of it would do.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportPreview)]
struct Preview {
    /// The alphabet that the file is in.
    #[schema(value_type = FileEncoding)]
    encoding: String,
    /// What stands between two cells: a comma, a semicolon, a tab or a bar.
    #[schema(value_type = String, min_length = 1, max_length = 1)]
    delimiter: char,
    /// The columns in the order of the file.
    columns: Vec<Column>,
    /// The columns that are not read.
    left_out: Vec<String>,
    #[serde(flatten)]
    report: Report,
}

/// `POST /v1/contacts/import/preview?mapping=`, for every role but viewer: what an import of the
/// file would do. Answers 200 with the columns, the counts and the first lines one by one.
#[utoipa::path(
    post, path = "/v1/contacts/import/preview", tag = "contacts", operation_id = "preview_import",
    security(("bearer" = [EditContacts::NAME])),
    params(Wanted),
    request_body(
        content = inline(ContactFile), content_type = "text/csv",
        description = CSV,
        example = "Mobile,First name,Plan\n+12125550128,Cy,gold\n",
    ),
    responses(
        (status = 200, description = "How it is read, and what would come of it.", body = Preview),
        Always, OfBody,
    ),
)]
async fn preview(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Json<Preview>, Problem> {
    // parse
    let _upload = upload_permit(&app, &caller)?;
    let upload = receive(&app, request).await?;
    let _permit = import_permit(&app, &caller).await?;
    let run = open(&app, &caller, upload, &wanted.read()?, Target::Preview).await?;

    // decide
    let (columns, (encoding, delimiter)) = (run.columns(), run.written());
    let left_out = Column::left_out(&columns);
    let report = run.go(&app.stopping).await?;
    Ok(Json(Preview { encoding, delimiter, columns, left_out, report }))
}

/// An import that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedImport)]
struct Accepted {
    /// The import: `GET /v1/imports/{id}` tells how far it has come.
    id: Uuid,
}

/// `POST /v1/contacts/import?mapping=`, for every role but viewer: imports the file in the
/// background. Answers 202 with the import's id: when it is done, for a small file, or soon. A
/// repeat under the same key answers with the first import.
#[utoipa::path(
    post, path = "/v1/contacts/import", tag = "contacts", operation_id = "import_contacts",
    security(("bearer" = [EditContacts::NAME])),
    params(IdempotencyKey, Wanted),
    request_body(
        content = inline(ContactFile), content_type = "text/csv",
        description = CSV,
        example = "Mobile,First name,Plan\n+12125550128,Cy,gold\n",
    ),
    responses(
        (status = 202, description = "The import's id.", body = Accepted, headers(
            ("Location" = String, description = "The import's path."),
        )),
        Always, OfBody,
    ),
)]
async fn execute(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response, Problem> {
    // parse
    let uploading = upload_permit(&app, &caller)?;
    let key = key_of(request.headers())?;
    let upload = receive(&app, request).await?;
    let hash = hash(&upload, &wanted);
    let id = ids::fresh();
    let run = open(&app, &caller, upload, &wanted.read()?, Target::Import(id)).await?;

    let permit = import_permit(&app, &caller).await?;

    // record
    if let Some(repeat) = begin(&app, &caller, id, key, &hash).await? {
        return Ok(repeat);
    }
    let working = app.clone();
    let task = app.background.spawn(async move {
        work(&working, &caller, id, run).await;
        drop((permit, uploading));
    });

    // answer
    let _ = tokio::time::timeout(PATIENCE, task).await;
    let accepted = (StatusCode::ACCEPTED, Json(Accepted { id })).into_response();
    Ok(located(accepted, &path(id)))
}

/// What makes two imports the same: the file, and how its columns are read.
fn hash(upload: &Upload, wanted: &Wanted) -> [u8; 32] {
    let mapping = wanted.mapping.as_deref().unwrap_or_default();
    Sha256::new().chain_update(upload.hash).chain_update(mapping).finalize().into()
}

/// Writes the import's row, under the request's key if it has one. A repeat gets the first answer.
async fn begin(
    app: &App,
    caller: &Caller,
    id: Uuid,
    key: Option<String>,
    hash: &[u8; 32],
) -> Result<Option<Response>, Problem> {
    let tenant = &caller.tenant;
    let mut tx = app.transactions.begin(tenant).await?;
    let machine = stage::machine::now();

    if let Some(key) = &key {
        let begun = idempotency::begin(&mut tx, tenant, key, hash, machine).await?;
        if let Some(answer) = first_answer(begun)? {
            return Ok(Some(answer));
        }
        let (answer, path) = (json!({ "id": id }), path(id));
        idempotency::finish(&mut tx, tenant, key, 202, &answer, Some(&path)).await?;
    }

    imports::create(&mut tx, tenant, id, machine).await?;
    tx.commit().await?;
    Ok(None)
}

/// Where an import is seen.
fn path(id: Uuid) -> String {
    format!("/v1/imports/{id}")
}

/// Runs to the end and records how it ended.
async fn work(app: &App, caller: &Caller, id: Uuid, run: Run) {
    let error = match run.go(&app.stopping).await {
        Ok(report) => report.error,
        Err(fault) => {
            tracing::warn!(import = %id, %fault, "an import failed");
            Some(format!("{}; import the file again: what is in stays as it is", fault.label()))
        }
    };

    let finished = async {
        let mut tx = app.store.scoped([caller.tenant.id()]).await?;
        let machine = stage::machine::now();
        imports::finish(&mut tx, &caller.tenant, id, error.as_deref(), machine).await?;
        tx.commit().await.map_err(store::fault)
    };
    if let Err(fault) = finished.await {
        tracing::warn!(import = %id, %fault, "the end of an import could not be recorded");
    }
}

/// The permit of one file on the disk, from its first byte to the end of its import. Which of the
/// tenant's files is worked on is another matter: they take turns.
fn upload_permit(app: &App, caller: &Caller) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| Problem::too_many("other files of yours are being imported here", 10);
    app.uploads.of(&caller.key()).try_acquire_owned().map_err(busy)
}

/// The permit of one import or preview that is worked on. An import has no row before it has one:
/// a row that does not come on is taken for one whose process died.
async fn import_permit(app: &App, caller: &Caller) -> Result<OwnedSemaphorePermit, Problem> {
    let share = app.imports.of(caller.tenant.as_str());
    let busy = || Problem::too_many("other imports of yours are under way here", 10);
    let permit = tokio::time::timeout(TURN, share.acquire_owned()).await.map_err(|_| busy())?;
    permit.map_err(|_| busy())
}

/// Receives the file, which must say that it is CSV.
async fn receive(app: &App, request: Request) -> Result<Upload, Problem> {
    let (parts, body) = request.into_parts();
    if !is_type(&parts.headers, &["text/csv", "application/csv"]) {
        return Err(Problem::new(Kind::UnsupportedMedia, "send Content-Type: text/csv"));
    }
    import::receive(&app.settings.upload_dir, body).await
}

/// Opens the file for a run: its columns are known then.
async fn open(
    app: &App,
    caller: &Caller,
    upload: Upload,
    wanted: &BTreeMap<String, String>,
    target: Target,
) -> Result<Run, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let by = Recorder::of(caller, app.now(), ConsentMethod::Import);
    let reference = Reference::of(&tenant, by.now);
    Run::open(upload, wanted, &app.store, by, reference, target)
}

/// An import of contacts from a file.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
struct ImportView {
    /// The import's id.
    id: Uuid,
    #[schema(value_type = ImportState)]
    state: &'static str,
    #[serde(flatten)]
    counts: CountsView,
    /// Why the file was not read to its end.
    #[schema(required)]
    error: Option<String>,
    /// When the file was taken.
    created_at: Timestamp,
    /// When it ended; none while it runs.
    #[schema(required)]
    finished_at: Option<Timestamp>,
}

/// `GET /v1/imports/{id}`, for every role: how far an import has come, or 404.
#[utoipa::path(
    get, path = "/v1/imports/{id}", tag = "contacts", operation_id = "get_import",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The import.", example = json!(examples::IMPORT))),
    responses((status = 200, description = "The import.", body = ImportView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<ImportView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let machine = stage::machine::now();
    let found = imports::get(&mut tx, &caller.tenant, id, machine).await?;
    tx.commit().await?;

    let Import { id, state, counts, error, created_at, finished_at } =
        found.ok_or_else(|| Problem::not_found("import"))?;
    let (state, counts) = (state.as_str(), counts.into());
    Ok(Json(ImportView { id, state, counts, error, created_at, finished_at }))
}

/// `GET /v1/imports/{id}/rows`, for every role: the lines of an import that are not in, with the
/// reason, in pages. Answers 404 where there is no such import.
#[utoipa::path(
    get, path = "/v1/imports/{id}/rows", tag = "contacts", operation_id = "list_import_rows",
    security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The import.", example = json!(examples::IMPORT)),
        Paging,
    ),
    responses(
        (status = 200, description = "A page of lines.", body = Page<LineOutcome>),
        Always, Missing,
    ),
)]
async fn rows(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<LineOutcome>>, Problem> {
    let (after, limit) = (paging.after_number()?.unwrap_or(0), paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let machine = stage::machine::now();
    if imports::get(&mut tx, &caller.tenant, id, machine).await?.is_none() {
        return Err(Problem::not_found("import"));
    }
    let lines = imports::lines(&mut tx, &caller.tenant, id, after, limit).await?;

    let rows = lines.into_iter().map(|line| LineOutcome {
        line: line.line,
        outcome: line.outcome.as_str(),
        reason: Some(line.reason),
    });
    Ok(Json(Page::new(rows.collect(), limit, |row| row.line)))
}
