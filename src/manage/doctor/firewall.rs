//! What the firewall makes of guests' packets.

use std::mem;

use ipnet::IpNet;

use super::report::{Report, State};
use super::subject::{Host, Network};
use crate::firewall::packet::{Endpoint, Hit, Packet, Passage, Verdict};
use crate::firewall::ruleset::{Hook, Ruleset, SavedRule};
use crate::firewall::survey::{Gap, Rules};
use crate::inspect::bridge::Firewalled;
use crate::kernel::{self, Address};
use crate::net::Family;
use crate::shell::quoted;

/// Returns why not all rules are known.
fn cause(gap: &Gap) -> String {
    match gap {
        Gap::Refused(said) if kernel::user_id() == 0 => format!("the rules cannot be read: {said}"),
        Gap::Refused(said) => format!("root may see the rules: {said}"),
    }
}

fn report_gap(rules: &Rules, report: &mut Report) {
    if let Some(gap) = &rules.gap {
        report.unknown(&cause(gap));
    }
}

/// Checks whether the rules are known, and are those of one iptables only.
pub(super) fn variants(host: &Host, report: &mut Report) {
    let rules = host.snapshot.firewall(Family::V4);
    report_gap(rules, report);
    let having: Vec<&Ruleset> = rules.sets.iter().filter(|rules| rules.has_any()).collect();
    let of_iptables: Vec<&Ruleset> = having.iter().copied().filter(|rules| !rules.is_native_nft()).collect();
    if let [one, other] = *of_iptables {
        // the one that `iptables` does not show is moved to where it does
        let (hidden, seen) = if one.program.contains('-') { (one, other) } else { (other, one) };
        let (from, to) = (&hidden.program, &seen.program);
        report.warning(
            format!("{from} and {to} both have rules: a packet must pass both, and each program shows its own"),
            format!(
                "{from}-save | grep -v ' ACCEPT ' | {to}-restore -n && printf '{}' | {from}-restore",
                without_rules(hidden)
            ),
        );
    }
    report.ok(having.first().map_or("no rules".into(), |rules| format!("{} has rules", rules.program)));
}

/// Returns the input of `iptables-restore` that leaves no rule, and no policy that drops, as printf(1) writes it.
fn without_rules(rules: &Ruleset) -> String {
    let mut text = String::new();
    for table in &rules.tables {
        let chains = table.chains.iter().filter(|chain| chain.drops());
        let accepting: String = chains.map(|chain| format!(":{} ACCEPT\\n", chain.name)).collect();
        text.push_str(&format!("*{}\\n{accepting}COMMIT\\n", table.name));
    }
    text
}

/// Checks whether the firewall sees the bridge's frames: they need not be routed to be dropped then.
pub(super) fn bridge_nf(host: &Host, network: &Network, report: &mut Report) {
    let Some(bridge) = &network.bridge else { return };
    if network.is_isolate() {
        return report.ok("guests are not to reach each other");
    }
    if network.is_antispoof() {
        return report.ok("antispoof: the firewall is to see guests' frames");
    }
    for family in Family::BOTH {
        let firewalled = bridge.firewalled(family);
        // guests have addresses of IPv6 on their link, whatever the bridge has
        let is_used = host.has_family(network, family) || !network.outside_ports.is_empty() || family == Family::V6;
        if !firewalled.is_on() || !is_used {
            continue;
        }
        let rules = host.snapshot.firewall(family);
        report_gap(rules, report);
        for rules in &rules.sets {
            for own in host.own_of(network, family) {
                bridged(network, firewalled, rules, (family, Some(&own.net)), report);
            }
            // whatever addresses its guests have
            if !host.has_family(network, family) {
                bridged(network, firewalled, rules, (family, None), report);
            }
        }
    }
    report.ok("the firewall lets guests' frames pass, or does not see them");
}

