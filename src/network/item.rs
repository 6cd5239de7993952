//! The items that make up a network, or that one of Xen's network scripts sets up, and their lines in a stored state.

use std::fmt;

use ipnet::{IpNet, Ipv4Net};

use super::ip_config::IpConfig;
use super::opening::Opening;
use super::published::Published;
use crate::firewall::chain::{Chain, Policy, Table};
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::target::Target;
use crate::net::{Family, InterfaceName, Mac};

/// A part of a network. The host has it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The bridge itself.
    Bridge,
    /// A value of the bridge.
    Value {
        /// Which one.
        value: Value,
        /// What it is set to.
        to: u64,
        /// What it was before.
        from: u64,
    },
    /// An address of the bridge.
    Address(IpNet),
    /// An interface that is a port of the bridge.
    Port(InterfaceName),
    /// A port that leads to other hosts. Another program makes the interface, and may do so later.
    Tunnel(InterfaceName),
    /// An interface that is up.
    Up(InterfaceName),
    /// An interface without ARP and multicast.
    Silent(InterfaceName),
    /// Addresses and routes of one link that another one has.
    Moved {
        /// Whose they were.
        from: InterfaceName,
        /// Who has them.
        to: InterfaceName,
        /// What they are.
        config: Box<IpConfig>,
    },
    /// A link that has another name.
    Renamed(Box<Renaming>),
    /// A masqueraded network.
    Masquerade(Ipv4Net),
    /// Everything that leaves by the interface of a script is masqueraded.
    MasqueradeAll,
    /// The host answers ARP requests on the interface of a script for all addresses that it routes elsewhere.
    ProxyArp,
    /// Forwarded packets that arrive by this interface are accepted.
    Accept(InterfaceName),
    /// Frames that a port of a bridge receives are accepted.
    AcceptPort(InterfaceName),
    /// A rule of a published port.
    Publish(Published),
    /// A rule that lets packets pass a chain that drops them.
    Open(Opening),
    /// Forwarded packets that no rule accepts are dropped.
    Drop {
        /// The policy of chain FORWARD before.
        before: String,
    },
    /// A port that does not reach other isolated ports of its bridge (`brport/isolated`, Linux 4.18).
    Isolated(InterfaceName),
    /// Packets between guests are dropped that take the host for their router.
    Between(Family),
    /// Packets are forwarded between interfaces.
    Forwarding {
        /// Those of IPv6, else those of IPv4.
        v6: bool,
    },
    /// The host learns routes from routers behind this link although it forwards IPv6 packets (`accept_ra` is 2, not 1).
    AcceptRa(InterfaceName),
    /// The host's own firewall command has been run.
    Firewall(String),
}

/// Another name for a link and, if it gets one, another hardware address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// The link's index, which stays.
    pub index: i32,
    /// Its name before.
    pub from: InterfaceName,
    /// Its new name.
    pub to: InterfaceName,
    /// Its hardware address before, and the new one.
    pub macs: Option<[Mac; 2]>,
}

/// A value of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Spanning tree protocol: 0 off, 1 on.
    Stp,
    /// Forward delay in hundredths of a second.
    ForwardDelay,
    /// Bytes that a frame may carry.
    Mtu,
    /// Hardware address, as a number of 48 bits.
    Mac,
}

impl Value {
    /// What the kernel gives a new bridge (net/bridge/br_device.c, `br_dev_setup`; unchanged since 2.6.16). The hardware address
    /// is random; 0 stands for it.
    pub fn of_new_bridge(self) -> u64 {
        match self {
            Value::Stp | Value::Mac => 0,
            Value::ForwardDelay | Value::Mtu => 1500,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Value::Stp => "stp",
            Value::ForwardDelay => "forward-delay",
            Value::Mtu => "mtu",
            Value::Mac => "mac",
        }
    }

    /// Returns the text of a value in a stored state.
    fn text(self, number: u64) -> String {
        if self == Value::Mac { Mac::from_number(number).to_string() } else { number.to_string() }
    }

