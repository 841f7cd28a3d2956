//! The listening side: accepts connections, finds the handler of a request, and cuts connections
//! when a fault says so.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    anthropic,
    app::App,
    bandwidth, control,
    reply::{Answer, Cut, Unread, problem, read_body},
    smtp, tools, twilio, whatsapp, worker,
};

/// The most connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 8_192;

/// How long requests under way may take to end on a stop.
const GRACE: Duration = Duration::from_secs(1);

/// The tasks of a sandbox. Dropping it ends them.
pub(crate) struct Running {
    app: Arc<App>,
    stop: CancellationToken,
    listening: Option<JoinHandle<()>>,
    working: JoinHandle<()>,
    mailing: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(listener: TcpListener, mail: TcpListener, app: Arc<App>) -> Self {
        let stop = CancellationToken::new();
        let listening = tokio::spawn(listen(listener, app.clone(), stop.clone()));
        let working = tokio::spawn(worker::run(app.clone()));
        let mailing = tokio::spawn(smtp::listen(mail, app.clone(), stop.clone()));
        Self { app, stop, listening: Some(listening), working, mailing }
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if let Some(listening) = self.listening.take() {
            // An error would be a panic of that task, which has been reported already.
            let _ = listening.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(listening) = &self.listening {
            listening.abort();
        }
        self.working.abort();
        self.mailing.abort();
        self.app.courier.stop();
    }
}

/// Accepts connections until the stop, then waits for those that are open.
async fn listen(listener: TcpListener, app: Arc<App>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        while connections.try_join_next().is_some() {}

        match accepted {
            Ok((stream, _)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    serve(stream, app, stop).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of file descriptors, as a rule: trying at once would only spin.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the requests of one connection; on a stop, for no longer than the grace.
async fn serve(stream: TcpStream, app: Arc<App>, stop: CancellationToken) {
    if stream.set_nodelay(true).is_err() {
        return;
    }

    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(ResettableStream { stream, reset: reset.clone() });
    let service = service_fn(move |request| {
        let (app, reset) = (app.clone(), reset.clone());
        async move {
            let answer = route(&app, request).await;
            if matches!(answer, Err(Cut::Reset)) {
                reset.store(true, Ordering::Relaxed);
            }
            answer
        }
    });

    let mut http = http1::Builder::new();
    http.header_read_timeout(None);
    let mut connection = pin!(http.serve_connection(io, service));
    tokio::select! {
        // An error is a caller who went away, or a cut.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
    }

    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(GRACE, connection).await;
}

/// Finds who answers: the first part of the path says it.
async fn route(app: &Arc<App>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            return Ok(problem(StatusCode::PAYLOAD_TOO_LARGE, "a body has at most 1 MiB"));
        }
        Err(Unread::Broken) => return Err(Cut::Close),
    };

    let path = head.uri.path();
    if let Some(rest) = path.strip_prefix("/2010-04-01/Accounts/") {
        twilio::answer(app, &head, rest, &body).await
    } else if let Some(rest) = path.strip_prefix("/api/v2/users/") {
        bandwidth::answer(app, &head, rest, &body).await
    } else if let Some(rest) = path.strip_prefix("/api/accounts/") {
        bandwidth::numbers::answer(app, &head, rest, &body)
    } else if path == whatsapp::media::PATH {
        Ok(whatsapp::media::give(app, &head))
    } else if let Some(rest) = whatsapp::rest_of(path) {
        whatsapp::answer(app, &head, rest, &body).await
    } else if path.starts_with("/v1/") {
        anthropic::answer(app, &head, &body).await
    } else if let Some(rest) = path.strip_prefix("/tools/") {
        Ok(tools::answer(&head, rest, &body))
    } else if let Some(rest) = path.strip_prefix("/sandbox/") {
        Ok(control::answer(app, &head, rest, &body))
    } else if path == "/healthz" {
        Ok(control::healthy())
    } else {
        Ok(problem(StatusCode::NOT_FOUND, "the sandbox has no such path"))
    }
}

/// A TCP stream that is reset, not closed, when that was asked for.
struct ResettableStream {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // If it fails the stream is closed in order, which is a cut as well.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
