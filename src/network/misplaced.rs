//! Addresses that cannot be a bridge's, whatever the host is like.

use std::fmt;

use ipnet::IpNet;

/// Why an address cannot be a bridge's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// It stands for the network as a whole.
    Network(IpNet),
    /// It is the network's broadcast address.
    Broadcast(IpNet),
    /// No guest has room beside it, or all addresses are in the network.
    Room(IpNet),
}

impl Misplaced {
    /// Returns what is wrong with the address of a bridge, if something is.
    pub fn of(net: IpNet) -> Option<Self> {
        let bits = net.max_prefix_len() - net.prefix_len();
        match net {
            _ if bits == 0 || net.prefix_len() == 0 => Some(Misplaced::Room(net)),
            // two addresses have neither (RFC 3021, RFC 6164)
            _ if bits == 1 => None,
            _ if net.addr() == net.network() => Some(Misplaced::Network(net)),
            IpNet::V4(own) if own.addr() == own.broadcast() => Some(Misplaced::Broadcast(net)),
            _ => None,
        }
    }

    /// Returns what is wrong.
    pub fn what(self) -> &'static str {
        match self {
            Misplaced::Network(_) => "this is the address of the network itself",
            Misplaced::Broadcast(_) => "this is the broadcast address",
            Misplaced::Room(_) => "this prefix is no network of guests",
        }
    }

    /// Whether somebody may want it all the same, such as a host that routes each guest's address.
    pub fn can_be_forced(self) -> bool {
        matches!(self, Misplaced::Room(_))
    }
}

/// What is wrong, and what to do about it.
impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what())?;
        match self {
            Misplaced::Network(net) | Misplaced::Broadcast(net) => {
                f.write_str(": give the bridge one of its own")?;
                let own = net.hosts().find(|address| *address != net.network());
                own.map_or(Ok(()), |own| write!(f, ", such as {own}/{}", net.prefix_len()))
            }
            Misplaced::Room(net) => {
                let length = if net.addr().is_ipv4() { 24 } else { 64 };
                write!(f, ": give another one, such as {}/{length}, or --force", net.addr())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_a_bridge_can_have() {
        let found = |text: &str| Misplaced::of(text.parse().unwrap()).map(|found| found.to_string());
        for good in [
            "10.0.0.1/24",
            "10.0.0.0/31",
            "10.0.0.1/31",
            "10.0.1.0/23",
            "10.0.0.255/23",
            "fd00::1/64",
            "fd00::ffff/112",
            "fd00::/127",
        ] {
            assert_eq!(found(good), None, "{good}");
        }
        for (bad, wanted) in [
            (
                "10.3.0.0/24",
                "this is the address of the network itself: give the bridge one of its own, such as 10.3.0.1/24",
            ),
            ("10.0.0.255/24", "this is the broadcast address: give the bridge one of its own, such as 10.0.0.1/24"),
            ("10.0.0.3/30", "this is the broadcast address: give the bridge one of its own, such as 10.0.0.1/30"),
            (
                "fd00::/64",
                "this is the address of the network itself: give the bridge one of its own, such as fd00::1/64",
            ),
            ("10.0.0.1/32", "this prefix is no network of guests: give another one, such as 10.0.0.1/24, or --force"),
            ("10.0.0.1/0", "this prefix is no network of guests: give another one, such as 10.0.0.1/24, or --force"),
            ("fd00::1/128", "this prefix is no network of guests: give another one, such as fd00::1/64, or --force"),
        ] {
            assert_eq!(found(bad).as_deref(), Some(wanted));
        }
    }
}
