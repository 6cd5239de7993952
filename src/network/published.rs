//! The rules that a publication needs, each of them an item of its own.
//!
//! Connections to the host's addresses are sent on to the guest in PREROUTING, and those of the host itself in OUTPUT. Guests of the
//! same bridge that connect by the host's address get the host's as their source (POSTROUTING), so that the answer comes back by the
//! host. Connections to 127.0.0.0/8, ::1 and the address by which guests reach the host are left alone: what guests ask their router,
//! such as names, stays with it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::publication::Publication;
use crate::firewall::chain::{Chain, Table};
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::target::Target;
use crate::firewall::traffic::States;
use crate::net::{Family, InterfaceName};

/// One rule of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What the rule does.
    pub part: Part,
    /// What is published: a port, or a range that keeps its numbers.
    pub publication: Publication,
    /// The bridge's address in the guest's network, with its prefix.
    pub gateway: IpNet,
}

/// What a rule of a publication does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Sends on what arrives.
    Arriving,
    /// Sends on what the host itself sends.
    Own,
    /// Gives what guests send on this way the host's address.
    Hairpin,
    /// Leaves alone what arrives for another address of the bridge.
    SparedArriving(IpAddr),
    /// Leaves alone what the host itself sends to another address of the bridge.
    SparedOwn(IpAddr),
}

/// Returns the rules of publications, on a bridge with these addresses.
pub fn rules_of(publications: &[Publication], addresses: &[IpNet]) -> Vec<Published> {
    let mut rules: Vec<Published> = Vec::new();
    for publication in publications {
        let Some(&gateway) = addresses.iter().find(|net| net.contains(&publication.guest)) else { continue };
        // a rule has room for one exception
        let others = addresses.iter().map(IpNet::addr).filter(|other| {
            publication.address.is_none() && other.is_ipv4() == publication.guest.is_ipv4() && *other != gateway.addr()
        });
        let spared = others.flat_map(|other| [Part::SparedArriving(other), Part::SparedOwn(other)]);
        let parts: Vec<Part> = spared.chain([Part::Arriving, Part::Own, Part::Hairpin]).collect();
        for publication in publication.split() {
            rules.extend(parts.iter().map(|&part| Published { part, publication, gateway }));
        }
    }
    rules
}

impl Published {
    /// Returns the rule.
    pub fn rule(&self, bridge: &InterfaceName) -> Rule {
        let Publication { protocol, address, ports, guest, guest_ports } = self.publication;
        let exact = |address: IpAddr| Match::Destination(IpNet::from(address).into());
        let arriving = || {
            let spared = match self.part {
                Part::Own => Some(loopback(guest)),
                // what guests ask their router at its link-local address
                _ => Some(link_local()).filter(|_| guest.is_ipv6()),
            };
            let mut matches: Vec<Match> = spared.map(|net| Match::Source(net.into()).not()).into_iter().collect();
            matches.push(address.map_or_else(|| exact(self.gateway.addr()).not(), exact));
            matches.extend([Match::Protocol(protocol), Match::DestinationPort(ports), Match::DestinationLocal]);
            matches
        };
        let spare = |other: IpAddr| vec![exact(other), Match::Protocol(protocol), Match::DestinationPort(ports)];
        let ports = Some(guest_ports).filter(|guest_ports| *guest_ports != ports);
        let dnat = Target::Dnat { address: guest, ports };
        let (chain, matches, target) = match self.part {
            Part::Arriving => (Chain::Prerouting, arriving(), dnat),
            Part::Own => (Chain::Output, arriving(), dnat),
            Part::SparedArriving(other) => (Chain::Prerouting, spare(other), Target::Accept),
            Part::SparedOwn(other) => (Chain::Output, spare(other), Target::Accept),
            Part::Hairpin => {
                let matches = vec![
                    Match::Source(self.gateway.trunc().into()),
                    exact(guest),
                    Match::Out(bridge.clone()),
                    Match::Protocol(protocol),
                    Match::DestinationPort(guest_ports),
                    Match::Conntrack(States::DNAT),
                ];
                (Chain::Postrouting, matches, Target::Masquerade)
            }
        };
        Rule { family: self.family(), table: Table::Nat, chain, matches, target }
    }

    /// Returns the family of the addresses.
    pub fn family(&self) -> Family {
        Family::of(&self.gateway)
    }

