//! The same as JSON, on one line; brouter(8) says what each key means.

use ipnet::IpNet;

use super::check::Remark;
use super::view::{Brouter, Host, Port, Way, guest};
use crate::json::{Fields, Json};
use crate::kernel::{Address, FdbEntry, Ipv6Flags};
use crate::net::ClockTime;

#[inline(never)]
pub(super) fn json(host: &Host) -> String {
    let mut fields = Fields::default();
    fields.is("well", Some(host.is_well()));
    let mut forwarding = Fields::default();
    forwarding.is("ipv4", host.forwards[0]);
    forwarding.is("ipv6", host.forwards[1]);
    fields.put("forwarding", forwarding.object());
    fields.put("default_routes", ways(&host.ways_out()));
    fields.put("bridges", list(&mut host.brouters.iter().map(|brouter| bridge(brouter, host))));
    fields.put("not_known", list(&mut host.unknown.iter().map(|text| text.as_str().into())));
    fields.object().line()
}

#[inline(never)]
fn list(values: &mut dyn Iterator<Item = Json>) -> Json {
    let mut list = Vec::new();
    for value in values {
        list.push(value);
    }
    Json::List(list)
}

/// In milliseconds, since JSON has no exact fractions.
fn time(fields: &mut Fields, key: &'static str, time: ClockTime) {
    fields.number(key, Some(time.0 * 10));
}

#[inline(never)]
fn bridge(brouter: &Brouter, host: &Host) -> Json {
    let mut fields = Fields::default();
    fields.show("bridge", Some(&brouter.bridge.display()));
    fields.put("networks", list(&mut brouter.networks.iter().map(|name| name.as_str().into())));
    fields.is("well", Some(brouter.faults() == 0));
    fields.put("faults", remarks(brouter, true));
    fields.put("not_known", remarks(brouter, false));
    fields.is("exists", Some(brouter.link.is_some()));
    let Some(link) = &brouter.link else { return fields.object() };
    let info = &brouter.info;
    fields.is("up", Some(brouter.is_up()));
    fields.number("mtu", Some(link.mtu.into()));
    fields.show("mac", Some(&link.address));
    fields.is("spanning_tree", Some(info.stp_enabled));
    fields.show("bridge_id", Some(&info.id));
    fields.show("root_id", Some(&info.designated_root));
    fields.number("root_port", Some(info.root_port.into()));
    fields.is("topology_change", Some(info.topology_change));
    time(&mut fields, "forward_delay_ms", info.bridge_forward_delay);
    time(&mut fields, "hello_time_ms", info.hello_time);
    time(&mut fields, "max_age_ms", info.max_age);
    time(&mut fields, "ageing_time_ms", info.ageing_time);
    fields.put("addresses", list(&mut host.addresses_of(&brouter.bridge).into_iter().map(address)));
    fields.put("ports", list(&mut brouter.ports.iter().map(port)));
    fields.put("routes", ways(&host.ways_over(&brouter.bridge)));
    fields.show("outside", brouter.outside.as_ref().map(|name| name as _));
    let masquerade = |(net, has_rule): &(_, Option<bool>)| {
        let mut fields = Fields::default();
        fields.show("network", Some(net));
        fields.is("rule", *has_rule);
        fields.object()
    };
    fields.put("masquerade", list(&mut brouter.masquerade.iter().map(masquerade)));
    fields.object()
}

#[inline(never)]
fn remarks(brouter: &Brouter, is_fault: bool) -> Json {
    let remark = |remark: &Remark| {
        let mut fields = Fields::default();
        fields.show("kind", Some(&remark.kind.name));
        fields.show("object", Some(&remark.object));
        fields.show("text", Some(remark));
        fields.object()
    };
    list(&mut brouter.remarks.iter().filter(|remark| remark.kind.is_fault == is_fault).map(remark))
}

#[inline(never)]
fn address(address: &Address) -> Json {
    let state = match address.v6 {
        flags if flags.has(Ipv6Flags::DADFAILED) => "duplicate",
        flags if flags.has(Ipv6Flags::TENTATIVE) => "tentative",
        flags if flags.has(Ipv6Flags::DEPRECATED) => "deprecated",
        _ => "valid",
    };
    let mut fields = Fields::default();
    fields.show("family", Some(if matches!(address.net, IpNet::V4(_)) { &"ipv4" } else { &"ipv6" }));
    fields.show("address", Some(&address.net.addr()));
    fields.number("prefix", Some(address.net.prefix_len().into()));
    fields.show("state", Some(&state));
    fields.object()
}

#[inline(never)]
fn port(port: &Port) -> Json {
    let mut fields = Fields::default();
    fields.show("port", Some(&port.name.display()));
    fields.number("number", Some(port.number.into()));
    fields.number("guest", guest(&port.name).map(u64::from));
    fields.show("state", Some(&port.state()));
    fields.show("reason", Some(&port.reason).filter(|reason| !reason.is_empty()).map(|reason| reason as _));
    let traffic = port.traffic.as_ref();
    fields.number("rx_bytes", traffic.map(|traffic| traffic.received.bytes));
    fields.number("rx_packets", traffic.map(|traffic| traffic.received.packets));
    fields.number("tx_bytes", traffic.map(|traffic| traffic.sent.bytes));
    fields.number("tx_packets", traffic.map(|traffic| traffic.sent.packets));
    fields.put("learnt", list(&mut port.learnt.iter().map(learnt)));
    fields.object()
}

fn learnt(entry: &FdbEntry) -> Json {
    let mut fields = Fields::default();
    fields.show("mac", Some(&entry.mac()));
    time(&mut fields, "age_ms", entry.age());
    fields.object()
}

#[inline(never)]
fn ways(ways: &[&Way]) -> Json {
    let way = |way: &&Way| {
        let mut fields = Fields::default();
        fields.show("to", Some(&way.to));
        fields.show("gateway", way.gateway.as_ref().map(|gateway| gateway as _));
        fields.show("interface", Some(&way.link.display()));
        fields.number("metric", Some(way.metric.into()));
        fields.object()
    };
    list(&mut ways.iter().map(way))
}
