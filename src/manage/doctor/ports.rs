//! What is on the bridge: ports, their addresses, and hardware addresses that occur twice.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use nix::errno::Errno;

use super::report::{Report, State};
use super::subject::{Host, Network};
use crate::error::errno_text;
use crate::firewall::ruleset::SavedRule;
use crate::inspect::bridge::Bridge;
use crate::inspect::port::{Port, PortBlock};
use crate::inspect::route::Route;
use crate::kernel::{Address, FdbEntry, Listener, Neighbour, is_served};
use crate::net::{Family, Mac};
use crate::network::catalog::KnownNetwork;
use crate::shell::{quoted, quoted_name};

/// Ports that are named in a finding about many.
const NAMED: usize = 4;

/// Ports that share a finding.
struct Group<'a>(Vec<&'a OsStr>);

impl Group<'_> {
    /// Returns their names, or the first ones and the number of the rest.
    fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().take(NAMED).map(|name| name.to_string_lossy()).collect();
        match self.0.len() - names.len() {
            0 => names.join(", "),
            rest => format!("{} and {rest} more", names.join(", ")),
        }
    }

    /// Returns their names as words of a command.
    fn words(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|name| quoted_name(name)).collect();
        words.join(" ")
    }

    /// Returns the command that does something to each; `command` is given the word that stands for a port.
    fn command(&self, command: impl Fn(&str) -> String) -> String {
        match self.0.as_slice() {
            [one] => command(&quoted_name(one)),
            _ => format!("for port in {}; do {}; done", self.words(), command("$port")),
        }
    }

    /// Returns `is` for one, `are` for several.
    fn verb<'a>(&self, one: &'a str, several: &'a str) -> &'a str {
        if self.0.len() == 1 { one } else { several }
    }
}

/// Checks whether every port is on and forwards.
pub(super) fn ports(_: &Host, network: &Network, report: &mut Report) {
    let Some(bridge) = &network.bridge else { return };
    let mut rest: Vec<(&Port, PortBlock)> =
        network.ports().iter().filter_map(|port| Some((port, port.block?))).collect();
    while let Some((_, block)) = rest.first().copied() {
        let (group, others) = rest.into_iter().partition::<Vec<_>, _>(|(_, other)| *other == block);
        blocked(bridge, &Group(group.into_iter().map(|(port, _)| port.name.as_os_str()).collect()), block, report);
        rest = others;
    }
    report.ok("all forward");
}

fn blocked(bridge: &Bridge, ports: &Group, block: PortBlock, report: &mut Report) {
    let (names, word) = (ports.names(), quoted_name(&bridge.name));
    let is = ports.verb("is", "are");
    match block {
        PortBlock::SwitchedOff => {
            report.failure(format!("{names} {is} down"), ports.command(|port| format!("ip link set dev {port} up")));
        }
        PortBlock::NoCarrier => {
            let (has, its) = (ports.verb("has", "have"), ports.verb("its other end", "their other ends"));
            report.add(State::Warning, format!("{names} {has} no carrier: no guest or no cable at {its}"), None);
        }
        // the bridge's own check says so
        PortBlock::BridgeDown => (),
        PortBlock::ForwardsIn { seconds } => {
            let delay = bridge.info.bridge_forward_delay.0.div_ceil(100);
            let (listens, forwards) =
                (ports.verb("listens and learns", "listen and learn"), ports.verb("forwards", "forward"));
            let evidence = format!("{names} {listens}, and {forwards} in {seconds} s: the forward delay is {delay} s");
            let setfd = format!("brctl setfd {word} 0");
            // with spanning tree the kernel takes no delay below 2 s
            let command = if bridge.info.stp_enabled { format!("brctl stp {word} off && {setfd}") } else { setfd };
            report.warning(evidence, command);
        }
        PortBlock::SpanningTree => report.warning(
            format!("{names} {is} blocking: the spanning tree has another path"),
            format!("brctl showstp {word}"),
        ),
        PortBlock::JustAttached => {
            let again = |port: &str| format!("ip link set dev {port} down && ip link set dev {port} up");
            report.warning(format!("{names} {is} disabled, though up"), ports.command(again));
        }
    }
}