    fn parse(self, text: &str) -> Option<u64> {
        if self == Value::Mac { text.parse().ok().map(Mac::number) } else { text.parse().ok() }
    }
}

impl Item {
    /// Whether several networks may need it, so that the last one removes it.
    pub fn is_shared(&self) -> bool {
        matches!(self, Item::Accept(_) | Item::Drop { .. } | Item::Forwarding { .. } | Item::AcceptRa(_))
    }

    /// Whether deleting the bridge removes it.
    pub fn goes_with_bridge(&self) -> bool {
        matches!(self, Item::Value { .. } | Item::Address(_) | Item::Isolated(_))
    }

    /// Whether it cannot be there without the bridge.
    pub fn needs_bridge(&self, bridge: &InterfaceName) -> bool {
        match self {
            Item::Bridge
            | Item::Value { .. }
            | Item::Address(_)
            | Item::Port(_)
            | Item::Tunnel(_)
            | Item::Isolated(_) => true,
            Item::Up(link) | Item::Moved { to: link, .. } => link == bridge,
            _ => false,
        }
    }

    /// Whether both are one item, whatever was there before it.
    pub fn is(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Value { value, .. }, Item::Value { value: other, .. }) => value == other,
            (Item::Drop { .. }, Item::Drop { .. }) => true,
            (Item::Moved { from, to, .. }, Item::Moved { from: other, to: place, .. }) => from == other && to == place,
            (item, other) => item == other,
        }
    }

    /// Whether the firewall has it.
    pub fn is_of_firewall(&self) -> bool {
        matches!(
            self,
            Item::Masquerade(_)
                | Item::MasqueradeAll
                | Item::Accept(_)
                | Item::AcceptPort(_)
                | Item::Publish(_)
                | Item::Drop { .. }
                | Item::Between(_)
        )
    }

    /// Returns the firewall's rule that it stands for.
    pub fn rule(&self, bridge: &InterfaceName) -> Option<Rule> {
        match self {
            Item::Masquerade(net) => Some(Rule::masquerade(*net, bridge.clone())),
            Item::MasqueradeAll => Some(Rule::masquerade_all(bridge.clone())),
            Item::Accept(interface) => Some(Rule::accept_from(interface.clone())),
            Item::AcceptPort(port) => Some(Rule::accept(vec![Match::PortIn(port.clone())])),
            Item::Publish(published) => Some(published.rule(bridge)),
            Item::Between(family) => {
                let matches = vec![Match::In(bridge.clone()), Match::Out(bridge.clone())];
                let (table, chain, target) = (Table::Filter, Chain::Forward, Target::Drop);
                Some(Rule { family: *family, table, chain, matches, target })
            }
            _ => None,
        }
    }

    /// Returns the word that begins its line of a stored state.
    pub fn keyword(&self) -> &'static str {
        match self {
            Item::Bridge => "bridge",
            Item::Value { value, .. } => value.name(),
            Item::Address(_) => "address",
            Item::Port(_) => "port",
            Item::Tunnel(_) => "tunnel",
            Item::Up(_) => "up",
            Item::Silent(_) => "silent",
            Item::Moved { .. } => "moved",
            Item::Renamed(_) => "renamed",
            Item::Masquerade(_) => "masquerade",
            Item::MasqueradeAll => "masquerade-all",
            Item::ProxyArp => "proxy-arp",
            Item::Accept(_) => "accept",
            Item::AcceptPort(_) => "accept-port",
            Item::Publish(_) => "publish",
            Item::Open(_) => "open",
            Item::Drop { .. } => "drop",
            Item::Forwarding { .. } => "forwarding",
            Item::Isolated(_) => "isolated",
            Item::Between(_) => "between",
            Item::AcceptRa(_) => "accept-ra",
            Item::Firewall(_) => "firewall",
        }
    }

    /// Parses a line of a stored state, as [`Item`]'s Display writes it.
    pub fn parse(line: &str) -> Option<Item> {
        let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
        let value = |value: Value| {
            let (to, from) = rest.split_once(' ')?;
            Some(Item::Value { value, to: value.parse(to)?, from: value.parse(from)? })
        };
        Some(match keyword {
            "bridge" => Item::Bridge,
            "stp" => value(Value::Stp)?,
            "forward-delay" => value(Value::ForwardDelay)?,
            "mtu" => value(Value::Mtu)?,
            "mac" => value(Value::Mac)?,
            "address" => Item::Address(rest.parse().ok()?),
            "port" => Item::Port(rest.parse().ok()?),
            "tunnel" => Item::Tunnel(rest.parse().ok()?),
            "up" => Item::Up(rest.parse().ok()?),
            "isolated" => Item::Isolated(rest.parse().ok()?),
            "between" => Item::Between(if rest == "6" { Family::V6 } else { Family::V4 }),
            "accept-ra" => Item::AcceptRa(rest.parse().ok()?),
            "silent" => Item::Silent(rest.parse().ok()?),
            "moved" => {
                let mut words = rest.split(' ');
                let mut name = || words.next()?.parse().ok();
                let (from, to) = (name()?, name()?);
                Item::Moved { from, to, config: Box::new(IpConfig::parse(words)?) }
            }
            "renamed" => Item::Renamed(Box::new(Renaming::parse(rest)?)),
            "masquerade" => Item::Masquerade(rest.parse().ok()?),
            "masquerade-all" => Item::MasqueradeAll,
            "proxy-arp" => Item::ProxyArp,
            "accept" => Item::Accept(rest.parse().ok()?),
            "accept-port" => Item::AcceptPort(rest.parse().ok()?),
            "publish" => Item::Publish(Published::parse(rest)?),
            "open" => Item::Open(Opening::parse(rest)?),
            "drop" => Item::Drop { before: Policy::parse(rest)?.to_string() },
            "forwarding" => Item::Forwarding { v6: rest == "6" },
            "firewall" if !rest.chars().any(|c| c.is_control() && c != '\t') => Item::Firewall(rest.into()),
            _ => return None,
        })
    }
}

