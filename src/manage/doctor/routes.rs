//! The route from the bridge to the outside and back.

use std::ffi::OsStr;

use ipnet::IpNet;

use super::report::{Report, State};
use super::subject::{Host, Network};
use crate::error::errno_text;
use crate::inspect::route::Route;
use crate::kernel::{Address, Kernel, flag};
use crate::net::Family;
use crate::network::overlap::overlaps;
use crate::shell::{quoted, quoted_name};

/// Returns why addresses or routes are not known, if they are not.
fn unreadable(host: &Host) -> Option<String> {
    let table = host.snapshot.unreadable().into_iter().next()?;
    Some(format!("{}: {}", table.file, errno_text(table.errno)))
}

/// Checks whether another link leads to addresses of the bridge's networks.
pub(super) fn overlap(host: &Host, network: &Network, report: &mut Report) {
    if let Some(cause) = unreadable(host) {
        report.unknown(&cause);
    }
    let is_own = |link: &OsStr| network.is_on(link) || link == "lo" || network.has_port(link);
    for own in host.own(network) {
        for other in host.addresses().filter(|other| !is_own(&other.link) && overlaps(&own.net, &other.net)) {
            shared(host, network, own, other, report);
        }
        for route in host.snapshot.all_routes() {
            let is_of_address =
                |other: &Address| other.link == route.interface && other.net.trunc() == route.destination;
            // a wider route is for the rest of its network
            let leads_away = own.net.trunc().contains(&route.destination) && !is_own(&route.interface);
            if leads_away && !host.addresses().any(is_of_address) {
                let via = route.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
                let text = format!("{}{via} dev {}", route.destination, quoted_name(&route.interface));
                let evidence =
                    format!("a route leads away from {}, which has {}: {text}", network.bridge_name, own.net);
                report.failure(evidence, format!("ip route del {text}"));
            }
        }
    }
    report.ok("no other link has its networks");
}

/// Reports an address of another link that is in a network of the bridge.
fn shared(host: &Host, network: &Network, own: &Address, other: &Address, report: &mut Report) {
    let (bridge, link) = (network.bridge_name.as_str(), other.link.to_string_lossy());
    // without its address on the link to the outside the host would be cut off
    let is_outside = host.default_interface(Family::of(&own.net)).is_some_and(|default| default == link);
    let free = host.free();
    let (name, bridge_word) = (quoted(&network.name), quoted(bridge));
    let command = match is_outside {
        true if network.has_file() => format!("brouter down {name} && brouter up {name} --address {free}"),
        true => {
            format!("ip addr add {free} dev {bridge_word} && ip addr del {} dev {bridge_word}", own.net)
        }
        false => format!("ip addr del {} dev {}", other.net, quoted(&link)),
    };
    let is_wider = other.net.prefix_len() < own.net.prefix_len();
    let evidence = format!("{link} has {}, of the same network as {} on {bridge}", other.net, own.net);
    report.add(if is_wider { State::Warning } else { State::Failure }, evidence, Some(command));
}

/// Returns whether the network has IPv4 and is meant to reach beyond this host.
fn is_routed(host: &Host, network: &Network, report: &mut Report) -> bool {
    match network.no_router_needed() {
        Some(text) => report.ok(text),
        None if !host.has_family(network, Family::V4) => report.ok("no IPv4 to the outside was asked for"),
        None => return true,
    }
    false
}

/// Checks whether IPv4 packets are forwarded, both ways.
pub(super) fn forwarding(host: &Host, network: &Network, report: &mut Report) {
    if !is_routed(host, network, report) {
        return;
    }
    match host.snapshot.forwarding(Family::V4) {
        Err(errno) => report.unknown(&format!("/proc/sys/net/ipv4/ip_forward: {}", errno_text(errno))),
        Ok(false) => report.failure(
            "/proc/sys/net/ipv4/ip_forward is 0: no packet is forwarded".into(),
            "echo 1 >/proc/sys/net/ipv4/ip_forward".into(),
        ),
        // a packet is forwarded if the link that it arrives by allows that
        Ok(true) => {
            let outside = host.outside(network, Family::V4).unwrap_or_default();
            for link in [network.bridge_name.as_str(), &outside] {
                if host.snapshot.link_value(Family::V4, link, "forwarding") == Some(0) {
                    report.failure(
                        format!("/proc/sys/net/ipv4/conf/{link}/forwarding is 0: nothing from there is forwarded"),
                        format!("echo 1 >/proc/sys/net/ipv4/conf/{}/forwarding", quoted(link)),
                    );
                }
            }
        }
    }
    report.ok("/proc/sys/net/ipv4/ip_forward is 1");
}

/// Returns whether rp_filter can be 2. Linux 2.6.31 brought that, and takes the greater of the two values.
fn has_loose(kernel: &Kernel) -> bool {
    let release = kernel.release();
    let release = release.to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0u32));
    let [major, minor, patch] = [(); 3].map(|()| numbers.next().unwrap_or(0));
    (major, minor, patch) >= (2, 6, 31)
}