/// Checks whether frames that fit one port fit the others, and the bridge.
pub(super) fn mtu(host: &Host, network: &Network, report: &mut Report) {
    let kernel = host.snapshot.kernel;
    let Ok(own) = kernel.link_mtu(network.bridge_name.as_bytes()) else { return };
    let mtu = |port: &Port| kernel.link_mtu(port.name.as_bytes()).ok().filter(|mtu| *mtu != own);
    let mut rest: Vec<(&Port, i32)> = network.ports().iter().filter_map(|port| Some((port, mtu(port)?))).collect();
    while let Some((_, mtu)) = rest.first().copied() {
        let (group, others) = rest.into_iter().partition::<Vec<_>, _>(|(_, other)| *other == mtu);
        let ports = Group(group.into_iter().map(|(port, _)| port.name.as_os_str()).collect());
        report.warning(
            format!(
                "{} {} mtu {mtu}, {} {own}: larger frames are lost",
                ports.names(),
                ports.verb("has", "have"),
                network.bridge_name
            ),
            ports.command(|port| format!("ip link set dev {port} mtu {own}")),
        );
        rest = others;
    }
    report.ok(format!("all ports have the bridge's, {own}"));
}

/// Checks whether ports are isolated from each other.
pub(super) fn isolated(host: &Host, network: &Network, report: &mut Report) {
    if network.is_isolate() {
        return report.ok("guests are not to reach each other");
    }
    let is_isolated = |port: &&Port| host.snapshot.is_isolated(&port.name);
    let isolated: Vec<&OsStr> = network.ports().iter().filter(is_isolated).map(|port| port.name.as_os_str()).collect();
    // one alone reaches all others
    if isolated.len() > 1 {
        let ports = Group(isolated);
        report.warning(
            format!("{} are isolated: guests behind them do not reach each other", ports.names()),
            ports.command(|port| format!("echo 0 >/sys/class/net/{port}/brport/isolated")),
        );
    }
    report.ok("no ports are isolated from each other");
}

/// The UDP port of DHCP servers.
const DHCP: u16 = 67;

/// Checks whether answers of a DHCP server on this host have checksums when they reach guests, whose clients may check them.
pub(super) fn checksums(host: &Host, network: &Network, report: &mut Report) {
    let Some(bridge) = &network.bridge else { return };
    let kernel = host.snapshot.kernel;
    let is_tunnel =
        |port: &Port| network.known.iter().flat_map(KnownNetwork::tunnels).any(|name| *port.name == *name.as_str());
    let is_without = |port: &&Port| !is_tunnel(port) && kernel.tx_checksum(port.name.as_bytes()) == Ok(true);
    let without: Vec<&OsStr> = bridge.guest_ports().filter(is_without).map(|port| port.name.as_os_str()).collect();
    if without.is_empty() {
        return report.ok("packets to guests have checksums");
    }
    match serves_dhcp(host, network) {
        Err(errno) => report.unknown(&format!(
            "whether a DHCP server runs on {bridge}: {}",
            errno_text(errno),
            bridge = network.bridge_name
        )),
        Ok(true) if !has_checksum_rule(host, network) => {
            let ports = Group(without);
            let (get, words) = (ports.verb("gets", "get"), ports.words());
            report.warning(
                format!(
                    "a DHCP server runs here, and {} {get} packets without checksums: some clients get no lease",
                    ports.names()
                ),
                format!("brouter offload off {words}"),
            );
        }
        Ok(true) => report.ok("the firewall makes the checksums of answers to DHCP clients"),
        Ok(false) => report.ok("no DHCP server runs on the bridge"),
    }
}

/// Returns whether a program of this host receives what DHCP clients on the bridge send. Servers that read frames have such a socket
/// as well.
fn serves_dhcp(host: &Host, network: &Network) -> Result<bool, Errno> {
    let listeners = Listener::all_udp(host.snapshot.kernel);
    let mut addresses = listeners.iter().filter(|listener| listener.port == DHCP).map(|listener| listener.address);
    let is_own = |address: IpAddr| host.own(network).any(|own| own.net.addr() == address);
    match addresses.clone().any(is_own) {
        true => Ok(true),
        // which link that is for can be tried only
        false if addresses.any(|address| address.is_unspecified()) => is_served(network.bridge_name.as_bytes(), DHCP),
        false => Ok(false),
    }
}

/// Returns whether the firewall makes checksums of what leaves by the bridge, as libvirt and lxc-net have it do.
fn has_checksum_rule(host: &Host, network: &Network) -> bool {
    let tables = host.snapshot.firewall(Family::V4).sets.iter().filter_map(|rules| rules.table("mangle"));
    let is_here = |rule: &SavedRule| {
        let mut out = rule.matches.iter().filter(|matched| matched.option == "-o");
        rule.target == "CHECKSUM" && out.all(|out| out.value == network.bridge_name && !out.is_negated)
    };
    tables.flat_map(|table| &table.rules).any(is_here)
}

