//! Addresses to which one route leads and no other, for a socket to try; and the types of IPv6 routes that a socket finds out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use nix::errno::Errno;

use crate::ip::route::entry::Entry;
use crate::kernel::Kernel;
use crate::net::rtnetlink::RouteType;

/// Finds out what the sender of a packet hears that an IPv6 route drops. Where that cannot be tried, the route stays an
/// `unreachable` one.
pub(super) fn find_kinds(kernel: &Kernel, entries: &mut [Entry], local: &[Entry]) {
    for at in 0..entries.len() {
        if entries[at].kind.rejects()
            && let Some(address) = address_only_in(at, entries, |address| leads_to(local, address))
        {
            entries[at].kind = kind_of_reject(kernel, address);
        }
    }
}

fn kind_of_reject(kernel: &Kernel, address: IpAddr) -> RouteType {
    let ask = |from| kernel.source_to(address, from, None);
    // where the loopback is down, it has no address
    let answer = match ask(Some(Ipv6Addr::LOCALHOST.into())) {
        Err(Errno::EADDRNOTAVAIL) => ask(None),
        answer => answer,
    };
    match answer {
        // a route that was added by ioctl drops packets too, but rtnetlink has it for an ordinary one
        Ok(_) => RouteType::Unicast,
        Err(errno) => kind_of_errno(errno, kernel.version()),
    }
}

/// Returns the type of a route whose packets fail with an errno. Before Linux 4.3 that of `unreachable` routes was ENETUNREACH, which
/// today means that no other table has a route either, as after a `throw`.
fn kind_of_errno(errno: Errno, version: [u32; 3]) -> RouteType {
    match errno {
        Errno::EINVAL => RouteType::Blackhole,
        Errno::EACCES => RouteType::Prohibit,
        Errno::ENETUNREACH if version >= [4, 3, 0] => RouteType::Throw,
        _ => RouteType::Unreachable,
    }
}

fn leads_to(entries: &[Entry], address: IpAddr) -> bool {
    entries.iter().any(|entry| entry.destination.contains(&address))
}

/// Returns some address to which the route at this place leads and no other one of its table, and which is not taken.
pub(super) fn address_only_in(at: usize, entries: &[Entry], is_taken: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let entry = entries.get(at)?;
    let length = entry.destination.prefix_len();
    let leads_elsewhere = |address: IpAddr| {
        let comes_first = |(place, other): (usize, &Entry)| {
            let other_length = other.destination.prefix_len();
            other.tos == 0
                && (other_length > length || other_length == length && place < at)
                && other.destination.contains(&address)
        };
        entries.iter().enumerate().any(comes_first)
    };
    candidates(entry.destination)
        .into_iter()
        .find(|&address| is_ordinary(address) && !is_taken(address) && !leads_elsewhere(address))
}

/// Returns addresses of a network: the first and the last ones, and some that few other routes lead to.
fn candidates(network: IpNet) -> [IpAddr; 6] {
    match network {
        IpNet::V4(network) => {
            let host_bits = !u32::from(network.netmask());
            [1, u32::MAX - 1, u32::MAX / 3, 0x0909_0909, 0xc633_6407, 0]
                .map(|pattern| Ipv4Addr::from(u32::from(network.network()) | pattern & host_bits).into())
        }
        IpNet::V6(network) => {
            let host_bits = !u128::from(network.netmask());
            [u128::MAX, 1, 0, u128::MAX / 3, 0x2001 << 112 | 0x77, 0x2a00 << 112 | 0x77]
                .map(|pattern| Ipv6Addr::from(u128::from(network.network()) | pattern & host_bits).into())
        }
    }
}

/// Whether a socket can be connected to an address without further options.
fn is_ordinary(address: IpAddr) -> bool {
    !address.is_multicast()
        && !address.is_unspecified()
        && !address.is_loopback()
        && match address {
            IpAddr::V4(address) => !address.is_broadcast(),
            IpAddr::V6(address) => !address.is_unicast_link_local(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_by_what_senders_hear() {
        assert_eq!(kind_of_errno(Errno::ENETUNREACH, [2, 6, 18]), RouteType::Unreachable);
        assert_eq!(kind_of_errno(Errno::ENETUNREACH, [6, 1, 0]), RouteType::Throw);
        assert_eq!(kind_of_errno(Errno::EHOSTUNREACH, [6, 1, 0]), RouteType::Unreachable);
        assert_eq!(kind_of_errno(Errno::EACCES, [6, 1, 0]), RouteType::Prohibit);
    }
}
