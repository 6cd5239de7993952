//! The IPv4 routes of table `local`: this host's addresses, and broadcast addresses. The links and sources of these routes are in no
//! file, but follow from the addresses; without fib_trie, as on kernels with FIB_HASH, all of the table does.

use std::cmp::Reverse;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};

use super::entry::{Entry, Hop, Tcp};
use crate::kernel::{Address, Kernel, LocalRoute, flag};
use crate::net::rtnetlink::{Protocol, RouteType, Scope};

/// Returns the routes that fib_trie lists, in its order.
pub(super) fn listed(routes: &[LocalRoute], addresses: &[Address]) -> Vec<Entry> {
    routes.iter().map(|route| entry(*route, owner_of(addresses, *route))).collect()
}

fn entry(route: LocalRoute, owner: Option<&Address>) -> Entry {
    Entry {
        kind: route.kind,
        destination: route.destination.into(),
        from: None,
        tos: 0,
        hops: owner.map(|owner| Hop::to(None, Some(owner.link.clone()))).into_iter().collect(),
        is_local: true,
        protocol: Protocol::KERNEL,
        scope: route.scope,
        source: owner.map(|owner| owner.net.addr()),
        metric: 0,
        tcp: Tcp::default(),
        preference: 0,
    }
}

/// Returns the address for which a route of table `local` exists: the primary one of its network.
fn owner_of(addresses: &[Address], route: LocalRoute) -> Option<&Address> {
    let destination = route.destination;
    let is_its = |address: &&Address| {
        let (IpNet::V4(net), Some(network)) = (address.net, address.network_v4()) else { return false };
        match route.kind {
            RouteType::Broadcast => {
                address.broadcast == Some(destination.addr())
                    || [network.broadcast(), network.network()].contains(&destination.addr())
            }
            // 127.0.0.0/8 by 127.0.0.1
            _ if destination.prefix_len() < 32 => network == destination,
            _ => net.addr() == destination.addr(),
        }
    };
    addresses.iter().find(is_its).map(|address| primary_of(addresses, address))
}

/// Returns the primary address of an address's network, which is the address itself unless it is secondary.
fn primary_of<'a>(addresses: &'a [Address], address: &'a Address) -> &'a Address {
    let is_primary =
        |other: &&Address| !other.secondary && other.link == address.link && other.network_v4() == address.network_v4();
    addresses.iter().find(is_primary).unwrap_or(address)
}

/// Returns the routes that the kernel makes for the addresses (net/ipv4/fib_frontend.c, `fib_add_ifaddr`), in the order of FIB_HASH.
pub(super) fn derived(kernel: &Kernel, addresses: &[Address]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for address in addresses {
        let flags = kernel.link_flags(address.link.as_bytes()).unwrap_or(0);
        let owner = primary_of(addresses, address);
        for route in routes_of(address, flags) {
            let new = entry(route, Some(owner));
            if !entries.contains(&new) {
                entries.push(new);
            }
        }
    }
    in_hash_order(entries)
}

/// Returns the routes of table `local` that exist for an address of a link with these flags.
fn routes_of(address: &Address, flags: u32) -> Vec<LocalRoute> {
    let (IpNet::V4(net), Some(network)) = (address.net, address.network_v4()) else { return Vec::new() };
    let local = |destination| LocalRoute { kind: RouteType::Local, destination, scope: Scope::HOST };
    let broadcast =
        |address| LocalRoute { kind: RouteType::Broadcast, destination: Ipv4Net::from(address), scope: Scope::LINK };
    let mut routes = vec![local(Ipv4Net::from(net.addr()))];
    if flags & flag::UP == 0 {
        return routes;
    }
    routes.extend(address.broadcast.filter(|address| !address.is_broadcast()).map(broadcast));
    let is_alone = network.prefix_len() == 32 && network.addr() == net.addr();
    if network.addr().octets()[0] == 0 || address.secondary || is_alone {
        return routes;
    }
    if flags & flag::LOOPBACK != 0 {
        routes.push(local(network));
    }
    if network.prefix_len() < 31 {
        routes.extend([broadcast(network.network()), broadcast(network.broadcast())]);
    }
    routes
}

/// Sorts routes as net/ipv4/fib_hash.c lists them: long prefixes first, those of one length by their hash, those of one hash with
/// the newest first. Later addresses are taken for newer ones.
fn in_hash_order(entries: Vec<Entry>) -> Vec<Entry> {
    let mut sorted: Vec<Entry> = Vec::with_capacity(entries.len());
    for length in (0..=32).rev() {
        let zone: Vec<&Entry> = entries.iter().filter(|entry| entry.destination.prefix_len() == length).collect();
        // fn_hash_insert grows the zone when a route arrives that finds more than two for each chain
        let mut chains: u32 = if length == 0 { 1 } else { 16 };
        while zone.len() as u32 > 2 * chains + 1 && chains > 1 {
            chains = match chains {
                16 => 256,
                256 => 1024,
                more => 2 * more,
            };
        }
        let mut zone: Vec<(usize, &Entry)> = zone.into_iter().enumerate().collect();
        zone.sort_by_key(|(age, entry)| (hash(entry.destination) & (chains - 1), Reverse(*age)));
        sorted.extend(zone.into_iter().map(|(_, entry)| entry.clone()));
    }
    sorted
}

/// `fn_hash` of net/ipv4/fib_hash.c, before the mask.
fn hash(destination: IpNet) -> u32 {
    let IpNet::V4(net) = destination else { return 0 };
    let mut hash = u32::from(net.network()).checked_shr(32 - u32::from(net.prefix_len())).unwrap_or(0);
    for shift in [20, 10, 5] {
        hash ^= hash >> shift;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Linux 2.6.18: /proc/net/route lists 192.168.7.0/24 before 10.99.1.0/24, which was added first.
    #[test]
    fn order_of_fib_hash() {
        let route = |net: &str| LocalRoute {
            kind: RouteType::Broadcast,
            destination: net.parse().unwrap(),
            scope: Scope::LINK,
        };
        let entries =
            ["0.0.0.0/0", "10.99.1.0/24", "192.168.7.0/24", "10.99.1.1/32"].map(|net| entry(route(net), None));
        let sorted: Vec<String> =
            in_hash_order(entries.to_vec()).iter().map(|entry| entry.destination.to_string()).collect();
        assert_eq!(sorted, ["10.99.1.1/32", "192.168.7.0/24", "10.99.1.0/24", "0.0.0.0/0"]);
    }
}
