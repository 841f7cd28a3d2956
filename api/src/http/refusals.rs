//! How many lines the log gets about requests that are refused or cannot be served: so many of a
//! kind in a second. Whoever floods a door, with guessed keys or past a limit, fills no disk.

use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

use super::problem::Kind;

/// Lines about problems of one kind in a second, in each process. The link from an answer to its
/// line, the request's id, holds for that many; more are only counted.
const LINES: u32 = 50;

/// How long one count goes on.
const WINDOW: Duration = Duration::from_secs(1);

/// The lines of every kind. It holds one count for each, whoever asks.
#[derive(Default)]
pub(crate) struct Refusals([Mutex<Count>; Kind::ALL.len()]);

/// The lines of one kind in the window that goes on.
#[derive(Default)]
struct Count {
    begun_at: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Refusals {
    /// Whether the log has room for a line about a problem of this kind: then how many it had no
    /// room for since the line before. A defect of ours has always room.
    pub(crate) fn line(&self, kind: Kind, now: Instant) -> Option<u64> {
        let index = Kind::ALL.iter().position(|one| *one == kind);
        let Some(count) = index.and_then(|index| self.0.get(index)) else { return Some(0) };
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.begun_at.is_none_or(|begun_at| now.duration_since(begun_at) >= WINDOW) {
            (count.begun_at, count.lines) = (Some(now), 0);
        }

        if count.lines >= LINES && kind != Kind::Internal {
            count.left_out += 1;
            metrics::counter!("millrace_http_unlogged_total", "code" => kind.name()).increment(1);
            return None;
        }
        count.lines = count.lines.saturating_add(1);
        Some(std::mem::take(&mut count.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_so_many_lines_a_second_and_the_next_says_how_many_were_left_out() {
        let (refusals, begun) = (Refusals::default(), Instant::now());
        let flood = |kind, at: Instant| {
            let lines = (0..1_000).filter_map(|_| refusals.line(kind, at));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(flood(Kind::Unauthenticated, begun), vec![0; 50]);
        assert_eq!(refusals.line(Kind::NotFound, begun), Some(0), "another kind has its own");

        let next = flood(Kind::Unauthenticated, begun + WINDOW);
        assert_eq!((next.len(), next[0], next[1]), (50, 950, 0));
    }

    #[test]
    fn a_defect_of_ours_is_always_told() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        assert!((0..1_000).all(|_| refusals.line(Kind::Internal, now) == Some(0)));
    }
}
