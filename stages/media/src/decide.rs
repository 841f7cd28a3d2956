//! What an answer makes of media. Pure.

use std::time::Duration;

use carriers::MediaReply;
use domain::media::{MediaRefusal, media_type};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use stage::machine::backoff;
use store::media::{StoredMedia, fetch::Fetched};

/// The wait after the first try that failed; each later one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

/// How often media are tried: for about eight hours. Carriers keep what came for two days.
pub(crate) const TRIES: i16 = 12;

/// What is to be done about media.
pub(crate) enum Decision {
    /// These bytes are to be kept.
    Keep(Vec<u8>, StoredMedia),
    /// Nothing is kept, now or ever.
    Settle(Fetched),
}

/// Decides by what was answered to a try. `tries` counts it; `chance` is from `0.0..1.0`.
pub(crate) fn decide(reply: MediaReply, tries: i16, machine: Timestamp, chance: f64) -> Decision {
    let refuse = |refusal| Decision::Settle(Fetched::Refused(refusal));
    match reply {
        MediaReply::Bytes(bytes) if bytes.is_empty() => refuse(MediaRefusal::Size),
        MediaReply::Bytes(bytes) => match media_type(&bytes) {
            Some(media_type) => {
                let stored = StoredMedia {
                    media_type: media_type.to_owned(),
                    bytes: bytes.len() as u64,
                    sha256: Sha256::digest(&bytes).to_vec(),
                };
                Decision::Keep(bytes, stored)
            }
            None => refuse(MediaRefusal::Type),
        },
        MediaReply::TooLarge => refuse(MediaRefusal::Size),
        MediaReply::NotAllowed => refuse(MediaRefusal::Address),
        MediaReply::Gone => refuse(MediaRefusal::Gone),
        MediaReply::Unavailable => Decision::Settle(again(tries, machine, chance)),
    }
}

/// Another try, or none where there were enough.
pub(crate) fn again(tries: i16, machine: Timestamp, chance: f64) -> Fetched {
    if tries >= TRIES {
        return Fetched::Refused(MediaRefusal::Unreachable);
    }
    let wait = backoff(u32::from(tries.unsigned_abs()), FIRST, LONGEST, chance);
    Fetched::Again(machine.saturating_add(wait).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn settled(reply: MediaReply, tries: i16) -> Option<Fetched> {
        match decide(reply, tries, NOW, 0.0) {
            Decision::Settle(fetched) => Some(fetched),
            Decision::Keep(..) => None,
        }
    }

    #[test]
    fn what_is_kept_is_known_by_its_bytes() {
        let bytes = b"GIF89a...".to_vec();
        let Decision::Keep(kept, stored) = decide(MediaReply::Bytes(bytes.clone()), 1, NOW, 0.0)
        else {
            panic!("a picture is kept");
        };
        assert_eq!((kept, &*stored.media_type, stored.bytes), (bytes, "image/gif", 9));
        assert_eq!(stored.sha256.len(), 32);
    }

    #[test]
    fn what_never_will_be_kept_is_refused_with_its_reason() {
        for (reply, expected) in [
            (MediaReply::Bytes(Vec::new()), MediaRefusal::Size),
            (MediaReply::Bytes(b"<html>".to_vec()), MediaRefusal::Type),
            (MediaReply::TooLarge, MediaRefusal::Size),
            (MediaReply::NotAllowed, MediaRefusal::Address),
            (MediaReply::Gone, MediaRefusal::Gone),
        ] {
            let refused = settled(reply.clone(), 1);
            assert!(
                matches!(refused, Some(Fetched::Refused(reason)) if reason == expected),
                "{reply:?}: {refused:?}"
            );
        }
    }

    #[test]
    fn who_does_not_answer_is_asked_again_ever_later_for_about_eight_hours() {
        let mut waited = 0;
        for tries in 1..TRIES {
            let Some(Fetched::Again(due)) = settled(MediaReply::Unavailable, tries) else {
                panic!("tried again");
            };
            assert!(due.as_second() >= 30 && due.as_second() <= 7_200);
            waited += due.as_second();
        }
        assert!((7 * 3_600..9 * 3_600).contains(&waited), "{waited}");
        let last = settled(MediaReply::Unavailable, TRIES);
        assert!(matches!(last, Some(Fetched::Refused(MediaRefusal::Unreachable))));
    }
}
