//! What is expected of the host's networks, compared with the snapshot.

use std::ffi::OsString;

use ipnet::IpNet;

use super::finding::{Finding, Kind, unknown};
use super::model::{BridgeStatus, HostStatus};
use crate::call::Call;
use crate::error::{Failure, errno_text, line};
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::{self, Address, flag};
use crate::manage::output::complaint;
use crate::manage::up::state_dir;
use crate::net::InterfaceName;
use crate::network::catalog::{self, KnownNetwork, Stored};
use crate::network::context::Context;
use crate::network::dropped::Forwarded;
use crate::network::item::Item;
use crate::network::published::{Part, Published};
use crate::network::store::StateDir;
use crate::network::wanted::isolates_ports;

/// Checks all bridges, or those that a name means: that of a network, or a bridge.
///
/// `asks_firewall`: whether the firewall is asked for each rule, which can make it create its tables.
///
/// # Errors
/// The name means neither; or the host cannot be read.
pub(in crate::manage) fn check<'k>(
    call: &Call<'k>,
    name: Option<&str>,
    asks_firewall: bool,
) -> Result<HostStatus<'k>, Failure> {
    let states = state_dir(call.kernel).map_err(|failure| failure.with_status(2))?;
    let networks = catalog::networks(call.kernel, &states);
    let snapshot = HostSnapshot::new(call.kernel, (call.environment)("PATH"));
    let names = match name {
        Some(name) => vec![named(&snapshot, &networks, name)?],
        None => all_names(&snapshot, &networks)?,
    };
    let mut unreadable = snapshot.unreadable();
    let mut bridges = Vec::new();
    for bridge in names {
        let networks: Vec<&KnownNetwork> =
            networks.iter().filter(|network| *network.bridge.as_str() == *bridge).collect();
        let mut status = read(&snapshot, bridge, &networks)?;
        status.is_only_planned &= name.is_none();
        unreadable.extend(status.unreadable());
        compare(call, &snapshot, &states, &mut status, &networks, asks_firewall);
        inspect(&snapshot, &mut status);
        bridges.push(status);
    }
    unreadable.dedup();
    Ok(HostStatus { snapshot, bridges, routed: Vec::new(), unreadable })
}

fn refuse(text: Vec<u8>) -> Failure {
    complaint(text).with_status(1)
}

/// Returns the bridge that a name means.
fn named(snapshot: &HostSnapshot, networks: &[KnownNetwork], name: &str) -> Result<OsString, Failure> {
    match networks.iter().find(|network| network.name == name) {
        Some(network) => Ok(network.bridge.as_str().into()),
        None if matches!(snapshot.bridge(name.as_ref()), Ok(Some(_))) => Ok(name.into()),
        None => Err(refuse(line!(name, ": neither a network nor a bridge"))),
    }
}

/// Returns all bridges, with those that networks have lost, in the order of strcmp(3).
fn all_names(snapshot: &HostSnapshot, networks: &[KnownNetwork]) -> Result<Vec<OsString>, Failure> {
    let known = snapshot.bridge_names();
    let known = known.map_err(|errno| refuse(line!("cannot list bridges: ", errno_text(errno))))?;
    let mut names = known.to_vec();
    names.extend(networks.iter().map(|network| network.bridge.as_str().into()));
    names.sort();
    names.dedup();
    Ok(names)
}

fn read<'k>(
    snapshot: &HostSnapshot<'k>,
    name: OsString,
    networks: &[&KnownNetwork],
) -> Result<BridgeStatus<'k>, Failure> {
    let bridge = snapshot
        .bridge(&name)
        .map_err(|errno| refuse(line!("cannot read bridge ", name.as_encoded_bytes(), ": ", errno_text(errno))))?;
    // a network that is to be routed is, whatever its ports are
    let plain = bridge.as_ref().filter(|_| networks.iter().all(|network| network.is_routed() != Some(true)));
    Ok(BridgeStatus {
        is_isolate: networks.iter().any(|network| network.is_isolate()),
        outside_ports: plain.map_or(Vec::new(), |bridge| snapshot.outside_ports(bridge)),
        is_only_planned: bridge.is_none() && networks.iter().all(|network| network.stored == Stored::Nothing),
        bridge,
        networks: networks.iter().map(|network| network.name.clone()).collect(),
        outside: networks.iter().find_map(|network| network.outside.clone()),
        tunnels: networks.iter().flat_map(|network| network.tunnels().cloned()).collect(),
        masquerade: Vec::new(),
        publish: Vec::new(),
        backend: networks.iter().find_map(|network| network.backend),
        findings: Vec::new(),
        name,
    })
}