/// Checks whether a port has addresses, which belong to the bridge.
pub(super) fn addresses(host: &Host, network: &Network, report: &mut Report) {
    let bridge = quoted(&network.bridge_name);
    for address in host.addresses().filter(|address| network.has_port(&address.link)) {
        let (port, net) = (address.link.to_string_lossy(), address.net);
        let delete = format!("ip addr del {net} dev {}", quoted(&port));
        let routes: String = routes_with(host, address).map(|route| moved(route, &bridge)).collect();
        let bridge_has_one = host.own(network).any(|other| other.net.contains(&net.addr()));
        match bridge_has_one {
            true => report.failure(
                format!("the port {port} has an address, {net}: that network is behind it alone"),
                format!("{delete}{routes}"),
            ),
            false => report.failure(
                format!("the port {port} has an address, {net}, which belongs to the bridge"),
                format!("ip link set dev {bridge} up && {delete} && ip addr add {net} dev {bridge}{routes}"),
            ),
        }
    }
    report.ok("no port has an address");
}

/// Returns the routes over a port that go with one of its addresses: those to a router in its network.
fn routes_with<'h>(host: &'h Host, address: &'h Address) -> impl Iterator<Item = &'h Route> {
    host.snapshot.all_routes().filter(|route| {
        let is_on_link = |router: &IpAddr| matches!(router, IpAddr::V6(router) if router.is_unicast_link_local());
        let is_near =
            |router: &IpAddr| address.net.contains(router) || is_on_link(router) && address.net.addr().is_ipv6();
        route.interface == address.link && route.gateway.as_ref().is_some_and(is_near)
    })
}

/// Returns what puts a route onto the bridge, behind other commands.
fn moved(route: &Route, bridge: &str) -> String {
    let family = if route.family() == Family::V6 { " -6" } else { "" };
    let via = route.gateway.map_or(String::new(), |router| format!(" via {router}"));
    let metric = if route.metric == 0 { String::new() } else { format!(" metric {}", route.metric) };
    format!(" && ip{family} route replace {}{via} dev {bridge}{metric}", route.destination)
}

/// Checks whether a hardware address occurs twice.
pub(super) fn macs(host: &Host, network: &Network, report: &mut Report) {
    let kernel = host.snapshot.kernel;
    let bridge = network.bridge_name.as_str();
    // the bridge's comes last: it may be that of a port
    let links = network.ports().iter().map(|port| port.name.to_string_lossy().into_owned());
    let mut macs: Vec<(String, Mac)> = Vec::new();
    for link in links.chain([bridge.into()]) {
        let Ok(mac) = kernel.mac(link.as_bytes()) else { continue };
        let is_twice = |(_, other): &&(String, Mac)| *other == mac && mac != Mac::OF_XEN && link != bridge;
        if let Some((other, _)) = macs.iter().find(is_twice) {
            let command = format!("ip link set dev {} address fe:ff:ff:ff:ff:ff", quoted(&link));
            report.warning(format!("the ports {link} and {other} both have {mac}"), command);
        }
        macs.push((link, mac));
    }
    for neighbour in Neighbour::all(kernel).iter().filter(|neighbour| neighbour.link == bridge) {
        let Some((link, mac)) = macs.iter().find(|(_, mac)| *mac == neighbour.mac) else { continue };
        let guest = format!("the guest {}", neighbour.address);
        let set = format!("ip link set dev {} address", quoted(link));
        match link == bridge {
            true => report.failure(
                format!("{guest} has the bridge's {mac}: frames to it end here"),
                format!("{set} 02:00:5e:00:00:01"),
            ),
            false => report.failure(
                format!("{guest} has {mac}, as the port {link}: frames to it end here"),
                format!("{set} fe:ff:ff:ff:ff:ff"),
            ),
        }
    }
    learnt_elsewhere(host, network, report);
    report.ok("each occurs once");
}

/// Reports what this bridge has learnt, and another one too.
fn learnt_elsewhere(host: &Host, network: &Network, report: &mut Report) {
    let Some(bridge) = network.bridge.as_ref().filter(|_| host.bridges.len() > 1) else { return };
    let mut here: Vec<&FdbEntry> = bridge.learnt().unwrap_or_default().iter().collect();
    here.sort_by_key(|entry| entry.mac());
    for other in host.bridges.iter().filter(|other| !Rc::ptr_eq(other, bridge)) {
        for entry in other.learnt().unwrap_or_default() {
            let Ok(place) = here.binary_search_by_key(&entry.mac(), |entry| entry.mac()) else { continue };
            let number = here[place].port_number();
            let port = network.ports().iter().find(|port| port.number == number);
            let port = port.map_or(OsStr::new("PORT"), |port| &port.name);
            report.warning(
                format!(
                    "{} is behind {} and on {} too: a loop, or a guest on both",
                    entry.mac(),
                    port.display(),
                    other.name.display()
                ),
                format!("brctl delif {} {}", quoted(&network.bridge_name), quoted_name(port)),
            );
        }
    }
}