/// Follows a frame from guest to guest through the rules.
fn bridged(
    network: &Network,
    firewalled: Firewalled,
    rules: &Ruleset,
    (family, net): (Family, Option<&IpNet>),
    report: &mut Report,
) {
    let bridge = network.bridge_name.as_str();
    let name = if family == Family::V6 { "ip6tables" } else { "iptables" };
    let mut add = |state, what: &str, by: Hit| {
        let everywhere = format!("/proc/sys/net/bridge/bridge-nf-call-{name}");
        let (switch, command) = match firewalled.here {
            false => (format!("bridge-nf-call-{name}"), format!("echo 0 >{everywhere}")),
            true => (
                format!("nf_call_{name} of {bridge}"),
                format!("echo 0 | tee {everywhere} /sys/class/net/{}/bridge/nf_call_{name}", quoted(bridge)),
            ),
        };
        let evidence = format!("frames from guest to guest are {what} by {} {by}, as {switch} is 1", rules.program);
        report.add(state, evidence, Some(command));
    };
    let place = Endpoint { interface: Some(bridge), net };
    let packet =
        Packet { from: place, to: place, is_reply: false, is_bridged: true, sees_ports: true, transport: None };
    let verdict = Verdict::of(&rules.walk(Hook::Forward, &packet));
    // rules for a port keep its guest from using others' addresses
    let is_of_port = |hit: &Hit| matches!(hit, Hit::Rule(rule) if rule.has_match("--physdev-in"));
    if let Verdict { is_dropped: true, by: Some(by), except } = verdict
        && !except.as_ref().is_some_and(is_of_port)
    {
        add(if except.is_none() { State::Failure } else { State::Warning }, "dropped", by);
    }
    // where addresses are changed, the interface is not known any more
    let packet = Packet { from: Endpoint { interface: None, ..place }, ..packet };
    if let Some(hit) = rules.walk(Hook::Postrouting, &packet).pop().filter(Hit::masquerades) {
        add(State::Warning, "masqueraded", hit);
    }
}

/// Checks whether a packet from a guest passes to the outside, and the answer comes back.
pub(super) fn forward(host: &Host, network: &Network, report: &mut Report) {
    if let Some(text) = network.no_router_needed() {
        return report.ok(text);
    }
    if network.is_antispoof() {
        return report.ok("antispoof: only what vif-bridge accepts is to pass");
    }
    let mut except = None;
    for family in Family::BOTH.into_iter().filter(|family| host.has_family(network, *family)) {
        let rules = host.snapshot.firewall(family);
        report_gap(rules, report);
        for own in host.own_of(network, family) {
            except = forwarded(host, network, rules, own, report).or(except);
        }
    }
    report.ok(match except {
        None => "guests' packets pass, and their answers".into(),
        Some(except) => format!("guests' packets pass, and their answers, but for those of {except}"),
    });
}

/// Follows a packet of a guest and the answer through the rules. Returns the last rule that may drop some that pass else.
fn forwarded<'h>(
    host: &'h Host,
    network: &Network,
    rules: &'h Rules,
    own: &Address,
    report: &mut Report,
) -> Option<Hit<'h>> {
    let family = Family::of(&own.net);
    let outside = host.outside(network, family);
    let sees_ports = network.bridge.as_ref().is_some_and(|bridge| bridge.firewalled(family).is_on());
    let inner = Endpoint { interface: Some(&network.bridge_name), net: Some(&own.net) };
    let outer = Endpoint { interface: outside.as_deref(), net: None };
    let out = Packet { from: inner, to: outer, is_reply: false, is_bridged: false, sees_ports, transport: None };
    let mut excepted = None;
    for packet in [out, Packet { from: outer, to: inner, is_reply: true, ..out }] {
        for rules in &rules.sets {
            for passage in rules.passages(Hook::Forward, &packet) {
                match Verdict::of(&passage.hits) {
                    Verdict { is_dropped: true, by: Some(by), except } => {
                        dropped(rules, &passage, &packet, by, except, report);
                    }
                    Verdict { except, .. } => excepted = except.or(excepted),
                }
            }
        }
    }
    excepted
}

fn dropped(rules: &Ruleset, passage: &Passage, packet: &Packet, by: Hit, except: Option<Hit>, report: &mut Report) {
    let program = &rules.program;
    let [from, to] = [packet.from, packet.to].map(|end| end.interface.unwrap_or("the outside"));
    let what = if packet.is_reply { "answers" } else { "packets" };
    let but = except.map_or(String::new(), |except| format!(", but for those of {except}"));
    report.add(
        if except.is_none() { State::Failure } else { State::Warning },
        format!("{what} from {from} to {to} are dropped by {program} {by}{but}"),
        Some(opening(rules, passage, packet)),
    );
}

/// Returns the line that lets packets pass a chain that drops them.
fn opening(rules: &Ruleset, passage: &Passage, packet: &Packet) -> String {
    let (from, to) = (packet.from.interface, packet.to.interface);
    if passage.table.name == "inet firewalld" {
        let bridge = if packet.is_reply { to } else { from }.unwrap_or_default();
        return format!(
            "firewall-cmd --permanent --zone=trusted --add-interface={0} && firewall-cmd --reload",
            quoted(bridge)
        );
    }
    if rules.is_native_nft() {
        let state = if packet.is_reply { "ct state established,related " } else { "" };
        let by = |word, name: Option<&str>| name.map_or(String::new(), |name| format!("{word} \"{name}\" "));
        let rule = format!("{}{}{state}accept", by("iifname", from), by("oifname", to));
        let table: Vec<String> = passage.table.name.split(' ').map(quoted).collect();
        return format!("nft insert rule {} {} {}", table.join(" "), quoted(&passage.chain.name), quoted(&rule));
    }
    // the chain that Docker leaves to the administrator, or else the head of all
    let first = passage.table.rules.iter().find(|rule| rule.chain == passage.chain.name);
    let is_docker = first.is_some_and(|rule| rule.text == "-A FORWARD -j DOCKER-USER");
    let chain = if is_docker { "DOCKER-USER" } else { "FORWARD" };
    let state = if packet.is_reply { " -m conntrack --ctstate RELATED,ESTABLISHED" } else { "" };
    let by = |option, name: Option<&str>| name.map_or(String::new(), |name| format!(" {option} {}", quoted(name)));
    format!("{} -I {chain}{}{}{state} -j ACCEPT", rules.program, by("-i", from), by("-o", to))
}

