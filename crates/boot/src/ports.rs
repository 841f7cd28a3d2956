//! Loopback ports for processes that are started later.
//!
//! A port that the system picked (`127.0.0.1:0`) is free again as soon as its listener is dropped,
//! and the system may give it to any other listener or outgoing connection of the machine before
//! the process that was promised it has started. So the ports here lie below the range that the
//! system picks from: nobody gets one without asking for it by number.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

/// Where Linux says from which port to which it picks by itself.
const PICKED_BY_SYSTEM: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// The first port that Linux picks by itself unless told otherwise. Other systems begin higher.
const DEFAULT_FIRST_PICKED: u16 = 32_768;

/// Our first port: above those that well-known servers listen on, our own included.
const FIRST: u16 = 10_000;

/// Fewer ports than this are no range to choose from.
const FEWEST: u16 = 1_000;

/// How far apart processes begin whose ids follow each other: more ports than one of them asks for.
const APART: u32 = 64;

/// A loopback address that nobody listens on, and that this process has not given away before.
///
/// Processes that ask at the same time begin at ports that lie apart, so that they do not find the
/// same one free.
///
/// # Errors
/// Every port is taken, or this process may not listen.
pub fn free_loopback() -> io::Result<SocketAddr> {
    static ASKED: AtomicU32 = AtomicU32::new(0);

    let ports = below(first_picked_by_system());
    let count = u32::from(ports.end - ports.start);
    let begin = std::process::id().wrapping_mul(APART);

    for _ in 0..count {
        let offset = begin.wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed)) % count;
        let port = ports.start + u16::try_from(offset).map_err(io::Error::other)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(why) if why.kind() == io::ErrorKind::AddrInUse => {}
            Err(why) => return Err(why),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Our ports. Where the system picks from almost all, none is out of its reach, and these are as
/// good as any.
fn below(first_picked: u16) -> Range<u16> {
    let has_room = first_picked >= FIRST + FEWEST;
    FIRST..if has_room { first_picked } else { DEFAULT_FIRST_PICKED }
}

fn first_picked_by_system() -> u16 {
    let says = fs::read_to_string(PICKED_BY_SYSTEM).unwrap_or_default();
    let first = says.split_whitespace().next().and_then(|first| first.parse().ok());
    first.unwrap_or(DEFAULT_FIRST_PICKED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_out_of_the_systems_reach_and_given_away_once() {
        let given: Vec<u16> = (0..50).map(|_| free_loopback().unwrap().port()).collect();

        let once: BTreeSet<u16> = given.iter().copied().collect();
        assert_eq!(once.len(), given.len());
        let ours = below(first_picked_by_system());
        assert!(once.iter().all(|port| ours.contains(port)), "{once:?} in {ours:?}");
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_passed_over() {
        // The next ones in this process's order, all of them taken.
        let first = free_loopback().unwrap().port();
        let taken: Vec<TcpListener> = (first + 1..first + 9)
            .filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .collect();

        let next = free_loopback().unwrap();
        assert!(taken.iter().all(|listener| listener.local_addr().unwrap() != next));
        TcpListener::bind(next).unwrap();
    }

    #[test]
    fn a_system_that_picks_from_almost_all_ports_leaves_the_usual_ones() {
        assert_eq!(below(32_768), 10_000..32_768);
        assert_eq!(below(49_152), 10_000..49_152);
        assert_eq!(below(1_024), 10_000..32_768);
    }
}
