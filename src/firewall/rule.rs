//! Rules of the host's firewall as values, and the iptables line that a person would type for each.

use std::fmt;

use super::addresses::Addresses;
use super::chain::{Chain, Table};
use super::matches::{Match, Module};
use super::target::Target;
use crate::net::{Family, InterfaceName};

/// A rule of a chain of the kernel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The packets' address family.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: Chain,
    /// What a packet must match, in the order in which it is typed. iptables keeps the modules of matches in this order.
    pub matches: Vec<Match>,
    /// What happens to the packets that match.
    pub target: Target,
}

/// What iptables does with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-A`: appends it.
    Append,
    /// `-I`: inserts it at the head of its chain.
    Insert,
    /// `-D`: deletes the first that is equal.
    Delete,
    /// `-C`: reports whether one is equal. Since iptables 1.4.11.
    Check,
}

impl Action {
    fn option(self) -> &'static str {
        match self {
            Action::Append => "-A",
            Action::Insert => "-I",
            Action::Delete => "-D",
            Action::Check => "-C",
        }
    }
}

impl Rule {
    /// Returns an IPv4 rule of chain FORWARD that accepts packets.
    pub fn accept(matches: Vec<Match>) -> Self {
        Rule { family: Family::V4, table: Table::Filter, chain: Chain::Forward, matches, target: Target::Accept }
    }

    /// Returns the rule that masquerades what comes from a network and leaves by another interface than its bridge.
    pub fn masquerade(net: impl Into<Addresses>, bridge: InterfaceName) -> Self {
        let net = net.into();
        Rule {
            family: net.family().unwrap_or(Family::V4),
            table: Table::Nat,
            chain: Chain::Postrouting,
            matches: vec![Match::Source(net), Match::Out(bridge).not()],
            target: Target::Masquerade,
        }
    }

    /// Returns the rule that masquerades all IPv4 packets that leave by an interface.
    pub fn masquerade_all(outside: InterfaceName) -> Self {
        let matches = vec![Match::Out(outside)];
        let (table, chain, target) = (Table::Nat, Chain::Postrouting, Target::Masquerade);
        Rule { family: Family::V4, table, chain, matches, target }
    }

    /// Returns the rule that accepts forwarded packets that arrive by an interface.
    pub fn accept_from(interface: InterfaceName) -> Self {
        Rule::accept(vec![Match::In(interface)])
    }

    /// Returns the rule that accepts frames that a bridge port receives from its guest and that stay on the bridge, and that match
    /// the rest.
    pub fn from_port(port: InterfaceName, rest: impl IntoIterator<Item = Match>) -> Self {
        let mut matches = vec![Match::IsBridged, Match::PortIn(port)];
        matches.extend(rest);
        Rule::accept(matches)
    }

    /// Returns the rule that accepts frames that leave the bridge by a port.
    pub fn to_port(port: InterfaceName) -> Self {
        Rule::accept(vec![Match::IsBridged, Match::PortOut(port)])
    }

    /// Returns the arguments of iptables, or of ip6tables if it is a rule for IPv6.
    pub fn arguments(&self, action: Action) -> Vec<String> {
        // no value holds a blank: names and networks are checked, and sources are split at blanks
        self.line(action).split(' ').map(String::from).collect()
    }

    /// Returns the command that a person would type.
    pub fn command(&self, action: Action) -> String {
        format!("{} {}", program(self.family), self.line(action))
    }

    fn line(&self, action: Action) -> String {
        let table = match self.table {
            Table::Filter => String::new(),
            table => format!("-t {table} "),
        };
        format!("{table}{} {}{} -j {}", action.option(), self.chain, Matches(self), self.target)
    }
}

/// Returns the name of the program for a family.
pub fn program(family: Family) -> &'static str {
    match family {
        Family::V4 => "iptables",
        Family::V6 => "ip6tables",
    }
}

/// A rule's matches as arguments: a blank before each, and the module before its first option.
struct Matches<'a>(&'a Rule);

impl fmt::Display for Matches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut loaded: Vec<Module> = Vec::new();
        for one in &self.0.matches {
            if let Some(module) = one.module().filter(|module| !loaded.contains(module)) {
                loaded.push(module);
                if let Some(name) = module.name() {
                    write!(f, " -m {name}")?;
                }
            }
            write!(f, " {one}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::traffic::{Ports, Protocol, States};
    use super::*;

    fn name(name: &str) -> InterfaceName {
        name.parse().unwrap()
    }

    #[test]
    fn rules_as_iptables_takes_them() {
        let from = |rest: Vec<Match>| Rule::from_port(name("vif1.0"), rest);
        let net = |text: &str| Addresses::parse(text);
        let dhcp =
            vec![Match::Protocol(Protocol::Udp), Match::SourcePort(68.into()), Match::DestinationPort(67.into())];
        for (rule, action, command) in [
            (
                Rule::masquerade(net("10.0.0.0/24"), name("xenbr0")),
                Action::Append,
                "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o xenbr0 -j MASQUERADE".to_string(),
            ),
            (
                Rule::masquerade(net("fd00::/64"), name("xenbr0")),
                Action::Append,
                "ip6tables -t nat -A POSTROUTING -s fd00::/64 ! -o xenbr0 -j MASQUERADE".into(),
            ),
            (Rule::accept_from(name("eth0")), Action::Check, "iptables -C FORWARD -i eth0 -j ACCEPT".into()),
            (
                from(vec![]),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -j ACCEPT".into(),
            ),
            (
                from(vec![Match::Source(net("10.0.0.7"))]),
                Action::Delete,
                "iptables -D FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -s 10.0.0.7 -j ACCEPT".into(),
            ),
            (
                from(dhcp),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -p udp --sport 68 --dport 67 -j ACCEPT"
                    .into(),
            ),
            (
                Rule::to_port(name("vif1.0")),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-out vif1.0 -j ACCEPT".into(),
            ),
        ] {
            assert_eq!(rule.command(action), command);
            assert_eq!(format!("{} {}", program(rule.family), rule.arguments(action).join(" ")), command);
        }
    }

    #[test]
    fn a_published_port() {
        let rule = Rule {
            family: Family::V4,
            table: Table::Nat,
            chain: Chain::Prerouting,
            matches: vec![
                Match::Destination(Addresses::parse("127.0.0.0/8")).not(),
                Match::Protocol(Protocol::Tcp),
                Match::DestinationPort(Ports { first: 8000, last: 8010 }),
                Match::DestinationLocal,
            ],
            target: Target::Dnat { address: "10.0.0.7".parse().unwrap(), ports: Some(80.into()) },
        };
        assert_eq!(
            rule.command(Action::Append),
            "iptables -t nat -A PREROUTING ! -d 127.0.0.0/8 -p tcp --dport 8000:8010 -m addrtype --dst-type LOCAL \
             -j DNAT --to-destination 10.0.0.7:80"
        );
        let answers =
            Rule::accept(vec![Match::In(name("eth0")), Match::Conntrack(States::ESTABLISHED | States::RELATED)]);
        assert_eq!(
            answers.command(Action::Insert),
            "iptables -I FORWARD -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        );
    }
}
