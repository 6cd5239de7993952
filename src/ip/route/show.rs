//! `ip route show`: the routes of the main table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use crate::applet::Call;
use crate::error::Outcome;
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, garbage, needs_netlink, print, proper_name};
use crate::kernel::{Address, Kernel, Route, RouteKind, flag};

/// `ip route show [PREFIX] [dev DEVICE]`
pub(super) fn show(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let mut filter = Filter::default();
    while let Some(word) = words.next() {
        match word {
            b"dev" => {
                filter.device = Some(proper_name(call.kernel, words.operand()?)?);
            }
            b"table" if words.peek() == Some(b"main") => drop(words.next()),
            _ => {
                let word = if word == b"to" { words.operand()? } else { word };
                if filter.destination.replace(prefix::prefix(word, options.family)?).is_some() {
                    return Err(garbage("to", word));
                }
            }
        }
    }
    if options.family == Family::Inet6 {
        return Err(needs_netlink(b"the list of IPv6 routes", "see /proc/net/ipv6_route"));
    }
    list(call.kernel, call.out, &filter);
    Ok(())
}

/// Which routes are shown. What is fixed for all of them is not printed.
#[derive(Debug, Default)]
pub struct Filter {
    /// Routes to just this network.
    destination: Option<Prefix>,
    /// Routes over this link.
    device: Option<OsString>,
}

impl Filter {
    fn admits(&self, route: &Route) -> bool {
        let destination = match self.destination {
            Some(Prefix::All) => route.destination.prefix_len() == 0,
            Some(Prefix::Net { net, .. }) => net == IpNet::V4(route.destination),
            None => true,
        };
        destination && self.device.is_none() || self.device == route.link
    }
}

/// Lists the routes of the main table.
pub fn list(kernel: &Kernel, out: &mut dyn Write, filter: &Filter) {
    let routes = kernel.routes_v4().unwrap_or_default();
    let addresses = kernel.addresses_v4().unwrap_or_default();
    let mut sources = Sources::of(&addresses);
    let mut carriers = BTreeMap::new();
    for route in &routes {
        let source = sources.take(route);
        if !filter.admits(route) {
            continue;
        }
        let is_cut_off = route
            .link
            .as_ref()
            .is_some_and(|link| *carriers.entry(link).or_insert_with(|| is_without_carrier(kernel, link.as_bytes())));
        print_route(out, route, source, is_cut_off, filter);
    }
}

fn is_without_carrier(kernel: &Kernel, link: &[u8]) -> bool {
    kernel.link(link).is_ok_and(|link| link.flags & flag::UP != 0 && link.flags & flag::LOWER_UP == 0)
}

/// The routes that the kernel makes by itself: to the network of each primary address. No file says who made a route, so the
/// first one that looks like it is taken for the kernel's; `src` is the address.
struct Sources<'a>(Vec<&'a Address>);

impl<'a> Sources<'a> {
    fn of(addresses: &'a [Address]) -> Self {
        let makes_route =
            |address: &&Address| !address.secondary && (address.net.prefix_len() < 32 || address.peer.is_some());
        Sources(addresses.iter().filter(makes_route).collect())
    }

    /// The address for which the kernel made this route. Each is used up by its route.
    fn take(&mut self, route: &Route) -> Option<Ipv4Addr> {
        if route.gateway.is_some() || route.kind != RouteKind::Unicast || route.scope != "link" {
            return None;
        }
        let link = route.link.as_ref()?;
        let at = self
            .0
            .iter()
            .position(|address| address.link == *link && address.network_v4() == Some(route.destination))?;
        match self.0.remove(at).net {
            IpNet::V4(net) => Some(net.addr()),
            IpNet::V6(_) => None,
        }
    }
}

fn print_route(out: &mut dyn Write, route: &Route, source: Option<Ipv4Addr>, is_cut_off: bool, filter: &Filter) {
    match route.kind {
        RouteKind::Unicast => (),
        RouteKind::Unreachable => print(out, "unreachable "),
        RouteKind::Prohibit => print(out, "prohibit "),
        RouteKind::Blackhole => print(out, "blackhole "),
        RouteKind::Throw => print(out, "throw "),
    }
    match route.destination.prefix_len() {
        0 => print(out, "default "),
        32 => print(out, format!("{} ", route.destination.addr())),
        _ => print(out, format!("{} ", route.destination)),
    }
    if let Some(gateway) = route.gateway {
        print(out, format!("via {gateway} "));
    }
    if let Some(link) = &route.link
        && filter.device.is_none()
    {
        print(out, [b"dev ", link.as_bytes(), b" "].concat());
    }
    if source.is_some() {
        print(out, "proto kernel ");
    }
    if route.scope != "global" {
        print(out, format!("scope {} ", route.scope));
    }
    if let Some(source) = source {
        print(out, format!("src {source} "));
    }
    if route.metric != 0 {
        print(out, format!("metric {} ", route.metric));
    }
    if is_cut_off {
        print(out, "linkdown ");
    }
    print(out, "\n");
}