/// Reports a link that drops packets of a network because it would send none there.
fn check_strict(host: &Host, link: &str, network: &str, route: &str, report: &mut Report) {
    let value = |link| host.snapshot.link_value(Family::V4, link, "rp_filter").unwrap_or(0);
    let (all, own) = (value("all"), value(link));
    let (effective, off) = match has_loose(host.snapshot.kernel) {
        true => (all.max(own), "2"),
        false => (all.min(own), "0"),
    };
    if effective == 1 {
        report.failure(
            format!(
                "rp_filter of {link} is strict: packets from {network} are dropped, as the route there is by {route}"
            ),
            format!("echo {off} >/proc/sys/net/ipv4/conf/{}/rp_filter", quoted(link)),
        );
    }
}

/// Checks whether packets are dropped because the route back is another one.
pub(super) fn reverse_path(host: &Host, network: &Network, report: &mut Report) {
    let bridge = network.bridge_name.as_str();
    for own in host.own_of(network, Family::V4) {
        let leads_away =
            |route: &&Route| !network.is_on(&route.interface) && own.net.trunc().contains(&route.destination);
        for route in host.snapshot.all_routes().filter(leads_away) {
            let interface = route.interface.to_string_lossy();
            check_strict(host, bridge, &route.destination.to_string(), &interface, report);
        }
    }
    if let (Some(default), Some(outside)) = (host.default_interface(Family::V4), network.outside())
        && default != outside
    {
        check_strict(host, outside, "anywhere", &default, report);
    }
    report.ok("drops nothing here");
}

/// Checks whether there is a route to the outside.
pub(super) fn outside(host: &Host, network: &Network, report: &mut Report) {
    if !is_routed(host, network, report) {
        return;
    }
    let outside = host.outside(network, Family::V4);
    if let Some(outside) = &outside {
        check_link(host, outside, report);
    }
    let outside = outside.as_deref().unwrap_or("INTERFACE");
    // with rules, other tables than main can have the default route
    match (host.default_interface(Family::V4), unreadable(host)) {
        (None, Some(cause)) => report.unknown(&cause),
        (None, None) if !host.snapshot.has_rules_v4() => {
            let command = format!("ip route add default via ROUTER dev {}", quoted(outside));
            report.failure("there is no default route".into(), command);
        }
        (Some(default), _) if default != outside && !host.snapshot.has_rules_v4() => {
            let name = quoted(&network.name);
            let command = match network.has_file() {
                true => format!(
                    "sed -i 's/^outside=.*/outside={default}/; s/^netdev=.*/outside={default}/' /etc/brouter/{name}.conf \
                     && brouter up {name}"
                ),
                false => format!("brouter down {name}"),
            };
            report.warning(format!("the default route is by {default}, not by the outside, {outside}"), command);
        }
        _ => (),
    }
    report.ok(format!("packets leave by {outside}"));
}

/// Reports what is wrong with the interface to the outside.
fn check_link(host: &Host, outside: &str, report: &mut Report) {
    match host.snapshot.link_flags(OsStr::new(outside)) {
        Ok(Some(flags)) if flags & flag::UP == 0 => {
            report.failure(format!("{outside} is down"), format!("ip link set dev {} up", quoted(outside)));
        }
        Ok(Some(flags)) if flags & flag::RUNNING == 0 => {
            report.add(State::Failure, format!("{outside} has no carrier: check its cable"), None);
        }
        Ok(None) => report.add(State::Failure, format!("there is no interface {outside}"), None),
        _ => (),
    }
}

/// Checks whether IPv6 packets are forwarded, and the host keeps its own default route then.
pub(super) fn ipv6(host: &Host, network: &Network, report: &mut Report) {
    if let Some(text) = network.no_router_needed() {
        return report.ok(text);
    }
    if !host.has_family(network, Family::V6) {
        return report.ok("no IPv6 to the outside was asked for");
    }
    let forwards = host.snapshot.forwarding(Family::V6) == Ok(true);
    if !forwards {
        report.failure(
            "/proc/sys/net/ipv6/conf/all/forwarding is 0: no IPv6 packet is forwarded".into(),
            "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding".into(),
        );
    }
    let outside = host.outside(network, Family::V6).or_else(|| host.default_interface(Family::V4));
    let outside = outside.as_deref().unwrap_or("INTERFACE");
    let accepts = host.snapshot.link_value(Family::V6, outside, "accept_ra");
    let ignores_routers = forwards && accepts.is_some_and(|accepts| accepts < 2);
    // unique local addresses lead nowhere else anyway (RFC 4193)
    let is_global = |own: &Address| matches!(own.net, IpNet::V6(net) if net.addr().segments()[0] & 0xfe00 != 0xfc00);
    let accept_ra = format!("a host that forwards accepts announcements only if accept_ra of {outside} is 2");
    let accept = format!("echo 2 >/proc/sys/net/ipv6/conf/{}/accept_ra", quoted(outside));
    match host.default_route(Family::V6) {
        Some(route) if route.is_announced && ignores_routers => {
            report.warning(format!("the default route was announced, and will expire: {accept_ra}"), accept);
        }
        None if host.own(network).any(is_global) => match ignores_routers {
            true => report.failure(format!("there is no default route: {accept_ra}"), accept),
            false => {
                let command = format!("ip -6 route add default via ROUTER dev {}", quoted(outside));
                report.warning("there is no default route".into(), command);
            }
        },
        _ => (),
    }
    report.ok("/proc/sys/net/ipv6/conf/all/forwarding is 1");
}
