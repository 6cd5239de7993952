//! The interface to the outside, whose address this host uses towards its guests too.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};

use super::config::Reach;
use crate::kernel::{Kernel, RouteV4, default_link_v4};
use crate::net::InterfaceName;
use crate::xen::vif::error::VifError;
use crate::xen::vif::interface::exists;

/// The interface to the outside.
pub(super) struct Outside {
    name: InterfaceName,
    /// Its first primary IPv4 address.
    pub(super) address: Ipv4Addr,
    /// The networks of its addresses.
    nets: Vec<Ipv4Net>,
}

impl Outside {
    /// Finds the interface: the named one, else that of the default route, else eth0.
    ///
    /// # Errors
    /// It does not exist, or has no IPv4 address.
    pub(super) fn find(kernel: &Kernel, routes: &[RouteV4], netdev: Option<InterfaceName>) -> Result<Self, VifError> {
        let name = match netdev {
            Some(netdev) => netdev,
            None => default_device(routes)?,
        };
        let addresses = kernel.addresses_v4_of(name.as_bytes());
        let addresses = addresses.map_err(|errno| VifError::link(&name, "read its addresses", errno))?;
        let v4 = |net: IpNet| if let IpNet::V4(net) = net { Some(net) } else { None };
        let primary = addresses.iter().find(|address| !address.secondary).and_then(|address| v4(address.net));
        let Some(primary) = primary else {
            return Err(if exists(kernel, &name)? {
                VifError::NoOutsideAddress(name)
            } else {
                VifError::NoOutside(name)
            });
        };
        let nets = addresses.iter().filter(|address| address.peer.is_none()).filter_map(|address| v4(address.net));
        Ok(Outside { name, address: primary.addr(), nets: nets.collect() })
    }

    /// Returns the guest's addresses for which this host answers here, each with this interface.
    pub(super) fn published(&self, nets: &[IpNet], reach: Reach) -> Vec<(Ipv4Addr, InterfaceName)> {
        let is_on_link = |address: &Ipv4Addr| self.nets.iter().any(|net| net.contains(address));
        let single = nets.iter().filter_map(|net| match net {
            IpNet::V4(net) if net.prefix_len() == 32 => Some(net.addr()),
            _ => None,
        });
        single
            .filter(|address| match reach {
                Reach::OnLink => is_on_link(address),
                Reach::Arp => true,
                Reach::None => false,
            })
            .map(|address| (address, self.name.clone()))
            .collect()
    }
}

/// Returns the interface of the default route with the lowest metric, else eth0.
fn default_device(routes: &[RouteV4]) -> Result<InterfaceName, VifError> {
    let link = default_link_v4(routes).map_or(&b"eth0"[..], |link| link.as_bytes());
    InterfaceName::new(link).map_err(|fault| VifError::Name {
        variable: "netdev",
        value: String::from_utf8_lossy(link).into_owned(),
        fault,
    })
}
