//! IPv4 routes: /proc/net/route tells where to, /proc/net/fib_trie what kind.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::sysfs::os_string;
use super::{Kernel, Result, procfs};

/// Flags in /proc/net/route (linux/route.h).
const RTF_GATEWAY: u32 = 0x2;
const RTF_REJECT: u32 = 0x200;

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// It is sent on.
    Unicast,
    /// It is dropped, and the sender is told that the host is unreachable.
    Unreachable,
    /// It is dropped, and the sender is told that this is forbidden.
    Prohibit,
    /// It is dropped.
    Blackhole,
    /// The search goes on in another table.
    Throw,
}

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What happens to a packet.
    pub kind: RouteKind,
    /// Network that it leads to; 0.0.0.0/0 is the default route.
    pub destination: Ipv4Net,
    /// Next router, if the network is not on the link itself.
    pub gateway: Option<Ipv4Addr>,
    /// The link; `None` for routes that drop.
    pub link: Option<OsString>,
    /// Preference among routes to one network, lower first.
    pub metric: u32,
    /// Scope of the route: `global`, `link`, `host`, …, as fib_trie spells it where it is there, else derived.
    pub scope: &'static str,
    /// Window of TCP connections, 0 if not set.
    pub window: u32,
}

impl Kernel {
    /// The routes of the main table, in the kernel's order.
    ///
    /// # Errors
    /// None: without /proc there is nothing to list.
    pub fn routes_v4(&self) -> Result<Vec<Route>> {
        let table = procfs::read(self, "/proc/net/route");
        let mut kinds = Kinds::read(self);
        let lines = table.split(|&byte| byte == b'\n').skip(1);
        Ok(lines.filter_map(|line| route(line, &mut kinds)).collect())
    }
}

/// A line of /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT`, addresses as the
/// processor would print the bytes in memory.
fn route(line: &[u8], kinds: &mut Kinds) -> Option<Route> {
    let words: Vec<&str> = procfs::words(line).collect();
    let address = |word: &str| u32::from_str_radix(word, 16).ok().map(|raw| Ipv4Addr::from(raw.to_ne_bytes()));
    let gateway = address(words.get(2)?)?;
    let flags = u32::from_str_radix(words.get(3)?, 16).ok()?;
    let metric = words.get(6)?.parse().ok()?;
    let destination = Ipv4Net::with_netmask(address(words.get(1)?)?, address(words.get(7)?)?).ok()?;
    let window = words.get(9).and_then(|word| word.parse().ok()).unwrap_or(0);
    let link_name = line.split(|&byte| byte == b'\t').next()?;

    let through_gateway = flags & RTF_GATEWAY != 0;
    let (scope, kind) = kinds.take(destination).unwrap_or(match (link_name, flags & RTF_REJECT != 0) {
        (_, true) => ("global", RouteKind::Unreachable),
        (b"*", false) => ("global", RouteKind::Blackhole),
        _ if through_gateway => ("global", RouteKind::Unicast),
        _ => ("link", RouteKind::Unicast),
    });
    Some(Route {
        kind,
        destination,
        gateway: through_gateway.then_some(gateway),
        link: (kind == RouteKind::Unicast).then(|| os_string(link_name)),
        metric,
        scope,
        window,
    })
}

/// What /proc/net/fib_trie tells of the main table's routes, in its order: network, scope and kind.
///
/// Absent on kernels with the older FIB_HASH. Where no rule was ever added the kernel keeps one trie for the tables `local` and
/// `main` and lists it under both names, so entries of `local` are left out by their kind.
struct Kinds(Vec<(Ipv4Net, &'static str, RouteKind)>);

impl Kinds {
    fn read(kernel: &Kernel) -> Self {
        let text = procfs::read(kernel, "/proc/net/fib_trie");
        let text = String::from_utf8_lossy(&text);
        let main = text.split_once("Main:").map_or("", |(_, main)| main);
        let mut list = Vec::new();
        let mut leaf = Ipv4Addr::UNSPECIFIED;
        for line in main.lines() {
            if line.ends_with(':') {
                break; // the next table
            }
            let mut words = line.split_ascii_whitespace();
            match (words.next(), words.next(), words.next()) {
                // a leaf: `|-- 10.1.0.0`
                (Some("|--"), Some(address), _) => leaf = address.parse().unwrap_or(leaf),
                // its entries: `/24 link UNICAST`
                (Some(length), Some(scope), Some(kind)) if length.starts_with('/') => {
                    if let (Ok(net), Some(kind)) = (format!("{leaf}{length}").parse(), kind_named(kind)) {
                        list.push((net, scope_named(scope), kind));
                    }
                }
                _ => (),
            }
        }
        Kinds(list)
    }

    /// Takes out the first entry of a network: several routes to one network stand in the same order in both files.
    fn take(&mut self, destination: Ipv4Net) -> Option<(&'static str, RouteKind)> {
        let at = self.0.iter().position(|&(network, ..)| network == destination)?;
        let (_, scope, kind) = self.0.remove(at);
        Some((scope, kind))
    }
}

/// net/ipv4/fib_trie.c, `rtn_type`.
fn kind_named(word: &str) -> Option<RouteKind> {
    match word {
        "UNICAST" => Some(RouteKind::Unicast),
        "UNREACHABLE" => Some(RouteKind::Unreachable),
        "PROHIBIT" => Some(RouteKind::Prohibit),
        "BLACKHOLE" => Some(RouteKind::Blackhole),
        "THROW" => Some(RouteKind::Throw),
        _ => None,
    }
}

/// net/ipv4/fib_trie.c, `rtn_scope`: `universe` is what iproute2 calls global.
fn scope_named(word: &str) -> &'static str {
    match word {
        "link" => "link",
        "host" => "host",
        "nowhere" => "nowhere",
        "site" => "site",
        _ => "global",
    }
}
