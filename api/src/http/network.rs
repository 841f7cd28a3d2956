//! Places of the network, as they are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The place that an address belongs to: of IPv6 the 64 bits that a site has of its own.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let site = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(site))
        }
        v4 => v4,
    }
}
