//! What is known of a network, its bridge, and the host's own firewall.

use super::report::{Report, State};
use super::subject::{Host, Network};
use crate::manage::status::finding::Kind;
use crate::manage::status::model::BridgeStatus;
use crate::net::Family;
use crate::network::catalog::{Description, KnownNetwork, Stored, file};
use crate::program;
use crate::shell::quoted;

/// Checks whether the state and the file of the network fit the host.
pub(super) fn record(host: &Host, network: &Network, report: &mut Report) {
    let Some(known) = &network.known else { return report.ok("nothing is stored of it") };
    let (name, bridge) = (&network.name, &network.bridge_name);
    match &known.file {
        Description::Malformed(error) => report.add(State::Failure, error.to_string(), None),
        Description::Unreadable => report.unknown(&format!("this user cannot read {}", file(name))),
        Description::Nothing | Description::OtherBridge | Description::Valid => (),
    }
    let again = format!("brouter {} {}", if network.has_file() { "up" } else { "down" }, quoted(name));
    let path = |incomplete| host.states.file(name, incomplete).to_string_lossy().into_owned();
    match known.stored {
        Stored::Malformed => {
            let path = host.states.malformed_file(name).to_string_lossy().into_owned();
            report.failure(format!("{path} is not a record of brouter"), format!("rm -r {}", quoted(&path)));
        }
        Stored::Incomplete if known.is_former => {
            let folder = host.states.folder().display();
            let evidence = format!("{folder}/{bridge}.making: a start of network-virtual was not finished");
            report.warning(evidence, format!("network-virtual stop firewall=none bridge={}", quoted(bridge)));
        }
        Stored::Incomplete => {
            report.failure(format!("{}: a change of {name} is under way, or was killed", path(true)), again);
        }
        Stored::Complete if network.bridge.is_none() => {
            report.failure(format!("{}: {name} is up, but its bridge {bridge} is gone", path(false)), again);
        }
        Stored::Nothing if network.bridge.is_none() && !matches!(known.file, Description::Malformed(_)) => {
            report.failure(format!("{}: {name} is not up", file(name)), format!("brouter up {}", quoted(name)));
        }
        Stored::Nothing => report.ok("nothing is stored of it"),
        Stored::Complete => report.ok(format!("{} fits the host", path(false))),
    }
}

/// Checks whether the bridge is up and has its addresses and ports.
pub(super) fn bridge(host: &Host, network: &Network, report: &mut Report) {
    let bridge = network.bridge_name.as_str();
    let word = quoted(bridge);
    if network.is_down() {
        report.failure(format!("{bridge} is down"), format!("ip link set dev {word} up"));
    }
    for net in network.addresses().filter(|net| !host.own(network).any(|own| own.net == *net)) {
        let add = format!("ip addr add {net} dev {word}");
        let is_off =
            Family::of(&net) == Family::V6 && host.snapshot.link_value(Family::V6, bridge, "disable_ipv6") == Some(1);
        match is_off {
            true => report.failure(
                format!("{bridge} cannot have {net}: /proc/sys/net/ipv6/conf/{bridge}/disable_ipv6 is 1"),
                format!("echo 0 >/proc/sys/net/ipv6/conf/{word}/disable_ipv6 && {add}"),
            ),
            false => report.failure(format!("{bridge} lacks address {net}"), add),
        }
    }
    if !host.has_address(network) && network.addresses().next().is_none() && network.outside_ports.is_empty() {
        let command = format!("ip addr add {} dev {word}", host.free());
        report.failure(format!("{bridge} has no address: guests have no router"), command);
    }
    // guests bring their ports; whether one of Docker's is there is for Docker to say
    if network.ports().is_empty() && (network.known.is_some() || host.is_named) {
        let command = format!("brctl addif {word} INTERFACE");
        report.warning(format!("{bridge} has no ports: no guest is on it"), command);
    }
    let what = match (host.has_address(network), network.ports().is_empty()) {
        (true, false) => "address and ports",
        (true, true) => "an address, and no ports",
        (false, _) => "ports",
    };
    report.ok(format!("{bridge} is up, with {what}"));
}

/// Checks whether the firewall's command, which is run when the network changes, exists.
pub(super) fn hook(host: &Host, network: &Network, report: &mut Report) {
    let exists = |program: &str| program::find(program, host.path.clone()).is_some();
    let command = network.known.as_ref().and_then(KnownNetwork::firewall);
    let Some(program) = command.and_then(|command| command.split(' ').next()) else {
        return report.ok("none is run");
    };
    if !exists(program) {
        let name = &network.name;
        let missing = format!("firewall: there is no program {program}");
        match network.has_file() {
            true => report.failure(
                format!("{}: {missing}", file(name)),
                format!("sed -i 's/^firewall=/#&/' {} && brouter up {}", quoted(&file(name)), quoted(name)),
            ),
            false => report.failure(missing, format!("install -m 755 FILE {}", quoted(program))),
        }
    }
    report.ok(format!("{program} exists"));
}

/// Reports what `status` calls a fault and no check has reported, so that both agree whether a network is well.
pub(super) fn status(host: &Host, network: &Network, report: &mut Report) {
    let is_own = |status: &&BridgeStatus| network.is_on(&status.name);
    for finding in host.statuses.iter().filter(is_own).flat_map(BridgeStatus::faults) {
        let checks: &[&str] = match finding.kind {
            Kind::NetworkUnfinished | Kind::NetworkNotUnderstood | Kind::BridgeMissing => &["record"],
            Kind::BridgeDown | Kind::AddressMissing => &["bridge"],
            Kind::PortNotForwarding => &["ports", "bridge"],
            Kind::OutsideMissing | Kind::OutsideDown | Kind::OutsideNoCarrier => &["outside"],
            Kind::ForwardingOff => &["forwarding", "ipv6"],
            Kind::MasqueradeMissing => &["masquerade"],
            Kind::PublishMissing => &["publish"],
            Kind::ForwardDropped => &["forward", "publish"],
            _ => &[],
        };
        if !checks.iter().any(|check| report.has_reported(check)) {
            let (what, command) = finding.parts();
            let object = Some(&finding.object).filter(|object| !what.contains(object.as_str()));
            let object = object.map_or(String::new(), |object| format!(" {object}"));
            let evidence = format!("{}{object}: {what}", finding.kind.name());
            report.add(State::Failure, evidence, command.map(String::from));
        }
    }
    let rules = host.snapshot.firewall(Family::V4);
    let chains = rules.sets.iter().filter_map(|rules| rules.table("filter")).flat_map(|table| &table.chains);
    if network.is_antispoof() && rules.gap.is_none() && !chains.into_iter().any(|chain| chain.drops()) {
        let command = format!("brouter up {}", quoted(&network.name));
        let command = if network.has_file() { command } else { "iptables -P FORWARD DROP".into() };
        report.failure("antispoof-missing FORWARD: no chain drops by its policy".into(), command);
    }
    report.ok("finds nothing more");
}
