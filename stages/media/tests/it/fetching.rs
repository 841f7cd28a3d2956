//! Fetching: from carriers with credentials, from addresses that tenants name, and from none that
//! are not public.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Context;
use axum::{Router, http::StatusCode, response::Redirect, routing::get};
use domain::media::{MediaRefusal, MediaState};
use objects::MOST_BYTES;
use stage::{Cx, Source, machine};
use testkit::world::now;
use tokio::net::TcpListener;

use crate::world::{SID, World};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A server of a tenant; gives where it is, and how often it was asked.
async fn server() -> anyhow::Result<(String, Arc<AtomicUsize>)> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let big = vec![b'%'; MOST_BYTES as usize + 1];
    let router = Router::new()
        .route("/card", get(async || "BEGIN:VCARD\r\nVERSION:3.0\r\n"))
        .route("/page", get(async || ([("content-type", "image/png")], "<html>")))
        .route("/nothing", get(async || ""))
        .route("/big", get(move || async move { big }))
        .route("/moved", get(async || Redirect::temporary("/card")))
        .route("/inwards", get(async || Redirect::temporary("http://169.254.169.254/latest")))
        .route("/round", get(async || Redirect::temporary("/round")))
        .route("/away", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { request }
        }));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, asked))
}

#[tokio::test]
async fn what_has_an_id_alone_is_fetched_where_the_carrier_says_with_the_same_credentials()
-> anyhow::Result<()> {
    let world = World::start(Vec::new()).await?;
    world.whatsapp().await?;
    let elsewhere = "http://169.254.169.254/latest";
    let ids = world.received(7, &["9900000000000042", "123", elsewhere]).await?;
    world.fetch().await?;

    let row = world.row(ids[0]).await?.context("a row")?;
    assert_eq!((row.state, row.reason), (MediaState::Stored, None), "{row:?}");
    assert!(world.object(ids[0]).await?.context("an object")?.starts_with(PNG));
    for (id, reason) in [(ids[1], MediaRefusal::Gone), (ids[2], MediaRefusal::Address)] {
        let row = world.row(id).await?.context("a row")?;
        assert_eq!((row.state, row.reason), (MediaState::Refused, Some(reason)), "{row:?}");
    }

    // A token that Meta refuses may be replaced: it is asked for again.
    let sealed = testkit::world::sealer().seal(b"another:secret:word");
    let change = format!("update millrace.carrier_accounts set sealed_token = '{sealed}'");
    world.inner.run(&change).await?;
    let waits = world.received(8, &["9900000000000043"]).await?[0];
    world.fetch().await?;
    assert_eq!(world.row(waits).await?.context("a row")?.state, MediaState::Pending);
    Ok(())
}

#[tokio::test]
async fn what_comes_with_a_text_is_fetched_with_the_account_s_credentials_and_kept()
-> anyhow::Result<()> {
    let world = World::start(Vec::new()).await?;
    let message = format!("https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM01/Media");
    let other = message.replace(SID, "AC00000000000000000000000000000002");
    let urls = [format!("{message}/ME01"), format!("{message}/ME02"), format!("{other}/ME01")];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let ids = world.received(7, &urls).await?;
    assert_eq!(world.received(7, &urls).await?, ids, "a repeat brings the same");

    world.fetch().await?;
    for id in &ids[..2] {
        let row = world.row(*id).await?.context("a row")?;
        assert_eq!((row.state, row.reason), (MediaState::Stored, None), "{row:?}");
        let stored = row.stored.context("what is stored")?;
        let object = world.object(*id).await?.context("an object")?;
        assert_eq!((&*stored.media_type, stored.bytes), ("image/png", object.len() as u64));
        assert!(object.starts_with(PNG));
    }

    let foreign = world.row(ids[2]).await?.context("a row")?;
    assert_eq!(foreign.reason, Some(MediaRefusal::Address), "another account's is not asked for");
    let left = world.inner.number("select count(*) from millrace.media where url <> ''").await?;
    assert_eq!(left, 0, "no address is kept longer than it is needed");
    Ok(())
}

