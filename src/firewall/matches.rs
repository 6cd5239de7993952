//! What a rule's packets must match.

use std::fmt;

use super::addresses::Addresses;
use super::traffic::{Ports, Protocol, States};
use crate::net::InterfaceName;

/// What a packet must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// `-i`: the interface by which it arrives.
    In(InterfaceName),
    /// `-o`: the interface by which it leaves.
    Out(InterfaceName),
    /// `-s`: its source.
    Source(Addresses),
    /// `-d`: its destination.
    Destination(Addresses),
    /// `-p`: its protocol.
    Protocol(Protocol),
    /// `--sport`: its source port; behind [`Match::Protocol`] with TCP or UDP.
    SourcePort(Ports),
    /// `--dport`: its destination port; behind [`Match::Protocol`] with TCP or UDP.
    DestinationPort(Ports),
    /// `-m physdev --physdev-is-bridged`: it stays on its bridge.
    IsBridged,
    /// `-m physdev --physdev-in`: the bridge port by which it arrives.
    PortIn(InterfaceName),
    /// `-m physdev --physdev-out`: the bridge port by which it leaves.
    PortOut(InterfaceName),
    /// `-m state --state`: the state of its connection, in the words of iptables before 1.4.
    State(States),
    /// `-m conntrack --ctstate`: the state of its connection.
    Conntrack(States),
    /// `-m addrtype --src-type LOCAL`: its source is an address of the host.
    SourceLocal,
    /// `-m addrtype --dst-type LOCAL`: its destination is an address of the host.
    DestinationLocal,
    /// `!`: it must not match this.
    Not(Box<Match>),
}

/// The module of a match, which iptables loads and the kernel has an entry for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// `tcp` or `udp`, which `-p` loads.
    Ports,
    /// `physdev`
    Physdev,
    /// `state`
    State,
    /// `conntrack`
    Conntrack,
    /// `addrtype`
    Addrtype,
}

impl Module {
    /// Returns its name as an argument of `-m`, if one is typed.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Module::Ports => None,
            Module::Physdev => Some("physdev"),
            Module::State => Some("state"),
            Module::Conntrack => Some("conntrack"),
            Module::Addrtype => Some("addrtype"),
        }
    }
}

impl Match {
    /// Returns the opposite.
    #[allow(clippy::should_implement_trait, reason = "`!` reads as an operation on a boolean")]
    pub fn not(self) -> Self {
        match self {
            Match::Not(inner) => *inner,
            other => Match::Not(Box::new(other)),
        }
    }

    /// Returns the match without `!`, and whether there was one.
    pub fn plain(&self) -> (&Match, bool) {
        match self {
            Match::Not(inner) => (inner.plain().0, !inner.plain().1),
            other => (other, false),
        }
    }

    /// Returns its module; `None` if every rule has a place for it.
    pub fn module(&self) -> Option<Module> {
        match self.plain().0 {
            Match::In(_) | Match::Out(_) | Match::Source(_) | Match::Destination(_) | Match::Protocol(_) => None,
            Match::SourcePort(_) | Match::DestinationPort(_) => Some(Module::Ports),
            Match::IsBridged | Match::PortIn(_) | Match::PortOut(_) => Some(Module::Physdev),
            Match::State(_) => Some(Module::State),
            Match::Conntrack(_) => Some(Module::Conntrack),
            Match::SourceLocal | Match::DestinationLocal => Some(Module::Addrtype),
            Match::Not(_) => None,
        }
    }
}

/// As iptables takes it, without the module.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Match::In(name) => write!(f, "-i {name}"),
            Match::Out(name) => write!(f, "-o {name}"),
            Match::Source(net) => write!(f, "-s {net}"),
            Match::Destination(net) => write!(f, "-d {net}"),
            Match::Protocol(protocol) => write!(f, "-p {protocol}"),
            Match::SourcePort(ports) => write!(f, "--sport {ports}"),
            Match::DestinationPort(ports) => write!(f, "--dport {ports}"),
            Match::IsBridged => f.write_str("--physdev-is-bridged"),
            Match::PortIn(name) => write!(f, "--physdev-in {name}"),
            Match::PortOut(name) => write!(f, "--physdev-out {name}"),
            Match::State(states) => write!(f, "--state {states}"),
            Match::Conntrack(states) => write!(f, "--ctstate {states}"),
            Match::SourceLocal => f.write_str("--src-type LOCAL"),
            Match::DestinationLocal => f.write_str("--dst-type LOCAL"),
            Match::Not(inner) => write!(f, "! {inner}"),
        }
    }
}
