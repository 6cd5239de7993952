//! `ip address add`, `replace`, `change` and `delete`.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::wanted::Wanted;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{Options, bytes, proper_name};
use crate::kernel::{Address, IFNAMSIZ, Kernel};
use crate::net::labels;
use crate::texts::iproute2::{
    address_behind_label, address_not_added, address_not_removed, explained, needs_netlink, no_label_left, refused,
};

/// `ip address add ADDRESS[/PREFIX] [peer ADDRESS[/PREFIX]] dev DEVICE [broadcast + | - | ADDRESS] [label LABEL] ...`
pub(super) fn add(call: &mut Call, options: Options, words: Words) -> Outcome {
    put(call, options, words, false)
}

/// `ip address replace`, `ip address change`: as `add`, but an address that is there stays as it is.
pub(super) fn replace(call: &mut Call, options: Options, words: Words) -> Outcome {
    put(call, options, words, true)
}

fn put(call: &mut Call, options: Options, words: Words, may_exist: bool) -> Outcome {
    let wanted = Wanted::parse(options, words, call.err)?;
    let device = wanted.device()?;
    wanted.check_label(options.era)?;
    wanted.check()?;
    let device = proper_name(call.kernel, device)?;
    check_privilege(call.kernel, &device)?;
    let local = wanted.local()?;
    wanted.check_possible()?;
    let added = match (local, wanted.peer()) {
        (IpNet::V4(local), peer) => {
            let peer = peer.and_then(as_v4).filter(|peer| peer.addr() != local.addr() || peer.prefix_len() != 32);
            let address = NewV4::new(local, peer, wanted.broadcast.and_then(|wanted| wanted.of(peer.unwrap_or(local))));
            add_v4(call.kernel, bytes(&device), wanted.label, &address)
        }
        (IpNet::V6(_), Some(_)) => {
            return Err(needs_netlink(b"the peer of an IPv6 address", "add a route to it instead"));
        }
        (IpNet::V6(net), None) => call.kernel.add_address_v6(bytes(&device), net).map_err(NotAdded::Refused),
    };
    match added {
        Err(NotAdded::Refused(Errno::EEXIST)) if may_exist => Ok(()),
        added => added.map_err(|reason| reason.failure(bytes(&device), local)),
    }
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

/// Fails without privilege. The kernel looks at it before it refuses anything else.
fn check_privilege(kernel: &Kernel, device: &OsString) -> Outcome {
    if kernel.may_administer(bytes(device)) { Ok(()) } else { Err(refused(Errno::EPERM)) }
}

fn as_v4(net: IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
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
    fn new(local: Ipv4Net, peer: Option<Ipv4Net>, broadcast: Option<Ipv4Addr>) -> Self {
        let prefix = peer.map_or(0, |peer| peer.prefix_len());
        let net = Ipv4Net::new(local.addr(), prefix).ok().filter(|_| prefix != 0).unwrap_or(local);
        NewV4 { net, peer: peer.map(|peer| peer.addr()).filter(|peer| *peer != local.addr()), broadcast }
    }

    /// The network by which the kernel tells addresses apart.
    fn network(&self) -> Option<Ipv4Net> {
        Ipv4Net::new(self.peer.unwrap_or(self.net.addr()), self.net.prefix_len()).ok().map(|net| net.trunc())
    }
}

/// Adds an address without a broadcast address to a device.
pub fn add_to(kernel: &Kernel, device: &[u8], net: IpNet) -> Outcome {
    let added = match net {
        IpNet::V4(net) => add_v4(kernel, device, None, &NewV4::new(net, None, None)),
        IpNet::V6(net) => kernel.add_address_v6(device, net).map_err(NotAdded::Refused),
    };
    added.map_err(|reason| reason.failure(device, net))
}

/// A label holds one address that ioctls can reach. The first goes on the device's own name, as iproute2 labels all of them,
/// further ones on `DEVICE:0` and so on.
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
    kernel.add_address_v4(&label, new.net, new.peer, new.broadcast).map_err(NotAdded::Refused)
}

