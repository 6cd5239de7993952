//! What a call asks for beside its command.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use crate::net::prefix::{Family, Notation, Prefix};
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::Context;

/// What is added to the last number of the guest's address to have that of its router.
const ROUTER: u8 = 127;

/// What the route must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NatConfig {
    /// The address of this host on the interface: the guest's router.
    pub(super) router: Ipv4Addr,
    /// The guest's addresses.
    pub(super) nets: Vec<IpNet>,
    pub(super) antispoof: bool,
}

impl NatConfig {
    /// Reads keys and arguments. A key counts even if it is empty.
    ///
    /// # Errors
    /// xenstored does not answer; a value cannot be used.
    pub(super) fn read(context: &mut Context) -> Result<Self, VifError> {
        match context.arguments.value("dhcp").as_deref() {
            None | Some("no") => (),
            Some(_) => return Err(VifError::Dhcp),
        }
        let ip = context.keys.value("ip")?.or_else(|| context.arguments.value("ip")).unwrap_or_default();
        let mut addresses = ip.split_whitespace().map(address).collect::<Result<Vec<_>, _>>()?;
        if addresses.is_empty() {
            addresses.push(default_address(number(context, "frontend-id")?, number(context, "handle")?)?);
        }
        Ok(NatConfig {
            router: router(addresses[0])?,
            nets: addresses.into_iter().map(|address| Ipv4Net::from(address).into()).collect(),
            antispoof: context.arguments.value("antispoof").as_deref() != Some("no"),
        })
    }
}

/// Parses an address of the guest. The prefix behind it is the guest's.
fn address(word: &str) -> Result<Ipv4Addr, VifError> {
    match Prefix::parse(word.as_bytes(), Family::Inet, Notation::C) {
        Some(Prefix::Net { net: IpNet::V4(net), .. }) => Ok(net.addr()),
        _ => Err(VifError::NatAddress(word.into())),
    }
}

/// Reads a key that is a number.
fn number(context: &mut Context, name: &'static str) -> Result<u16, VifError> {
    let value = context.keys.value(name)?;
    value.and_then(|value| value.trim().parse().ok()).ok_or(VifError::NoNumber(name))
}

/// Returns the address of a guest that has none of its own: 10.GUEST.GUEST.DEVICE, devices counted from 1.
fn default_address(guest: u16, device: u16) -> Result<Ipv4Addr, VifError> {
    let [high, low] = guest.to_be_bytes();
    let device =
        u8::try_from(device).ok().and_then(|device| device.checked_add(1)).ok_or(VifError::NoNumber("handle"))?;
    Ok(Ipv4Addr::new(10, high, low, device))
}

/// Returns the address of a guest's router.
fn router(guest: Ipv4Addr) -> Result<Ipv4Addr, VifError> {
    let [first, second, third, last] = guest.octets();
    let last = last.checked_add(ROUTER).ok_or(VifError::NoRouter(guest))?;
    Ok(Ipv4Addr::new(first, second, third, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_guests_and_their_routers() {
        for (guest, device, address, router_of) in [
            (2, 0, "10.0.2.1", "10.0.2.128"),
            (300, 1, "10.1.44.2", "10.1.44.129"),
            (32751, 127, "10.127.239.128", "10.127.239.255"),
        ] {
            let found = default_address(guest, device).unwrap();
            assert_eq!((found.to_string().as_str(), router(found).unwrap().to_string().as_str()), (address, router_of));
        }
        assert!(default_address(1, 255).is_err());
        assert!(router(Ipv4Addr::new(10, 0, 0, 129)).is_err());
        assert_eq!(address("10.1.1.1/16").ok(), Some(Ipv4Addr::new(10, 1, 1, 1)));
        assert!(address("fd00::1").is_err());
        assert!(address("default").is_err());
    }
}
