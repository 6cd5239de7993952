//! Packets that a network needs to be forwarded, and the rules that let them pass a chain that drops them.

use std::fmt;

use ipnet::IpNet;

use super::publication::Publication;
use crate::firewall::chain::{Chain, Table};
use crate::firewall::matches::Match;
use crate::firewall::opening::Place;
use crate::firewall::packet::{Endpoint, Packet, Transport};
use crate::firewall::rule::Rule;
use crate::firewall::target::Target;
use crate::firewall::traffic::States;
use crate::net::{Family, InterfaceName};

/// A rule that lets packets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The chain that drops them.
    pub place: Place,
    /// Which packets.
    pub flow: Flow,
}

/// Packets that a network needs to be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Those from the bridge to the outside.
    Out(Family, InterfaceName),
    /// Answers to them.
    Back(Family, InterfaceName),
    /// Those to published ports.
    To(Publication),
    /// Answers of published ports.
    From(Publication),
}

impl Flow {
    /// Returns the rule that accepts these packets.
    pub fn rule(&self, bridge: &InterfaceName) -> Rule {
        let bridge = bridge.clone();
        let exact = |publication: &Publication| IpNet::from(publication.guest).into();
        let (family, matches) = match self {
            Flow::Out(family, outside) => (*family, vec![Match::In(bridge), Match::Out(outside.clone())]),
            Flow::Back(family, outside) => {
                let answers = Match::State(States::RELATED | States::ESTABLISHED);
                (*family, vec![Match::In(outside.clone()), Match::Out(bridge), answers])
            }
            Flow::To(publication) => {
                let matches = vec![
                    Match::Destination(exact(publication)),
                    Match::Out(bridge),
                    Match::Protocol(publication.protocol),
                    Match::DestinationPort(publication.guest_ports),
                    Match::Conntrack(States::DNAT),
                ];
                (publication.family(), matches)
            }
            Flow::From(publication) => {
                let matches = vec![
                    Match::Source(exact(publication)),
                    Match::In(bridge),
                    Match::Protocol(publication.protocol),
                    Match::SourcePort(publication.guest_ports),
                    Match::Conntrack(States::DNAT),
                ];
                (publication.family(), matches)
            }
        };
        Rule { family, table: Table::Filter, chain: Chain::Forward, matches, target: Target::Accept }
    }

    /// Returns such a packet: `net` is the network on the bridge.
    pub(crate) fn packet<'a>(&'a self, bridge: &'a InterfaceName, net: &'a IpNet) -> Packet<'a> {
        let inner = Endpoint { interface: Some(bridge.as_str()), net: Some(net) };
        let outer =
            |outside: Option<&'a InterfaceName>| Endpoint { interface: outside.map(InterfaceName::as_str), net: None };
        let plain = Packet { transport: None, ..Packet::routed(inner, outer(None)) };
        match self {
            Flow::Out(_, outside) => Packet { to: outer(Some(outside)), ..plain },
            Flow::Back(_, outside) => Packet { from: outer(Some(outside)), to: inner, is_reply: true, ..plain },
            Flow::To(publication) => {
                let ports = Transport {
                    protocol: publication.protocol,
                    source: None,
                    destination: Some(publication.guest_ports),
                };
                Packet { from: outer(None), to: inner, transport: Some(ports), ..plain }
            }
            Flow::From(publication) => {
                let ports = Transport {
                    protocol: publication.protocol,
                    source: Some(publication.guest_ports),
                    destination: None,
                };
                Packet { transport: Some(ports), is_reply: true, ..plain }
            }
        }
    }

    /// Returns the family of the addresses.
    pub fn family(&self) -> Family {
        match self {
            Flow::Out(family, _) | Flow::Back(family, _) => *family,
            Flow::To(publication) | Flow::From(publication) => publication.family(),
        }
    }
}

impl Opening {
    /// Parses what Display writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (place, word, value) = (Place::parse(words.next()?)?, words.next()?, words.next()?);
        let family = match words.next() {
            None => None,
            Some("4") => Some(Family::V4),
            Some("6") => Some(Family::V6),
            Some(_) => return None,
        };
        let flow = match (word, family) {
            ("out", Some(family)) => Flow::Out(family, value.parse().ok()?),
            ("back", Some(family)) => Flow::Back(family, value.parse().ok()?),
            ("to", None) => Flow::To(value.parse().ok()?),
            ("from", None) => Flow::From(value.parse().ok()?),
            _ => return None,
        };
        Some(Opening { place, flow }).filter(|_| words.next().is_none())
    }
}

/// The rest of a line of a stored state.
impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |family: &Family| if *family == Family::V6 { 6 } else { 4 };
        write!(f, "{} ", self.place)?;
        match &self.flow {
            Flow::Out(family, outside) => write!(f, "out {outside} {}", number(family)),
            Flow::Back(family, outside) => write!(f, "back {outside} {}", number(family)),
            Flow::To(publication) => write!(f, "to {publication}"),
            Flow::From(publication) => write!(f, "from {publication}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::rule::Action;

    #[test]
    fn openings_as_they_are_stored_and_typed() {
        let bridge = "b0".parse().unwrap();
        for (text, line) in [
            ("legacy out eth0 4", "iptables -I FORWARD -i b0 -o eth0 -j ACCEPT"),
            (
                "iptables-nft back eth0 6",
                "ip6tables -I FORWARD -i eth0 -o b0 -m state --state RELATED,ESTABLISHED -j ACCEPT",
            ),
            (
                "nft:inet:own:fw to 8080:10.0.0.7:80/tcp",
                "iptables -I FORWARD -d 10.0.0.7/32 -o b0 -p tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT",
            ),
            (
                "legacy from 8080:10.0.0.7:80/tcp",
                "iptables -I FORWARD -s 10.0.0.7/32 -i b0 -p tcp --sport 80 -m conntrack --ctstate DNAT -j ACCEPT",
            ),
        ] {
            let opening = Opening::parse(text).unwrap();
            assert_eq!(opening.to_string(), text);
            assert_eq!(opening.flow.rule(&bridge).command(Action::Insert), line);
        }
        for wrong in ["legacy out eth0", "legacy out eth0 5", "legacy to 80:10.0.0.7 4", "nowhere out eth0 4"] {
            assert_eq!(Opening::parse(wrong), None, "{wrong}");
        }
    }
}
