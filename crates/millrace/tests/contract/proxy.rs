//! A TCP proxy that counts what goes through it in both directions, and holds everything back at
//! one chosen point: the moment at which a process, or a server, is killed.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

/// Counts the reads of all proxies that share it; the read of number `stop` is never passed on.
pub struct Points {
    passed: AtomicUsize,
    stop: usize,
    reached: Notify,
    released: watch::Sender<bool>,
    cut: CancellationToken,
}

impl Points {
    /// Everything passes.
    pub fn counting() -> Arc<Self> {
        Self::stopping_at(usize::MAX)
    }

    /// Everything stops at this point, until it is released.
    pub fn stopping_at(stop: usize) -> Arc<Self> {
        let (passed, reached) = (AtomicUsize::default(), Notify::new());
        let (released, cut) = (watch::Sender::new(false), CancellationToken::new());
        Arc::new(Self { passed, stop, reached, released, cut })
    }

    /// How many have passed.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// Waits until the point is reached.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets everything pass from now on.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Closes every connection, as the system does for a process that is killed.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    async fn pass(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 >= self.stop {
            self.reached.notify_one();
            // The sender lives as long as this: there is no error to wait for.
            let _ = self.released.subscribe().wait_for(|released| *released).await;
        }
    }
}

/// Starts a proxy in front of a port of this machine; it lives as long as the test.
pub async fn proxy(upstream: u16, points: Arc<Points>) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
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
                        pump(from_client, to_server, &points),
                        pump(from_server, to_client, &points),
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
    points: &Points,
) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        points.pass().await;
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    // The other side has ended; so does this one.
    let _ = to.shutdown().await;
}
