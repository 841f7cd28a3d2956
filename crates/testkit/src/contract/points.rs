//! A TCP proxy that counts what goes through it in both directions and holds everything back at one
//! chosen point: that is the moment at which the trial kills a process or a server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

/// The kinds of IO points: before a call (its request), and after it (its response).
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

impl Point {
    const ALL: [Self; 4] = [Self::ToBroker, Self::FromBroker, Self::ToDatabase, Self::FromDatabase];

    /// The kinds that a process is killed at.
    pub(super) const REQUESTS: [Self; 2] = [Self::ToBroker, Self::ToDatabase];
}

/// Counts the reads of all proxies that share it, and never passes on the one to stop at. Counting
/// begins with the read that holds a mark: what comes before it is the start of a process, and no
/// work.
pub struct Points {
    /// The mark that counting begins with.
    begins_with: &'static str,
    begun: AtomicBool,
    /// By kind, in the order of the kinds.
    passed: [AtomicUsize; 4],
    /// The number of the point to stop at, among those of one kind or of all.
    stop: Option<(Option<Point>, usize)>,
    /// Whether that point is reached: from then on everything is held back.
    held: AtomicBool,
    reached: Notify,
    released: watch::Sender<bool>,
    cut: CancellationToken,
}

impl Points {
    /// Everything passes, and is counted.
    pub fn counting(begins_with: &'static str) -> Arc<Self> {
        Self::new(begins_with, None)
    }

    /// Everything stops at the point of this number, until it is released.
    pub fn stopping_at(number: usize, begins_with: &'static str) -> Arc<Self> {
        Self::new(begins_with, Some((None, number)))
    }

    /// Everything stops at the point of this number among those of one kind: calls on one
    /// connection have an order, those on several connections have none.
    pub fn stopping_at_kind(kind: Point, number: usize, begins_with: &'static str) -> Arc<Self> {
        Self::new(begins_with, Some((Some(kind), number)))
    }

    fn new(begins_with: &'static str, stop: Option<(Option<Point>, usize)>) -> Arc<Self> {
        Arc::new(Self {
            begins_with,
            begun: AtomicBool::default(),
            passed: Default::default(),
            stop,
            held: AtomicBool::default(),
            reached: Notify::new(),
            released: watch::Sender::new(false),
            cut: CancellationToken::new(),
        })
    }

    /// How many points have passed.
    pub fn passed(&self) -> usize {
        Point::ALL.into_iter().map(|kind| self.passed_of(kind)).sum()
    }

    /// How many points of a kind have passed.
    pub fn passed_of(&self, kind: Point) -> usize {
        self.passed[kind as usize].load(Ordering::SeqCst)
    }

    /// Waits until the point is reached.
    pub async fn reached(&self) {
        while !self.held.load(Ordering::SeqCst) {
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

    /// Counts bytes that a proxy has read, and waits where they are held back.
    async fn pass(&self, point: Point, bytes: &[u8]) {
        if !self.begun.load(Ordering::SeqCst) {
            if !holds(bytes, self.begins_with) {
                return;
            }
            self.begun.store(true, Ordering::SeqCst);
        }
        if !is_of_a_call(point, bytes) {
            return;
        }

        self.passed[point as usize].fetch_add(1, Ordering::SeqCst);
        let here = match self.stop {
            None => false,
            Some((None, number)) => self.passed() >= number,
            Some((Some(kind), number)) => self.passed_of(kind) >= number,
        };

        if here || self.held.load(Ordering::SeqCst) {
            self.held.store(true, Ordering::SeqCst);
            self.reached.notify_one();
            // The sender lives as long as this: there is no error to wait for.
            let _ = self.released.subscribe().wait_for(|released| *released).await;
        }
    }
}

/// Whether bytes are a call's request or response. Opening a connection, preparing a statement, a
/// heartbeat and a question change nothing: a kill there is a kill before the call that follows.
fn is_of_a_call(point: Point, bytes: &[u8]) -> bool {
    const SYNC: &[u8] = b"S\0\0\0\x04";
    const READY: &[u8] = b"Z\0\0\0\x05";

    match point {
        Point::ToBroker | Point::FromBroker => {
            let beats = [b"PING".as_slice(), b"PONG"].iter().any(|beat| bytes.starts_with(beat));
            !beats && !holds(bytes, "Idle Heartbeat") && !only_asks(bytes)
        }
        // Bind and simple query.
        Point::ToDatabase => {
            let bytes = bytes.strip_prefix(SYNC).unwrap_or(bytes);
            matches!(bytes.first(), Some(b'B' | b'Q'))
        }
        // Bound, completed, a row, an error.
        Point::FromDatabase => {
            let bytes =
                bytes.strip_prefix(READY).map_or(bytes, |rest| rest.get(1..).unwrap_or(rest));
            matches!(bytes.first(), Some(b'2' | b'C' | b'D' | b'E'))
        }
    }
}

/// Whether bytes only ask the broker how full its streams are, as a process does every two seconds.
fn only_asks(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let questions = ["STREAM.INFO.", "CONSUMER.INFO.", "STREAM.MSG.GET."];
    let asked = questions.map(|call| text.matches(&format!("PUB $JS.API.{call}")).count());
    asked.iter().sum::<usize>() == text.matches("PUB ").count() && asked.iter().any(|&it| it > 0)
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Starts a proxy in front of a port of this machine, and gives its own; it lives as long as the
/// test. `calls` are the kinds of its requests and of its responses.
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

/// Moves bytes one way until either side ends.
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
