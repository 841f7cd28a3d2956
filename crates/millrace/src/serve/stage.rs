//! `millrace stage NAME`: one stage as its own process. The only place that knows every stage.

use std::{process::ExitCode, time::Duration};

use boot::settings::{RetentionSettings, Settings, SignInSettings};
use carriers::{ToolCaller, anthropic};
use pipeline::{
    StreamPurge,
    run::{Drained, Runtime, SourceConfig, StageConfig, run as run_stage, run_source},
};
use schedule::{MailNotices, Mailer, TextNotices};
use stage::StageName;
use store::{Role, Store, core::seal::Sealer, retention::Keep};
use tokio_util::sync::CancellationToken;

use crate::{cli, gauges, process::ProcessParts, public_url::PublicUrlUse};

/// Connections to Postgres per stage process: a batch takes one, three batches are under way.
pub const CONNECTIONS: u32 = 6;

/// Texts that inbound and reply hold at once, at most: a flood of one tenant's, or one tenant's
/// slow model, is to leave room for the others'. Each comes in a frame of its own.
const TEXTS: usize = 8_192;

/// How sources tick whose work comes seconds apart.
const SWEEPING: SourceConfig =
    SourceConfig { interval: Duration::from_secs(1), drain: Duration::from_secs(20) };

/// How rollup tells of what has moved. Each time, rows of totals get new versions, which stay for
/// as long as somebody holds a snapshot: once a second is live enough for people, and a quarter of
/// the versions.
const TELLING: SourceConfig =
    SourceConfig { interval: Duration::from_secs(1), drain: Duration::from_secs(20) };

/// How many groups of moves rollup counts in one batch: as many as a tick of `CountsTeller`
/// publishes under load. A batch writes each total once; smaller ones write its row more often.
const GROUPS: usize = 2_048;

/// How long send gathers what it says of calls while others of their batch are under way. Events go
/// out by tenant and kind, so that what is gathered for less makes frames of one or two.
const OF_CALLS: Duration = Duration::from_millis(60);

/// How senders are judged: a window has minutes, so that seconds matter to nobody.
const JUDGING: SourceConfig =
    SourceConfig { interval: Duration::from_secs(15), drain: Duration::from_secs(20) };

/// How open orders of numbers are looked for: the first look is minutes after the order.
const LOOKING_UP: SourceConfig =
    SourceConfig { interval: Duration::from_secs(15), drain: Duration::from_secs(20) };

/// How retention ticks: each tick is one step, so this is its pace. Under a load that takes all of
/// Postgres' time, it still removes more than 500 messages a second, and takes a twentieth of it.
const RETAINING: SourceConfig =
    SourceConfig { interval: Duration::from_millis(750), drain: Duration::from_secs(20) };

/// How what waits for rollup is counted: a look that finds as many as there may be takes a second
/// or two.
const COUNTING: SourceConfig =
    SourceConfig { interval: Duration::from_secs(15), drain: Duration::from_secs(20) };

/// How what is said to people who sign in is looked for: they wait for it.
const SAYING: SourceConfig =
    SourceConfig { interval: Duration::from_millis(250), drain: Duration::from_secs(20) };

/// How long a stage that has drained waits for its last acks to be on their way.
const FLUSH: Duration = Duration::from_secs(2);

/// Runs one stage until it is told to end.
pub async fn run(args: cli::StageArgs) -> anyhow::Result<ExitCode> {
    let mut process = ProcessParts::begin(args.common)?;
    process.end_in_time();
    let name = args.name.as_str();
    let broker = process.broker(name).await?;
    process.follow_clock(&broker).await?;
    let store = process.store(Role::Pipeline, CONNECTIONS).await?;
    gauges::keep(store.clone());
    let names_it = args.name == StageName::Send;
    let of_url = if names_it { PublicUrlUse::Names } else { PublicUrlUse::Neither };
    process.agree_on_public_url(&store, of_url).await?;

    let end = CancellationToken::new();
    let health = process.answer_health(process.health(&broker, &store), end.clone()).await?;
    tracing::info!(stage = name, %health, "running");

    let config = StageConfig {
        lanes: args.lane.into(),
        batches_under_way: args.workers.into(),
        ack_wait: process.settings.ack_wait,
        ..StageConfig::default()
    };

    let sealer = process.sealer()?;
    let runtime = process.runtime(broker.clone(), sealer.clone());
    let drained = stage(args.name, &process, &runtime, store, sealer, &config).await?;
    let Drained { left, unread, unacked, in_time } = drained;
    tracing::info!(stage = name, left, unread, unacked, in_time, "stopped: others do what is left");

    // What is not out by then comes again: an end within a bounded time matters more.
    let _ = tokio::time::timeout(FLUSH, broker.client.flush()).await;
    end.cancel();
    Ok(ExitCode::SUCCESS)
}