/// A line of a stored state: the keyword, and what belongs to it.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())?;
        match self {
            Item::Bridge | Item::MasqueradeAll | Item::ProxyArp => Ok(()),
            Item::Value { value, to, from } => write!(f, " {} {}", value.text(*to), value.text(*from)),
            Item::Address(net) => write!(f, " {net}"),
            Item::Port(name)
            | Item::Tunnel(name)
            | Item::Up(name)
            | Item::Accept(name)
            | Item::AcceptPort(name)
            | Item::Silent(name)
            | Item::AcceptRa(name)
            | Item::Isolated(name) => {
                write!(f, " {name}")
            }
            Item::Moved { from, to, config } => write!(f, " {from} {to}{config}"),
            Item::Renamed(renaming) => write!(f, " {renaming}"),
            Item::Masquerade(net) => write!(f, " {net}"),
            Item::Publish(published) => write!(f, " {published}"),
            Item::Open(opening) => write!(f, " {opening}"),
            Item::Drop { before } => write!(f, " {before}"),
            Item::Between(family) => write!(f, " {}", if *family == Family::V6 { 6 } else { 4 }),
            Item::Forwarding { v6 } => write!(f, " {}", if *v6 { 6 } else { 4 }),
            Item::Firewall(command) => write!(f, " {command}"),
        }
    }
}

impl Renaming {
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let (index, from, to, macs) = match words[..] {
            [index, from, to] => (index, from, to, None),
            [index, from, to, old, new] => (index, from, to, Some([old.parse().ok()?, new.parse().ok()?])),
            _ => return None,
        };
        Some(Renaming { index: index.parse().ok()?, from: from.parse().ok()?, to: to.parse().ok()?, macs })
    }
}

/// `INDEX FROM TO`, and both hardware addresses if there are any.
impl fmt::Display for Renaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Renaming { index, from, to, macs } = self;
        write!(f, "{index} {from} {to}")?;
        macs.map_or(Ok(()), |[old, new]| write!(f, " {old} {new}"))
    }
}
