//! `brouter doctor`: why does a guest have no network?
//!
//! [`CHECKS`] is the table of the checks. Each reports what is out of order, with the line to type against it, or else what it saw.
//! Nothing is changed: the kernel is not even made to load a module, which `iptables -S` would do.

mod firewall;
mod host;
mod network;
mod ports;
mod publish;
mod report;
mod routed;
mod routes;
mod subject;
mod xen;

use argh::FromArgs;

use super::output::{has_colours, say, terminal_width};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use report::{Report, State};
use subject::{Host, Network};

/// Say why a guest has no network, and what to type against it.
#[derive(FromArgs)]
pub(super) struct Options {
    /// a network or a bridge; all bridges with addresses if left out
    #[argh(positional)]
    name: Option<String>,

    /// print also what is as it should be
    #[argh(switch)]
    all: bool,

    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// A check of the host, or of each network.
enum Check {
    Host(fn(&Host, &mut Report)),
    /// Of a network whose bridge exists.
    Bridge(fn(&Host, &Network, &mut Report)),
    /// Of a network, whether its bridge exists or not.
    Network(fn(&Host, &Network, &mut Report)),
}

/// Every check by its name, from the ground up.
const CHECKS: [(&str, Check); 26] = [
    ("kernel", Check::Host(host::kernel)),
    ("sysfs", Check::Host(host::sysfs)),
    ("xenstored", Check::Host(xen::xenstored)),
    ("hotplug", Check::Host(xen::hotplug)),
    ("routed", Check::Host(routed::routed)),
    ("record", Check::Network(network::record)),
    ("bridge", Check::Bridge(network::bridge)),
    ("ports", Check::Bridge(ports::ports)),
    ("mtu", Check::Bridge(ports::mtu)),
    ("isolated", Check::Bridge(ports::isolated)),
    ("checksums", Check::Bridge(ports::checksums)),
    ("port-addresses", Check::Bridge(ports::addresses)),
    ("macs", Check::Bridge(ports::macs)),
    ("overlap", Check::Bridge(routes::overlap)),
    ("forwarding", Check::Bridge(routes::forwarding)),
    ("rp-filter", Check::Bridge(routes::reverse_path)),
    ("outside", Check::Bridge(routes::outside)),
    ("ipv6", Check::Bridge(routes::ipv6)),
    ("bridge-nf", Check::Bridge(firewall::bridge_nf)),
    ("forward", Check::Bridge(firewall::forward)),
    ("masquerade", Check::Bridge(firewall::masquerade)),
    ("publish", Check::Bridge(publish::publish)),
    ("backend", Check::Host(publish::backend)),
    // its line moves rules that the lines before it speak of
    ("iptables", Check::Host(firewall::variants)),
    ("hook", Check::Bridge(network::hook)),
    // what the checks before it have not reported
    ("status", Check::Network(network::status)),
];

/// `brouter doctor`
pub(super) fn doctor(call: &mut Call, options: &Options) -> Outcome {
    let host = Host::read(call, options.name.as_deref())?;
    let mut report = Report::default();
    for (name, check) in &CHECKS {
        run(&host, name, check, &mut report);
    }
    let text = if options.json { report.json() } else { report.text(options.all, terminal_width(), has_colours(call)) };
    say(call, &text).map_err(|failure| failure.with_status(2))?;
    match report.worst() {
        State::Ok => Ok(()),
        worst => Err(Failure::silent(worst as u8)),
    }
}

fn run(host: &Host, name: &'static str, check: &Check, report: &mut Report) {
    let (check, needs_bridge) = match check {
        Check::Host(check) => {
            report.begin(name, None);
            return check(host, report);
        }
        Check::Bridge(check) => (check, true),
        Check::Network(check) => (check, false),
    };
    for network in host.networks.iter().filter(|network| !needs_bridge || network.bridge.is_some()) {
        report.begin(name, Some(&network.name));
        check(host, network, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_the_manual() {
        let manual = include_str!("../../../man/brouter.8");
        for (place, (name, _)) in CHECKS.iter().enumerate() {
            assert!(CHECKS[..place].iter().all(|(other, _)| other != name), "{name} is there twice");
            assert!(manual.contains(&["\n.It Cm ", name, "\n"].concat()), "{name} is not in man/brouter.8");
        }
        let listed = manual.split(".Ss Checks").nth(1).and_then(|rest| rest.split(".El").next()).unwrap();
        assert_eq!(listed.matches(".It Cm ").count(), CHECKS.len(), "man/brouter.8 lists others too");
    }
}
