//! One ingress with a private broker and database, and a caller that speaks JSON to it.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::{ApiSettings, App, Parts};
use domain::ids::TenantId;
use flate2::read::GzDecoder;
use futures::StreamExt;
use jiff::Timestamp;
use pipeline::access::ProcessKind;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::Value;
use store::{
    Role, Store,
    core::seal::Sealer,
    settings::api_keys::{self, KeyRole},
};
use testkit::{Database, TestBroker, world::TestCarrier};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use wire::{Payload, Submitted};

use crate::document::answered;

/// Where carriers reach the ingress, as far as signatures go.
pub(crate) const PUBLIC_URL: &str = "https://hooks.example.test/in";

/// The key of access tokens.
pub(crate) const JWT_KEY: [u8; 32] = [7; 32];

/// An ingress with its broker and database.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) broker: TestBroker,
    pub(crate) store: Store,
    pub(crate) app: App,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) now: Arc<Mutex<Timestamp>>,
    /// The carrier that its accounts are at, where a test needs one that answers.
    pub(crate) carrier: Option<TestCarrier>,
    shutdown: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

/// One process of the ingress, as others see it.
pub(crate) struct Ingress {
    store: Store,
    app: App,
    base: String,
    shutdown: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    base: String,
    pub(crate) key: String,
}

/// What the ingress answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Ingress {
    async fn start(
        database: &Database,
        broker: &TestBroker,
        now: &Arc<Mutex<Timestamp>>,
        change: impl FnOnce(&mut ApiSettings),
    ) -> Self {
        let store = database.store(Role::Api).await.unwrap();
        let clock = now.clone();
        let mut settings = ApiSettings {
            public_url: PUBLIC_URL.into(),
            jwt_keys: vec![SecretBox::new(Box::new(JWT_KEY))],
            subscribers: Some(broker.signer()),
            carrier_hosts: vec!["127.0.0.1:8090".into()],
            sandbox_url: Some("http://127.0.0.1:8090".into()),
            // Machines that run tests are slow, and a key that is taken is to be noticed.
            patience: Duration::from_secs(20),
            ..ApiSettings::default()
        };
        change(&mut settings);

        let app = App::new(Parts {
            store: store.clone(),
            broker: broker.connect_as(ProcessKind::Api).await.unwrap(),
            sealer: Sealer::new(&[[1; 32]]),
            settings,
            now: Arc::new(move || *clock.lock().unwrap()),
        });

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(api::serve(listener, app.clone(), shutdown.clone()));
        Self { store, app, base, shutdown, server }
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ApiSettings)) -> Self {
        let (database, broker) = tokio::join!(Database::start(), TestBroker::start());
        Self::start_on(database.unwrap(), broker.unwrap(), change).await
    }

    /// An ingress on what another one has left.
    pub(crate) async fn start_on(
        database: Database,
        broker: TestBroker,
        change: impl FnOnce(&mut ApiSettings),
    ) -> Self {
        let now = Arc::new(Mutex::new("2026-05-01T15:00:00Z".parse::<Timestamp>().unwrap()));
        let Ingress { store, app, base, shutdown, server } =
            Ingress::start(&database, &broker, &now, change).await;
        let http = client();
        Self { database, broker, store, app, base, http, now, carrier: None, shutdown, server }
    }

    /// One more process of the ingress, on the same database and broker, with a memory of its own.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut ApiSettings)) -> Ingress {
        Ingress::start(&self.database, &self.broker, &self.now, change).await
    }

    /// A tenant with an API key of this role.
    pub(crate) async fn caller(&self, tenant: &str, role: KeyRole) -> Caller {
        let id: TenantId = tenant.parse().unwrap();
        self.database.tenant(tenant).await.unwrap();
        let now = *self.now.lock().unwrap();
        let key = api_keys::create(&self.store, &id, "test", role, now).await.unwrap();
        self.with_token(key.expose_secret())
    }

    pub(crate) fn with_token(&self, token: &str) -> Caller {
        Caller { http: self.http.clone(), base: self.base.clone(), key: token.into() }
    }

    /// What lies on a stream's subject, frames taken apart.
    pub(crate) async fn published<P: Payload>(&self, stream: &str, subject: &str) -> Vec<P> {
        let frames = self.frames(stream, subject).await;
        let members = frames.iter().flat_map(|frame| wire::frame::unpack::<P>(frame).unwrap());
        members.map(Result::unwrap).collect()
    }

    /// The frames on a stream's subject, as they were published.
    pub(crate) async fn frames(&self, stream: &str, subject: &str) -> Vec<Vec<u8>> {
        let broker = self.broker.connect().await.unwrap();
        let stream = broker.api.get_stream(stream).await.unwrap();
        let last = stream.get_info().await.unwrap().state.last_sequence;

        let mut frames = Vec::new();
        for sequence in 1..=last {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            if message.subject.as_str() == subject {
                frames.push(message.payload.to_vec());
            }
        }
        frames
    }

    /// Runs statements as the superuser.
    pub(crate) async fn run(&self, sql: &str) {
        let mut db = self.database.superuser().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let mut db = self.database.superuser().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap()
    }

    /// What every table holds: its rows, counted and hashed.
    pub(crate) async fn tables(&self) -> Vec<(String, String)> {
        let mut db = self.database.superuser().await.unwrap();
        let names =
            "select tablename::text from pg_tables where schemaname = 'millrace' order by 1";
        let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut db).await.unwrap();

        let mut tables = Vec::new();
        for name in names {
            let sum = format!(
                "select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by \
                 md5(t::text))), '') from millrace.{name} t"
            );
            let sum =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sum)).fetch_one(&mut db).await.unwrap();
            tables.push((name, sum));
        }
        tables
    }

    /// Makes the row of a message as enrich does.
    pub(crate) async fn store(&self, message: &Submitted) {
        let (head, hash) = (&message.head, &message.body_hash);
        self.run(&format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport)
             values ('{}', '{id}', 0, '{}', 'sms', '{id}', '{}', 'Hello', 1, 7900, '\\x{hash}',
                 now(), now(), '[]')",
            head.tenant,
            head.class.as_str(),
            head.to,
            id = head.id,
        ))
        .await;
    }

    /// Waits until a count is what it should be.
    pub(crate) async fn becomes(&self, expected: i64, sql: &'static str) {
        let becomes = async {
            while self.number(sql).await != expected {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), becomes).await.expect(sql);
    }

    /// Waits until the accounts of carriers are known.
    pub(crate) async fn ready(&self) {
        let ready = async {
            while !self.app.is_ready() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ready).await.expect("ready");
    }

    /// Stops the ingress as SIGTERM does.
    pub(crate) async fn stop(self) -> (Database, TestBroker) {
        self.shutdown.cancel();
        self.server.await.unwrap().unwrap();
        (self.database, self.broker)
    }
}

