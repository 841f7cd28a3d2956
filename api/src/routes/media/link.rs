//! `/media/{token}`: the bytes of media, for whoever has a link. The token says whose and which,
//! and until when; nobody signs in.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use stage::machine;
use store::media::{self, key, link::MediaLink};
use tokio::sync::Semaphore;

use crate::{
    app::App,
    http::{Kind, Problem},
};

/// How many are read at once: each is up to 5 MiB in memory.
static READING: Semaphore = Semaphore::const_new(32);

/// Other sites may show a picture that they have a link to; nothing in it is run.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    ),
];

/// Answers 200 with the bytes under the type that they have, or 404: the link is not ours, was
/// changed, has ended, or what it leads to is gone.
pub(super) async fn read(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    // check
    let gone = || Problem::new(Kind::NotFound, "the link has ended, or never was one: get another");
    let kept = app.settings.media.as_ref().ok_or_else(gone)?;
    let link = MediaLink::read(&token, &app.sealer, machine::now()).ok_or_else(gone)?;
    let busy = || Problem::unavailable("many media are read at this moment", 1);
    let _place = READING.try_acquire().map_err(|_| busy())?;

    // load
    let mut tx = app.transactions.of_companies(std::slice::from_ref(&link.tenant)).await?;
    let found = media::get(&mut tx, &link.tenant, link.id).await?;
    drop(tx);
    let stored = found.and_then(|media| media.stored).ok_or_else(gone)?;
    let object = kept.objects.get(&key(&link.tenant, link.id)).await.map_err(|error| {
        tracing::warn!(media = %link.id, %error, "an object cannot be read");
        Problem::unavailable("the object store is away", 5)
    })?;
    let bytes = object.ok_or_else(gone)?;

    // answer
    let media_type = HeaderValue::from_str(&stored.media_type).map_err(|_| gone())?;
    let shown = ["image/", "audio/", "video/"].iter().any(|of| stored.media_type.starts_with(of));
    let disposition = HeaderValue::from_static(if shown { "inline" } else { "attachment" });
    let mut response = Body::from(bytes).into_response();
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    response.headers_mut().extend(HEADERS);
    Ok(response)
}
