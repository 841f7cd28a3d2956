//! A TCP proxy that counts what goes through it in both directions, and holds everything back at
//! one chosen point: the moment at which a process, or a server, is killed.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

/// What an IO point is: before a call (its request), or after it (its response).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// What a process says to the broker.
    ToBroker,
    /// What the broker says to it.
    FromBroker,
    /// What it says to the database.
    ToDatabase,
    /// What the database says to it.
    FromDatabase,
}

/// Counts the reads of all proxies that share it; the read of number `stop` is never passed on.
/// Counting begins with the read that holds a mark: what is before is the start of a process, and
/// no work.
pub struct Points {
    begins_with: &'static str,
    begun: AtomicBool,
    passed: AtomicUsize,
    stop: usize,
    held: OnceLock<Point>,
    reached: Notify,
    released: watch::Sender<bool>,
    cut: CancellationToken,
}

impl Points {
    /// Everything passes.
    pub fn counting(begins_with: &'static str) -> Arc<Self> {
        Self::stopping_at(usize::MAX, begins_with)
    }

    /// Everything stops at this point, until it is released.
    pub fn stopping_at(stop: usize, begins_with: &'static str) -> Arc<Self> {
        Arc::new(Self {
            begins_with,
            begun: AtomicBool::new(begins_with.is_empty()),
            passed: AtomicUsize::default(),
            stop,
            held: OnceLock::new(),
            reached: Notify::new(),
            released: watch::Sender::new(false),
            cut: CancellationToken::new(),
        })
    }

    /// How many have passed.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// Waits until the point is reached; says what it is.
    pub async fn reached(&self) -> Point {
        loop {
            if let Some(held) = self.held.get() {
                return *held;
            }
            self.reached.notified().await;
        }
    }

    /// Lets everything pass from now on.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Closes every connection, as the system does for a process that is killed.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    async fn pass(&self, point: Point, bytes: &[u8]) {
        if !self.begun.load(Ordering::SeqCst) {
            let mark = self.begins_with.as_bytes();
            if !bytes.windows(mark.len()).any(|window| window == mark) {
                return;
            }
            self.begun.store(true, Ordering::SeqCst);
        }
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number >= self.stop {
            if number == self.stop {
                self.held.get_or_init(|| point);
            }
            self.reached.notify_one();
            // The sender lives as long as this: there is no error to wait for.
            let _ = self.released.subscribe().wait_for(|released| *released).await;
        }
    }
}

/// Starts a proxy in front of a port of this machine; it lives as long as the test. `calls` names
/// its requests and its responses.
pub async fn proxy(upstream: u16, calls: [Point; 2], points: Arc<Points>) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let [request, response] = calls;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let points = Arc::clone(&points);
            tokio::spawn(async move {
                let upstream = SocketAddr::from(([127, 0, 0, 1], upstream));
                let Ok(server) = TcpStream::connect(upstream).await else { return };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let pumps = async {
                    tokio::join!(
                        pump(from_client, to_server, request, &points),
                        pump(from_server, to_client, response, &points),
                    )
                };
                points.cut.run_until_cancelled(pumps).await;
            });
        }
    });
    Ok(port)
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    point: Point,
    points: &Points,
) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        points.pass(point, &buffer[..read]).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    // The other side has ended; so does this one.
    let _ = to.shutdown().await;
}