#[tokio::test]
async fn what_a_tenant_gives_is_kept_by_its_bytes_or_refused_with_a_reason() -> anyhow::Result<()> {
    let (address, _) = server().await?;
    let world = World::start(vec![address.clone()]).await?;
    let mut given = Vec::new();
    for (path, expected) in [
        ("card", None),
        ("moved", None),
        ("page", Some(MediaRefusal::Type)),
        ("nothing", Some(MediaRefusal::Size)),
        ("big", Some(MediaRefusal::Size)),
        ("missing", Some(MediaRefusal::Gone)),
        ("round", Some(MediaRefusal::Gone)),
        ("inwards", Some(MediaRefusal::Address)),
    ] {
        given.push((world.given(&format!("http://{address}/{path}")).await?, path, expected));
    }

    world.fetch().await?;
    for (id, path, expected) in given {
        let row = world.row(id).await?.context("a row")?;
        assert_eq!(row.reason, expected, "{path}: {row:?}");
        assert_eq!(world.object(id).await?.is_some(), expected.is_none(), "{path}");
        let media_type = row.stored.map(|stored| stored.media_type);
        assert_eq!(media_type.is_some_and(|it| it == "text/vcard"), expected.is_none(), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_not_public_is_never_called() -> anyhow::Result<()> {
    let (address, asked) = server().await?;
    let world = World::start(Vec::new()).await?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let mut given = Vec::new();
    for url in [
        format!("http://{address}/card"),
        format!("https://{address}/card"),
        format!("https://localhost:{port}/card"),
        "https://localhost/card".to_owned(),
        "https://127.0.0.1/card".to_owned(),
        "https://[::ffff:127.0.0.1]/card".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        given.push((world.given(&url).await?, url));
    }

    world.fetch().await?;
    for (id, url) in given {
        let row = world.row(id).await?.context("a row")?;
        assert_eq!(row.reason, Some(MediaRefusal::Address), "{url}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody was called");

    // A name that leads inwards passes the check of its form; the client makes no connection.
    let public = carriers::public::client()?;
    let inner = public.get(format!("http://localhost:{port}/card")).send().await;
    assert!(inner.is_err(), "{inner:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody was called");
    Ok(())
}

#[tokio::test]
async fn who_does_not_answer_is_asked_again_later_and_not_for_ever() -> anyhow::Result<()> {
    let (address, asked) = server().await?;
    let world = World::start(vec![address.clone()]).await?;
    let id = world.given(&format!("http://{address}/away")).await?;
    world.fetch().await?;
    world.fetch().await?;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "not before its time");
    let row = world.row(id).await?.context("a row")?;
    assert_eq!(row.state, MediaState::Pending);

    world.inner.run("update millrace.media set due = '2026-01-01Z', tries = 11").await?;
    world.fetch().await?;
    let row = world.row(id).await?.context("a row")?;
    assert_eq!((row.state, row.reason), (MediaState::Refused, Some(MediaRefusal::Unreachable)));
    Ok(())
}

#[tokio::test]
async fn of_two_processes_one_fetches_and_one_that_died_leaves_it_to_the_other()
-> anyhow::Result<()> {
    let (address, asked) = server().await?;
    let world = World::start(vec![address.clone()]).await?;
    let id = world.given(&format!("http://{address}/card")).await?;
    let cx = Cx::at(now(), machine::now());
    let (one, other) = (world.source().await?, world.source().await?);
    let (first, second) = tokio::join!(one.tick(&cx), other.tick(&cx));
    first?;
    second?;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(world.object(id).await?.is_some());

    // Taken, and never recorded: due again when the lease has ended.
    let died = world.given(&format!("http://{address}/card")).await?;
    let store = world.inner.pipeline().await?;
    let (taken, _) = store::media::fetch::take(&store, machine::now(), 4, 4).await?;
    assert_eq!(taken.len(), 1);
    world.fetch().await?;
    assert!(world.object(died).await?.is_none(), "its lease holds");
    world.inner.run("update millrace.media set due = due - interval '61 s'").await?;
    world.fetch().await?;
    assert!(world.object(died).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn too_many_that_wait_are_refused_and_one_tenant_leaves_places_to_others()
-> anyhow::Result<()> {
    let world = World::start(Vec::new()).await?;
    let flood = "insert into millrace.media (tenant_id, media_id, direction, url, state, due,
                                            created_at, kept_from)
                 select 'acme', gen_random_uuid(), 'in', 'https://x.invalid/x', 'pending',
                        '2026-01-01Z', now(), now() from generate_series(1, 10000)";
    world.inner.run(flood).await?;
    let other = world.inner.database.tenant("globex").await?;
    let one = flood.replace("acme", "globex").replace("10000", "1");
    world.inner.run(&one).await?;

    let refused = world.received(9, &["https://api.twilio.com/x"]).await?[0];
    let row = world.row(refused).await?.context("a row")?;
    assert_eq!((row.state, row.reason), (MediaState::Refused, Some(MediaRefusal::TooMany)));

    let store = world.inner.pipeline().await?;
    let (taken, _) = store::media::fetch::take(&store, machine::now(), 4, 16).await?;
    assert_eq!(taken.len(), 5);
    assert_eq!(taken.iter().filter(|media| media.tenant == other).count(), 1);
    Ok(())
}
