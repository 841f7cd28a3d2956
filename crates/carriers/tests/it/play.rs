//! Servers that play a part: [`Server`] answers with what it was given, [`Breaker`] breaks a
//! connection at a chosen point. Both keep what they saw.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use carriers::twilio::CreateMessage;
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One answer. `hang` means that it never comes.
#[derive(Clone, Default)]
pub(crate) struct Played {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
    pub(crate) hang: bool,
}

impl Played {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, body: body.to_owned(), ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Twilio's error form.
    pub(crate) fn twilio_error(status: u16, code: u32) -> Self {
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        let body = serde_json::json!({
            "code": code, "message": "words that may change", "more_info": more_info,
            "status": status
        });
        Self::new(status, &body.to_string())
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        serde_urlencoded::from_bytes(&self.body).expect("a form")
    }
}

/// Plays its answers in order; the last one again and again.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    answers: Arc<Vec<Played>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn playing(answers: impl IntoIterator<Item = Played>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let answers = Arc::new(answers.into_iter().collect());
        let server = Self { url, answers, seen: Arc::default() };
        let app = axum::Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    fn note(&self, seen: Seen) -> Played {
        let mut list = self.seen.lock().expect("not poisoned");
        list.push(seen);
        let last = self.answers.len() - 1;
        self.answers[(list.len() - 1).min(last)].clone()
    }
}

async fn answer(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let played = server.note(Seen { method, uri, headers, body });
    if played.hang {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(played.status);
    for (name, value) in played.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(played.body)).expect("a valid response")
}

/// What a [`Breaker`] does once a request is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// Answers with a TCP reset.
    Reset,
    /// Closes in good order, without a reply.
    Close,
    /// Sends half of a 201's body, then closes.
    HalfBody,
    /// Sends half of a 201's body, then nothing more.
    StalledBody,
    /// Sends bytes that are no HTTP.
    Garbage,
    /// Sends nothing, from the first byte on.
    Silent,
}

/// Accepts connections and breaks each; counts complete requests.
pub(crate) struct Breaker {
    pub(crate) address: String,
    requests: Arc<Mutex<usize>>,
}

impl Breaker {
    pub(crate) async fn that(breaks: Break) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let requests = Arc::new(Mutex::new(0));
        let counter = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(break_one(stream, breaks, counter.clone()));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn requests(&self) -> usize {
        *self.requests.lock().expect("not poisoned")
    }
}

async fn break_one(mut stream: TcpStream, breaks: Break, requests: Arc<Mutex<usize>>) {
    const HALF: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-length: 200\r\n\r\n{\"sid\":\"SM1\"";
    if let Break::Silent = breaks {
        std::future::pending::<()>().await;
    }
    if read_request(&mut stream).await.is_some() {
        *requests.lock().expect("not poisoned") += 1;
    }
    match breaks {
        Break::Reset => stream.set_zero_linger().expect("a socket option"),
        Break::Close | Break::Silent => {}
        Break::HalfBody => stream.write_all(HALF).await.expect("written"),
        Break::StalledBody => {
            stream.write_all(HALF).await.expect("written");
            std::future::pending::<()>().await;
        }
        Break::Garbage => stream.write_all(b"SSH-2.0-nope\r\n\r\n").await.expect("written"),
    }
}

/// Reads until head and body (by `content-length`) are complete.
async fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (_, length) = head.split_once("content-length: ")?;
        let length: usize = length.lines().next()?.parse().ok()?;
        if body.len() >= length {
            return Some(());
        }
    }
}

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const SID: &str = "SM00000000000000000000000000000002";

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub(crate) fn twilio(base_url: &str) -> carriers::twilio::Client {
    let http = carriers::http::client().expect("TLS is set up");
    carriers::twilio::Client::new(http, base_url, ACCOUNT, &secret("token1")).expect("settings")
}

pub(crate) const BANDWIDTH_ACCOUNT: &str = "9900000/93de2206-9669-4e07-948d-329f4b722ee2";
pub(crate) const MESSAGE_ID: &str = "14762070468292kw2fuqty55yp2b2";

pub(crate) fn bandwidth(base_url: &str) -> carriers::bandwidth::Client {
    let http = carriers::http::client().expect("TLS is set up");
    let secret = secret("u:p");
    carriers::bandwidth::Client::new(http, base_url, BANDWIDTH_ACCOUNT, &secret).expect("settings")
}

pub(crate) fn message() -> carriers::bandwidth::MessageRequest<'static> {
    carriers::bandwidth::MessageRequest {
        to: "+12345678902",
        from: "+12345678901",
        text: "Hi",
        media: &[],
        tag: "t",
        expires_at: None,
        traceparent: None,
    }
}

pub(crate) const BUSINESS_ACCOUNT: &str = "102290129340398";
pub(crate) const PHONE_NUMBER_ID: &str = "106540352242922";
pub(crate) const WAMID: &str = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA";

pub(crate) fn whatsapp(base_url: &str) -> carriers::whatsapp::Client {
    let http = carriers::http::client().expect("TLS is set up");
    let secret = secret("token1:app-secret:verify-word");
    carriers::whatsapp::Client::new(http, base_url, BUSINESS_ACCOUNT, &secret).expect("settings")
}

/// A message with this content to a number.
pub(crate) fn to_number<'a>(
    content: carriers::whatsapp::MessageContent<'a>,
) -> carriers::whatsapp::WhatsappMessage<'a> {
    carriers::whatsapp::WhatsappMessage {
        from: PHONE_NUMBER_ID,
        to: carriers::whatsapp::Recipient::of("+16505551234"),
        content,
        callback_data: "t",
        traceparent: None,
    }
}

pub(crate) fn text() -> CreateMessage<'static> {
    CreateMessage {
        to: "+14155550100",
        from: "+15005550006",
        body: "Señor 😀 & co = 100%+",
        media: &[],
        status_callback: "https://h.example/webhooks/twilio/a1/status?tenant=acme&message=1",
        validity_seconds: Some(900),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    }
}
