//! Adding and removing addresses.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use nix::errno::Errno;

use crate::kernel::handle::Kernel;
use crate::kernel::result::Result;

impl Kernel {
    /// Adds an address. For IPv4 it is put on a label that has none yet, with its peer and broadcast address if it has them; for
    /// IPv6, which has neither, on the link of this name.
    ///
    /// # Errors
    /// ENODEV, EPERM, EEXIST, EINVAL (a multicast address; a peer or broadcast address for IPv6). For IPv6 further EACCES (it is
    /// switched off for the link), EADDRNOTAVAIL, EAFNOSUPPORT (the kernel lacks it).
    pub fn add_address(
        &self,
        label: &[u8],
        net: IpNet,
        peer: Option<Ipv4Addr>,
        broadcast: Option<Ipv4Addr>,
    ) -> Result<()> {
        match net {
            IpNet::V4(net) => self.add_v4(label, net, peer, broadcast),
            IpNet::V6(_) if peer.or(broadcast).is_some() => Err(Errno::EINVAL),
            IpNet::V6(net) => self.add_v6(label, net),
        }
    }

    /// Removes an address. For IPv4 it is the first one of the label that goes, whatever `net` is; with a primary one its
    /// secondaries go, unless the kernel is set to promote them (`promote_secondaries`).
    ///
    /// # Errors
    /// ENODEV, EPERM, EADDRNOTAVAIL (the label has no address; the link lacks this IPv6 address, or has it with another prefix).
    pub fn delete_address(&self, label: &[u8], net: IpNet) -> Result<()> {
        match net {
            IpNet::V4(_) => self.delete_v4(label),
            IpNet::V6(net) => self.delete_v6(label, net),
        }
    }
}
