//! What a plan has to say, and why there is none.

use std::fmt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::conflict::Conflict;
use super::context::Cause;
use super::item::Item;
use super::overlap::Overlap;
use super::step::Step;
use crate::error::errno_text;
use crate::firewall::choice::Kind;
use crate::net::InterfaceName;

/// Something that the user should know: what a removal leaves or releases, what a network does without.
#[derive(Debug)]
pub enum Remark {
    /// The bridge stays because of these addresses.
    ForeignAddresses(Vec<IpNet>),
    /// Ports of others lose their bridge.
    PortsReleased(Vec<String>),
    /// Ports of others stay on the bridge.
    PortsLeft(Vec<String>),
    /// An item stays, because no record says how the host was before. The step that makes it.
    NoRecord(Step),
    /// The kernel cannot isolate ports, so that guests reach each other on the bridge.
    NotIsolated,
    /// The network is made though something else leads there.
    Overlap(Overlap),
    /// A tunnel that is not there yet.
    Awaited(InterfaceName),
    /// A tunnel whose MTU is less than what guests send, in bytes: its own, and theirs.
    Narrow(InterfaceName, i32, i32),
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PlanError {
    /// The spec gives the bridge no address.
    NoAddress,
    /// An interface that is no bridge has the bridge's name.
    NotABridge(InterfaceName),
    /// The network is up with another bridge.
    OtherBridge(InterfaceName),
    /// There is no such interface.
    NoInterface(InterfaceName),
    /// The interface is a port of another bridge.
    PortOf(InterfaceName, String),
    /// No bridge takes the interface as a port: why.
    NotAPort(InterfaceName, &'static str),
    /// It is not known whether an item is there.
    Item(Box<Item>, Cause),
    /// The bridge, an interface or the firewall cannot be examined.
    Other(Cause),
    /// The addresses of the bridge cannot be listed.
    Addresses(Errno),
    /// Another publishes the port, or listens on it.
    Conflict(Box<Conflict>),
    /// Something else leads to addresses of the network.
    Overlap(Overlap),
    /// The network is up, and this holds its firewall rules.
    OtherBackend(Kind),
    /// firewalld drops the packets of the bridge, by this rule.
    Firewalld(InterfaceName, String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoAddress => f.write_str(
                "no address: give the bridge one (--address 192.168.10.1/24), or a file /etc/brouter/NAME.conf",
            ),
            PlanError::NotABridge(name) => write!(f, "{name} is not a bridge, and is left alone"),
            PlanError::OtherBridge(bridge) => write!(f, "is up with the bridge {bridge}: brouter down it first"),
            PlanError::NoInterface(name) => write!(f, "there is no interface {name}"),
            PlanError::PortOf(port, bridge) => write!(f, "{port} is a port of {bridge}"),
            PlanError::NotAPort(port, why) => write!(f, "{port} cannot be a port: {why}"),
            PlanError::Item(item, cause) => write!(f, "{item}: {cause}"),
            PlanError::Other(cause) => cause.fmt(f),
            PlanError::Conflict(conflict) => conflict.fmt(f),
            PlanError::Overlap(overlap) => overlap.fmt(f),
            PlanError::OtherBackend(backend) => {
                write!(f, "is up with the firewall backend {backend}: brouter down it first")
            }
            PlanError::Firewalld(bridge, by) => write!(
                f,
                "guests' packets are dropped by {by}, which only firewalld can change: \
                 firewall-cmd --permanent --zone=trusted --add-interface={bridge} && firewall-cmd --reload"
            ),
            PlanError::Addresses(errno) => write!(f, "cannot list addresses: {}", errno_text(*errno)),
        }
    }
}

impl From<Cause> for PlanError {
    fn from(cause: Cause) -> Self {
        PlanError::Other(cause)
    }
}

impl From<Errno> for PlanError {
    fn from(errno: Errno) -> Self {
        PlanError::Other(Cause::Kernel(errno))
    }
}

/// What a planner returns.
pub(super) type Result<T> = std::result::Result<T, PlanError>;