/// Refuses a label that cannot be given to an address, or not by ioctl.
fn check_label(label: &[u8], device: &[u8], there: &[Address]) -> Outcome {
    if label.len() >= IFNAMSIZ {
        return Err(explained(Errno::ERANGE, "Attribute failed policy validation."));
    }
    if !belongs_to(label, device) {
        return Err(needs_netlink(b"a label that does not begin with the device's name", "use DEVICE:WORD"));
    }
    if !is_free(label, there) {
        return Err(needs_netlink(b"a second address on one label", "use another label"));
    }
    Ok(())
}

/// Whether a label is the device's name or one of its aliases.
fn belongs_to(label: &[u8], device: &[u8]) -> bool {
    label.strip_prefix(device).is_some_and(|alias| alias.is_empty() || alias.starts_with(b":"))
}

fn is_free(label: &[u8], there: &[Address]) -> bool {
    there.iter().all(|address| bytes(&address.label) != label)
}

/// `ip address delete ADDRESS[/PREFIX] [peer ADDRESS[/PREFIX]] dev DEVICE [label LABEL]`. Without a prefix the first entry of
/// the address goes, and a warning is given.
pub(super) fn delete(call: &mut Call, options: Options, words: Words) -> Outcome {
    let wanted = Wanted::parse(options, words, call.err)?;
    let device = wanted.device()?;
    wanted.check_label(options.era)?;
    if wanted.is_any_prefix() {
        let _ = call.err.write_all(&wildcard_warning(wanted.typed));
    }
    let device = proper_name(call.kernel, device)?;
    check_privilege(call.kernel, &device)?;
    let which =
        Which { local: wanted.local()?, peer: wanted.peer(), any_prefix: wanted.is_any_prefix(), label: wanted.label };
    delete_from(call.kernel, bytes(&device), &which)
}

fn wildcard_warning(typed: &[u8]) -> Vec<u8> {
    line!(
        "Warning: Executing wildcard deletion to stay compatible with old scripts.\n",
        "         Explicitly specify the prefix length (",
        typed,
        "/32) to avoid this warning.\n",
        "         This special behaviour is likely to disappear in further releases,\n",
        "         fix your scripts!",
    )
}

/// Which address is to be deleted.
pub struct Which<'a> {
    local: IpNet,
    peer: Option<IpNet>,
    any_prefix: bool,
    label: Option<&'a [u8]>,
}

impl Which<'_> {
    /// The address with this prefix.
    pub fn just(net: IpNet) -> Self {
        Which { local: net, peer: None, any_prefix: false, label: None }
    }

    /// The kernel's own test (net/ipv4/devinet.c, `inet_rtm_deladdr`).
    fn is(&self, address: &Address) -> bool {
        let far_end = self.peer.filter(|peer| peer.prefix_len() != 0).unwrap_or(self.local);
        let is_same_network = || match far_end {
            IpNet::V4(net) => address.network_v4() == Some(net.trunc()),
            IpNet::V6(_) => false,
        };
        address.net.addr() == self.local.addr()
            && self.label.is_none_or(|label| label == bytes(&address.label))
            && (self.any_prefix || is_same_network())
    }
}

/// Removes an address from a device.
pub fn delete_from(kernel: &Kernel, device: &[u8], which: &Which) -> Outcome {
    if let IpNet::V6(net) = which.local {
        return kernel.delete_address_v6(device, net).map_err(|errno| address_not_removed(net.into(), errno));
    }
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    let Some(address) = there.iter().find(|address| which.is(address)) else {
        return Err(address_not_removed(which.local, Errno::EADDRNOTAVAIL));
    };
    let first = there.iter().find(|other| other.label == address.label);
    if first != Some(address) {
        return Err(address_behind_label(address.net));
    }
    kernel.delete_address_v4(bytes(&address.label)).map_err(refused)
}
