//! A bucket over S3: a server of the test that speaks the part of it that is used, and looks at how
//! requests are signed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use objects::{Bucket, ObjectPlace, Objects};
use tokio::net::TcpListener;

type Kept = Arc<Mutex<HashMap<String, Bytes>>>;

/// One request: put, get or delete an object, signed for the region by the key.
async fn answer(
    State(kept): State<Kept>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let signed = header("authorization");
    let is_signed = signed.starts_with("AWS4-HMAC-SHA256 Credential=id/")
        && signed.contains("/eu-west-1/s3/aws4_request")
        && header("x-amz-content-sha256").len() == 64;
    if !is_signed {
        return (StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code></Error>").into_response();
    }

    let mut kept = kept.lock().expect("not poisoned");
    match method {
        Method::PUT => {
            kept.insert(path, body);
            ([("etag", "\"1\"")], "").into_response()
        }
        Method::GET => match kept.get(&path) {
            Some(bytes) => {
                let modified = ("last-modified", "Mon, 02 Mar 2026 17:00:00 GMT");
                ([("etag", "\"1\""), modified], bytes.clone()).into_response()
            }
            None => {
                (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response()
            }
        },
        Method::DELETE => {
            kept.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

#[tokio::test]
async fn a_bucket_is_written_read_and_emptied_over_s3() -> anyhow::Result<()> {
    let kept = Kept::default();
    let router = Router::new().route("/{*path}", any(answer)).with_state(kept.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let bucket = Bucket {
        name: "media-of-tests".into(),
        prefix: "a/b".into(),
        endpoint: Some(format!("http://{address}")),
        region: "eu-west-1".into(),
        key_id: "id".into(),
        secret: "secret".into(),
    };
    let objects = Objects::open(&ObjectPlace::Bucket(bucket), carriers::http::client()?)?;
    objects.put("acme/1", b"GIF89a".to_vec().into()).await?;
    let there = kept.lock().expect("not poisoned").get("media-of-tests/a/b/acme/1").cloned();
    assert_eq!(there.as_deref(), Some(&b"GIF89a"[..]));
    assert_eq!(objects.get("acme/1").await?.as_deref(), Some(&b"GIF89a"[..]));
    assert_eq!(objects.get("acme/2").await?, None);

    objects.delete("acme/1").await?;
    objects.delete("acme/1").await?;
    assert_eq!(objects.get("acme/1").await?, None);
    Ok(())
}
