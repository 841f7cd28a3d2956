//! The server: connections in, answers out, until it is told to stop; then everything under way is
//! finished within a bounded time.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::HeaderMap};
use futures::TryFutureExt;
use hyper::{
    Request,
    body::Incoming,
    rt::{Read, Write},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    connections::{Connection, Connections},
    directory,
    http::peer::Peer,
    http::proxies::client_of,
    live, outbox, routes,
};

/// How long a connection may take to send the head of a request, which bounds idling too.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// About how many bytes the head of a request may have: what comes with the last read is looked at
/// too.
const HEAD: usize = 64 * 1024;

/// How long requests may take to finish once the ingress stops.
const REQUESTS: Duration = Duration::from_secs(15);

/// How long a connection that must make room may take to end, while nothing is asked on it.
const LEAVING: Duration = Duration::from_millis(250);

/// How long requests and background work may take together: less than a process has to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(25);

/// Answers on the listener until `shutdown` is cancelled, then finishes what is under way.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = routes::router(app.clone());

    let upkeep = CancellationToken::new();
    let _upkeep_ends = upkeep.clone().drop_guard();
    directory::mirror::keep(app.clone(), upkeep.clone());
    routes::campaigns::events::keep_publishing(app.clone(), upkeep.clone());
    live::keep(&app, &upkeep);
    outbox::keep_publishing(app.clone(), upkeep);
    if let Some(tls) = app.settings.tls.clone() {
        app.background.spawn(tls.keep_current(app.stopping.clone()));
    }

    let all = Connections::new(app.settings.connections);
    let unread = app.settings.unread;
    let connections = TaskTracker::new();
    while let Some((stream, connection)) = accept(&listener, &all, &shutdown).await {
        limit_unread(&stream, unread);
        let (app, router) = (app.clone(), router.clone());
        connections.spawn(converse(stream, connection, app, router, shutdown.clone()));
    }

    // Refuse what comes now, so that callers go to another process.
    drop(listener);
    drain(app, connections).await;
    Ok(())
}

/// The next connection, once there is room for it; none once `shutdown` is cancelled. Those behind
/// it wait in the kernel's queue.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, Connection)> {
    loop {
        match shutdown.run_until_cancelled(listener.accept()).await? {
            Ok((stream, peer)) => {
                let open = connections.open(peer.ip());
                return Some((stream, shutdown.run_until_cancelled(open).await?));
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                // Out of file descriptors: connections that end make room.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The kernel closes the connection of a peer that takes nothing of what is written for so long.
fn limit_unread(stream: &TcpStream, unread: Duration) {
    let unread = u32::try_from(unread.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = setsockopt(stream, TcpUserTimeout, &unread) {
        tracing::warn!(%error, "a connection has no limit on the time to read its answers");
    }
}

/// Answers a connection, after a handshake where there is TLS.
async fn converse(
    stream: TcpStream,
    connection: Connection,
    app: App,
    router: Router,
    shutdown: CancellationToken,
) {
    // Without it a small answer may wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let connected = stream.peer_addr().ok().map(|address| address.ip());
    let peer = |headers: &HeaderMap| {
        let trusted = &app.settings.trusted_proxies;
        Peer(connected.map(|connected| client_of(connected, headers, trusted)))
    };

    match &app.settings.tls {
        None => answer(TokioIo::new(stream), connection, peer, router, shutdown).await,
        Some(tls) => {
            // Nothing is asked yet, so whoever needs the place, or a stop, goes first.
            let shaken = tokio::select! {
                shaken = tls.accept(stream) => shaken,
                () = connection.gone() => return,
                () = shutdown.cancelled() => return,
            };
            match shaken {
                Ok(stream) => {
                    answer(TokioIo::new(stream), connection, peer, router, shutdown).await;
                }
                Err(error) => tracing::debug!(%error, "a handshake failed"),
            }
        }
    }
}

/// Answers the requests of a connection, until it must make room for another. On `shutdown` the one
/// under way is finished.
async fn answer(
    io: impl Read + Write + Unpin,
    connection: Connection,
    peer: impl Fn(&HeaderMap) -> Peer,
    router: Router,
    shutdown: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        let asked = connection.ask();
        let peer = peer(request.headers());
        request.extensions_mut().insert(connection.clone());
        request.extensions_mut().insert(peer);
        router.call(request).map_ok(|response| asked.answer(response))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD)
        .serve_connection(io, service);

    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = connection.gone() => {
            served.as_mut().graceful_shutdown();
            match timeout(LEAVING, served.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if connection.is_asked() => served.await,
                Err(_) => return,
            }
        }
        () = shutdown.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Requests first, of which batches wait for no more turns and live ones end, then what they left
/// to the background.
async fn drain(app: App, connections: TaskTracker) {
    let begun = Instant::now();
    app.turns.close();
    app.live.close();
    connections.close();
    let requests = timeout_at(begun + REQUESTS, connections.wait()).await;

    app.stopping.cancel();
    app.background.close();
    let work = timeout_at(begun + DRAIN_LIMIT, app.background.wait()).await;

    let in_time = requests.is_ok() && work.is_ok();
    let (requests, work) = (connections.len(), app.background.len());
    tracing::info!(requests, work, in_time, "stopped: callers repeat what is left");
}

/// Whether the peer has gone before its connection was accepted.
fn is_the_peers(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