    /// Parses what Display writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (word, publication, gateway) = (words.next()?, words.next()?, words.next()?);
        let spared = words.next().map(str::parse);
        let part = match (word, spared) {
            ("arriving", None) => Part::Arriving,
            ("own", None) => Part::Own,
            ("hairpin", None) => Part::Hairpin,
            ("spared-arriving", Some(Ok(other))) => Part::SparedArriving(other),
            ("spared-own", Some(Ok(other))) => Part::SparedOwn(other),
            _ => return None,
        };
        let own = Published { part, publication: publication.parse().ok()?, gateway: gateway.parse().ok()? };
        Some(own).filter(|_| words.next().is_none())
    }
}

fn loopback(guest: IpAddr) -> IpNet {
    match guest {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        IpAddr::V6(_) => IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
    }
}

fn link_local() -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10))
}

/// The rest of a line of a stored state.
impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, spared) = match self.part {
            Part::Arriving => ("arriving", None),
            Part::Own => ("own", None),
            Part::Hairpin => ("hairpin", None),
            Part::SparedArriving(other) => ("spared-arriving", Some(other)),
            Part::SparedOwn(other) => ("spared-own", Some(other)),
        };
        write!(f, "{word} {} {}", self.publication, self.gateway)?;
        spared.map_or(Ok(()), |spared| write!(f, " {spared}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::rule::Action;

    fn lines(publication: &str, addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<IpNet> = addresses.iter().map(|net| net.parse().unwrap()).collect();
        let rules = rules_of(&[publication.parse().unwrap()], &addresses);
        for rule in &rules {
            assert_eq!(Published::parse(&rule.to_string()).as_ref(), Some(rule), "{rule}");
        }
        let bridge = "b0".parse().unwrap();
        rules.iter().map(|published| published.rule(&bridge).command(Action::Append)).collect()
    }

    #[test]
    fn the_rules_of_a_publication() {
        assert_eq!(
            lines("8080:10.9.0.7:80", &["10.9.0.1/24"]),
            [
                "iptables -t nat -A PREROUTING ! -d 10.9.0.1/32 -p tcp --dport 8080 -m addrtype --dst-type LOCAL \
                 -j DNAT --to-destination 10.9.0.7:80",
                "iptables -t nat -A OUTPUT ! -s 127.0.0.0/8 ! -d 10.9.0.1/32 -p tcp --dport 8080 -m addrtype --dst-type \
                 LOCAL -j DNAT --to-destination 10.9.0.7:80",
                "iptables -t nat -A POSTROUTING -s 10.9.0.0/24 -d 10.9.0.7/32 -o b0 -p tcp --dport 80 -m conntrack \
                 --ctstate DNAT -j MASQUERADE",
            ]
        );
        let several = lines("192.0.2.1:53:10.9.0.7/udp", &["10.8.0.1/24", "10.9.0.1/24"]);
        assert_eq!(
            several[0],
            "iptables -t nat -A PREROUTING -d 192.0.2.1/32 -p udp --dport 53 -m addrtype --dst-type LOCAL -j DNAT \
             --to-destination 10.9.0.7"
        );
        let several = lines("53-54:10.9.0.7:63-64/udp", &["10.8.0.1/24", "10.9.0.1/24", "fd00::1/64"]);
        assert_eq!(several.len(), 10);
        assert_eq!(several[0], "iptables -t nat -A PREROUTING -d 10.8.0.1/32 -p udp --dport 53 -j ACCEPT");
        assert!(several[7].ends_with("--dport 54 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.9.0.7:64"));
        let six = lines("80:[fd00::7]", &["10.8.0.1/24", "fd00::1/64"]);
        assert_eq!(
            six[0],
            "ip6tables -t nat -A PREROUTING ! -s fe80::/10 ! -d fd00::1/128 -p tcp --dport 80 -m addrtype --dst-type LOCAL \
             -j DNAT --to-destination fd00::7"
        );
        assert!(six[1].starts_with("ip6tables -t nat -A OUTPUT ! -s ::1/128 ! -d fd00::1/128 -p tcp"), "{}", six[1]);
        assert_eq!(Published::parse("own 80:10.0.0.7 10.0.0.1/24 10.0.0.2"), None);
        assert_eq!(Published::parse("else 80:10.0.0.7 10.0.0.1/24"), None);
    }
}
