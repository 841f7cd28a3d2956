//! The carrier: takes texts, and keeps them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long texts may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A text that was taken.
#[derive(Debug, Clone, Deserialize)]
pub struct TakenText {
    #[serde(default)]
    pub id: String,
    pub reference: String,
    pub from: String,
    pub to: String,
    pub text: String,
}

/// A running carrier.
pub struct LoopbackServer {
    pub url: String,
    taken: Taken,
}

type Taken = Arc<Mutex<Vec<TakenText>>>;

impl LoopbackServer {
    /// Starts one that takes texts under this secret.
    pub async fn start(secret: &'static str) -> anyhow::Result<Self> {
        let taken = Taken::default();
        let take = move |State(taken): State<Taken>,
                         headers: HeaderMap,
                         Json(text): Json<TakenText>| async move {
            let expected = format!("Bearer {secret}");
            if headers.get("authorization").is_none_or(|given| given != expected.as_str()) {
                return (StatusCode::UNAUTHORIZED, Json(json!({ "code": 1 })));
            }
            (StatusCode::CREATED, Json(keep(&taken, text)))
        };
        let routes = Router::new().route("/accounts/{account}/texts", post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let server = axum::serve(listener, routes.with_state(taken.clone()));
        tokio::spawn(server.into_future());
        Ok(Self { url, taken })
    }

    /// All that was taken, once there are so many.
    pub async fn wait_for(&self, count: usize) -> anyhow::Result<Vec<TakenText>> {
        let arrived = async {
            loop {
                let taken = self.taken.lock().expect("not poisoned").clone();
                if taken.len() >= count {
                    return taken;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.context("the texts did not arrive")
    }
}

fn keep(taken: &Taken, text: TakenText) -> Value {
    let mut taken = taken.lock().expect("not poisoned");
    let id = format!("text-{}", taken.len());
    taken.push(TakenText { id: id.clone(), ..text });
    json!({ "id": id })
}
