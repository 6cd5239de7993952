//! What status shows: the bridges of the host with the networks on them, and what is out of order.

use std::ffi::OsString;
use std::rc::Rc;

use ipnet::Ipv4Net;
use nix::errno::Errno;

use super::finding::{Finding, reason};
use super::routed::RoutedGuest;
use crate::firewall::choice::Kind as Backend;
use crate::inspect::bridge::Bridge;
use crate::inspect::port::{Port, PortBlock};
use crate::inspect::route::Route;
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::Unreadable;
use crate::net::InterfaceName;
use crate::network::publication::Publication;

/// The host, as status shows it.
pub(in crate::manage) struct HostStatus<'k> {
    pub(in crate::manage) snapshot: HostSnapshot<'k>,
    pub(in crate::manage) bridges: Vec<BridgeStatus<'k>>,
    /// Guests that are connected by routes, if they have been looked for.
    pub(super) routed: Vec<RoutedGuest>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// A bridge, or a network whose bridge does not exist.
pub(in crate::manage) struct BridgeStatus<'k> {
    pub(in crate::manage) name: OsString,
    /// The networks on it.
    pub(super) networks: Vec<String>,
    /// `None` if the bridge does not exist.
    pub(super) bridge: Option<Rc<Bridge<'k>>>,
    /// The interface to the outside that a network names.
    pub(super) outside: Option<InterfaceName>,
    /// Ports that lead to other hosts, as networks name them.
    pub(super) tunnels: Vec<InterfaceName>,
    /// The networks configured to be masqueraded. For each: whether iptables has the rule; `None` if unknown.
    pub(super) masquerade: Vec<(Ipv4Net, Option<bool>)>,
    /// The ports through which guests reach the outside, if the host is not their router.
    pub(super) outside_ports: Vec<String>,
    /// Guests are not to reach each other.
    pub(super) is_isolate: bool,
    /// What is published. For each: whether the firewall has its first rule; `None` if unknown.
    pub(super) publish: Vec<(Publication, Option<bool>)>,
    /// What holds the firewall's rules of its networks, if that is known.
    pub(super) backend: Option<Backend>,
    pub(super) findings: Vec<Finding>,
    /// A file describes a network that is not up, and it was not asked for by name.
    pub(super) is_only_planned: bool,
}

impl HostStatus<'_> {
    pub(super) fn is_well(&self) -> bool {
        self.bridges.iter().all(|bridge| bridge.faults().next().is_none())
    }

    /// Returns the default routes.
    pub(super) fn default_routes(&self) -> impl Iterator<Item = &Route> {
        self.snapshot.all_routes().filter(|route| route.is_default())
    }

    /// Returns the other routes over a bridge.
    pub(super) fn routes_over<'a>(&'a self, bridge: &'a BridgeStatus) -> impl Iterator<Item = &'a Route> {
        self.snapshot.all_routes().filter(|route| !route.is_default() && route.interface == bridge.name)
    }

    /// Returns whether packets that have to take this route are forwarded.
    pub(super) fn forwards_to(&self, route: &Route) -> bool {
        self.snapshot.forwarding(route.family()) == Ok(true)
    }

    /// Returns whether the bridge has an address.
    pub(super) fn has_address(&self, bridge: &BridgeStatus) -> bool {
        self.snapshot.addresses_of(&bridge.name).next().is_some()
    }
}

impl<'k> BridgeStatus<'k> {
    pub(in crate::manage) fn faults(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.kind.is_fault())
    }

    /// Returns the findings that belong to the lines with a label.
    pub(super) fn labelled(&self, label: &str) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.kind.label() == label)
    }

    pub(super) fn is_up(&self) -> bool {
        self.bridge.as_ref().is_some_and(|bridge| bridge.is_up())
    }

    pub(super) fn ports(&self) -> &[Port] {
        self.bridge.as_ref().map_or(&[], |bridge| bridge.ports().unwrap_or_default())
    }

    /// Returns whether a port is out of order. That it is disabled with its bridge is no fault of its own.
    pub(super) fn is_faulty(&self, port: &Port) -> bool {
        self.is_up() && !port.forwards()
    }

    /// Returns whether a port leads to other hosts.
    pub(super) fn is_tunnel(&self, port: &Port) -> bool {
        self.tunnels.iter().any(|tunnel| *port.name == *tunnel.as_str())
    }

    /// Returns why a port does not forward: the bridge's reason before its own.
    pub(super) fn reason(&self, port: &Port) -> Option<String> {
        port.block.map(|block| reason(if self.is_up() { block } else { PortBlock::BridgeDown }))
    }

    /// Reads all that is shown of the bridge, and returns what could not be read.
    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        let Some(bridge) = &self.bridge else { return Vec::new() };
        let failed = |what| move |errno: Errno| Unreadable { file: what, errno };
        let failures = [
            bridge.link().err().map(failed("the bridge's link")),
            bridge.ports().err().map(failed("the bridge's ports")),
            bridge.learnt().err().map(failed("the forwarding table")),
            bridge.traffic().err(),
        ];
        failures.into_iter().flatten().collect()
    }
}
