//! The host as JSON, on one line; brouter(8) says what each key means.

use ipnet::IpNet;

use super::finding::Finding;
use super::model::{BridgeStatus, HostStatus};
use crate::error::errno_text;
use crate::firewall::choice::Kind as Backend;
use crate::firewall::traffic::Ports;
use crate::inspect::bridge::Bridge;
use crate::inspect::port::Port;
use crate::inspect::route::Route;
use crate::json::Json;
use crate::kernel::{Address, FdbEntry};
use crate::net::Family;
use crate::net::{ClockTime, InterfaceName};
use crate::network::publication::Publication;

pub(super) fn json(host: &HostStatus) -> String {
    let forwarding = |family| host.snapshot.forwarding(family).ok().into();
    let unreadable = host.unreadable.iter().map(|table| format!("{}: {}", table.file, errno_text(table.errno)));
    let fields = vec![
        ("well", host.is_well().into()),
        ("forwarding", Json::Object(vec![("ipv4", forwarding(Family::V4)), ("ipv6", forwarding(Family::V6))])),
        ("default_routes", host.default_routes().map(route).collect()),
        ("bridges", host.bridges.iter().map(|status| bridge(host, status)).collect()),
        ("routed_guests", host.routed.iter().map(|guest| guest.json(&host.snapshot)).collect()),
        ("not_known", unreadable.collect()),
    ];
    Json::Object(fields).line()
}

/// Milliseconds, since JSON has no exact fractions.
fn milliseconds(time: ClockTime) -> Json {
    (time.0 * 10).into()
}

fn bridge(host: &HostStatus, status: &BridgeStatus) -> Json {
    let findings = |is_fault| {
        let those = status.findings.iter().filter(|finding| finding.kind.is_fault() == is_fault);
        those.map(finding).collect()
    };
    let mut fields = vec![
        ("bridge", Json::text(status.name.display())),
        ("networks", status.networks.iter().map(String::as_str).collect()),
        ("well", status.faults().next().is_none().into()),
        ("faults", findings(true)),
        ("not_known", findings(false)),
        ("exists", status.bridge.is_some().into()),
    ];
    if let Some(bridge) = &status.bridge {
        fields.extend(values(bridge));
        fields.extend(attached(host, status, bridge));
    }
    Json::Object(fields)
}

/// Returns the values of the bridge itself.
fn values(bridge: &Bridge) -> Vec<(&'static str, Json)> {
    let info = &bridge.info;
    let link = bridge.link().ok();
    vec![
        ("up", bridge.is_up().into()),
        ("mtu", link.map(|link| link.mtu).into()),
        ("mac", link.map(|link| link.address.as_str()).into()),
        ("spanning_tree", info.stp_enabled.into()),
        ("bridge_id", Json::text(info.id)),
        ("root_id", Json::text(info.designated_root)),
        ("root_port", u64::from(info.root_port).into()),
        ("topology_change", info.topology_change.into()),
        ("forward_delay_ms", milliseconds(info.bridge_forward_delay)),
        ("hello_time_ms", milliseconds(info.hello_time)),
        ("max_age_ms", milliseconds(info.max_age)),
        ("ageing_time_ms", milliseconds(info.ageing_time)),
    ]
}

/// Returns what belongs to the bridge.
fn attached(host: &HostStatus, status: &BridgeStatus, bridge: &Bridge) -> Vec<(&'static str, Json)> {
    let masquerade = |(net, has_rule): &(_, Option<bool>)| {
        Json::Object(vec![("network", Json::text(net)), ("rule", (*has_rule).into())])
    };
    vec![
        ("addresses", host.snapshot.addresses_of(&status.name).map(address).collect()),
        ("ports", status.ports().iter().map(|found| port(status, bridge, found)).collect()),
        ("routes", host.routes_over(status).map(route).collect()),
        ("isolate", status.is_isolate.into()),
        ("outside_ports", status.outside_ports.iter().map(String::as_str).collect()),
        ("outside", status.outside.as_ref().map(InterfaceName::as_str).into()),
        ("masquerade", status.masquerade.iter().map(masquerade).collect()),
        ("publish", status.publish.iter().map(publish).collect()),
        ("firewall_backend", status.backend.map(Backend::name).into()),
    ]
}

fn publish((publication, has_rule): &(Publication, Option<bool>)) -> Json {
    let ports = |ports: Ports| Json::List(vec![u32::from(ports.first).into(), u32::from(ports.last).into()]);
    Json::Object(vec![
        ("protocol", publication.protocol.name().into()),
        ("address", publication.address.into()),
        ("ports", ports(publication.ports)),
        ("guest", publication.guest.into()),
        ("guest_ports", ports(publication.guest_ports)),
        ("rule", (*has_rule).into()),
    ])
}

fn finding(finding: &Finding) -> Json {
    Json::Object(vec![
        ("kind", finding.kind.name().into()),
        ("object", finding.object.as_str().into()),
        ("text", finding.text().into()),
    ])
}

fn address(address: &Address) -> Json {
    let state = match address {
        address if address.has_flag(libc::IFA_F_DADFAILED) => "duplicate",
        address if address.has_flag(libc::IFA_F_TENTATIVE) => "tentative",
        address if address.has_flag(libc::IFA_F_DEPRECATED) => "deprecated",
        _ => "valid",
    };
    Json::Object(vec![
        ("family", if matches!(address.net, IpNet::V4(_)) { "ipv4" } else { "ipv6" }.into()),
        ("address", address.net.addr().into()),
        ("prefix", u32::from(address.net.prefix_len()).into()),
        ("state", state.into()),
    ])
}

fn port(status: &BridgeStatus, bridge: &Bridge, port: &Port) -> Json {
    let traffic = bridge.traffic_of(port);
    Json::Object(vec![
        ("port", Json::text(port.name.display())),
        ("number", port.number.into()),
        ("guest", port.guest().into()),
        ("tunnel", status.is_tunnel(port).into()),
        ("state", port.state().into()),
        ("reason", status.reason(port).into()),
        ("rx_bytes", traffic.map(|traffic| traffic.received.bytes).into()),
        ("rx_packets", traffic.map(|traffic| traffic.received.packets).into()),
        ("tx_bytes", traffic.map(|traffic| traffic.sent.bytes).into()),
        ("tx_packets", traffic.map(|traffic| traffic.sent.packets).into()),
        ("learnt", bridge.learnt_behind(port).iter().map(learnt).collect()),
    ])
}

fn learnt(entry: &FdbEntry) -> Json {
    Json::Object(vec![("mac", Json::text(entry.mac())), ("age_ms", milliseconds(entry.age()))])
}

fn route(route: &Route) -> Json {
    Json::Object(vec![
        ("to", Json::text(route.destination)),
        ("gateway", route.gateway.into()),
        ("interface", Json::text(route.interface.display())),
        ("metric", route.metric.into()),
    ])
}
