//! `ip address add`, `replace`, `change` and `delete`.

use std::ffi::OsString;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::wanted::Wanted;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{Options, bytes, explained, needs_netlink, no_such_device, proper_name, refused};
use crate::kernel::{Address, IFNAMSIZ, Kernel};

/// `ip address add ADDRESS[/PREFIX] [peer ADDRESS[/PREFIX]] dev DEVICE [broadcast + | - | ADDRESS] [label LABEL] ...`
pub(super) fn add(call: &mut Call, options: Options, words: Words) -> Outcome {
    put(call, options, words, false)
}

/// `ip address replace`, `ip address change`: as `add`, but an address that is there stays as it is.
pub(super) fn replace(call: &mut Call, options: Options, words: Words) -> Outcome {
    put(call, options, words, true)
}

fn put(call: &mut Call, options: Options, words: Words, may_be_there: bool) -> Outcome {
    let wanted = Wanted::parse(options, words, call.err)?;
    let device = wanted.device()?;
    wanted.check_label(options.era)?;
    wanted.check()?;
    let device = proper_name(call.kernel, device)?;
    let checked = wanted.local().and_then(|local| wanted.check_possible().map(|()| local));
    let local = checked.map_err(|failure| privilege_first(call.kernel, &device, failure))?;
    let added = match (local, wanted.peer()) {
        (IpNet::V4(local), peer) => {
            let peer = peer.and_then(as_v4).filter(|peer| peer.addr() != local.addr() || peer.prefix_len() != 32);
            let address = NewV4::new(local, peer, wanted.broadcast.and_then(|wanted| wanted.of(peer.unwrap_or(local))));
            add_v4(call.kernel, bytes(&device), wanted.label, &address)
        }
        (IpNet::V6(_), Some(_)) => Err(needs_netlink(b"the peer of an IPv6 address", "add a route to it instead")),
        (net @ IpNet::V6(_), None) => add_to(call.kernel, bytes(&device), net),
    };
    match added {
        Err(failure) => match privilege_first(call.kernel, &device, failure) {
            failure if may_be_there && failure == already_there(local) => Ok(()),
            failure => Err(failure),
        },
        Ok(()) => Ok(()),
    }
}

/// The kernel looks at the privilege before it refuses anything else.
fn privilege_first(kernel: &Kernel, device: &OsString, failure: Failure) -> Failure {
    if failure.status == 2 && !kernel.may_administer(bytes(device)) { refused(Errno::EPERM) } else { failure }
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
    match net {
        IpNet::V4(net) => add_v4(kernel, device, None, &NewV4::new(net, None, None)),
        IpNet::V6(v6) => kernel.add_address_v6(device, v6).map_err(|errno| match errno {
            Errno::ENODEV => no_such_device(device),
            Errno::EEXIST => already_there(net),
            Errno::EACCES => explained(Errno::EACCES, "ipv6: IPv6 is disabled on this device."),
            Errno::EADDRNOTAVAIL if net.addr().is_multicast() => {
                explained(Errno::EINVAL, "ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag.")
            }
            Errno::EADDRNOTAVAIL => explained(Errno::EADDRNOTAVAIL, "ipv6: Invalid address."),
            errno => refused(errno),
        }),
    }
}

fn already_there(net: IpNet) -> Failure {
    explained(
        Errno::EEXIST,
        if net.addr().is_ipv4() { "ipv4: Address already assigned." } else { "ipv6: address already assigned." },
    )
}

/// A label holds one address that ioctls can reach. The first goes on the device's own name, as iproute2 labels all of them,
/// further ones on `DEVICE:0` and so on.
fn add_v4(kernel: &Kernel, device: &[u8], label: Option<&[u8]>, new: &NewV4) -> Outcome {
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    if there.iter().any(|address| address.net == IpNet::V4(new.net) && address.network_v4() == new.network()) {
        return Err(already_there(new.net.into()));
    }
    let local = new.net.addr();
    if local.is_unspecified() || local.is_multicast() {
        return Err(needs_netlink(local.to_string().as_bytes(), "ioctls cannot add this address"));
    }
    let label = match label {
        Some(label) if label.len() >= IFNAMSIZ => {
            return Err(explained(Errno::ERANGE, "Attribute failed policy validation."));
        }
        Some(label) if !belongs_to(label, device) => {
            return Err(needs_netlink(b"a label that does not begin with the device's name", "use DEVICE:WORD"));
        }
        Some(label) if !is_free(label, &there) => {
            return Err(needs_netlink(b"a second address on one label", "use another label"));
        }
        Some(label) => label.to_vec(),
        None => free_label(device, &there)?,
    };
    kernel.add_address_v4(&label, new.net, new.peer, new.broadcast).map_err(|errno| match errno {
        Errno::ENODEV => no_such_device(device),
        Errno::EEXIST => already_there(new.net.into()),
        errno => refused(errno),
    })
}

/// Whether a label is the device's name or one of its aliases.
fn belongs_to(label: &[u8], device: &[u8]) -> bool {
    label.strip_prefix(device).is_some_and(|alias| alias.is_empty() || alias.starts_with(b":"))
}

fn is_free(label: &[u8], there: &[Address]) -> bool {
    there.iter().all(|address| bytes(&address.label) != label)
}

/// The labels that addresses of a device get: its own name, then `DEVICE:0`, `DEVICE:1`, …, as far as a name goes.
pub fn labels(device: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let aliases = (0..1000).map(move |number: u16| [device, b":", number.to_string().as_bytes()].concat());
    std::iter::once(device.to_vec()).chain(aliases.take_while(|label| label.len() < IFNAMSIZ))
}

/// The first label of a device that no address has.
///
/// # Errors
/// Where the name leaves no room for an alias.
fn free_label(device: &[u8], there: &[Address]) -> Result<Vec<u8>, Failure> {
    labels(device)
        .find(|label| is_free(label, there))
        .ok_or_else(|| needs_netlink(b"a second address", "the device's name leaves no room for an alias label"))
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
    let deleted = wanted.local().and_then(|local| {
        let which = Which { local, peer: wanted.peer(), any_prefix: wanted.is_any_prefix(), label: wanted.label };
        delete_from(call.kernel, bytes(&device), &which)
    });
    deleted.map_err(|failure| privilege_first(call.kernel, &device, failure))
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
        return kernel.delete_address_v6(device, net).map_err(|errno| match errno {
            Errno::EADDRNOTAVAIL => explained(Errno::EADDRNOTAVAIL, "ipv6: address not found."),
            errno => refused(errno),
        });
    }
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    let Some(address) = there.iter().find(|address| which.is(address)) else {
        return Err(explained(Errno::EADDRNOTAVAIL, "ipv4: Address not found."));
    };
    let first = there.iter().find(|other| other.label == address.label);
    if first != Some(address) {
        return Err(hidden_behind_label(address));
    }
    kernel.delete_address_v4(bytes(&address.label)).map_err(refused)
}

/// Only the first address of a label can be reached.
pub(super) fn hidden_behind_label(address: &Address) -> Failure {
    let reason = "it shares its label with another address, which an ioctl would remove instead";
    needs_netlink(format!("removing {}", address.net).as_bytes(), reason)
}
