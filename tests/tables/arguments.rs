//! Arguments of iptables as changes of rules, so that one line drives iptables-legacy and ours.

use brouter::firewall::addresses::Addresses;
use brouter::firewall::chain::{Chain, Policy, Table};
use brouter::firewall::change::RuleChange;
use brouter::firewall::matches::Match;
use brouter::firewall::rule::Rule;
use brouter::firewall::target::Target;
use brouter::firewall::traffic::{Ports, Protocol, States};
use brouter::net::Family;

/// Parses a line such as `-t nat -A POSTROUTING -s 10.0.0.0/24 ! -o xenbr0 -j MASQUERADE`.
///
/// # Panics
/// If the line holds anything that a rule of ours cannot have: it is a line of a test.
pub(crate) fn change(family: Family, line: &str) -> RuleChange {
    let mut words = line.split(' ').peekable();
    let mut table = Table::Filter;
    if words.next_if_eq(&"-t").is_some() {
        table = if words.next() == Some("nat") { Table::Nat } else { Table::Filter };
    }
    let action = words.next().expect("an action");
    let chain = chain(words.next().expect("a chain"));
    match action {
        "-P" => return RuleChange::Policy(family, chain, Policy::parse(words.next().expect("a policy")).expect(line)),
        "-F" => return RuleChange::Flush(family, chain),
        _ => (),
    }
    let mut rule = Rule { family, table, chain, matches: Vec::new(), target: Target::Accept };
    while let Some(word) = words.next() {
        let (word, is_negated) = if word == "!" { (words.next().expect("a match"), true) } else { (word, false) };
        let mut value = || words.next().expect(line);
        let found = match word {
            "-m" => {
                value();
                continue;
            }
            "-j" => {
                rule.target = target(value(), &mut words);
                continue;
            }
            "-i" => Match::In(value().parse().expect(line)),
            "-o" => Match::Out(value().parse().expect(line)),
            "-s" => Match::Source(Addresses::parse(value())),
            "-d" => Match::Destination(Addresses::parse(value())),
            "-p" => Match::Protocol(protocol(value())),
            "--sport" => Match::SourcePort(ports(value(), ':')),
            "--dport" => Match::DestinationPort(ports(value(), ':')),
            "--physdev-is-bridged" => Match::IsBridged,
            "--physdev-in" => Match::PortIn(value().parse().expect(line)),
            "--physdev-out" => Match::PortOut(value().parse().expect(line)),
            "--state" => Match::State(states(value())),
            "--ctstate" => Match::Conntrack(states(value())),
            "--src-type" => local(value(), Match::SourceLocal),
            "--dst-type" => local(value(), Match::DestinationLocal),
            _ => panic!("{word} in {line}"),
        };
        rule.matches.push(if is_negated { found.not() } else { found });
    }
    match action {
        "-A" => RuleChange::Append(rule),
        "-I" => RuleChange::Insert(rule),
        "-D" => RuleChange::Delete(rule),
        _ => panic!("{action} in {line}"),
    }
}

fn local(word: &str, found: Match) -> Match {
    assert_eq!(word, "LOCAL");
    found
}

fn chain(name: &str) -> Chain {
    Chain::ALL.into_iter().find(|chain| chain.name() == name).expect(name)
}

fn protocol(name: &str) -> Protocol {
    let all = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Icmpv6];
    all.into_iter().find(|protocol| protocol.name() == name).expect(name)
}

fn ports(text: &str, separator: char) -> Ports {
    let (first, last) = text.split_once(separator).unwrap_or((text, text));
    Ports { first: first.parse().expect(text), last: last.parse().expect(text) }
}

fn states(text: &str) -> States {
    let state = |word| match word {
        "INVALID" => States::INVALID,
        "NEW" => States::NEW,
        "RELATED" => States::RELATED,
        "ESTABLISHED" => States::ESTABLISHED,
        "DNAT" => States::DNAT,
        _ => panic!("{text}"),
    };
    text.split(',').map(state).reduce(|all, state| all | state).expect(text)
}

fn target<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>) -> Target {
    match name {
        "ACCEPT" => Target::Accept,
        "DROP" => Target::Drop,
        "RETURN" => Target::Return,
        "MASQUERADE" => Target::Masquerade,
        "DNAT" => {
            assert_eq!(words.next(), Some("--to-destination"));
            let to = words.next().expect("a destination");
            let (address, rest) = match to.strip_prefix('[').and_then(|to| to.split_once(']')) {
                Some((address, rest)) => (address, rest.strip_prefix(':')),
                None if to.matches(':').count() > 1 => (to, None),
                None => to.split_once(':').map_or((to, None), |(address, ports)| (address, Some(ports))),
            };
            Target::Dnat { address: address.parse().expect(to), ports: rest.map(|text| ports(text, '-')) }
        }
        _ => panic!("{name}"),
    }
}
