//! What holds the firewall's rules, and the ports that are published.

use super::report::Report;
use super::subject::{Host, Network};
use crate::firewall::choice;
use crate::kernel;
use crate::network::context::Context;
use crate::network::dropped::Forwarded;
use crate::network::item::Item;
use crate::network::opening::Flow;
use crate::network::step::Step;

/// Says what holds the rules that `up`, `network-virtual` and `vif-bridge` make, and why.
pub(super) fn backend(host: &Host, report: &mut Report) {
    match choice::choose(host.snapshot.kernel, host.path.as_ref(), None) {
        Ok(choice) => {
            let others = host.networks.iter().filter_map(|network| {
                let backend = network.known.as_ref()?.backend.filter(|backend| *backend != choice.kind)?;
                Some(format!("; of network {}: {backend}", network.name))
            });
            report.ok(format!("{}: {}{}", choice.kind, choice.reason, others.collect::<String>()));
        }
        Err(error) => report.unknown(&error.to_string()),
    }
}

/// Checks whether connections to published ports reach their guests.
pub(super) fn publish(host: &Host, network: &Network, report: &mut Report) {
    let Some(known) = network.known.as_ref().filter(|known| !known.publications().is_empty()) else {
        return report.ok("no port is published");
    };
    if kernel::user_id() != 0 {
        return report.unknown("root may see the rules");
    }
    let snapshot = &host.snapshot;
    let context =
        Context::new(snapshot.kernel, host.states.clone(), &known.name, known.bridge.clone(), host.path.clone());
    context.set_backend(known.backend);
    for item in known.items.iter().filter(|item| matches!(item, Item::Publish(_))) {
        let Item::Publish(published) = item else { continue };
        match context.is_in(snapshot, item) {
            Ok(true) => (),
            Ok(false) => {
                let command = context.command(&Step::make(item.clone()));
                report.failure(format!("{}: a rule is missing", published.publication), command);
            }
            Err(cause) => return report.unknown(&cause.to_string()),
        }
    }
    let publications = known.publications();
    let addresses: Vec<_> = known.addresses().collect();
    let forwarded = Forwarded {
        bridge: &known.bridge,
        addresses: &addresses,
        outside: None,
        publications: &publications,
        only_legacy: false,
    };
    for flow in forwarded.flows() {
        let what = match &flow {
            Flow::To(publication) => format!("packets to {publication}"),
            Flow::From(publication) => format!("answers of {publication}"),
            Flow::Out(..) | Flow::Back(..) => continue,
        };
        for obstacle in forwarded.obstacles(snapshot, &flow) {
            let command = obstacle.command(&flow.rule(&known.bridge), context.iptables_is_nft());
            report.failure(format!("{what} are dropped by {}", obstacle.by), command);
        }
    }
    let names: Vec<String> = publications.iter().map(ToString::to_string).collect();
    report.ok(format!("sent on to guests: {}", names.join(" ")));
}
