//! IPv6 routes: /proc/net/ipv6_route, where the routes of all tables stand one after the other.

use std::ffi::OsString;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use crate::kernel::file::os_string;
use crate::kernel::handle::Kernel;
use crate::kernel::procfs::{self, Unreadable};
use crate::kernel::result::Result;

/// Flags of an IPv6 route (linux/ipv6_route.h and linux/route.h, `RTF_*`).
pub mod flag6 {
    /// Leads to a gateway.
    pub const GATEWAY: u32 = libc::RTF_GATEWAY as u32;
    /// Drops packets.
    pub const REJECT: u32 = libc::RTF_REJECT as u32;
    /// A default route that a router has advertised.
    pub const DEFAULT: u32 = libc::RTF_DEFAULT;
    /// Added by address configuration, not by hand.
    pub const ADDRCONF: u32 = libc::RTF_ADDRCONF;
    /// Leads to an anycast address of this host. (The header has it as RTF_LINKRT once more.)
    pub const ANYCAST: u32 = 0x10_0000;
    /// Has a lifetime.
    pub const EXPIRES: u32 = 0x40_0000;
    /// A route that a router has advertised (RFC 4191).
    pub const ROUTEINFO: u32 = 0x80_0000;
    /// A copy for one destination.
    pub const CACHE: u32 = libc::RTF_CACHE;
    /// Position of a router's preference (RFC 4191), which has two bits.
    pub const PREFERENCE_SHIFT: u32 = 27;
    /// Leads to an address of this host.
    pub const LOCAL: u32 = libc::RTF_LOCAL;
}

/// The metric of a table's last entry, which stands for "no route" (net/ipv6/route.c, `ip6_null_entry`).
const NULL_METRIC: u32 = u32::MAX;

/// An IPv6 route: a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteV6 {
    /// Network that it leads to; ::/0 is the default route.
    pub destination: Ipv6Net,
    /// Network that packets come from; ::/0 for any.
    pub source: Ipv6Net,
    /// Next hop, if the network is not on the link itself.
    pub gateway: Option<Ipv6Addr>,
    /// Preference among routes to one network, lower first.
    pub metric: u32,
    /// See [`flag6`].
    pub flags: u32,
    /// The link; the loopback for routes that drop.
    pub link: OsString,
}

impl RouteV6 {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn is_null(&self) -> bool {
        self.destination.prefix_len() == 0 && self.metric == NULL_METRIC && self.has(flag6::REJECT) && self.link == "lo"
    }
}

/// The IPv6 routes by table, each in the kernel's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutesV6 {
    /// The table `main`.
    pub main: Vec<RouteV6>,
    /// The table `local`; part of `main` where the kernel has but one table.
    pub local: Vec<RouteV6>,
    /// Whether there are other tables, whose numbers the file does not show.
    pub has_others: bool,
}

impl Kernel {
    /// Reads the IPv6 routes: /proc/net/ipv6_route. None where the kernel has no IPv6.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn routes_v6(&self) -> Result<RoutesV6, Unreadable> {
        let text = procfs::table(self, "/proc/net/ipv6_route")?;
        let lines: Vec<RouteV6> = text.split(|&byte| byte == b'\n').filter_map(route).collect();
        let mut tables = tables(&lines);
        let local = if tables.len() > 1 { tables.pop().unwrap_or_default() } else { Vec::new() };
        let main = tables.pop().unwrap_or_default();
        let is_shown = |route: &&RouteV6| !route.is_null() && !route.has(flag6::CACHE);
        let is_own = |route: &&RouteV6| route.has(flag6::LOCAL | flag6::ANYCAST);
        let own = main.iter().copied().filter(is_own);
        Ok(RoutesV6 {
            local: local.iter().copied().chain(own).filter(is_shown).cloned().collect(),
            main: main.iter().copied().filter(is_shown).filter(|route| !is_own(route)).cloned().collect(),
            has_others: !tables.is_empty(),
        })
    }
}

/// Splits the file into tables. In each the default routes come last, followed by an entry for "no route": on old kernels
/// always, on later ones only in tables without a default route. Tables are in the order of their number's last byte, so that
/// the last ones are main (254) and local (255).
fn tables(lines: &[RouteV6]) -> Vec<Vec<&RouteV6>> {
    let is_default = |route: &RouteV6| route.destination.prefix_len() == 0;
    // whether a table can end without that entry
    let ends_open = lines
        .iter()
        .zip(lines.iter().skip(1).map(Some).chain([None]))
        .any(|(route, next)| is_default(route) && !route.is_null() && next.is_none_or(|next| !is_default(next)));
    let mut tables: Vec<Vec<&RouteV6>> = vec![Vec::new()];
    for route in lines {
        let is_next = tables.last().and_then(|table| table.last()).is_some_and(|last| {
            last.is_null() || is_default(last) && (!is_default(route) || route.is_null() && ends_open)
        });
        if is_next {
            tables.push(Vec::new());
        }
        if let Some(table) = tables.last_mut() {
            table.push(route);
        }
    }
    tables
}

/// Parses `DESTINATION LENGTH SOURCE LENGTH GATEWAY METRIC REFERENCES USE FLAGS LINK`, numbers in hexadecimal.
fn route(line: &[u8]) -> Option<RouteV6> {
    let mut words = procfs::words(line);
    let mut hex = || u128::from_str_radix(words.next()?, 16).ok();
    let mut net = || Ipv6Net::new(Ipv6Addr::from(hex()?), u8::try_from(hex()?).ok()?).ok();
    let (destination, source) = (net()?, net()?);
    let gateway = Ipv6Addr::from(hex()?);
    let metric = hex()? as u32;
    let (_references, _use) = (hex()?, hex()?);
    let flags = hex()? as u32;
    let link = line.rsplit(|&byte| byte == b' ').next()?;
    Some(RouteV6 {
        destination,
        source,
        gateway: (flags & flag6::GATEWAY != 0).then_some(gateway),
        metric,
        flags,
        link: os_string(link),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: &str = "::/0 ffffffff 200200 lo";

    /// `NET METRIC FLAGS LINK`
    fn line(text: &str) -> RouteV6 {
        let words: Vec<&str> = text.split(' ').collect();
        let number = |word: &str| u32::from_str_radix(word, 16).unwrap();
        RouteV6 {
            destination: words[0].parse().unwrap(),
            source: "::/0".parse().unwrap(),
            gateway: None,
            metric: number(words[1]),
            flags: number(words[2]),
            link: words[3].into(),
        }
    }

    fn sizes(lines: &[&str]) -> Vec<usize> {
        let lines: Vec<RouteV6> = lines.iter().map(|text| line(text)).collect();
        tables(&lines).iter().map(Vec::len).collect()
    }

    #[test]
    fn tables_end_with_their_default_routes() {
        let (net, default, local) = ("fd01::/64 100 1 v1", "::/0 400 3 v1", "::1/128 0 80200001 lo");
        assert_eq!(sizes(&[net, NULL, local, NULL]), [2, 2], "none in main");
        assert_eq!(sizes(&[net, default, local, NULL]), [2, 2], "one in main");
        assert_eq!(sizes(&[net, default, default, local, NULL]), [3, 2], "two in main");
        assert_eq!(sizes(&[NULL, NULL]), [1, 1], "nothing at all");
        assert_eq!(sizes(&[net, NULL, net, default, local, NULL]), [2, 2, 2], "a third table");
        assert_eq!(sizes(&[local, net, default, NULL]), [4], "one table, on an old kernel");
        assert_eq!(sizes(&[net, default, NULL, local, NULL]), [3, 2], "two tables, on an old kernel");
    }
}
