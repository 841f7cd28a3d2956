//! A sandbox, a caller and a receiver of callbacks for each test.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use reqwest::{Client, Method};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "2b2f3c4d5e6f708192a3b4c5d6e7f809";
pub const SENDER: &str = "+15005550006";
pub const PHONE: &str = "+14155550100";

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub sandbox: Sandbox,
    pub http: Client,
    pub base: String,
    pub receiver: Receiver,
}

impl World {
    pub async fn new() -> Self {
        Self::seeded(1).await
    }

    pub async fn seeded(seed: u64) -> Self {
        // A second call finds the provider installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let listen = "127.0.0.1:0".parse().unwrap();
        let config = SandboxConfig { listen, seed, ..SandboxConfig::default() };
        let sandbox = sandbox::start(config).await.unwrap();

        let base = format!("http://{}", sandbox.addr);
        // Reading the certificates of a system takes longer than most tests.
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { sandbox, http, base, receiver: Receiver::start().await }
    }

    /// A call to Twilio's API as the usual account; the path goes on after the account.
    pub async fn twilio(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/{path}", self.base);
        let request = self.http.request(method, url).basic_auth(ACCOUNT, Some(TOKEN));
        Answer::of(request.form(form).send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.twilio(Method::GET, path, &[]).await
    }

    /// Sends a text with a callback to the receiver whose reference is `reference`.
    pub async fn send(&self, to: &str, body: &str, reference: &str) -> Answer {
        let callback = self.receiver.url(reference);
        let form = [("To", to), ("From", SENDER), ("Body", body), ("StatusCallback", &callback)];
        self.twilio(Method::POST, "Messages.json", &form).await
    }

    /// Registers the usual sender with the receiver as its webhook.
    pub async fn register(&self) {
        let webhook = self.receiver.url("inbound");
        let form = [("PhoneNumber", SENDER), ("SmsUrl", webhook.as_str())];
        let answer = self.twilio(Method::POST, "IncomingPhoneNumbers.json", &form).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    pub async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/sandbox/{path}", self.base);
        Answer::of(self.http.request(method, url).json(&body).send().await.unwrap()).await
    }

    pub async fn put(&self, path: &str, body: Value) {
        let answer = self.control(Method::PUT, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// No faults but these, and receipts at once.
    pub async fn faults(&self, mut faults: Value) {
        if faults["receipts"].is_null() {
            faults["receipts"] = json!({});
        }
        if faults["receipts"]["delay_ms"].is_null() {
            faults["receipts"]["delay_ms"] = json!([0, 5]);
        }
        self.put("faults", faults).await;
    }

    pub async fn inbound(&self, from: &str, body: &str) -> Answer {
        let text = json!({ "from": from, "to": SENDER, "body": body });
        self.control(Method::POST, "inbound", text).await
    }

    pub async fn stats(&self) -> Value {
        let url = format!("{}/sandbox/stats", self.base);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The statistics once all planned work is done.
    pub async fn rest(&self) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let stats = self.stats().await;
            if stats["callbacks"]["pending"] == 0 {
                return stats;
            }
            assert!(tokio::time::Instant::now() < end, "never at rest: {stats}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn ledger(&self, query: &str) -> Vec<Value> {
        let url = format!("{}/sandbox/ledger{query}", self.base);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The machine's time, as the carrier's dates show it.
#[expect(clippy::disallowed_methods, reason = "what the carrier's dates are compared with")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// An answer, read whole. The body is null when there is none.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status, headers, body }
    }

    /// The sid of what was made.
    pub fn sid(&self) -> String {
        self.body["sid"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: u32) {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{}", self.body);
        assert_eq!(self.body["status"], status);
        assert!(self.body["message"].is_string());
        assert!(self.body["more_info"].as_str().unwrap().ends_with(&code.to_string()));
    }
}

/// A callback as it came in.
#[derive(Clone)]
pub struct Hit {
    pub reference: String,
    pub headers: HeaderMap,
    /// The pairs of a form; of anything else they mean nothing.
    pub form: HashMap<String, String>,
    pub body: Bytes,
}

impl Hit {
    pub fn status(&self) -> &str {
        self.form.get("MessageStatus").map_or("", String::as_str)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Inbox {
    hits: Mutex<Vec<Hit>>,
    /// Statuses for the next answers; 200 when there are none.
    answers: Mutex<Vec<StatusCode>>,
    changed: Notify,
}

/// A server of its own that takes callbacks and keeps them.
pub struct Receiver {
    base: String,
    inbox: Arc<Inbox>,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    async fn start() -> Self {
        let inbox = Arc::new(Inbox::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());

        let router = Router::new().fallback(take).with_state(inbox.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inbox, server }
    }

    pub fn url(&self, reference: &str) -> String {
        format!("{}/hook?tenant=t&message={reference}", self.base)
    }

    /// Answers the next calls with these statuses.
    pub fn answer(&self, statuses: &[u16]) {
        let statuses = statuses.iter().map(|status| StatusCode::from_u16(*status).unwrap());
        self.inbox.answers.lock().unwrap().extend(statuses);
    }

    pub fn hits(&self) -> Vec<Hit> {
        self.inbox.hits.lock().unwrap().clone()
    }

    /// Waits until so many callbacks have come.
    pub async fn wait(&self, count: usize) -> Vec<Hit> {
        let all = async {
            loop {
                let changed = self.inbox.changed.notified();
                let hits = self.hits();
                if hits.len() >= count {
                    return hits;
                }
                changed.await;
            }
        };

        let waited = tokio::time::timeout(PATIENCE, all).await;
        waited.unwrap_or_else(|_| panic!("{} of {count} callbacks came", self.hits().len()))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State(inbox): State<Arc<Inbox>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let form: HashMap<String, String> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let query: HashMap<String, String> =
        serde_urlencoded::from_str(uri.query().unwrap_or("")).unwrap();

    let reference = query.get("message").cloned().unwrap_or_default();
    inbox.hits.lock().unwrap().push(Hit { reference, headers, form, body });

    let answer = {
        let mut answers = inbox.answers.lock().unwrap();
        if answers.is_empty() { StatusCode::OK } else { answers.remove(0) }
    };
    inbox.changed.notify_one();
    answer
}
