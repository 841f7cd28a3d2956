//! How many of a campaign's messages may be in the pipe at once: enough to keep its senders busy,
//! few enough that pause and stop act at once and a neighbour is not delayed.

/// Seconds of its senders' pace that a campaign may have in the pipe.
const SECONDS_AHEAD: i64 = 10;

/// The smallest and the largest window, in messages.
const SMALLEST: i64 = 64;
const LARGEST: i64 = 8_192;

/// How many more messages fit the window, from the pool's pace in segments per second and the
/// messages in flight.
pub fn room(pace: i64, in_flight: i64) -> i64 {
    let window = (pace * SECONDS_AHEAD).clamp(SMALLEST, LARGEST);
    (window - in_flight).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_pool_still_has_a_window_and_a_fast_one_a_bounded_one() {
        assert_eq!(room(1, 0), SMALLEST);
        assert_eq!(room(100, 0), 1_000);
        assert_eq!(room(100_000, 0), LARGEST);
    }

    #[test]
    fn a_full_window_has_no_room() {
        assert_eq!(room(100, 1_000), 0);
        assert_eq!(room(100, 5_000), 0);
        assert_eq!(room(100, 990), 10);
    }
}
