//! The picture: a tree for each bridge.

use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};

use super::finding::Kind;
use super::model::{BridgeStatus, HostStatus};
use super::ports;
use super::style::{Ink, Style};
use super::text::{Seconds, plural};
use super::tree::{self, Line, Mark};
use crate::error::errno_text;
use crate::inspect::bridge::Bridge;
use crate::inspect::route::Route;
use crate::net::Family;
use crate::net::rtnetlink::Scope;
use crate::network::wanted::isolates_ports;

/// Routes over a bridge that are shown.
const ROUTES: usize = 8;

/// Returns the whole picture.
pub(super) fn picture(host: &HostStatus, style: Style) -> String {
    let mut out = String::new();
    for status in &host.bridges {
        if !out.is_empty() {
            out.push('\n');
        }
        heading(&mut out, status, style);
        out.push_str(&tree::draw(&lines(host, status, style), style));
    }
    if !host.routed.is_empty() {
        let start = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{start}{} by routes:\n", plural(host.routed.len(), "guest")));
        let lines: Vec<Line> = host.routed.iter().map(|guest| guest.line(&host.snapshot)).collect();
        out.push_str(&tree::draw(&lines, style));
    } else if host.bridges.is_empty() {
        out.push_str("This host has no bridge.\n");
    }
    if !host.unreadable.is_empty() {
        out.push('\n');
    }
    for unreadable in &host.unreadable {
        out.push_str(&format!("Not known: {}: {}\n", unreadable.file, errno_text(unreadable.errno)));
    }
    out
}

fn heading(out: &mut String, status: &BridgeStatus, style: Style) {
    style.paint(out, Ink::Bold, &status.name.to_string_lossy());
    if let [first, others @ ..] = status.networks.as_slice() {
        out.push_str(&format!(", network {first}"));
        if !others.is_empty() {
            out.push_str(&format!(" and {} more", others.len()));
        }
    }
    out.push_str(": ");
    let (ink, verdict) = match status.faults().count() {
        0 if status.is_only_planned => (Ink::Plain, "not up".into()),
        0 if status.findings.is_empty() => (Ink::Green, "all is well".into()),
        0 => (Ink::Green, "well, as far as is known".into()),
        1 => (Ink::Red, "1 thing out of order".into()),
        faults => (Ink::Red, format!("{faults} things out of order")),
    };
    style.paint(out, ink, &verdict);
    out.push('\n');
}

fn plain(label: &str, text: impl Display) -> Line {
    Line::labelled(Mark::Plain, label, &text.to_string())
}

/// Returns the lines of a bridge: in each section the facts, then what is out of order or not known.
fn lines(host: &HostStatus, status: &BridgeStatus, style: Style) -> Vec<Line> {
    let mut lines = Vec::new();
    let findings = |lines: &mut Vec<Line>, label: &str| {
        for finding in status.labelled(label) {
            let mark = if finding.kind.is_fault() { Mark::Fault } else { Mark::Unknown };
            let text = Line::labelled(mark, label, &finding.text());
            match finding.parts() {
                // a command is on a line of its own before it is folded
                (what, Some(command)) if !text.fits(style) => {
                    lines.extend([Line::labelled(mark, label, &format!("{what}:")), Line::continued(command)]);
                }
                _ => lines.push(text),
            }
        }
    };
    findings(&mut lines, "network");
    if let Some(bridge) = &status.bridge {
        lines.extend(bridge_lines(bridge));
    }
    findings(&mut lines, "bridge");
    for address in host.snapshot.addresses_of(&status.name).filter(|address| address.scope != Scope::LINK) {
        let state = if address.has_flag(libc::IFA_F_TENTATIVE) { ", tentative" } else { "" };
        lines.push(plain("address", format!("{}{state}", address.net)));
    }
    findings(&mut lines, "address");
    if status.bridge.is_some() {
        lines.extend(ports::lines(status, style));
    }
    findings(&mut lines, "port");
    lines.extend(route_lines(host, status));
    if !status.outside_ports.is_empty() {
        lines.push(plain("outside", format!("through port {}", status.outside_ports.join(", "))));
        findings(&mut lines, "outside");
    } else if host.has_address(status) {
        lines.extend(outside_lines(host, status));
        findings(&mut lines, "outside");
        // that it is off is said below, with what switches it on
        let is_off = status.labelled("forwarding").any(|finding| finding.kind == Kind::ForwardingOff);
        lines.extend(forwarding(host, is_off).map(|text| plain("forwarding", text)));
    }
    findings(&mut lines, "forwarding");
    let masqueraded = status.masquerade.iter().filter(|(_, has_rule)| *has_rule == Some(true));
    lines.extend(masqueraded.map(|(net, _)| plain("masquerade", net)));
    findings(&mut lines, "masquerade");
    let published = status.publish.iter().filter(|(_, has_rule)| *has_rule == Some(true));
    lines.extend(published.map(|(publication, _)| plain("publish", publication)));
    findings(&mut lines, "publish");
    if status.is_isolate {
        lines.push(plain(
            "isolate",
            match isolates_ports(host.snapshot.kernel) {
                true => "guests do not reach each other",
                false => "guests reach each other on the bridge, not through this host",
            },
        ));
    }
    findings(&mut lines, "isolate");
    findings(&mut lines, "antispoof");
    lines
}

