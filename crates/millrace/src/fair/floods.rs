//! What the neighbours do meanwhile.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::work::{CODES, FLOODING, FairWork, SLOW, UPLOADING, number};
use crate::{cli, demo::client::HttpCaller, platform::Platform};

/// Messages in one request of a flood, and requests under way at once.
const BATCH: usize = 1_000;
const REQUESTS: usize = 8;

/// Texts to the slow carrier account, at most: half as many as flood the slow sender.
const SLOW_TEXTS: usize = 5_000;

/// The people to whom single texts are posted.
const PEOPLE: usize = 1_000_000;

/// Connections that upload slowly, and how often each sends its next bytes.
const UPLOADS: usize = 40;
const UPLOAD_EVERY: Duration = Duration::from_millis(500);

/// The wait before a request that found no room is repeated.
const PAUSE: Duration = Duration::from_millis(200);

/// A flood that ends by itself, with the ids of what it sent; none for one that goes on.
pub type Flood = Option<Vec<String>>;

/// Begins the floods; counts the single texts that are taken.
///
/// # Errors
/// A client cannot be made.
pub fn begin(
    floods: &mut JoinSet<anyhow::Result<Flood>>,
    platform: &Platform,
    work: &FairWork,
    args: &cli::Fair,
    posted: &Arc<AtomicUsize>,
) -> anyhow::Result<()> {
    for (tenant, texts, keeps) in
        [(FLOODING, args.texts, true), (SLOW, SLOW_TEXTS.min(args.texts / 2), false)]
    {
        let (client, pool) = (platform.client(tenant)?, work.pools[tenant].clone());
        floods.spawn(async move {
            let ids = flood(&client, &pool, tenant, texts).await?;
            Ok(keeps.then_some(ids))
        });
    }

    let address = platform.api_url.trim_start_matches("http://").to_owned();
    let key = platform.key(UPLOADING).expose_secret().to_owned();
    for _ in 0..UPLOADS {
        let (address, key) = (address.clone(), key.clone());
        floods.spawn(async move {
            upload_slowly(&address, &key).await;
            Ok(None)
        });
    }

    let tried = Arc::new(AtomicUsize::new(0));
    for _ in 0..args.posts {
        let (client, pool) = (platform.client(UPLOADING)?, work.pools[UPLOADING].clone());
        let (tried, posted) = (tried.clone(), posted.clone());
        floods.spawn(async move {
            post(&client, &pool, [&tried, &posted]).await;
            Ok(None)
        });
    }
    Ok(())
}

/// Ends the floods: those that go on are given up. Gives the ids of the one that is looked at.
///
/// # Errors
/// A flood failed.
pub async fn end(floods: &mut JoinSet<anyhow::Result<Flood>>) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    while let Some(ended) = floods.join_next().await {
        if let Some(flooded) = ended?? {
            ids = flooded;
            break;
        }
    }
    floods.abort_all();
    Ok(ids)
}

/// Sends so many single texts by batches, as fast as they are taken.
async fn flood(
    client: &HttpCaller,
    pool: &str,
    tenant: usize,
    texts: usize,
) -> anyhow::Result<Vec<String>> {
    let mut sending: JoinSet<anyhow::Result<Vec<String>>> = JoinSet::new();
    let mut ids = Vec::with_capacity(texts);
    for first in (0..texts).step_by(BATCH) {
        while sending.len() >= REQUESTS {
            ids.extend(sending.join_next().await.context("a request")???);
        }

        let client = client.clone();
        let message = |index| {
            json!({
                "to": number(tenant, index),
                "class": "transactional",
                "pool": pool,
                "body": format!("Your parcel {index} is on its way"),
                "idempotency_key": format!("flood-{index}"),
            })
        };
        let batch: Vec<Value> = (first..texts.min(first + BATCH)).map(message).collect();
        sending.spawn(async move {
            let body = json!({ "messages": batch });
            loop {
                match client.post("/v1/messages/batch", &body).await {
                    Ok(answer) => return ids_of(&answer),
                    Err(_) => sleep(PAUSE).await,
                }
            }
        });
    }

    while let Some(sent) = sending.join_next().await {
        ids.extend(sent??);
    }
    Ok(ids)
}

/// Posts single texts, one after the other.
async fn post(client: &HttpCaller, pool: &str, [tried, posted]: [&AtomicUsize; 2]) {
    loop {
        let index = tried.fetch_add(1, Ordering::Relaxed);
        let message = json!({
            "to": number(UPLOADING, index % PEOPLE),
            "class": "transactional",
            "pool": pool,
            "body": format!("Your order {index} is ready"),
        });
        match client.post("/v1/messages", &message).await {
            Ok(_) => {
                posted.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn ids_of(answer: &Value) -> anyhow::Result<Vec<String>> {
    let ids = answer["ids"].as_array().context("ids")?;
    Ok(ids.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect())
}

/// Sends the head of a large request and then a few bytes now and then, again and again.
async fn upload_slowly(address: &str, key: &str) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { return };
        let head = format!(
            "POST /v1/messages/batch HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{{\"messages\": ["
        );
        let mut sent = stream.write_all(head.as_bytes()).await;
        while sent.is_ok() {
            sleep(UPLOAD_EVERY).await;
            sent = stream.write_all(&[b' '; 64]).await;
        }
    }
}

/// Sends a code each second, and says when each request began, by the message's id.
///
/// # Errors
/// A code is not accepted.
pub async fn codes(
    client: HttpCaller,
    work: FairWork,
    seconds: u64,
) -> anyhow::Result<BTreeMap<String, Timestamp>> {
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending = JoinSet::new();
    let begun = Instant::now();

    let mut index = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        tick.tick().await;
        let body = json!({
            "to": number(CODES, index),
            "class": "transactional",
            "pool": work.pools[CODES],
            "body": format!("Your code is {index:06}"),
        });
        let client = client.clone();
        sending.spawn(async move {
            let begun = boot::clock::machine_now();
            let answer = client.post("/v1/messages", &body).await?;
            let id = answer["id"].as_str().context("no id")?.to_owned();
            anyhow::Ok((id, begun))
        });
        index += 1;
    }

    let mut codes = BTreeMap::new();
    while let Some(sent) = sending.join_next().await {
        let (id, begun) = sent??;
        codes.insert(id, begun);
    }
    Ok(codes)
}
