//! The host as metrics, in the text format that Prometheus and the textfile collector of its node_exporter read; brouter(8) lists
//! them.

use std::ffi::OsStr;

use super::finding::{Finding, Kind};
use super::model::{BridgeStatus, HostStatus};
use crate::inspect::port::Port;
use crate::kernel::{Traffic, port_state};
use crate::net::Family;
use crate::terminal::is_shown;

/// Labels, as they stand between braces, and a value.
type Sample = (String, u64);

/// The counters of a port: name, help, and where the value is.
const COUNTERS: [(&str, &str, Count); 4] = [
    ("brouter_port_receive_bytes_total", "Bytes from what is behind a port.", |traffic| traffic.received.bytes),
    ("brouter_port_receive_packets_total", "Packets from what is behind a port.", |traffic| traffic.received.packets),
    ("brouter_port_transmit_bytes_total", "Bytes to what is behind a port.", |traffic| traffic.sent.bytes),
    ("brouter_port_transmit_packets_total", "Packets to what is behind a port.", |traffic| traffic.sent.packets),
];

type Count = fn(Traffic) -> u64;

pub(super) fn prometheus(host: &HostStatus) -> String {
    let mut out = String::new();
    let info = [(label("version", env!("CARGO_PKG_VERSION")), 1)];
    family(&mut out, "brouter_build_info", "gauge", "The version of brouter; always 1.", &info);
    let forwarding = [("ipv4", Family::V4), ("ipv6", Family::V6)].into_iter().filter_map(|(name, family)| {
        let is_on = host.snapshot.forwarding(family).ok()?;
        Some((label("family", name), is_on.into()))
    });
    let help = "Whether the host forwards packets between its interfaces.";
    family(&mut out, "brouter_forwarding", "gauge", help, &forwarding.collect::<Vec<_>>());
    let unreadable = [(String::new(), host.unreadable.len() as u64)];
    family(&mut out, "brouter_unreadable_tables", "gauge", "Tables of the kernel that could not be read.", &unreadable);
    bridges(&mut out, host);
    ports(&mut out, host);
    out
}

/// Adds the metrics of bridges.
fn bridges(out: &mut String, host: &HostStatus) {
    let each = |value: &dyn Fn(&BridgeStatus) -> Option<u64>| -> Vec<Sample> {
        host.bridges.iter().filter_map(|status| Some((of_bridge(status), value(status)?))).collect()
    };
    let networks = host.bridges.iter().flat_map(|status| {
        status.networks.iter().map(|network| (format!("{},{}", of_bridge(status), label("network", network)), 1))
    });
    let help = "A network and its bridge; always 1.";
    family(out, "brouter_network_info", "gauge", help, &networks.collect::<Vec<_>>());
    let well = each(&|status| Some(status.faults().next().is_none().into()));
    family(out, "brouter_bridge_well", "gauge", "Whether nothing is out of order on a bridge.", &well);
    let help = "Whether a bridge exists and is switched on.";
    family(out, "brouter_bridge_up", "gauge", help, &each(&|status| Some(status.is_up().into())));
    let mtu = each(&|status| Some(status.bridge.as_ref()?.link().ok()?.mtu.into()));
    family(out, "brouter_bridge_mtu_bytes", "gauge", "The largest packet that a bridge takes.", &mtu);
    let learnt = each(&|status| Some(status.bridge.as_ref()?.learnt().ok()?.len() as u64));
    family(out, "brouter_bridge_learnt_addresses", "gauge", "Hardware addresses that a bridge has learnt.", &learnt);
    let ports =
        host.bridges.iter().filter(|status| status.bridge.as_ref().is_some_and(|bridge| bridge.ports().is_ok()));
    let ports = ports.flat_map(|status| {
        port_state::NAMES.iter().map(|state| {
            let count = status.ports().iter().filter(|port| port.state() == *state).count();
            (format!("{},{}", of_bridge(status), label("state", state)), count as u64)
        })
    });
    family(out, "brouter_bridge_ports", "gauge", "Ports of a bridge in a state.", &ports.collect::<Vec<_>>());
    let findings = |is_fault: bool| -> Vec<Sample> {
        let kinds = || Kind::ALL.into_iter().filter(move |kind| kind.is_fault() == is_fault);
        let of_kind = |status: &BridgeStatus, kind: Kind| {
            let count = status.findings.iter().filter(|finding: &&Finding| finding.kind == kind).count();
            (format!("{},{}", of_bridge(status), label("kind", kind.name())), count as u64)
        };
        host.bridges.iter().flat_map(|status| kinds().map(move |kind| of_kind(status, kind))).collect()
    };
    family(
        out,
        "brouter_bridge_faults",
        "gauge",
        "Things of a kind that are out of order on a bridge.",
        &findings(true),
    );
    let help = "Checks of a kind that could not be made on a bridge.";
    family(out, "brouter_bridge_unknown_checks", "gauge", help, &findings(false));
}

