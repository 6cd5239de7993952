//! The same as a graph for Graphviz: guests, ports, bridges, and the ways out. What is out of order is dashed and says so.

use std::ffi::OsStr;
use std::fmt::Display;

use super::check::FORWARDING_OFF;
use super::text::{put, text};
use super::view::{Brouter, Host, Way, guest};

const FAULT: &str = ", style=dashed, color=red";

#[inline(never)]
pub(super) fn dot(host: &Host) -> String {
    let mut out = String::from("graph host {\n  rankdir=LR;\n  node [shape=box];\n");
    for brouter in &host.brouters {
        bridge(&mut out, brouter, host);
        for way in host.ways_over(&brouter.bridge) {
            router(&mut out, way);
        }
    }
    for way in host.ways_out() {
        interface(&mut out, host, &way.link);
        router(&mut out, way);
    }
    out.push_str("}\n");
    out
}

/// A text between the quotes of Graphviz.
#[inline(never)]
fn quoted(what: &dyn Display) -> String {
    let mut quoted = String::from("\"");
    for c in text(&[what]).chars() {
        match c {
            // an end of the line is meant
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push('?'),
            '"' | '\\' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A node. That it is there already does not matter: the same is said again.
#[inline(never)]
fn node(out: &mut String, name: &dyn Display, label: &dyn Display, look: &str) {
    put(out, &[&"  ", &quoted(name), &" [label=", &quoted(label), &look, &"];\n"]);
}

#[inline(never)]
fn edge(out: &mut String, from: &dyn Display, to: &dyn Display, label: &dyn Display, is_fault: bool) {
    let look = if is_fault { FAULT } else { "" };
    put(out, &[&"  ", &quoted(from), &" -- ", &quoted(to), &" [label=", &quoted(label), &look, &"];\n"]);
}

/// A link with its addresses.
#[inline(never)]
fn label(host: &Host, name: &OsStr) -> String {
    let mut label = text(&[&name.display()]);
    for address in host.addresses_of(name) {
        put(&mut label, &[&"\n", &address.net]);
    }
    label
}

#[inline(never)]
fn bridge(out: &mut String, brouter: &Brouter, host: &Host) {
    let own = brouter.bridge.display();
    let mut label = label(host, &brouter.bridge);
    for network in &brouter.networks {
        put(&mut label, &[&"\nnetwork ", network]);
    }
    let mut look = ", style=bold";
    // those of ports are at their lines
    for remark in brouter.remarks.iter().filter(|remark| remark.kind.is_fault && !remark.kind.label.is_empty()) {
        put(&mut label, &[&"\nout of order: ", remark]);
        look = FAULT;
    }
    node(out, &own, &label, look);
    for port in &brouter.ports {
        let name = port.name.display();
        let mut label = String::new();
        let node = match guest(&port.name) {
            Some(number) => {
                let guest = text(&[&"guest ", &number]);
                node(out, &guest, &guest, ", shape=ellipse");
                put(&mut label, &[&name, &"\n"]);
                guest
            }
            None => {
                interface(out, host, &port.name);
                text(&[&name])
            }
        };
        if !port.forwards() {
            put(&mut label, &[&port.state(), &", ", &port.reason]);
        }
        edge(out, &node, &own, &label.trim_end(), brouter.is_out_of_order(port));
    }
    if host.addresses_of(&brouter.bridge).is_empty() {
        return;
    }
    let mut outside: Vec<&OsStr> = brouter.outside.iter().map(AsRef::as_ref).collect();
    let ways = host.ways_out();
    for way in ways {
        if host.forwards_to(way) && !outside.contains(&way.link.as_os_str()) && way.link != brouter.bridge {
            outside.push(&way.link);
        }
    }
    let is_off = brouter.remarks.iter().any(|remark| std::ptr::eq(remark.kind, &raw const FORWARDING_OFF));
    let way = match brouter.masquerade.iter().any(|(_, has_rule)| *has_rule == Some(true)) {
        _ if is_off => "not forwarded",
        true => "routed, masqueraded",
        false => "routed",
    };
    for name in outside {
        interface(out, host, name);
        edge(out, &own, &name.display(), &way, is_off);
    }
}

#[inline(never)]
fn interface(out: &mut String, host: &Host, name: &OsStr) {
    node(out, &name.display(), &label(host, name), "");
}

/// The next router of a route, and where it leads.
#[inline(never)]
fn router(out: &mut String, way: &Way) {
    if let Some(gateway) = &way.gateway {
        let name = text(&[&"router ", gateway]);
        node(out, &name, &name, ", shape=ellipse");
        edge(out, &way.link.display(), &name, if way.to.prefix_len() == 0 { &"default" } else { &way.to }, false);
    }
}
