//! Dead letters under the first master key, whatever key has sealed them.

use pipeline::{Broker, Publisher};
use store::core::seal::Sealer;
use tokio_util::sync::CancellationToken;

use super::letters::Letters;
use crate::{cli::dead::Filter, rotate::sums::RotationSums};

/// Frames between two lines of progress.
const FRAMES: usize = 1_000;

/// Seals anew what older keys have sealed, frame by frame. What no key opens is named on standard
/// error.
///
/// # Errors
/// The broker does not answer, or the process was told to end.
pub async fn all(
    broker: &Broker,
    publisher: &Publisher,
    sealer: &Sealer,
    stop: &CancellationToken,
) -> anyhow::Result<RotationSums> {
    let mut letters = Letters::open(broker, &Filter::default(), stop).await?;
    let mut sums = RotationSums::default();
    let mut frames = 0;
    while let Some(frame) = letters.next().await? {
        letters.renew(publisher, &frame, sealer, &mut sums).await?;
        frames += 1;
        if frames % FRAMES == 0 {
            eprintln!("{frames} frames of dead letters so far: {sums}");
        }
    }
    Ok(sums)
}