/// Compares the bridge with what is expected of any bridge, and of each network on it.
fn compare(
    call: &Call,
    host: &HostSnapshot,
    states: &StateDir,
    status: &mut BridgeStatus,
    networks: &[&KnownNetwork],
    asks_firewall: bool,
) {
    let Ok(bridge) = InterfaceName::new(status.name.as_encoded_bytes()) else {
        // no command takes such a name
        if status.bridge.is_some() && !status.is_up() {
            status.findings.push(Finding::new(Kind::BridgeDown, status.name.display(), "down"));
        }
        return;
    };
    let any =
        KnownNetwork { items: vec![Item::Bridge, Item::Up(bridge.clone())], ..KnownNetwork::of_bridge(bridge.clone()) };
    for network in [&any].into_iter().chain(networks.iter().copied()) {
        status.findings.extend(Finding::of_network(network));
        if status.is_only_planned {
            continue;
        }
        let path = (call.environment)("PATH");
        let context = Context::new(call.kernel, states.clone(), &network.name, bridge.clone(), path);
        context.set_backend(network.backend);
        let exists = status.bridge.is_some();
        let is_asked = |item: &&Item| exists || **item == Item::Bridge;
        let is_asked = |item: &&Item| is_asked(item) && (asks_firewall || !item.is_of_firewall());
        for item in network.items.iter().filter(is_asked) {
            compare_item(&context, host, status, item);
        }
        if network.is_isolate() && isolates_ports(call.kernel) {
            let bridge = status.bridge.clone();
            let ports = bridge.iter().flat_map(|bridge| bridge.guest_ports());
            let open = ports.filter(|port| host.knows_isolation(&port.name) && !host.is_isolated(&port.name));
            let names = open.filter_map(|port| InterfaceName::new(port.name.as_encoded_bytes()).ok());
            status.findings.extend(names.map(|port| Finding::not_isolated(&context, &port)));
        }
        if exists && status.is_up() && asks_firewall {
            find_dropped(&context, host, status, network);
        }
    }
}

/// Adds what drops forwarded packets. For a network that is out of order that is said first.
fn find_dropped(context: &Context, host: &HostSnapshot, status: &mut BridgeStatus, network: &KnownNetwork) {
    let bridge = &context.bridge;
    let addresses: Vec<IpNet> = network.addresses().collect();
    let publications = network.publications();
    let outside = network.outside.as_ref().filter(|_| !network.is_antispoof());
    let only_legacy = context.has_kernel_backend();
    let forwarded = Forwarded { bridge, addresses: &addresses, outside, publications: &publications, only_legacy };
    let mut found: Vec<Finding> = Vec::new();
    for flow in forwarded.flows() {
        if kernel::user_id() != 0 || forwarded.rules(host, flow.family()).gap.is_some() {
            found.push(Finding::new(Kind::ForwardUnknown, "FORWARD", unknown(" whether packets pass")));
            break;
        }
        for obstacle in forwarded.obstacles(host, &flow) {
            found.push(Finding::of_obstacle(&network.name, &flow, &obstacle));
        }
    }
    for finding in found {
        if !status.findings.contains(&finding) {
            status.findings.push(finding);
        }
    }
}

fn compare_item(context: &Context, host: &HostSnapshot, status: &mut BridgeStatus, item: &Item) {
    let Some(missing) = Finding::missing(context, item) else { return };
    let is_rule = item.is_of_firewall();
    // to anyone but root iptables says that it is busy, so that it would be asked again for seconds
    let is_there = if is_rule && kernel::user_id() != 0 { None } else { context.is_in(host, item).ok() };
    match item {
        Item::Masquerade(net) => status.masquerade.push((*net, is_there)),
        Item::Publish(Published { part: Part::Arriving, publication, .. }) => {
            status.publish.push((*publication, is_there))
        }
        _ => (),
    }
    let finding = match is_there {
        Some(true) => None,
        Some(false) => Some(missing),
        None => missing.unknown(),
    };
    // several networks may expect the same
    let is_new = |finding: &Finding| !status.findings.contains(finding);
    status.findings.extend(finding.filter(is_new));
}

/// Adds what is wrong whatever is expected, and what is wrong with the interface to the outside.
fn inspect(snapshot: &HostSnapshot, status: &mut BridgeStatus) {
    if status.bridge.is_none() {
        return;
    }
    let duplicates = snapshot.addresses_of(&status.name).filter(|address| address.has_flag(libc::IFA_F_DADFAILED));
    let duplicate = |address: &Address| {
        let text = format!("{}: another host has it too, so it is not used", address.net);
        Finding::new(Kind::AddressDuplicate, address.net, text)
    };
    let mut findings: Vec<Finding> = duplicates.map(duplicate).collect();
    findings.extend(status.ports().iter().filter(|port| status.is_faulty(port)).filter_map(Finding::of_port));
    findings.extend(status.outside.as_ref().and_then(|outside| outside_fault(snapshot, outside)));
    status.findings.extend(findings);
}

fn outside_fault(snapshot: &HostSnapshot, outside: &InterfaceName) -> Option<Finding> {
    let (kind, what) = match snapshot.link_flags(outside.as_ref()) {
        Ok(None) => (Kind::OutsideMissing, "missing"),
        Ok(Some(flags)) if flags & flag::UP == 0 => (Kind::OutsideDown, "down"),
        Ok(Some(flags)) if flags & flag::RUNNING == 0 => (Kind::OutsideNoCarrier, "no carrier"),
        _ => return None,
    };
    Some(Finding::new(kind, outside, format!("{what}: {outside}")))
}
