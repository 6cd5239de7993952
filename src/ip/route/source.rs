//! `src ADDRESS` of an IPv4 route: a passing label.
//!
//! SIOCADDRT and SIOCDELRT take the address of a label for the route's source, if the label is given in place of the device. So
//! the source is put on a label of its own for as long as the ioctl takes. Its prefix is 0, so that it makes no route; on a link
//! that is up, the one of its class exists for an instant.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use crate::error::Failure;
use crate::ip::complaint::ipv4_unreadable;
use crate::kernel::{Address, IFNAMSIZ, Kernel, Turn};
use crate::net::class_prefix;
use crate::texts::iproute2::{needs_netlink, refused};

/// A label that holds the source of a route. [`SourceLabel::remove`] takes it off again.
pub(super) struct SourceLabel<'k> {
    kernel: &'k Kernel,
    pub(super) label: Vec<u8>,
    source: Ipv4Addr,
    /// No other `ip` takes the label for one that a killed call has left.
    _turn: Turn,
}

/// Why a label cannot hold a source.
#[derive(Debug)]
pub(super) enum Unlabelled {
    /// The device has the address with the mask of its class already.
    Classful,
    Refused(Failure),
}

impl<'k> SourceLabel<'k> {
    /// Puts a source on a label of a link. A label that a killed call has left is taken off first.
    pub(super) fn put(kernel: &'k Kernel, link: &OsStr, source: Ipv4Addr) -> Result<Self, Unlabelled> {
        let turn = Turn::take("ip-route-src").map_err(|errno| Unlabelled::Refused(refused(errno)))?;
        let addresses = kernel.addresses_v4_of(link.as_bytes());
        let addresses = addresses.map_err(|errno| Unlabelled::Refused(ipv4_unreadable(errno)))?;
        let is_alias = |address: &Address| labels_of(link.as_bytes()).iter().any(|own| address.label.as_bytes() == own);
        if addresses.iter().all(is_alias) {
            // the kernel takes IPv4 off a link with its last address, and all routes over it
            let reason = "the device has no address of its own";
            return Err(Unlabelled::Refused(needs_netlink("src", reason)));
        }
        let Some(label) = labels_of(link.as_bytes()).into_iter().find(|label| is_ours(label, &addresses)) else {
            let reason = "the device's name leaves no room for a label";
            return Err(Unlabelled::Refused(needs_netlink("src", reason)));
        };
        if addresses.iter().any(|address| address.label.as_bytes() == label) {
            kernel.delete_address(&label, whole(source)).map_err(|errno| Unlabelled::Refused(refused(errno)))?;
        }
        let net = IpNet::V4(Ipv4Net::new(source, 0).unwrap_or_default());
        match kernel.add_address(&label, net, None, None) {
            Ok(()) => Ok(SourceLabel { kernel, label, source, _turn: turn }),
            Err(Errno::EEXIST) => Err(Unlabelled::Classful),
            Err(errno) => Err(Unlabelled::Refused(left_if_there(kernel, refused(errno), &label))),
        }
    }

    /// Takes the label off again.
    ///
    /// # Errors
    /// That it is left.
    pub(super) fn remove(self) -> Result<(), Failure> {
        let SourceLabel { kernel, label, source, .. } = self;
        match kernel.delete_address(&label, whole(source)) {
            Ok(()) | Err(Errno::EADDRNOTAVAIL | Errno::ENODEV) => Ok(()),
            Err(errno) => Err(left_if_there(kernel, refused(errno), &label)),
        }
    }
}

fn whole(address: Ipv4Addr) -> IpNet {
    IpNet::from(IpAddr::V4(address))
}

/// Adds to a failure that a label still has an address, if so.
fn left_if_there(kernel: &Kernel, failure: Failure, label: &[u8]) -> Failure {
    match kernel.address_of_label(label) {
        Ok(None) | Err(Errno::ENODEV) => failure,
        _ => failure.with_line(format!("ip: the address of {} is left", String::from_utf8_lossy(label))),
    }
}

/// Returns the labels to choose from, as far as the device's name has room for them.
fn labels_of(link: &[u8]) -> Vec<Vec<u8>> {
    let labels = [&b":src"[..], b":s", b":"].map(|ending| [link, ending].concat());
    labels.into_iter().filter(|label| label.len() < IFNAMSIZ).collect()
}

/// Whether an address is what a killed call can have left.
pub(super) fn is_left(address: &Address) -> bool {
    let is_alias = labels_of(address.link.as_bytes()).iter().any(|label| address.label.as_bytes() == label);
    is_alias && is_passing(address)
}

/// Whether an address has a prefix of 0, or that of its class.
fn is_passing(address: &Address) -> bool {
    match address.net {
        IpNet::V4(net) => [0, class_prefix(net.addr())].contains(&net.prefix_len()),
        IpNet::V6(_) => false,
    }
}

/// Whether a label is free, or has what a killed call can have left: one address, whose prefix is 0 or that of its class.
fn is_ours(label: &[u8], addresses: &[Address]) -> bool {
    let mut own = addresses.iter().filter(|address| address.label.as_bytes() == label);
    own.next().is_none_or(is_passing) && own.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_fit() {
        assert_eq!(labels_of(b"vif1.0")[0], b"vif1.0:src");
        assert_eq!(labels_of(b"abcdefghijklm"), [&b"abcdefghijklm:s"[..], b"abcdefghijklm:"]);
        assert!(labels_of(b"abcdefghijklmno").is_empty());
    }
}
