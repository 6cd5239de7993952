//! `ip address add`, `replace` and `change`.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::args::AddressArgs;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::device::{check_privilege, proper_name};
use crate::ip::words::Words;
use crate::kernel::{Address, IFNAMSIZ, Kernel};
use crate::net::labels;
use crate::texts::iproute2::{address_not_added, explained, needs_netlink, no_label_left};

/// `ip address add ADDRESS[/PREFIX] [peer ADDRESS[/PREFIX]] dev DEVICE [broadcast + | - | ADDRESS] [label LABEL] ...`
pub(super) fn add(call: &mut Call, words: Words) -> Outcome {
    put(call, words, false)
}

/// `ip address replace`, `ip address change`: as `add`, but an address that exists stays as it is.
pub(super) fn replace(call: &mut Call, words: Words) -> Outcome {
    put(call, words, true)
}

fn put(call: &mut Call, words: Words, may_exist: bool) -> Outcome {
    let args = AddressArgs::parse(words, call.err)?;
    let device = args.device()?;
    args.check_label(call.era)?;
    args.check()?;
    let device = proper_name(call.kernel, device)?;
    args.check_lifetimes()?;
    let device = device.as_bytes();
    check_privilege(call.kernel)?;
    let local = args.local()?;
    args.check_for_ioctl()?;
    let added = match (local, args.peer) {
        (IpNet::V4(local), peer) => add_v4(call.kernel, device, args.label, &NewV4::of(local, peer, &args)),
        (IpNet::V6(_), Some(_)) => {
            return Err(needs_netlink("the peer of an IPv6 address", "add a route to it instead"));
        }
        (IpNet::V6(_), None) => call.kernel.add_address(device, local, None, None).map_err(NotAdded::Refused),
    };
    match added {
        Err(NotAdded::Refused(Errno::EEXIST)) if may_exist => (),
        added => added.map_err(|reason| reason.failure(device, local))?,
    }
    if args.expires() {
        let warning = line!("ip: a lifetime needs netlink: the address stays until it is removed");
        let _ = call.err.write_all(&warning);
    }
    Ok(())
}

/// Why an address is not added.
enum NotAdded {
    /// The kernel refuses it, or would do so by netlink.
    Refused(Errno),
    /// No ioctl adds it.
    NeedsNetlink(Failure),
}

impl NotAdded {
    fn failure(self, device: &[u8], net: IpNet) -> Failure {
        match self {
            NotAdded::Refused(errno) => address_not_added(device, net, errno),
            NotAdded::NeedsNetlink(failure) => failure,
        }
    }
}

/// An IPv4 address to be added.
struct NewV4 {
    /// The address, with the prefix of its peer if it has one.
    net: Ipv4Net,
    peer: Option<Ipv4Addr>,
    broadcast: Option<Ipv4Addr>,
}

impl NewV4 {
    fn of(local: Ipv4Net, peer: Option<IpNet>, args: &AddressArgs) -> Self {
        let peer = match peer {
            Some(IpNet::V4(peer)) if peer.addr() != local.addr() || peer.prefix_len() != 32 => Some(peer),
            _ => None,
        };
        let prefix = peer.map_or(0, |peer| peer.prefix_len());
        let net = Ipv4Net::new(local.addr(), prefix).ok().filter(|_| prefix != 0).unwrap_or(local);
        NewV4 {
            net,
            peer: peer.map(|peer| peer.addr()).filter(|peer| *peer != local.addr()),
            broadcast: args.broadcast.and_then(|broadcast| broadcast.of(peer.unwrap_or(local))),
        }
    }

    /// Returns the network by which the kernel tells addresses apart.
    fn network(&self) -> Option<Ipv4Net> {
        Ipv4Net::new(self.peer.unwrap_or(self.net.addr()), self.net.prefix_len()).ok().map(|net| net.trunc())
    }
}

/// Adds an address under a label of its own: ioctls reach the first address of a label. The first address of a device gets the
/// device's name, as iproute2 labels all of them, further ones `DEVICE:0` and so on.
fn add_v4(kernel: &Kernel, device: &[u8], label: Option<&[u8]>, new: &NewV4) -> Result<(), NotAdded> {
    let there = kernel.addresses_v4_of(device).map_err(NotAdded::Refused)?;
    if there.iter().any(|address| address.net == IpNet::V4(new.net) && address.network_v4() == new.network()) {
        return Err(NotAdded::Refused(Errno::EEXIST));
    }
    let local = new.net.addr();
    if local.is_unspecified() || local.is_multicast() {
        let failure = needs_netlink(local.to_string(), "ioctls cannot add this address");
        return Err(NotAdded::NeedsNetlink(failure));
    }
    let label = match label {
        Some(label) => check_label(label, device, &there).map(|()| label.to_vec()),
        None => labels(device).find(|label| is_free(label, &there)).ok_or_else(no_label_left),
    };
    let label = label.map_err(NotAdded::NeedsNetlink)?;
    kernel.add_address(&label, new.net.into(), new.peer, new.broadcast).map_err(NotAdded::Refused)
}

/// Refuses a label that cannot be given to an address, or not by ioctl.
fn check_label(label: &[u8], device: &[u8], there: &[Address]) -> Outcome {
    let alias = label.strip_prefix(device);
    if label.len() >= IFNAMSIZ {
        return Err(explained(Errno::ERANGE, "Attribute failed policy validation."));
    }
    if !alias.is_some_and(|alias| alias.is_empty() || alias.starts_with(b":")) {
        return Err(needs_netlink("a label that does not begin with the device's name", "use DEVICE:WORD"));
    }
    if !is_free(label, there) {
        return Err(needs_netlink("a second address on one label", "use another label"));
    }
    Ok(())
}

fn is_free(label: &[u8], there: &[Address]) -> bool {
    there.iter().all(|address| address.label.as_bytes() != label)
}