/// Runs one stage on this runtime until it is told to end.
///
/// # Errors
/// A setting that the stage needs is missing.
pub async fn stage(
    name: StageName,
    process: &ProcessParts,
    runtime: &Runtime,
    store: Store,
    sealer: Sealer,
    config: &StageConfig,
) -> anyhow::Result<Drained> {
    let source = SourceConfig::default();

    match name {
        StageName::Audience => {
            Ok(run_source(audience::AudienceSource::new(store), runtime, &source).await)
        }
        StageName::Schedule => schedule_sources(process, runtime, store, sealer).await,
        StageName::Enrich => Ok(run_stage(enrich::EnrichStage::new(store), runtime, config).await?),
        StageName::Gate => {
            let longest_call = process.settings.call_by + process.settings.request_timeout;
            let gate = gate::GateStage::new(store).with_longest_call(longest_call);
            Ok(run_stage(gate, runtime, config).await?)
        }
        StageName::Throttle => {
            Ok(run_stage(throttle::ThrottleStage::default(), runtime, config).await?)
        }
        StageName::Send => {
            let send = send_stage(process, store, sealer)?;
            let config = StageConfig { gather: OF_CALLS, ..config.clone() };
            Ok(run_stage(send, runtime, &config).await?)
        }
        StageName::Reconcile => reconcile(process, runtime, store, sealer, config).await,
        StageName::Inbound => {
            let config = StageConfig { in_flight: TEXTS, ..config.clone() };
            Ok(run_stage(inbound::InboundStage::new(store), runtime, &config).await?)
        }
        StageName::Media => media_sources(process, runtime, store, sealer).await,
        StageName::Reply => {
            let model = model(process, sealer)?;
            let config = StageConfig { in_flight: TEXTS, ..config.clone() };
            let texts = reply::ReplyStage::new(store.clone(), model.is_some());
            let answers = reply::AnswerSource::new(store, model);
            let (texts, answers) = tokio::join!(
                run_stage(texts, runtime, &config),
                run_source(answers, runtime, &source),
            );
            Ok(answers.and(texts?))
        }
        StageName::Rollup => {
            let tell = run_source(rollup::CountsTeller::new(store.clone()), runtime, &TELLING);
            let publish = run_source(rollup::TotalsPublisher::new(store.clone()), runtime, &source);
            let judge = run_source(rollup::SenderJudge::new(store.clone()), runtime, &JUDGING);
            let config = StageConfig { batch_max: GROUPS, in_flight: 2 * GROUPS, ..config.clone() };
            let count = run_stage(rollup::RollupStage::new(store), runtime, &config);
            let (tell, publish, judge, count) = tokio::join!(tell, publish, judge, count);
            Ok(tell.and(publish).and(judge).and(count?))
        }
    }
}

