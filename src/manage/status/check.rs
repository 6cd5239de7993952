//! What is out of order: what is wanted of a network beside what is there.

use std::fmt;

use super::view::{Brouter, Host};
use super::wanted::Wanted;
use crate::call::Call;
use crate::kernel::{Ipv6Flags, Kernel, flag};
use crate::network::context::Context;
use crate::network::item::Item;
use crate::network::step::Step;
use crate::network::store::StateDir;

/// Something out of order, or not known.
#[derive(Clone)]
pub(super) struct Remark {
    pub(super) kind: &'static Kind,
    /// What it is about: the bridge, an address, a port, …
    pub(super) object: String,
    /// The command that would put it right, or what else there is to say.
    pub(super) rest: String,
}

/// A kind of remark.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The label of the lines to which it belongs.
    pub(super) label: &'static str,
    /// How its text begins.
    text: &'static str,
    /// Whether it is out of order; else it is not known.
    pub(super) is_fault: bool,
}

const fn fault(name: &'static str, label: &'static str, text: &'static str) -> Kind {
    Kind { name, label, text, is_fault: true }
}

const fn unknown(name: &'static str, label: &'static str, text: &'static str) -> Kind {
    Kind { name, label, text, is_fault: false }
}

pub(super) static UNFINISHED: Kind =
    fault("network-unfinished", "network", "brouter up or down is under way, or was ended: run it again");
pub(super) static NOT_UNDERSTOOD: Kind = fault("network-not-understood", "network", "");
pub(super) static FILE_UNREADABLE: Kind = unknown("network-unreadable", "network", "this user cannot read ");
static BRIDGE_MISSING: Kind = fault("bridge-missing", "bridge", "missing: ");
static BRIDGE_DOWN: Kind = fault("bridge-down", "bridge", "down: ");
static VALUE_DIFFERS: Kind = fault("value-differs", "bridge", "not as wanted: ");
static ADDRESS_MISSING: Kind = fault("address-missing", "address", "missing: ");
static ADDRESS_DUPLICATE: Kind = fault("address-duplicate", "address", "another host has it too, and it is not used");
static PORT_MISSING: Kind = fault("port-missing", "port", "missing: ");
/// Has a mark at the port's own line.
static PORT_NOT_FORWARDING: Kind = fault("port-not-forwarding", "", "does not forward: ");
static OUTSIDE_MISSING: Kind = fault("outside-missing", "outside", "missing: ");
static OUTSIDE_DOWN: Kind = fault("outside-down", "outside", "down: ");
static OUTSIDE_NO_CARRIER: Kind = fault("outside-no-carrier", "outside", "no carrier: ");
pub(super) static FORWARDING_OFF: Kind = fault("forwarding-off", "forwarding", "off: ");
static MASQUERADE_MISSING: Kind = fault("masquerade-missing", "masquerade", "missing: ");
static MASQUERADE_UNKNOWN: Kind = unknown("masquerade-unknown", "masquerade", "not known, root can ask: ");
static ANTISPOOF_MISSING: Kind = fault("antispoof-missing", "antispoof", "missing: ");
static ANTISPOOF_UNKNOWN: Kind = unknown("antispoof-unknown", "antispoof", "not known, root can ask: ");

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kind.text)?;
        f.write_str(&self.rest)
    }
}

/// Of a part the kind of fault that it is if it is not there, and what is said if that cannot be known.
fn kinds(part: &Item, bridge: &str) -> Option<(&'static Kind, Option<&'static Kind>)> {
    Some(match part {
        Item::Bridge => (&BRIDGE_MISSING, None),
        Item::Value { .. } => (&VALUE_DIFFERS, None),
        Item::Address(_) => (&ADDRESS_MISSING, None),
        Item::Port(_) => (&PORT_MISSING, None),
        Item::Up(link) if link.as_str() == bridge => (&BRIDGE_DOWN, None),
        Item::Masquerade(_) => (&MASQUERADE_MISSING, Some(&MASQUERADE_UNKNOWN)),
        Item::Accept(_) | Item::Drop { .. } => (&ANTISPOOF_MISSING, Some(&ANTISPOOF_UNKNOWN)),
        Item::Forwarding { .. } => (&FORWARDING_OFF, None),
        // a port that is off does not forward, which is seen anyway
        Item::Up(_) | Item::Firewall(_) => return None,
    })
}

/// Compares a bridge with a network on it. That of network-virtual has no name.
#[inline(never)]
pub(super) fn check(call: &Call, records: &StateDir, brouter: &mut Brouter, wanted: &Wanted) {
    brouter.remarks.extend_from_slice(&wanted.remarks);
    brouter.outside = brouter.outside.take().or(wanted.outside.clone());
    if !brouter.is_only_planned {
        let Ok(bridge) = wanted.bridge.parse() else { return };
        let context = Context::new(call.kernel, records.clone(), &wanted.name, bridge, (call.environment)("PATH"));
        for part in &wanted.parts {
            if *part == Item::Bridge || brouter.link.is_some() {
                check_part(&context, brouter, part);
            }
        }
    }
}

/// Compares with a part.
#[inline(never)]
fn check_part(context: &Context, brouter: &mut Brouter, part: &Item) {
    let Some((mut kind, unknown)) = kinds(part, context.bridge.as_str()) else { return };
    // iptables tells others than root that it is busy, and would be asked for seconds
    let is_there = if unknown.is_some() && context.kernel.user() != 0 { None } else { context.is_there(part).ok() };
    if let Item::Masquerade(net) = part {
        brouter.masquerade.push((*net, is_there));
    }
    match (is_there, unknown) {
        (Some(false), _) => (),
        (None, Some(unknown)) => kind = unknown,
        _ => return,
    }
    let line = part.to_string();
    let object = if let Item::Value { .. } = part { line.split(' ').next() } else { line.split(' ').nth(1) };
    let object = object.unwrap_or(context.bridge.as_str()).into();
    let rest = Step::make(part.clone()).command(&context.bridge);
    // several networks may want the same
    if !brouter.remarks.iter().any(|remark| remark.rest == rest) {
        brouter.remarks.push(Remark { kind, object, rest });
    }
}

/// What is wrong whatever is wanted, and with the interface to the outside.
#[inline(never)]
pub(super) fn check_what_is_there(kernel: &Kernel, brouter: &mut Brouter, host: &Host) {
    if brouter.link.is_none() {
        return;
    }
    for address in host.addresses_of(&brouter.bridge) {
        if address.v6.has(Ipv6Flags::DADFAILED) {
            brouter.remark(&ADDRESS_DUPLICATE, address.net.to_string(), String::new());
        }
    }
    for place in 0..brouter.ports.len() {
        let port = &brouter.ports[place];
        if brouter.is_out_of_order(port) {
            let (name, reason) = (port.name.to_string_lossy().into_owned(), port.reason.clone());
            brouter.remark(&PORT_NOT_FORWARDING, name, reason);
        }
    }
    if let Some(outside) = brouter.outside.clone() {
        let kind = match kernel.flags_if_there(outside.as_bytes()) {
            Ok(None) => &OUTSIDE_MISSING,
            Ok(Some(flags)) if flags & flag::UP == 0 => &OUTSIDE_DOWN,
            Ok(Some(flags)) if flags & flag::RUNNING == 0 => &OUTSIDE_NO_CARRIER,
            _ => return,
        };
        brouter.remark(kind, outside.clone(), outside);
    }
}
