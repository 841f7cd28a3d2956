//! What `millrace doctor` asks the broker: its clock, what it has set aside, and whether it takes
//! a publish. Nothing is stored.

use async_nats::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;
use wire::stream::Stream;

use crate::{broker::Broker, streams::StreamSettings};

/// A stream that there is not: a publish that expects it is refused, and not stored.
const NO_STREAM: &str = "millrace-doctor";

/// What the broker answers to a publish that expects another stream.
const OTHER_STREAM: u64 = 10_060;

/// What of the broker's disk is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceFacts {
    /// What the streams need by the settings, with their replicas, in bytes.
    pub needed: u64,
    /// What is set aside for streams of our account, in bytes.
    pub reserved: u64,
    /// What our account may use, in bytes; none where the limit is the server's, which it does not
    /// tell.
    pub limit: Option<u64>,
}

/// What became of a publish that must not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishTrial {
    /// The broker would take one.
    Taken,
    /// No stream takes the subject.
    NoStream,
    /// Something else, in the broker's words.
    Refused(String),
}

/// The broker's clock, as it stamps an answer about a stream; none where no stream of ours is.
///
/// # Errors
/// What the broker said instead.
pub async fn clock(broker: &Broker) -> Result<Option<Timestamp>, String> {
    for stream in Stream::ALL {
        let subject = format!("STREAM.INFO.{}", stream.name());
        let answer: Value =
            broker.api.request(subject, &()).await.map_err(|why| why.to_string())?;
        if let Some(time) = answer["ts"].as_str() {
            return time.parse().map(Some).map_err(|why| format!("{time}: {why}"));
        }
    }
    Ok(None)
}

/// What the streams need, and what the broker has set aside.
///
/// # Errors
/// What the broker said instead.
pub async fn space(broker: &Broker, settings: &StreamSettings) -> Result<SpaceFacts, String> {
    let account = broker.api.query_account().await.map_err(|why| why.to_string())?;
    Ok(SpaceFacts {
        needed: settings.needed_bytes() * settings.replicas as u64,
        reserved: account.reserved_storage,
        limit: account.limits.max_storage.and_then(|limit| u64::try_from(limit).ok()),
    })
}

/// Tries to publish what expects a stream that there is not.
pub async fn try_publish(broker: &Broker, subject: String) -> PublishTrial {
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_EXPECTED_STREAM, NO_STREAM);
    match broker.client.request_with_headers(subject, headers, "".into()).await {
        Ok(answer) => read_trial(&answer.payload),
        Err(why) if why.kind() == async_nats::RequestErrorKind::NoResponders => {
            PublishTrial::NoStream
        }
        Err(why) => PublishTrial::Refused(why.to_string()),
    }
}

fn read_trial(answer: &[u8]) -> PublishTrial {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    if answer["error"]["err_code"].as_u64() == Some(OTHER_STREAM) {
        return PublishTrial::Taken;
    }
    PublishTrial::Refused(answer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_is_tried_well_only_where_it_is_refused_for_its_stream() {
        let refused = br#"{"error":{"code":400,"err_code":10060,"description":"expected stream"}}"#;
        assert_eq!(read_trial(refused), PublishTrial::Taken);
        let other = read_trial(br#"{"error":{"code":503,"err_code":10077,"description":"full"}}"#);
        assert!(matches!(other, PublishTrial::Refused(why) if why.contains("10077")));
        let stored = read_trial(br#"{"stream":"SUBMITTED","seq":1}"#);
        assert!(matches!(stored, PublishTrial::Refused(_)));
    }
}
