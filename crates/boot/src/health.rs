//! What every process answers on its health address: `/healthz`, `/readyz` and `/metrics`.
//!
//! Alive means that the process answers at all; ready means that what it depends on works. An
//! orchestrator restarts what is not alive and sends no traffic to what is not ready.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// How long one check may take. A check that hangs is a check that fails.
pub const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// Asks one thing that this process depends on. The error is shown to whoever asks, so it holds no
/// secrets and no addresses with passwords.
pub type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The health answers of one process.
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    metrics: Metrics,
    stopping: CancellationToken,
}

impl Health {
    /// The answers of a process without checks: it is ready until `stopping` is cancelled, since a
    /// process that drains takes no more work.
    pub fn new(metrics: Metrics, stopping: CancellationToken) -> Self {
        Self { checks: Vec::new(), metrics, stopping }
    }

    /// Adds a check that must pass for the process to be ready, such as `broker`.
    #[must_use]
    pub fn check<F, R>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name, Box::new(move || check().boxed())));
        self
    }

    /// The three routes, each for GET alone.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(self))
    }

    /// Answers on the listener until `stop` is cancelled. `stop` is a token of its own, to be
    /// cancelled last: while the process drains, it still says so here.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router())
            .with_graceful_shutdown(async move { stop.cancelled().await })
            .await
    }

    /// Which checks do not pass, and why. All run at once.
    async fn failures(&self) -> Vec<Failure> {
        let running = self.checks.iter().map(|(name, check)| run(name, check));
        join_all(running).await.into_iter().flatten().collect()
    }
}

/// A check that does not pass, as it is shown.
#[derive(Serialize)]
struct Failure {
    check: &'static str,
    reason: String,
}

/// Runs one check; none when it passes.
async fn run(name: &'static str, check: &Check) -> Option<Failure> {
    let reason = match tokio::time::timeout(CHECK_LIMIT, check()).await {
        Ok(Ok(())) => return None,
        Ok(Err(reason)) => reason,
        Err(_) => format!("no answer within {} s", CHECK_LIMIT.as_secs()),
    };
    Some(Failure { check: name, reason })
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    let failed = if health.stopping.is_cancelled() {
        vec![Failure { check: "stopping", reason: "this process is draining".to_owned() }]
    } else {
        health.failures().await
    };

    if failed.is_empty() {
        let names: Vec<_> = health.checks.iter().map(|(name, _)| *name).collect();
        return Json(json!({ "status": "ready", "checks": names })).into_response();
    }
    let body = Json(json!({ "status": "not ready", "failed": failed }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, health.metrics.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    fn health(stopping: &CancellationToken) -> Health {
        Health::new(Metrics::install().expect("one test, one process"), stopping.clone())
    }

    async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        let answer = router.clone().oneshot(request.expect("request")).await.expect("answer");

        let status = answer.status();
        let body = to_bytes(answer.into_body(), 100_000).await.expect("body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_names_what_fails_and_a_hanging_check_fails() {
        let stopping = CancellationToken::new();
        let router = health(&stopping)
            .check("database", async || Ok(()))
            .check("broker", async || Err("connection refused".to_owned()))
            .check("consumer", std::future::pending)
            .router();

        let (status, body) = ask(&router, "GET", "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);

        let failed = json!([
            { "check": "broker", "reason": "connection refused" },
            { "check": "consumer", "reason": "no answer within 2 s" },
        ]);
        let body: serde_json::Value = serde_json::from_str(&body).expect("json");
        assert_eq!(body, json!({ "status": "not ready", "failed": failed }));

        assert_eq!(ask(&router, "GET", "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_process_that_drains_is_alive_but_not_ready() {
        let stopping = CancellationToken::new();
        let router = health(&stopping).check("database", async || Ok(())).router();
        assert_eq!(ask(&router, "GET", "/readyz").await.0, StatusCode::OK);

        stopping.cancel();
        assert_eq!(ask(&router, "GET", "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask(&router, "GET", "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_served_and_only_read() {
        let router = health(&CancellationToken::new()).router();
        metrics::counter!("millrace_messages_total", "stage" => "send").increment(3);
        let (status, body) = ask(&router, "GET", "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("millrace_messages_total{stage=\"send\"} 3"), "{body}");

        let (status, _) = ask(&router, "POST", "/metrics").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