/// Adds the metrics of ports.
fn ports(out: &mut String, host: &HostStatus) {
    let each = |value: &dyn Fn(&BridgeStatus, &Port) -> Option<u64>| -> Vec<Sample> {
        let ports = host.bridges.iter().flat_map(|status| status.ports().iter().map(move |port| (status, port)));
        let sample = |(status, port): (&BridgeStatus, &Port)| {
            Some((format!("{},{}", of_bridge(status), label("port", &port.name)), value(status, port)?))
        };
        ports.filter_map(sample).collect()
    };
    let forwards = each(&|_, port| Some(port.forwards().into()));
    family(out, "brouter_port_forwarding", "gauge", "Whether a port forwards frames.", &forwards);
    let tunnels = each(&|status, port| Some(status.is_tunnel(port).into()));
    family(out, "brouter_port_tunnel", "gauge", "Whether a port leads to other hosts.", &tunnels);
    let learnt = each(&|status, port| {
        let bridge = status.bridge.as_ref().filter(|bridge| bridge.learnt().is_ok())?;
        Some(bridge.learnt_behind(port).len() as u64)
    });
    family(out, "brouter_port_learnt_addresses", "gauge", "Hardware addresses learnt behind a port.", &learnt);
    for (name, help, count) in COUNTERS {
        let samples = each(&|status, port| Some(count(status.bridge.as_ref()?.traffic_of(port)?)));
        family(out, name, "counter", help, &samples);
    }
}

/// Adds a metric with all of its samples. One without samples is left out.
fn family(out: &mut String, name: &str, kind: &str, help: &str, samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    for (labels, value) in samples {
        match labels.is_empty() {
            true => out.push_str(&format!("{name} {value}\n")),
            false => out.push_str(&format!("{name}{{{labels}}} {value}\n")),
        }
    }
}

fn of_bridge(status: &BridgeStatus) -> String {
    label("bridge", &status.name)
}

/// Returns a label with its value in quotes. Two names remain two where they are no UTF-8 or hold control characters: a collector
/// refuses a file in which a sample occurs twice.
fn label(name: &str, value: impl AsRef<OsStr>) -> String {
    let mut label = format!("{name}=\"");
    for chunk in value.as_ref().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => label.extend(['\\', c]),
                c if is_shown(c) => label.push(c),
                c => label.push_str(&format!("\\\\u{{{:x}}}", c as u32)),
            }
        }
        for byte in chunk.invalid() {
            label.push_str(&format!("\\\\x{byte:02x}"));
        }
    }
    label.push('"');
    label
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn labels() {
        for (name, wanted) in [
            (&b"xenbr0"[..], r#"bridge="xenbr0""#),
            (br#"x"y\z"#, r#"bridge="x\"y\\z""#),
            (b"e\x1b[2J", r#"bridge="e\\u{1b}[2J""#),
            ("br\u{fc}cke\u{202e}".as_bytes(), "bridge=\"br\u{fc}cke\\\\u{202e}\""),
            (b"a\xff\xfe", r#"bridge="a\\xff\\xfe""#),
        ] {
            assert_eq!(label("bridge", OsStr::from_bytes(name)), wanted);
        }
    }
}
