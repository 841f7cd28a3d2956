//! `subjects.md` names the consumers that the code declares, stages that there are, and examples
//! that run: each is started with the stock Python client against a broker of this test.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use domain::ids::TenantId;
use pipeline::{
    Broker, Publisher, StreamSettings, access::processes::SAID, apply_streams, consumers::CONSUMERS,
};
use stage::StageName;
use tokio_util::sync::CancellationToken;
use wire::{
    Event, EventKind, Stream, Subject,
    event::CampaignData,
    frame::{MemberKey, Outgoing},
    json,
    subject::Scope,
};

use crate::{
    common::nats::Nats,
    tables::{blocks, code, name, overlap, pattern, table},
};

const COLUMNS: [&str; 7] =
    ["stream", "subject", "payload", "producer", "consumers", "dedup key", "retention"];

#[test]
fn every_subject_names_the_consumers_that_read_it() {
    for row in table(&COLUMNS) {
        let subject = pattern(name(&row[1]));
        let reads = |filters: &[&str]| filters.iter().any(|filter| overlap(filter, &subject));
        let declared: BTreeSet<&str> = CONSUMERS
            .iter()
            .filter(|spec| spec.stream.name() == row[0] && reads(spec.filters))
            .map(|spec| spec.name)
            .collect();
        let listed: BTreeSet<&str> = code(&row[4]).into_iter().collect();

        assert_eq!(listed, declared, "{subject}");
    }
}

/// The document says so: a reader finds the stage by the name of its consumer.
#[test]
fn the_name_of_a_consumer_begins_with_its_stage() {
    for spec in CONSUMERS {
        let stage = spec.stage.as_str();
        assert_eq!(spec.name.split('-').next(), Some(stage));
    }
}

#[test]
fn every_producer_is_the_api_or_a_stage() {
    let stages: BTreeSet<&str> = StageName::ALL.iter().map(|stage| stage.as_str()).collect();
    for row in table(&COLUMNS) {
        let producers = code(&row[3]);
        assert!(!producers.is_empty(), "{} has no producer", row[1]);
        for producer in producers {
            let known = producer == "api" || stages.contains(producer);
            assert!(known, "{}: there is no {producer}", row[1]);
        }
    }
}

/// What each process may publish follows from the table, so the table is what the document says.
#[test]
fn what_is_said_is_what_the_document_says() {
    let rows = table(&COLUMNS);
    let rows: Vec<_> = rows.iter().filter(|row| row[0] != Stream::Dead.name()).collect();
    assert_eq!(rows.len(), SAID.len());
    for (row, (stream, subject, by)) in rows.into_iter().zip(SAID) {
        assert_eq!((row[0].as_str(), pattern(name(&row[1])).as_str()), (stream.name(), *subject));
        let by: Vec<&str> = by.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(code(&row[3]), by, "{subject}");
    }
}

#[test]
fn every_stage_that_reads_may_write_dead_letters() {
    let rows = table(&COLUMNS);
    let dead = rows.iter().find(|row| row[0] == Stream::Dead.name()).expect("a row of DEAD");
    let listed: BTreeSet<&str> = code(&dead[3]).into_iter().collect();
    let reading: BTreeSet<&str> = CONSUMERS.iter().map(|spec| spec.stage.as_str()).collect();

    assert_eq!(listed, reading);
}

#[tokio::test]
async fn the_examples_of_subscribers_run_as_they_stand() {
    let server = Nats::start();
    let broker = Broker::connect(&server.url(), None, "test").await.expect("a broker");
    let settings = StreamSettings::at_most(8 << 20);
    apply_streams(&broker, &settings).await.expect("streams");

    let tenant: TenantId = "demo".parse().expect("valid");
    let (event, totals) = (event(&tenant), totals(&tenant));
    let expected = format!("campaign.started {}", event.key.id);
    let publisher = Publisher::new(&broker, "test");
    publisher.publish(vec![event, totals], &CancellationToken::new()).await.expect("stored");

    let examples = blocks("python");
    assert_eq!(examples.len(), 2, "one of events, one of totals");
    for ((_, program), begins) in
        examples.iter().zip([expected.as_str(), "analytics.demo.dashboard {'sent': 3}"])
    {
        let mut python = Python::start(program, &server.url());
        let line = python.first_line().await;
        assert!(line.starts_with(begins), "expected {begins:?}..., the example printed {line:?}");
    }
}

fn event(tenant: &TenantId) -> Outgoing {
    let campaign = domain::ids::CampaignId(uuid::Uuid::from_u128(7));
    let kind = EventKind::CampaignStarted;
    let data = CampaignData { campaign, audience: 0 };
    let event = Event::new(kind, tenant, campaign.0, 2, jiff::Timestamp::UNIX_EPOCH, &data);
    Outgoing::new(Subject::Event(tenant.clone(), kind), &event)
}

fn totals(tenant: &TenantId) -> Outgoing {
    let totals = wire::totals::Totals {
        as_of: jiff::Timestamp::UNIX_EPOCH,
        watermark: 3,
        version: 1,
        id: None,
        totals: [("sent".to_owned(), 3)].into(),
    };
    Outgoing {
        subject: Subject::Analytics(tenant.clone(), Scope::Dashboard),
        key: MemberKey::of(uuid::Uuid::nil()),
        trace: None,
        json: json::to_vec(&totals),
    }
}

/// A running example, ended with the test.
struct Python {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
}

impl Python {
    fn start(program: &str, url: &str) -> Self {
        let mut child = Command::new(python())
            .args(["-u", "-c", program])
            .env("NATS_URL", url)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python with nats-py: `make test` installs it");
        let out = child.stdout.take().map(BufReader::new);
        Self { child, out }
    }

    async fn first_line(&mut self) -> String {
        let mut out = self.out.take().expect("asked once");
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            out.read_line(&mut line).map(|_| line)
        });

        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        if read.is_err() {
            // Ends the blocking read, too.
            self.child.kill().expect("the example ran");
        }
        read.expect("a line within 20 s").expect("a reader").expect("text")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that the set-up script made, as it says in its file.
fn python() -> PathBuf {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.millrace-tools");
    let paths = fs::read_to_string(tools.join("paths")).unwrap_or_default();
    let python = paths.lines().find_map(|line| line.strip_prefix("python="));
    python.map_or_else(|| "python3".into(), PathBuf::from)
}
