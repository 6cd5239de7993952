//! What the firewall makes of guests' packets.

use std::mem;

use ipnet::IpNet;

use super::scene::{Net, Own, Scene, shown};
use super::{Problems, State};
use crate::firewall::ruleset::{Fate, Hit, Packet, Place, Ruleset, dropping};

/// Whether the rules are known, and are those of one iptables only.
pub(super) fn variants(scene: &Scene, problems: &mut Problems) {
    let rules = &scene.rules[0];
    if !rules.unknown.is_empty() {
        problems.not_known(&rules.unknown);
    }
    let having: Vec<&Ruleset> = rules.sets.iter().filter(|rules| rules.has_any()).collect();
    if let [one, other] = *having {
        // the one that `iptables` does not show is moved to where it does
        let (hidden, seen) = if one.program.contains('-') { (one, other) } else { (other, one) };
        let mut emptied = String::new();
        for line in hidden.lines("") {
            let parts = match dropping(line) {
                Some(chain) => [":", chain, " ACCEPT\\n"],
                None if line.starts_with('*') || line == "COMMIT" => [line, "\\n", ""],
                None => continue,
            };
            parts.iter().for_each(|part| emptied.push_str(part));
        }
        problems.warning(
            "%0 and %1 both have rules: a packet must pass both, and each program shows its own\n\
             %0-save | grep -v ' ACCEPT ' | %1-restore -n && printf '$2' | %0-restore",
            &[&hidden.program, &seen.program, &emptied],
        );
    }
    match having.first() {
        Some(rules) => problems.well("%0 has rules", &[&rules.program]),
        None => problems.well("no rules", &[]),
    }
}

/// Whether the bridge shows its frames to the firewall: they need not be routed to be dropped then.
pub(super) fn bridge_nf(scene: &Scene, net: &Net, problems: &mut Problems) {
    for v6 in [false, true] {
        let shown = scene.kernel.shows_frames_to_firewall(net.bridge.as_bytes(), v6).unwrap_or_default();
        if shown == [false, false] || !scene.has_family(net, v6) {
            continue;
        }
        let rules = &scene.rules[usize::from(v6)];
        if !rules.unknown.is_empty() {
            problems.not_known(&rules.unknown);
        }
        let name = if v6 { "ip6tables" } else { "iptables" };
        let mut say = |what: &str, fate: &Fate, rules: &Ruleset| {
            let text = match shown[1] {
                false => {
                    "frames from guest to guest are %3 by %2 %4, as bridge-nf-call-%1 is 1\n\
                     echo 0 >/proc/sys/net/bridge/bridge-nf-call-%1"
                }
                true => {
                    "frames from guest to guest are %3 by %2 %4, as nf_call_%1 of %0 is 1\n\
                     echo 0 | tee /proc/sys/net/bridge/bridge-nf-call-%1 /sys/class/net/%0/bridge/nf_call_%1"
                }
            };
            let values: [&str; 5] = [&net.bridge, name, &rules.program, what, &fate.rule];
            let state = if fate.is_dropped && fate.but.is_empty() { State::Failure } else { State::Warning };
            problems.add(state, text, &values);
        };
        for rules in &rules.sets {
            for own in scene.own(net).into_iter().filter(|own| own.is_v6() == v6) {
                let place = Place { link: Some(&net.bridge), net: Some(&own.net) };
                let mut packet =
                    Packet { from: place, to: place, is_answer: false, is_bridged: true, knows_ports: true };
                let fate = Fate::of(rules.walk("filter", "FORWARD", &packet));
                // rules for a port keep its guest from using others' addresses
                if fate.is_dropped && fate.but.split(' ').all(|word| word != "--physdev-in") {
                    say("dropped", &fate, rules);
                }
                // no interface is known where addresses are changed
                packet.from.link = None;
                let mut hits = rules.walk("nat", "POSTROUTING", &packet);
                if let Some(hit) = hits.pop().filter(is_masquerading) {
                    say("masqueraded", &Fate { rule: hit.rule, ..Fate::default() }, rules);
                }
            }
        }
    }
    problems.well("the firewall lets guests' frames pass, or is not shown them", &[]);
}

