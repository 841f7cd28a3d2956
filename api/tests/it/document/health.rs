//! The health address, which another crate serves, answers as the document says.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use boot::{health::Health, telemetry::Metrics};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{document, schemas::faults};

/// What is not as documented in an answer of the health address.
async fn unlike(document: &Value, path: &str, answer: Response) -> Vec<String> {
    let status = answer.status().as_u16().to_string();
    let media_type = answer.headers()["content-type"].to_str().expect("a media type").to_owned();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let body = answer.text().await.expect("a body");

    let content = &document["paths"][path]["get"]["responses"][status]["content"][media_type];
    assert!(content.is_object(), "{path} {media_type} is not documented");
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    faults(document, &content["schema"], &body)
}

#[tokio::test]
async fn the_health_address_answers_as_documented() {
    let (document, end) = (document(), CancellationToken::new());
    let works = Arc::new(AtomicBool::new(true));
    let health = Health::new(Metrics::install().expect("one of each process"), end.clone());
    let health = health.check("broker", {
        let works = works.clone();
        move || {
            let answer = if works.load(Relaxed) { Ok(()) } else { Err("away".to_owned()) };
            async move { answer }
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(health.serve(listener, end.clone()));
    carriers::http::install_crypto();
    let ask = async |path: &str, status: u16| {
        let answer = Client::new().get(format!("http://{address}{path}")).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(unlike(&document, path, answer).await, Vec::<String>::new(), "{path}");
    };

    ask("/healthz", 200).await;
    ask("/readyz", 200).await;
    ask("/metrics", 200).await;
    works.store(false, Relaxed);
    ask("/readyz", 503).await;

    end.cancel();
    serving.await.expect("no panic").expect("it served");
}
