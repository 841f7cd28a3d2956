//! Whether a pace was kept, as the carrier saw it: in every window of one second to a minute at
//! most the rate times the window, and what may come together.

use jiff::{SignedDuration, Timestamp};

/// How far ahead of the pace calls may be made, in seconds: the burst of a claim and the time in
/// which a claimed call may begin.
const TOGETHER: f64 = 0.4;

/// The windows that are looked at, in seconds.
const WINDOWS: [i64; 7] = [1, 2, 5, 10, 20, 30, 60];

/// What one sender or account sent: when, and how many segments, in order of time.
pub type SentTexts = Vec<(Timestamp, u32)>;

/// The window that holds most beyond its limit, as a sentence; none where the pace was kept.
pub fn broken(sent: &SentTexts, rate: f64) -> Option<String> {
    let longest = sent.iter().map(|(_, segments)| *segments).max().unwrap_or(1);
    let together = f64::from(longest).max(rate * TOGETHER);

    WINDOWS.into_iter().find_map(|seconds| {
        let limit = rate * seconds as f64 + together;
        let most = most_within(sent, SignedDuration::from_secs(seconds));
        (f64::from(most) > limit)
            .then(|| format!("{most} segments in {seconds} s, and {limit:.0} are the most"))
    })
}

/// The most segments of any window of this length, both ends included.
fn most_within(sent: &SentTexts, window: SignedDuration) -> u32 {
    let (mut first, mut held, mut most) = (0, 0, 0);
    for (at, segments) in sent {
        held += segments;
        while at.duration_since(sent[first].0) >= window {
            held -= sent[first].1;
            first += 1;
        }
        most = most.max(held);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(millis: i64, count: i64) -> SentTexts {
        let at = |n: i64| Timestamp::from_millisecond(1_000_000 + n * millis).expect("in range");
        (0..count).map(|n| (at(n), 1)).collect()
    }

    #[test]
    fn an_even_pace_is_kept_and_a_faster_one_is_found() {
        assert_eq!(broken(&every(100, 600), 10.0), None);
        let said = broken(&every(60, 600), 10.0).expect("broken");
        assert_eq!(said, "17 segments in 1 s, and 14 are the most");
    }

    #[test]
    fn what_comes_together_is_allowed_once_and_not_each_second() {
        let mut sent = every(100, 100);
        sent.splice(0..0, [(sent[0].0, 1); 4]);
        assert_eq!(broken(&sent, 10.0), None);

        sent.splice(0..0, [(sent[0].0, 1); 2]);
        assert!(broken(&sent, 10.0).is_some());
    }
}