/// Checks whether private addresses are replaced on their way out.
pub(super) fn masquerade(host: &Host, network: &Network, report: &mut Report) {
    if let Some(text) = network.no_router_needed() {
        return report.ok(text);
    }
    if network.masquerade() == Some(false) {
        return report.ok("not asked for");
    }
    let is_private =
        |net: &IpNet| matches!(net, IpNet::V4(net) if net.addr().is_private() || net.addr().is_link_local());
    let mut is_masqueraded = false;
    for own in host.own_of(network, Family::V4) {
        // behind a single address there is no network of guests
        if own.net.prefix_len() == own.net.max_prefix_len() {
            continue;
        }
        if is_private(&own.net) || network.masquerade().is_some() {
            is_masqueraded |= replaced(host, network, own, report);
        }
    }
    if !is_masqueraded {
        report.ok("none is needed");
    }
}

/// What the rules of POSTROUTING make of a packet.
#[derive(Default)]
struct Translation<'a> {
    /// The rule that replaces its source address, and its program.
    by: Option<(&'a Ruleset, Hit<'a>)>,
    /// A rule that may let it pass as it is before.
    before: Option<Hit<'a>>,
    /// A rule that replaces the addresses of others.
    other: Option<&'a SavedRule>,
}

impl<'a> Translation<'a> {
    fn of(rules: &'a Rules, packet: &Packet) -> Self {
        let mut translation = Translation::default();
        for rules in &rules.sets {
            for hit in rules.walk(Hook::Postrouting, packet) {
                match hit.masquerades() {
                    true => translation.by = Some((rules, hit)),
                    false if matches!(hit, Hit::Rule(_)) => translation.before = Some(hit),
                    false => (),
                }
            }
            let nat = rules.table("nat").map_or(&[][..], |table| &table.rules);
            let mut others = nat.iter().filter(|rule| rule.chain == "POSTROUTING");
            let other = others.find(|rule| matches!(rule.target.as_str(), "MASQUERADE" | "SNAT"));
            translation.other = other.or(mem::take(&mut translation.other));
        }
        translation
    }
}

/// Reports whether the addresses of a network are replaced, and returns true if they are.
fn replaced(host: &Host, network: &Network, own: &Address, report: &mut Report) -> bool {
    let rules = host.snapshot.firewall(Family::V4);
    let outside = host.outside(network, Family::V4);
    let packet = Packet {
        from: Endpoint { interface: None, net: Some(&own.net) },
        to: Endpoint { interface: outside.as_deref(), net: None },
        is_reply: false,
        is_bridged: false,
        sees_ports: false,
        transport: None,
    };
    let translation = Translation::of(rules, &packet);
    if let Some((rules, by)) = translation.by {
        report.ok(match rules.is_native_nft() {
            true => format!("by nft {by}"),
            false => format!("by iptables -t nat {by}"),
        });
        return true;
    }
    let backend = network.known.as_ref().and_then(|known| known.backend);
    if let Some(missing) = backend.filter(|backend| !host.has_backend(*backend)) {
        report.unknown(&format!("{missing} holds the rules, and is not installed"));
        return false;
    }
    match &rules.gap {
        Some(gap) => report.unknown(&cause(gap)),
        None => {
            let (why, action) = match translation {
                Translation { before: Some(before), .. } => (format!(": this rule comes before: {before}"), "-I"),
                Translation { other: Some(other), .. } => (format!(": this rule is for others: {}", other.text), "-A"),
                _ => (String::new(), "-A"),
            };
            let net = own.net.trunc();
            let bridge = quoted(&network.bridge_name);
            report.add(
                if network.masquerade().is_some() { State::Failure } else { State::Warning },
                format!("{net} is not masqueraded towards {}{why}", outside.as_deref().unwrap_or("the outside")),
                Some(format!("iptables -t nat {action} POSTROUTING -s {net} ! -o {bridge} -j MASQUERADE")),
            );
        }
    }
    false
}
