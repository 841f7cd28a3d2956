//! Whether NATS is there, new enough and open to us, and has the streams and consumers that the
//! code declares, with room in them.

use boot::settings::Settings;
use pipeline::{
    Broker,
    access::grants::TRIED,
    broker::{BrokerError, without_password},
    change::{DeclaredChange, Size},
    consumers::diff_consumers,
    inspect::{self, PublishTrial},
    room::{self, Fill},
    streams::diff_streams,
};
use secrecy::ExposeSecret;
use wire::stream::Stream;

use super::report::{Report, within};
use crate::admin::{consumers_of, streams_of};

/// The webhooks that the api takes need frames of so many bytes.
const GOOD_PAYLOAD: usize = 3 << 20;

/// Gives the connection, where there is one.
pub(super) async fn check(report: &mut Report, settings: &Settings) -> Option<Broker> {
    let broker = connect(report, settings).await?;
    let is_open = permissions(report, &broker).await;
    if !is_open {
        report.skip("streams", "it takes the JetStream API");
        return Some(broker);
    }

    declared(report, &broker, settings).await;
    space(report, &broker, settings).await;
    fills(report, &broker).await;
    Some(broker)
}

async fn connect(report: &mut Report, settings: &Settings) -> Option<Broker> {
    let url = match settings.need_nats() {
        Ok(url) => url.expose_secret(),
        Err(why) => {
            report.fail("NATS", why, "set it as for the processes");
            return None;
        }
    };
    // The outer error is time that is up.
    let connecting = Broker::connect(url, settings.nats_creds.as_deref(), "doctor");
    let connected = match within(async { Ok::<_, String>(connecting.await) }).await {
        Ok(connected) => connected,
        Err(why) => {
            let shown = without_password(url);
            report.fail("NATS", format!("{shown}: {why}"), "start it, or correct NATS_URL");
            return None;
        }
    };

    match connected {
        Ok(broker) => {
            let server = broker.client.server_info();
            let (version, payload) = (&server.version, server.max_payload);
            let found =
                format!("nats-server {version} with JetStream at {}", without_password(url));
            if payload < GOOD_PAYLOAD {
                let found = format!("{found}, max_payload {payload} bytes");
                report.warn("NATS", found, "set max_payload: 3MB, or large webhooks are refused");
            } else {
                report.ok("NATS", found);
            }
            Some(broker)
        }
        Err(why) => {
            report.fail("NATS", &why, fix_of(&why));
            None
        }
    }
}

fn fix_of(why: &BrokerError) -> &'static str {
    match why {
        BrokerError::Connect { .. } => "start it, or correct NATS_URL",
        BrokerError::Login { .. } => "name creds/doctor.creds in NATS_CREDS",
        BrokerError::Credentials { .. } => "correct NATS_CREDS",
        BrokerError::TooOld { .. } => "install a newer one",
        BrokerError::Address { .. } => "correct NATS_URL",
        BrokerError::NoJetStream { .. } => "then run `millrace streams apply`",
        BrokerError::SmallPayload { .. } => "set max_payload: 3MB",
    }
}

/// Whether we may ask the JetStream API, and publish.
async fn permissions(report: &mut Report, broker: &Broker) -> bool {
    if let Err(why) = within(broker.api.query_account()).await {
        let fix = "permit $JS.API.> and _INBOX.> to the user of NATS_URL or NATS_CREDS";
        report.fail("NATS permissions", format!("the JetStream API: {why}"), fix);
        return false;
    }
    let trial = async { Ok::<_, String>(inspect::try_publish(broker, TRIED.into()).await) };
    let fix = "permit publishing on the subjects of subjects.md";
    match within(trial).await {
        Ok(PublishTrial::Taken) => {
            report.ok("NATS permissions", "the JetStream API answers, and takes publishes");
        }
        Ok(PublishTrial::NoStream) => {
            report.skip("NATS permissions", "publishing needs `millrace streams apply`");
        }
        Ok(PublishTrial::Refused(why)) | Err(why) => {
            report.fail("NATS permissions", format!("publishing on {TRIED}: {why}"), fix);
        }
    }
    true
}

/// Streams and consumers against what the code declares.
async fn declared(report: &mut Report, broker: &Broker, settings: &Settings) {
    let (streams, consumers) = (streams_of(settings), consumers_of(settings.ack_wait));
    let found = within(diff_streams(broker, &streams)).await;
    differences(report, "streams", Stream::ALL.len(), found);

    let found = within(diff_consumers(broker, &consumers)).await;
    differences(report, "consumers", pipeline::consumers::CONSUMERS.len(), found);
}

fn differences(
    report: &mut Report,
    what: &str,
    count: usize,
    found: Result<Vec<DeclaredChange>, String>,
) {
    match found {
        Err(why) => report.fail(what, why, "see what the broker's log says"),
        Ok(changes) if changes.is_empty() => report.ok(what, format!("{count} as declared")),
        Ok(changes) => {
            for change in changes {
                report.fail(what, change, "run `millrace streams apply`");
            }
        }
    }
}

/// What the streams need of the broker's disk.
async fn space(report: &mut Report, broker: &Broker, settings: &Settings) {
    let what = "stream space";
    let facts = match within(inspect::space(broker, &streams_of(settings))).await {
        Ok(facts) => facts,
        Err(why) => return report.fail(what, why, "see what the broker's log says"),
    };
    let (needed, reserved) = (Size(facts.needed), Size(facts.reserved));
    let found = format!("the streams need {needed}, and {reserved} are set aside");

    match facts.limit {
        Some(limit) if limit < facts.needed => {
            let found = format!("{found} of {} that the account may use", Size(limit));
            let fix = "raise the account's limit, or set smaller MILLRACE_STREAM_SIZES";
            report.fail(what, found, fix);
        }
        _ if facts.reserved < facts.needed => {
            let fix = "`millrace streams apply` says whether the broker's disk has the rest";
            report.warn(what, found, fix);
        }
        Some(limit) => {
            report.ok(what, format!("{found} of {} that the account may use", Size(limit)));
        }
        None => report.ok(what, format!("{found}; the account has no limit of its own")),
    }
}

/// How full each stream is of what nobody has read.
async fn fills(report: &mut Report, broker: &Broker) {
    let mut fullest: Option<(Stream, Fill)> = None;
    for stream in Stream::ALL {
        let looked = async { room::fill(broker, stream).await.ok_or("it is not there") };
        // A stream that is not there has been told.
        let Ok(fill) = within(looked).await else { continue };
        let found = format!("{}: {} % of its limit is unread", stream.name(), percent(&fill));
        if fill.is_half_unread() {
            let fix = "start what reads it (subjects.md): nothing is added until it is less";
            report.fail("stream fill", found, fix);
        } else if fill.unread_bytes() > fill.limit / 4 {
            report.warn("stream fill", found, "see that what reads it keeps up (subjects.md)");
        }
        if fullest.as_ref().is_none_or(|(_, most)| percent(most) < percent(&fill)) {
            fullest = Some((stream, fill));
        }
    }

    if let Some((stream, fill)) = fullest.filter(|(_, fill)| fill.unread_bytes() <= fill.limit / 4)
    {
        let unread = percent(&fill);
        report.ok("stream fill", format!("at most {unread} % is unread ({})", stream.name()));
    }
}

/// Which part of the limit is unread, in percent.
fn percent(fill: &Fill) -> u64 {
    fill.unread_bytes() * 100 / fill.limit.max(1)
}