impl Caller {
    /// The same caller at another process of the ingress.
    pub(crate) fn at(&self, other: &Ingress) -> Self {
        Self { base: other.base.clone(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.key.is_empty() { request } else { request.bearer_auth(&self.key) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    /// A POST under an `Idempotency-Key`.
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        send(request.json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn csv(&self, path: &str, file: &str) -> Answer {
        let request = self.request(Method::POST, path).header("Content-Type", "text/csv");
        send(request.body(file.to_owned())).await
    }
}

/// The answer to a request. Whatever a test asks, its document must list what it is answered.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let asked = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let mut bytes = response.bytes().await.expect("a body").to_vec();
    if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        let packed = std::mem::take(&mut bytes);
        GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("what was packed");
    }
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    let answer = Answer { status, headers, body };
    answered::must_be_listed((&asked.0, &asked.1), &answer);
    answer
}

impl Answer {
    /// The answer's body, which must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The codes of a problem's errors by field, which must have this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Vec<(String, String)> {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        assert_eq!(self.body["status"], status);
        assert_eq!(text(&self.body["request_id"]), self.headers["x-request-id"].to_str().unwrap());
        assert!(!text(&self.body["title"]).is_empty() && !text(&self.body["type"]).is_empty());
        let errors = self.body["errors"].as_array().expect("errors").iter();
        errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
    }
}

/// A stream of parts as one body that has no length beforehand.
pub(crate) fn streamed(parts: Vec<Vec<u8>>) -> reqwest::Body {
    reqwest::Body::wrap_stream(futures::stream::iter(parts).map(Ok::<_, std::io::Error>))
}

/// A client of http alone: reading the certificates of a system takes longer than most tests, and
/// the HTTP library wants its TLS chosen all the same.
pub(crate) fn client() -> reqwest::Client {
    // A second call in this process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().tls_certs_only([]);
    builder.timeout(Duration::from_secs(30)).build().unwrap()
}
