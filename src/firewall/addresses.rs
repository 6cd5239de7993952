//! Addresses and networks of rules.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::net::Family;

/// An address or network of a rule, in the words that were typed.
#[derive(Clone, Debug)]
pub struct Addresses {
    net: Option<IpNet>,
    text: String,
}

impl Addresses {
    /// Takes an address, or a network with a prefix length or a mask. iptables takes other texts too, such as names, but only
    /// iptables understands them.
    pub fn parse(text: &str) -> Self {
        Addresses { net: parse_net(text), text: text.into() }
    }

    /// Returns the network, without host bits; `None` if only iptables understands the text.
    pub fn net(&self) -> Option<IpNet> {
        self.net
    }

    /// Returns its family; `None` if only iptables understands the text.
    pub fn family(&self) -> Option<Family> {
        self.net.as_ref().map(Family::of)
    }
}

fn parse_net(text: &str) -> Option<IpNet> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let net = match (address, mask) {
        (address, None) => IpNet::from(address),
        (IpAddr::V4(address), Some(mask)) if mask.contains('.') => {
            IpNet::V4(Ipv4Net::with_netmask(address, mask.parse().ok()?).ok()?)
        }
        (address, Some(length)) => IpNet::new(address, length.parse().ok()?).ok()?,
    };
    Some(net.trunc())
}

/// Two spellings of one network are equal.
impl PartialEq for Addresses {
    fn eq(&self, other: &Self) -> bool {
        match (self.net, other.net) {
            (None, None) => self.text == other.text,
            (net, other) => net == other,
        }
    }
}

impl Eq for Addresses {}

impl From<IpNet> for Addresses {
    fn from(net: IpNet) -> Self {
        Addresses { net: Some(net.trunc()), text: net.to_string() }
    }
}

impl From<Ipv4Net> for Addresses {
    fn from(net: Ipv4Net) -> Self {
        IpNet::V4(net).into()
    }
}

impl From<Ipv6Net> for Addresses {
    fn from(net: Ipv6Net) -> Self {
        IpNet::V6(net).into()
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Self {
        Addresses { net: Some(address.into()), text: address.to_string() }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
