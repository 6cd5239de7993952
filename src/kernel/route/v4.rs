//! IPv4 routes: /proc/net/route shows where they lead, /proc/net/fib_trie their types.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::trie::{Leaf, Tries};
use crate::kernel::file::{os_string, read_all};
use crate::kernel::handle::Kernel;
use crate::kernel::procfs::{self, Unreadable};
use crate::kernel::result::Result;
use crate::net::rtnetlink::{RouteType, Scope, TableId};

/// Flags in /proc/net/route.
const RTF_GATEWAY: u32 = libc::RTF_GATEWAY as u32;
const RTF_REJECT: u32 = libc::RTF_REJECT as u32;

/// What column MTU has more than the segment size that it means (net/ipv4/fib_trie.c, `fib_route_seq_show`).
const HEADERS: u32 = 40;

/// A route of the table `main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteV4 {
    /// Type: what happens to a packet.
    pub kind: RouteType,
    /// Network that it leads to; 0.0.0.0/0 is the default route.
    pub destination: Ipv4Net,
    /// Type of service of the packets that may take it; 0 for all.
    pub tos: u8,
    /// Next hop, if the network is not on the link itself.
    pub gateway: Option<Ipv4Addr>,
    /// The link; `None` for routes that drop.
    pub link: Option<OsString>,
    /// Preference among routes to one network, lower first.
    pub metric: u32,
    /// Scope, as fib_trie shows it or, without the file, derived.
    pub scope: Scope,
    /// Largest segment to announce to TCP peers (`advmss`), in bytes; 0 if not set.
    pub advmss: u32,
    /// Largest window of TCP connections, in bytes; 0 if not set.
    pub window: u32,
    /// Initial round trip time of TCP connections, in milliseconds; 0 if not set.
    pub rtt: u32,
}

/// A route of the table `local`: an address of this host, or a broadcast address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalRoute {
    /// Type: `local` or `broadcast`.
    pub kind: RouteType,
    /// The address; 127.0.0.0/8 as a whole.
    pub destination: Ipv4Net,
    /// `host` or `link`.
    pub scope: Scope,
}

/// State of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// No table has this number.
    Absent,
    /// It holds no route.
    Empty,
    /// It holds routes, or may hold some: of tables other than main and local no file shows enough.
    Filled,
}

/// The IPv4 routes of the tables that files show, read once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutesV4 {
    /// The table `main`, in the kernel's order.
    pub main: Vec<RouteV4>,
    /// The table `local`, in the kernel's order; `None` without fib_trie (kernels with FIB_HASH, before 2.6.39).
    pub local: Option<Vec<LocalRoute>>,
    tries: Tries,
}

impl RoutesV4 {
    /// Whether a table other than main and local holds routes, which no file shows.
    pub fn has_others(&self) -> bool {
        self.tries.headings().any(|heading| !["Main", "Local"].contains(&heading))
    }

    /// Whether rules choose between tables, so that a packet need not take the routes of table main; `None` if no file shows it.
    pub fn has_rules(&self) -> Option<bool> {
        self.local.as_ref().map(|_| !self.tries.is_shared())
    }

    /// Returns the link of the default route with the lowest metric.
    pub fn default_link(&self) -> Option<&OsStr> {
        default_link_v4(&self.main)
    }

    /// Returns what is known of the table of this number. Even main does not exist before it is needed.
    pub fn table(&self, kernel: &Kernel, number: u32) -> Table {
        let heading = match TableId(number) {
            TableId::MAIN => "Main".into(),
            TableId::LOCAL => "Local".into(),
            _ => format!("Id {number}"),
        };
        if self.tries.headings().any(|other| other == heading) {
            return Table::Filled;
        }
        // this file has a heading for each table that exists
        let statistics = read_all(&kernel.path("/proc/net/fib_triestat")).unwrap_or_default();
        let statistics = String::from_utf8_lossy(&statistics);
        let exists = statistics.lines().any(|line| line.strip_suffix(':') == Some(&heading));
        match TableId(number) {
            // kernels with FIB_HASH do not have the file
            TableId::MAIN if statistics.is_empty() && self.main.is_empty() => Table::Empty,
            _ if statistics.is_empty() => Table::Filled,
            _ if exists => Table::Empty,
            _ => Table::Absent,
        }
    }
}

