//! The host as a graph for Graphviz: guests, ports, bridges, interfaces to the outside and next hops. What is out of order is
//! dashed, and says so.

use std::ffi::OsStr;
use std::fmt::Display;

use super::finding::Kind;
use super::model::{BridgeStatus, HostStatus};
use super::routed::{RoutedGuest, shown};
use crate::inspect::port::Port;
use crate::inspect::route::Route;
use crate::net::Family;
use crate::terminal::is_shown;

const FAULT: &str = ", style=dashed, color=red";

pub(super) fn dot(host: &HostStatus) -> String {
    let mut out = String::from("graph host {\n  rankdir=LR;\n  node [shape=box];\n");
    for status in &host.bridges {
        bridge(&mut out, host, status);
        for route in host.routes_over(status) {
            next_hop(&mut out, route);
        }
    }
    for guest in &host.routed {
        routed(&mut out, host, guest);
    }
    for route in host.default_routes() {
        interface(&mut out, host, &route.interface);
        next_hop(&mut out, route);
    }
    out.push_str("}\n");
    out
}

/// A text between the quotes of Graphviz.
fn quoted(text: impl Display) -> String {
    let mut quoted = String::from("\"");
    for c in text.to_string().chars() {
        match c {
            // a line break of ours
            '\n' => quoted.push_str("\\n"),
            c if !is_shown(c) => quoted.push('?'),
            '"' | '\\' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Adds a node. It may be there already, with the same values.
fn node(out: &mut String, name: impl Display, label: impl Display, look: &str) {
    out.push_str(&format!("  {} [label={}{look}];\n", quoted(name), quoted(label)));
}

fn edge(out: &mut String, from: impl Display, to: impl Display, label: impl Display, is_fault: bool) {
    let look = if is_fault { FAULT } else { "" };
    out.push_str(&format!("  {} -- {} [label={}{look}];\n", quoted(from), quoted(to), quoted(label)));
}

/// Returns the name of a link and its addresses.
fn label(host: &HostStatus, name: &OsStr) -> String {
    let mut label = name.display().to_string();
    for address in host.snapshot.addresses_of(name) {
        label.push_str(&format!("\n{}", address.net));
    }
    label
}

fn bridge(out: &mut String, host: &HostStatus, status: &BridgeStatus) {
    let mut label = label(host, &status.name);
    for network in &status.networks {
        label.push_str(&format!("\nnetwork {network}"));
    }
    let mut look = ", style=bold";
    // those of ports are at their edges
    for finding in status.faults().filter(|finding| finding.kind != Kind::PortNotForwarding) {
        label.push_str(&format!("\nout of order: {}", finding.text()));
        look = FAULT;
    }
    node(out, status.name.display(), &label, look);
    for found in status.ports() {
        port(out, host, status, found);
    }
    if host.has_address(status) {
        outside(out, host, status);
    }
}

/// Adds the guest behind a port, or the interface if it is no guest's.
fn port(out: &mut String, host: &HostStatus, status: &BridgeStatus, port: &Port) {
    let name = port.name.display();
    let reason = status.reason(port).map(|reason| format!("{}, {reason}", port.state()));
    let (end, label) = match port.guest() {
        Some(number) => {
            let guest = format!("guest {number}");
            node(out, &guest, &guest, ", shape=ellipse");
            (guest, reason.map_or(name.to_string(), |reason| format!("{name}\n{reason}")))
        }
        None => {
            match status.is_tunnel(port) {
                true => node(out, port.name.display(), label(host, &port.name) + "\nother hosts", ", shape=ellipse"),
                false => interface(out, host, &port.name),
            }
            (name.to_string(), reason.unwrap_or_default())
        }
    };
    edge(out, end, status.name.display(), label, status.is_faulty(port));
}

/// Adds the interfaces by which guests' packets leave: the one that a network names, and those of the default routes.
fn outside(out: &mut String, host: &HostStatus, status: &BridgeStatus) {
    let mut interfaces: Vec<&OsStr> = status.outside.iter().map(AsRef::as_ref).collect();
    for route in host.default_routes().filter(|route| host.forwards_to(route)) {
        let interface = route.interface.as_os_str();
        if !interfaces.contains(&interface) && interface != status.name {
            interfaces.push(interface);
        }
    }
    let is_off = status.findings.iter().any(|finding| finding.kind == Kind::ForwardingOff);
    let how = match status.masquerade.iter().any(|(_, has_rule)| *has_rule == Some(true)) {
        _ if is_off => "not forwarded",
        true => "routed, masqueraded",
        false => "routed",
    };
    for name in interfaces {
        interface(out, host, name);
        edge(out, status.name.display(), name.display(), how, is_off);
    }
}

/// Adds a guest that is connected by routes, its interface, and those by which its packets leave.
fn routed(out: &mut String, host: &HostStatus, guest: &RoutedGuest) {
    let link = guest.interface.display();
    let name = guest.guest.map_or_else(|| format!("guest behind {link}"), |number| format!("guest {number}"));
    node(out, &name, &name, ", shape=ellipse");
    interface(out, host, &guest.interface);
    let nets: Vec<String> = guest.nets.iter().map(shown).collect();
    edge(out, &name, link, nets.join("\n"), false);
    let is_off = !guest.is_forwarded(&host.snapshot);
    for route in host.default_routes().filter(|route| guest.nets.iter().any(|net| Family::of(net) == route.family())) {
        let how = if is_off { "not forwarded" } else { "routed" };
        edge(out, guest.interface.display(), route.interface.display(), how, is_off);
    }
}

fn interface(out: &mut String, host: &HostStatus, name: &OsStr) {
    node(out, name.display(), label(host, name), "");
}

/// Adds the next hop of a route, if there is one, and where the route leads.
fn next_hop(out: &mut String, route: &Route) {
    if let Some(gateway) = route.gateway {
        let name = format!("router {gateway}");
        node(out, &name, &name, ", shape=ellipse");
        let label = if route.is_default() { "default".into() } else { route.destination.to_string() };
        edge(out, route.interface.display(), name, label, false);
    }
}