/// Returns the bridge as a link, with its spanning tree and the times that matter.
fn bridge_lines(bridge: &Bridge) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Ok(link) = bridge.link() {
        let state = if bridge.is_up() { "up" } else { "down" };
        lines.push(plain("bridge", format!("{state}, mtu {}, hardware address {}", link.mtu, link.address)));
    }
    let info = &bridge.info;
    let (delay, ageing) = (Seconds(info.bridge_forward_delay), Seconds(info.ageing_time));
    if !info.stp_enabled {
        let text = format!("no spanning tree, forward delay {delay}, ageing time {ageing}");
        lines.push(Line::continued(&text));
        return lines;
    }
    let topology = if info.topology_change { ", topology change" } else { "" };
    let root = match info.root_port {
        0 => "spanning tree, this bridge is the root".into(),
        port => format!("spanning tree, root behind port {port}"),
    };
    let (hello, age) = (Seconds(info.hello_time), Seconds(info.max_age));
    let times = format!("forward delay {delay}, hello time {hello}, max age {age}, ageing time {ageing}");
    lines.extend([Line::continued(&[&root, topology].concat()), Line::continued(&times)]);
    lines
}

/// Returns the routes over the bridge that have a gateway.
fn route_lines(host: &HostStatus, status: &BridgeStatus) -> Vec<Line> {
    let routes: Vec<&Route> = host.routes_over(status).filter(|route| route.gateway.is_some()).collect();
    let line = |route: &&Route| plain("route", format!("{}{}", route.destination, Gateway(route)));
    let mut lines: Vec<Line> = routes.iter().take(ROUTES).map(line).collect();
    if routes.len() > ROUTES {
        lines.push(plain("route", format!("and {} more", routes.len() - ROUTES)));
    }
    lines
}

/// Returns where guests' packets go: by the default routes, and by the interface that a network names.
fn outside_lines(host: &HostStatus, status: &BridgeStatus) -> Vec<Line> {
    let is_off = status.labelled("forwarding").next().is_some();
    // also where packets would go if they were forwarded as they should be
    let routes: Vec<&Route> = host.default_routes().filter(|route| is_off || host.forwards_to(route)).collect();
    let line = |route: &&Route| {
        let interface = interface(host, &route.interface);
        let family = if route.family() == Family::V6 { "IPv6 default route" } else { "default route" };
        plain("outside", format!("{interface}, {family}{}", Gateway(route)))
    };
    let mut lines: Vec<Line> = routes.iter().map(line).collect();
    if let Some(named) = &status.outside
        && !routes.iter().any(|route| route.interface == *named.as_str())
        && status.labelled("outside").next().is_none()
    {
        lines.push(plain("outside", interface(host, named.as_ref())));
    }
    lines
}

fn forwarding(host: &HostStatus, is_off: bool) -> Option<&'static str> {
    Some(match Family::BOTH.map(|family| host.snapshot.forwarding(family)) {
        [Err(_), Err(_)] => "not known",
        [Ok(true), Ok(true)] => "IPv4 and IPv6",
        [Ok(true), _] => "IPv4, not IPv6",
        [_, Ok(true)] => "IPv6, not IPv4",
        _ if is_off => return None,
        _ => "none: guests reach this host and each other",
    })
}

/// The next hop of a route, if there is one.
struct Gateway<'a>(&'a Route);

impl Display for Gateway<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.gateway.map_or(Ok(()), |gateway| write!(f, " via {gateway}"))
    }
}

/// Returns an interface with its IPv4 addresses: an outside one has but one as a rule, and many of IPv6.
fn interface(host: &HostStatus, name: &OsStr) -> String {
    let mut text = name.display().to_string();
    for address in host.snapshot.addresses_of(name).filter(|address| address.net.addr().is_ipv4()) {
        text.push_str(&format!(" {}", address.net));
    }
    text
}