/// Whether a packet from a guest passes to the outside, and the answer comes back.
pub(super) fn forward(scene: &Scene, net: &Net, problems: &mut Problems) {
    if net.is_isolated {
        return problems.well("nothing is to be forwarded", &[]);
    }
    let mut but = String::new();
    for v6 in [false, true] {
        let rules = &scene.rules[usize::from(v6)];
        let mut is_said = false;
        let outside = scene.outside(net, v6);
        let shown = scene.kernel.shows_frames_to_firewall(net.bridge.as_bytes(), v6);
        let knows_ports = shown.is_some_and(|shown| shown != [false, false]);
        for own in scene.own(net).into_iter().filter(|own| own.is_v6() == v6) {
            if !rules.unknown.is_empty() && !mem::replace(&mut is_said, true) {
                problems.not_known(&rules.unknown);
            }
            let inner = Place { link: Some(&net.bridge), net: Some(&own.net) };
            let outer = Place { link: outside, net: None };
            let out = Packet { from: inner, to: outer, is_answer: false, is_bridged: false, knows_ports };
            for packet in [out, Packet { from: outer, to: inner, is_answer: true, ..out }] {
                for rules in &rules.sets {
                    let fate = Fate::of(rules.walk("filter", "FORWARD", &packet));
                    match fate.is_dropped {
                        true => dropped(rules, &packet, &fate, problems),
                        false => but = fate.but,
                    }
                }
            }
        }
    }
    let text = match but.is_empty() {
        true => "guests' packets pass, and their answers",
        false => "guests' packets pass, and their answers, but for those of %0",
    };
    problems.well(text, &[&but]);
}

fn dropped(rules: &Ruleset, packet: &Packet, fate: &Fate, problems: &mut Problems) {
    // the chain that Docker leaves to the administrator, or else the head of all
    let first = rules.lines("filter").into_iter().find(|line| line.starts_with("-A FORWARD "));
    let chain = if first == Some("-A FORWARD -j DOCKER-USER") { "DOCKER-USER" } else { "FORWARD" };
    let (from, to) = (packet.from.link.unwrap_or("+"), packet.to.link.unwrap_or("+"));
    let text = match packet.is_answer {
        false => "packets from %1 to %2 are dropped by %0 %4%5\n%0 -I %3 -i %1 -o %2 -j ACCEPT",
        true => {
            "answers from %1 to %2 are dropped by %0 %4%5\n\
             %0 -I %3 -i %1 -o %2 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        }
    };
    let but = if fate.but.is_empty() { String::new() } else { [", but for those of ", &fate.but].concat() };
    let state = if but.is_empty() { State::Failure } else { State::Warning };
    problems.add(state, text, &[&rules.program, from, to, chain, &fate.rule, &but]);
}

/// Whether private addresses are replaced on their way out.
pub(super) fn masquerade(scene: &Scene, net: &Net, problems: &mut Problems) {
    if net.masquerade == Some(false) || net.is_isolated {
        return problems.well("not asked for", &[]);
    }
    let is_private =
        |own: &Own| matches!(own.net, IpNet::V4(net) if net.addr().is_private() || net.addr().is_link_local());
    let rules = &scene.rules[0];
    let outside = scene.outside(net, false);
    let mut is_there = false;
    for own in scene.own(net) {
        if own.is_v6() || !is_private(own) && net.masquerade.is_none() {
            continue;
        }
        let packet = Packet {
            from: Place { link: None, net: Some(&own.net) },
            to: Place { link: outside, net: None },
            is_answer: false,
            is_bridged: false,
            knows_ports: false,
        };
        let mut by = String::new();
        let mut before = String::new();
        let mut other = "";
        for rules in &rules.sets {
            for hit in rules.walk("nat", "POSTROUTING", &packet) {
                match is_masquerading(&hit) {
                    true => by = hit.rule,
                    false if hit.rule.starts_with("-A") => before = hit.rule,
                    false => (),
                }
            }
            let is_other = |line: &&str| {
                let mut words = line.split(' ');
                words.nth(1) == Some("POSTROUTING") && words.any(|word| word == "MASQUERADE" || word == "SNAT")
            };
            other = rules.lines("nat").into_iter().find(is_other).unwrap_or(other);
        }
        if !by.is_empty() {
            problems.well("by iptables -t nat %0", &[&by]);
            is_there = true;
        } else if !rules.unknown.is_empty() || rules.sets.is_empty() {
            problems.not_known(if rules.sets.is_empty() { "there is no iptables" } else { &rules.unknown });
        } else {
            let (why, rule, action) = match (before.as_str(), other) {
                ("", "") => ("", "", "-A"),
                ("", other) => (": this rule is for others: ", other, "-A"),
                (before, _) => (": this rule comes before: ", before, "-I"),
            };
            problems.add(
                if net.masquerade.is_some() { State::Failure } else { State::Warning },
                "%0 is not masqueraded towards %2%3%4\niptables -t nat %5 POSTROUTING -s %0 ! -o %1 -j MASQUERADE",
                &[&shown(&own.net.trunc()), &net.bridge, outside.unwrap_or("the outside"), why, rule, action],
            );
        }
    }
    if !is_there {
        problems.well("none is needed", &[]);
    }
}

fn is_masquerading(hit: &Hit) -> bool {
    matches!(hit.target, "MASQUERADE" | "SNAT" | "SAME" | "NETMAP")
}
