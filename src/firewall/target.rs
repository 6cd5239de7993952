//! What a rule does with a packet.

use std::fmt;
use std::net::IpAddr;

use super::traffic::Ports;

/// What happens to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// It passes.
    Accept,
    /// It is dropped.
    Drop,
    /// It returns to the chain that called this one; in a chain of the kernel's own the policy decides.
    Return,
    /// Its source becomes the address of the interface by which it leaves.
    Masquerade,
    /// Its destination is replaced.
    Dnat {
        /// The new address.
        address: IpAddr,
        /// The new port, or the ports from which one is chosen; `None` leaves the port as it is.
        ports: Option<Ports>,
    },
}

/// As iptables takes it behind `-j`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Accept => f.write_str("ACCEPT"),
            Target::Drop => f.write_str("DROP"),
            Target::Return => f.write_str("RETURN"),
            Target::Masquerade => f.write_str("MASQUERADE"),
            Target::Dnat { address, ports: None } => write!(f, "DNAT --to-destination {address}"),
            Target::Dnat { address, ports: Some(ports) } => {
                match address {
                    IpAddr::V4(address) => write!(f, "DNAT --to-destination {address}:")?,
                    IpAddr::V6(address) => write!(f, "DNAT --to-destination [{address}]:")?,
                }
                match ports.first == ports.last {
                    true => write!(f, "{}", ports.first),
                    false => write!(f, "{}-{}", ports.first, ports.last),
                }
            }
        }
    }
}