/// The sources of schedule, side by side.
async fn schedule_sources(
    process: &ProcessParts,
    runtime: &Runtime,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<Drained> {
    let SignInSettings { mail, codes_tenant, .. } = &process.settings.sign_in;
    let mailer = mail.as_ref().map(|mail| Mailer::new(&mail.smtp_url, &mail.from)).transpose()?;
    let texts = TextNotices::new(store.clone(), sealer.clone(), codes_tenant.clone());
    let mails = MailNotices::new(store.clone(), sealer, mailer);

    let keep = retention(process.settings.retention);
    let retention = schedule::RetentionSource::new(store.clone(), keep);
    let purge = StreamPurge::new(runtime.broker.clone());
    let counts = schedule::CountsLimit::new(store.clone(), process.settings.counts_limit);
    let source = SourceConfig::default();
    let (release, purge, retention, counts, texts, mails) = tokio::join!(
        run_source(schedule::ScheduleSource::new(store), runtime, &source),
        run_source(purge, runtime, &SWEEPING),
        run_source(retention, runtime, &RETAINING),
        run_source(counts, runtime, &COUNTING),
        run_source(texts, runtime, &SAYING),
        run_source(mails, runtime, &SAYING),
    );
    Ok(release.and(purge).and(retention).and(counts).and(texts).and(mails))
}

/// The sources of media, side by side: some fetch, so that a slow address keeps a part of what
/// waits behind it and not all; one removes.
async fn media_sources(
    process: &ProcessParts,
    runtime: &Runtime,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<Drained> {
    let settings = &process.settings;
    let objects = process.objects()?;
    if objects.is_none() {
        tracing::warn!("MILLRACE_MEDIA_URL is not set: no media are fetched, and none are kept");
    }
    let config = media::MediaConfig {
        listed: carriers::http::client()?,
        public: carriers::public::client()?,
        carrier_hosts: settings.carrier_hosts.clone(),
        media_hosts: settings.media.hosts.clone(),
        request_timeout: settings.request_timeout,
    };

    let source =
        || media::MediaSource::new(store.clone(), objects.clone(), sealer.clone(), config.clone());
    let keeper = media::MediaKeeper::new(store.clone(), objects.clone(), settings.retention.text);
    let (one, other, third, kept) = tokio::join!(
        run_source(source(), runtime, &SWEEPING),
        run_source(source(), runtime, &SWEEPING),
        run_source(source(), runtime, &SWEEPING),
        run_source(keeper, runtime, &SWEEPING),
    );
    Ok(one.and(other).and(third).and(kept))
}

fn retention(given: RetentionSettings) -> Keep {
    Keep { texts: given.text, messages: given.messages, import_rows: given.import_rows }
}

/// The stages and the sources of reconcile, side by side.
async fn reconcile(
    process: &ProcessParts,
    runtime: &Runtime,
    store: Store,
    sealer: Sealer,
    config: &StageConfig,
) -> anyhow::Result<Drained> {
    let sweep = sweep(process, store.clone(), sealer.clone())?;
    let poller = receipt_poller(process, store.clone(), sealer.clone())?;
    let numbers = open_numbers(process, store.clone(), sealer.clone())?;
    let templates = template_reader(process, store.clone(), sealer.clone())?;
    let letters = reconcile::DeadLetterStage::new(store.clone(), sealer);
    let receipts = reconcile::ReceiptStage::new(store);

    let (sweep, poller, numbers, templates, letters, receipts) = tokio::join!(
        run_source(sweep, runtime, &SWEEPING),
        run_source(poller, runtime, &SWEEPING),
        run_source(numbers, runtime, &LOOKING_UP),
        run_source(templates, runtime, &SWEEPING),
        run_stage(letters, runtime, config),
        run_stage(receipts, runtime, config),
    );

    Ok(sweep.and(poller).and(numbers).and(templates).and(letters?).and(receipts?))
}

fn send_stage(
    process: &ProcessParts,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<send::SendStage> {
    let settings = &process.settings;
    let config = send::SendConfig {
        allow_hosts: settings.carrier_hosts.clone(),
        permits: settings.carrier_calls,
        call_by: settings.call_by,
        request_timeout: settings.request_timeout,
        list_lag: settings.list_lag,
        ..send::SendConfig::new(process.public_url.clone())
    };
    Ok(send::SendStage::new(store, sealer, carriers::http::client()?, config))
}

fn sweep(
    process: &ProcessParts,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<reconcile::InDoubtSweep> {
    let settings = &process.settings;
    let config = reconcile::InDoubtSweepConfig {
        allow_hosts: settings.carrier_hosts.clone(),
        request_timeout: settings.request_timeout,
        list_lag: settings.list_lag,
        receipt_fetch: settings.receipt_fetch,
        doubt_limit: settings.doubt_limit,
        ..reconcile::InDoubtSweepConfig::default()
    };
    Ok(reconcile::InDoubtSweep::new(store, sealer, carriers::http::client()?, config))
}

fn receipt_poller(
    process: &ProcessParts,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<reconcile::ReceiptPoller> {
    let settings = &process.settings;
    let config = reconcile::ReceiptPollerConfig {
        allow_hosts: settings.carrier_hosts.clone(),
        request_timeout: settings.request_timeout,
        fetch: settings.receipt_fetch,
        horizon: settings.receipt_horizon,
    };
    Ok(reconcile::ReceiptPoller::new(store, sealer, carriers::http::client()?, config))
}

fn open_numbers(
    process: &ProcessParts,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<reconcile::OpenNumbers> {
    let settings = &process.settings;
    let config = reconcile::OpenNumbersConfig {
        allow_hosts: settings.carrier_hosts.clone(),
        request_timeout: settings.request_timeout,
    };
    Ok(reconcile::OpenNumbers::new(store, sealer, carriers::http::client()?, config))
}

fn template_reader(
    process: &ProcessParts,
    store: Store,
    sealer: Sealer,
) -> anyhow::Result<reconcile::TemplateReader> {
    let settings = &process.settings;
    let (hosts, timeout) = (settings.carrier_hosts.clone(), settings.request_timeout);
    let http = carriers::http::client()?;
    Ok(reconcile::TemplateReader::new(store, sealer, http, hosts, timeout))
}

/// The AI, with the tools of companies; none without a key.
fn model(process: &ProcessParts, sealer: Sealer) -> anyhow::Result<Option<reply::Model>> {
    let Some(client) = ai_client(&process.settings)? else { return Ok(None) };
    let model = reply::Model::new(client, anthropic::MODEL.to_owned());
    Ok(Some(model.with_tools(tool_caller(&process.settings)?, sealer)))
}

/// What calls the tools of assistants.
///
/// # Errors
/// The TLS set-up fails.
pub fn tool_caller(settings: &Settings) -> anyhow::Result<ToolCaller> {
    let (listed, public) = (carriers::http::client()?, carriers::public::client()?);
    Ok(ToolCaller::new(listed, public, settings.tool_hosts.clone()))
}

/// The client of the AI; none without a key.
///
/// # Errors
/// The key or the address is unusable.
pub fn ai_client(settings: &Settings) -> anyhow::Result<Option<anthropic::Client>> {
    let Some(key) = &settings.anthropic_api_key else { return Ok(None) };
    let http = carriers::http::client()?;
    Ok(Some(anthropic::Client::new(http, &settings.anthropic_base_url, key)?))
}
