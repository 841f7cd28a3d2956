//! What a stage has still to do, and whether anybody is at it.

use std::time::Duration;

use pipeline::{Broker, consumers::CONSUMERS};
use sqlx::{PgConnection, Row};
use stage::StageName;
use wire::stream::Retention;

use super::DueRows;

/// Looks at what a stage has still to do.
pub(super) enum Look<'a> {
    Frames(Box<Broker>, StageName),
    Rows(Box<PgConnection>, &'a DueRows),
}

impl Look<'_> {
    /// How many frames or rows are still to be done.
    pub(super) async fn left(&mut self) -> anyhow::Result<u64> {
        match self {
            Self::Frames(broker, stage) => left(broker, *stage).await,
            Self::Rows(connection, rows) => {
                let count = sqlx::query(rows.left).fetch_one(&mut **connection).await?;
                Ok(count.get::<i64, _>(0).unsigned_abs())
            }
        }
    }

    /// Waits until the broker knows that nobody reads any more: what it gives to a process that is
    /// dead comes again only after `ack_wait`.
    pub(super) async fn unread(&mut self) -> anyhow::Result<()> {
        let Self::Frames(broker, stage) = self else { return Ok(()) };
        for spec in CONSUMERS.iter().filter(|spec| spec.stage == *stage) {
            let stream = broker.api.get_stream(spec.stream.name()).await?;
            while stream.consumer_info(spec.name).await?.num_waiting > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    }
}

/// Frames that a stage has not read or not acknowledged. What is acknowledged leaves a work queue;
/// of other streams the consumer says how far it is.
async fn left(broker: &Broker, stage: StageName) -> anyhow::Result<u64> {
    let mut left = 0;
    for spec in CONSUMERS.iter().filter(|spec| spec.stage == stage) {
        let stream = broker.api.get_stream(spec.stream.name()).await?;
        let state = stream.get_info().await?.state;
        let info = stream.consumer_info(spec.name).await?;

        left += match spec.stream.retention() {
            Retention::WorkQueue => state.messages,
            Retention::Limits(_) | Retention::LastValue => {
                let begun = info.delivered.stream_sequence > 0 || state.messages == 0;
                info.num_pending + info.num_ack_pending as u64 + u64::from(!begun)
            }
        };
    }
    Ok(left)
}
