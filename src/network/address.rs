//! Deleting an IPv4 address, which the ioctls know by its label alone.

use ipnet::IpNet;
use nix::errno::Errno;

use crate::kernel::{Address, Kernel};

/// Why an address is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotDeleted {
    /// The kernel refused.
    Kernel(Errno),
    /// An ioctl would remove another address of the same label.
    SharedLabel,
    /// A secondary address went with its primary one, and cannot be added again.
    Lost(IpNet, Errno),
}

impl From<Errno> for NotDeleted {
    fn from(errno: Errno) -> Self {
        NotDeleted::Kernel(errno)
    }
}

/// Deletes an IPv4 address of a link. Secondary addresses that go with it are added again, unless `goes` holds for them.
pub(super) fn delete_v4(
    kernel: &Kernel,
    link: &[u8],
    net: IpNet,
    goes: impl Fn(&Address) -> bool,
) -> Result<(), NotDeleted> {
    let there = kernel.addresses_v4_of(link)?;
    let address = there.iter().find(|address| address.net == net).ok_or(Errno::EADDRNOTAVAIL)?;
    let first = there.iter().find(|other| other.label == address.label);
    if first.is_some_and(|first| first != address && !goes(first)) {
        return Err(NotDeleted::SharedLabel);
    }
    kernel.delete_address(address.label.as_encoded_bytes(), net)?;
    // with a primary address its secondaries go, unless the kernel promotes them
    let after = kernel.addresses_v4_of(link)?;
    let is_gone = |other: &&Address| *other != address && !after.iter().any(|still| still.net == other.net);
    for Address { label, net, peer, broadcast, .. } in there.iter().filter(is_gone).filter(|other| !goes(other)) {
        let added = kernel.add_address(label.as_encoded_bytes(), *net, *peer, *broadcast);
        added.map_err(|errno| NotDeleted::Lost(*net, errno))?;
    }
    Ok(())
}