/// Returns the link of the default route with the lowest metric.
pub fn default_link_v4(routes: &[RouteV4]) -> Option<&OsStr> {
    let default = routes.iter().filter(|route| route.destination.prefix_len() == 0);
    default.min_by_key(|route| route.metric)?.link.as_deref()
}

const ROUTE: &str = "/proc/net/route";

impl Kernel {
    /// Reads the IPv4 routes of the table `main` from /proc/net/route alone, which does not show their types of service; type and
    /// scope are derived.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn main_routes_v4(&self) -> Result<Vec<RouteV4>, Unreadable> {
        Ok(routes(&procfs::table(self, ROUTE)?, Kinds(VecDeque::new())))
    }

    /// Reads the IPv4 routes: /proc/net/route and /proc/net/fib_trie.
    ///
    /// # Errors
    /// That one of the files cannot be read.
    pub fn routes_v4(&self) -> Result<RoutesV4, Unreadable> {
        let table = procfs::table(self, ROUTE)?;
        let tries = Tries::read(self)?;
        let main = routes(&table, Kinds(tries.main().into()));
        let local = |leaf: Leaf| LocalRoute { kind: leaf.kind, destination: leaf.net, scope: leaf.scope };
        let has_tries = !tries.is_empty();
        Ok(RoutesV4 { main, local: has_tries.then(|| tries.local().into_iter().map(local).collect()), tries })
    }
}

/// Parses /proc/net/route.
fn routes(table: &[u8], mut kinds: Kinds) -> Vec<RouteV4> {
    table.split(|&byte| byte == b'\n').skip(1).filter_map(|line| route(line, &mut kinds)).collect()
}

/// Parses a line of /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT`, addresses as the
/// processor would print the bytes in memory.
fn route(line: &[u8], kinds: &mut Kinds) -> Option<RouteV4> {
    let words: Vec<&str> = procfs::words(line).collect();
    let address = |word: &str| u32::from_str_radix(word, 16).ok().map(|raw| Ipv4Addr::from(raw.to_ne_bytes()));
    let number = |place: usize| words.get(place).and_then(|word| word.parse::<u32>().ok()).unwrap_or(0);
    let gateway = address(words.get(2)?)?;
    let flags = u32::from_str_radix(words.get(3)?, 16).ok()?;
    let metric = words.get(6)?.parse().ok()?;
    let destination = Ipv4Net::with_netmask(address(words.get(1)?)?, address(words.get(7)?)?).ok()?;
    let link_name = line.split(|&byte| byte == b'\t').next()?;

    // the flag alone stands for a next hop with an IPv6 address, which the file does not show
    let through_gateway = flags & RTF_GATEWAY != 0 && !gateway.is_unspecified();
    let (scope, kind, tos) = kinds.take(destination).unwrap_or(match (link_name, flags & RTF_REJECT != 0) {
        // as one made by ioctl; one made by netlink looks the same, and has scope global
        (_, true) => (Scope::HOST, RouteType::Unreachable, 0),
        (b"*", false) => (Scope::GLOBAL, RouteType::Blackhole, 0),
        _ if through_gateway => (Scope::GLOBAL, RouteType::Unicast, 0),
        _ => (Scope::LINK, RouteType::Unicast, 0),
    });
    Some(RouteV4 {
        kind,
        destination,
        tos,
        gateway: through_gateway.then_some(gateway),
        link: (link_name != b"*").then(|| os_string(link_name)),
        metric,
        scope,
        advmss: number(8).saturating_sub(HEADERS),
        window: number(9),
        rtt: number(10),
    })
}

/// What fib_trie shows of the routes that are still to come.
struct Kinds(VecDeque<Leaf>);

impl Kinds {
    /// Takes out the first entry of a network: several routes to one network stand in the same order in both files.
    fn take(&mut self, destination: Ipv4Net) -> Option<(Scope, RouteType, u8)> {
        let at = self.0.iter().position(|leaf| leaf.net == destination)?;
        let leaf = self.0.remove(at)?;
        Some((leaf.scope, leaf.kind, leaf.tos))
    }
}
