//! Rules read back from what `iptables -S` prints.

use super::addresses::Addresses;
use super::chain::{Chain, Table};
use super::matches::Match;
use super::rule::Rule;
use super::target::Target;
use super::traffic::{Ports, Protocol, States};
use crate::net::Family;

impl Rule {
    /// Parses a line such as `-A FORWARD -s 10.0.0.7/32 -m physdev --physdev-in vif1.0 -j ACCEPT`. Returns `None` if it holds
    /// anything that a rule of this kind cannot, such as a comment or a chain of the user's.
    pub fn parse(family: Family, table: Table, line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let chain = (words.next()? == "-A").then(|| words.next()).flatten()?;
        let chain = Chain::ALL.into_iter().find(|known| known.name() == chain)?;
        let mut rule = Rule { family, table, chain, matches: Vec::new(), target: Target::Return };
        let mut has_target = false;
        let mut is_negated = false;
        while let Some(word) = words.next() {
            let found = match word {
                "!" => {
                    is_negated = true;
                    continue;
                }
                "-m" => {
                    ["physdev", "tcp", "udp", "state", "conntrack"].contains(&words.next()?).then_some(())?;
                    continue;
                }
                "-j" => {
                    rule.target = target(words.next()?)?;
                    has_target = true;
                    continue;
                }
                "--physdev-is-bridged" => Match::IsBridged,
                option => with_value(option, words.next()?)?,
            };
            rule.matches.push(if std::mem::take(&mut is_negated) { found.not() } else { found });
        }
        has_target.then_some(rule)
    }
}

fn with_value(option: &str, value: &str) -> Option<Match> {
    Some(match option {
        "-i" => Match::In(value.parse().ok()?),
        "-o" => Match::Out(value.parse().ok()?),
        "-s" => Match::Source(Addresses::parse(value)),
        "-d" => Match::Destination(Addresses::parse(value)),
        "-p" => Match::Protocol(
            [Protocol::Icmp, Protocol::Tcp, Protocol::Udp, Protocol::Icmpv6]
                .into_iter()
                .find(|known| known.name() == value)?,
        ),
        "--sport" => Match::SourcePort(ports(value)?),
        "--dport" => Match::DestinationPort(ports(value)?),
        "--physdev-in" => Match::PortIn(value.parse().ok()?),
        "--physdev-out" => Match::PortOut(value.parse().ok()?),
        "--state" => Match::State(states(value)?),
        "--ctstate" => Match::Conntrack(states(value)?),
        _ => return None,
    })
}

fn ports(text: &str) -> Option<Ports> {
    match text.split_once(':') {
        Some((first, last)) => Some(Ports { first: first.parse().ok()?, last: last.parse().ok()? }),
        None => Some(text.parse::<u16>().ok()?.into()),
    }
}

fn states(text: &str) -> Option<States> {
    let state = |word: &str| match word {
        "INVALID" => Some(States::INVALID),
        "NEW" => Some(States::NEW),
        "RELATED" => Some(States::RELATED),
        "ESTABLISHED" => Some(States::ESTABLISHED),
        _ => None,
    };
    let mut words = text.split(',');
    let first = state(words.next()?)?;
    words.try_fold(first, |states, word| Some(states | state(word)?))
}

fn target(word: &str) -> Option<Target> {
    match word {
        "ACCEPT" => Some(Target::Accept),
        "DROP" => Some(Target::Drop),
        "RETURN" => Some(Target::Return),
        "MASQUERADE" => Some(Target::Masquerade),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::Action;
    use super::*;

    fn parse(line: &str) -> Option<Rule> {
        Rule::parse(Family::V4, Table::Filter, line)
    }

    #[test]
    fn rules_as_iptables_prints_them() {
        for (line, typed) in [
            (
                "-A FORWARD -m physdev --physdev-out vif1.0 --physdev-is-bridged -j ACCEPT",
                "-D FORWARD -m physdev --physdev-out vif1.0 --physdev-is-bridged -j ACCEPT",
            ),
            (
                "-A FORWARD -s 10.0.0.7/32 -m physdev --physdev-in vif1.0 -j ACCEPT",
                "-D FORWARD -s 10.0.0.7/32 -m physdev --physdev-in vif1.0 -j ACCEPT",
            ),
            (
                "-A FORWARD -p udp -m physdev --physdev-in vif1.0 -m udp --sport 68 --dport 67:70 -j DROP",
                "-D FORWARD -p udp -m physdev --physdev-in vif1.0 --sport 68 --dport 67:70 -j DROP",
            ),
            (
                "-A FORWARD ! -s 10.0.0.0/8 -i eth0 -m state --state RELATED,ESTABLISHED -j RETURN",
                "-D FORWARD ! -s 10.0.0.0/8 -i eth0 -m state --state RELATED,ESTABLISHED -j RETURN",
            ),
        ] {
            assert_eq!(
                parse(line).map(|rule| rule.arguments(Action::Delete).join(" ")).as_deref(),
                Some(typed),
                "{line}"
            );
        }
    }

    #[test]
    fn rules_that_hold_more() {
        for line in [
            "-P FORWARD ACCEPT",
            "-N user",
            "-A user -j ACCEPT",
            "-A FORWARD -i vif+ -j ACCEPT",
            "-A FORWARD -m comment --comment \"a b\" -j ACCEPT",
            "-A FORWARD -j user",
            "-A FORWARD -g user",
            "-A FORWARD -j LOG --log-prefix x",
            "-A FORWARD -i eth0",
            "-A FORWARD -p 50 -j ACCEPT",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
