//! `ip address add` and `delete`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use crate::applet::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::{Words, is_short_for};
use crate::ip::{
    Options, bytes, duplicate, explained, garbage, needs_netlink, no_such_device, proper_name, refused, usage, wrong,
};
use crate::kernel::{Address, IFNAMSIZ, Kernel};

/// The broadcast address that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broadcast {
    /// `+`: all host bits one.
    Ones,
    /// `-`: all host bits zero.
    Zeros,
    This(Ipv4Addr),
}

/// What `add` and `delete` are asked for.
#[derive(Debug, Default)]
struct Wanted<'a> {
    net: Option<Prefix>,
    /// The address as it was typed.
    typed: &'a [u8],
    device: Option<&'a [u8]>,
    label: Option<&'a [u8]>,
    broadcast: Option<Broadcast>,
    scope: Option<u8>,
}

impl<'a> Wanted<'a> {
    /// Reads the words after `add` or `delete`, in any order. What is no keyword is the address.
    fn parse(options: Options, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut wanted = Wanted::default();
        let mut family = options.family;
        while let Some(word) = words.next() {
            match word {
                b"dev" => wanted.device = Some(words.operand()?),
                b"label" => wanted.label = Some(words.operand()?),
                b"scope" => wanted.scope = Some(scope_number(words.operand()?)?),
                b"peer" | b"remote" => return Err(needs_netlink(word, "no ioctl adds it in one step")),
                b"brd" => wanted.set_broadcast(words.operand()?, &mut family)?,
                _ if is_short_for(word, "broadcast") => wanted.set_broadcast(words.operand()?, &mut family)?,
                _ if is_short_for(word, "valid_lft") || is_short_for(word, "preferred_lft") => {
                    let time = words.operand()?;
                    if time != b"forever" {
                        return Err(needs_netlink(word, "without it, an address stays forever"));
                    }
                }
                _ => {
                    let typed = if word == b"local" { words.operand()? } else { word };
                    if is_short_for(typed, "help") {
                        return Err(usage());
                    }
                    if wanted.net.is_some() {
                        return Err(garbage("local", typed));
                    }
                    let net = prefix::prefix(typed, family)?;
                    if let Prefix::Net { net, .. } = net {
                        family = Family::of(net.addr());
                    }
                    (wanted.net, wanted.typed) = (Some(net), typed);
                }
            }
        }
        Ok(wanted)
    }

    fn set_broadcast(&mut self, word: &[u8], family: &mut Family) -> Outcome {
        let broadcast = match word {
            b"+" => Broadcast::Ones,
            b"-" => Broadcast::Zeros,
            _ => match prefix::address(word, *family)? {
                IpAddr::V4(address) => Broadcast::This(address),
                IpAddr::V6(_) => return Err(Failure::new(line!("Broadcast can be set only for IPv4 addresses"))),
            },
        };
        if self.broadcast.is_some() {
            return Err(duplicate("broadcast", word));
        }
        if let Broadcast::This(_) = broadcast {
            *family = Family::Inet;
        }
        self.broadcast = Some(broadcast);
        Ok(())
    }

    fn device(&self) -> Result<&'a [u8], Failure> {
        self.device.ok_or_else(|| Failure::new(line!("Not enough information: \"dev\" argument is required.")))
    }

    /// The address; `any` and none at all the kernel refuses to add and to delete.
    fn net(&self) -> Result<IpNet, Failure> {
        match self.net {
            Some(Prefix::Net { net, .. }) => Ok(net),
            Some(Prefix::All) | None => Err(refused(Errno::EOPNOTSUPP)),
        }
    }
}

/// Scopes by name or number (/etc/iproute2/rt_scopes as Debian ships it), in the numbers of rtnetlink.
fn scope_number(word: &[u8]) -> Result<u8, Failure> {
    match word {
        b"global" => Ok(0),
        b"nowhere" => Ok(255),
        b"host" => Ok(254),
        b"link" => Ok(253),
        b"site" => Ok(200),
        _ => str::from_utf8(word)
            .ok()
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| wrong(word, "invalid scope value.")),
    }
}

/// `ip address add ADDRESS[/PREFIX] dev DEVICE [broadcast + | - | ADDRESS] [label LABEL] [scope SCOPE]`
pub(super) fn add(call: &mut Call, options: Options, words: Words) -> Outcome {
    let wanted = Wanted::parse(options, words)?;
    let device = wanted.device()?;
    let net = wanted.net();
    if matches!((&net, wanted.broadcast), (Ok(IpNet::V6(_)), Some(_))) {
        return Err(Failure::new(line!("Broadcast can be set only for IPv4 addresses")));
    }
    let device = proper_name(call.kernel, device)?;
    let device = bytes(&device);
    match net? {
        IpNet::V4(net) => {
            check_scope(&wanted, net)?;
            add_v4(call.kernel, device, wanted.label, net, wanted.broadcast.and_then(|wanted| wanted.of(net)))
        }
        IpNet::V6(_) if wanted.scope.is_some_and(|scope| scope != 0) => {
            Err(needs_netlink(b"the scope of an address", "leave it out"))
        }
        net @ IpNet::V6(_) => add_to(call.kernel, device, net),
    }
}

/// The kernel gives an address the scope that iproute2 would: another one can only be asked for by netlink.
fn check_scope(wanted: &Wanted, net: Ipv4Net) -> Outcome {
    let usual = if net.addr().is_loopback() { 254 } else { 0 };
    match wanted.scope {
        Some(scope) if scope != usual => Err(needs_netlink(b"the scope of an address", "leave it out")),
        _ => Ok(()),
    }
}

impl Broadcast {
    /// The address that is meant. Networks of one or two addresses have none.
    fn of(self, net: Ipv4Net) -> Option<Ipv4Addr> {
        match self {
            Broadcast::This(address) => (!address.is_unspecified()).then_some(address),
            _ if net.prefix_len() > 30 => None,
            Broadcast::Ones => Some(net.broadcast()),
            Broadcast::Zeros => Some(net.network()),
        }
    }
}

/// Adds an address without a broadcast address to a device.
pub fn add_to(kernel: &Kernel, device: &[u8], net: IpNet) -> Outcome {
    match net {
        IpNet::V4(net) => add_v4(kernel, device, None, net, None),
        IpNet::V6(net) => kernel.add_address_v6(device, net).map_err(|errno| match errno {
            Errno::ENODEV => no_such_device(device),
            Errno::EEXIST => explained("ipv6: address already assigned."),
            Errno::EACCES => explained("ipv6: IPv6 is disabled on this device."),
            Errno::EADDRNOTAVAIL if net.addr().is_multicast() => {
                explained("ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag.")
            }
            Errno::EADDRNOTAVAIL => explained("ipv6: Invalid address."),
            errno => refused(errno),
        }),
    }
}

/// A label holds one address that ioctls can reach. The first goes on the device's own name, as iproute2 labels all of them,
/// further ones on `DEVICE:0` and so on.
fn add_v4(kernel: &Kernel, device: &[u8], label: Option<&[u8]>, net: Ipv4Net, broadcast: Option<Ipv4Addr>) -> Outcome {
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    if there.iter().any(|address| address.net == IpNet::V4(net)) {
        return Err(explained("ipv4: Address already assigned."));
    }
    if net.addr().is_unspecified() || net.addr().is_multicast() {
        return Err(needs_netlink(net.addr().to_string().as_bytes(), "ioctls cannot add this address"));
    }
    let is_free = |label: &[u8]| there.iter().all(|address| bytes(&address.label) != label);
    let label = match label {
        Some(label) if label.len() >= IFNAMSIZ => return Err(explained("Attribute failed policy validation.")),
        Some(label) if !belongs_to(label, device) => {
            return Err(needs_netlink(b"a label that does not begin with the device's name", "use DEVICE:WORD"));
        }
        Some(label) if !is_free(label) => {
            return Err(needs_netlink(b"a second address on one label", "use another label"));
        }
        Some(label) => label.to_vec(),
        None if is_free(device) => device.to_vec(),
        None => free_alias(device, is_free)?,
    };
    kernel.add_address_v4(&label, net, broadcast).map_err(|errno| match errno {
        Errno::ENODEV => no_such_device(device),
        Errno::EEXIST => explained("ipv4: Address already assigned."),
        errno => refused(errno),
    })
}

/// Whether a label is the device's name or one of its aliases.
fn belongs_to(label: &[u8], device: &[u8]) -> bool {
    label.strip_prefix(device).is_some_and(|alias| alias.is_empty() || alias.starts_with(b":"))
}

/// The first of `DEVICE:0`, `DEVICE:1`, … without an address.
fn free_alias(device: &[u8], is_free: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, Failure> {
    (0..1000)
        .map(|number| [device, format!(":{number}").as_bytes()].concat())
        .take_while(|label| label.len() < IFNAMSIZ)
        .find(|label| is_free(label))
        .ok_or_else(|| needs_netlink(b"a second address", "the device's name leaves no room for an alias label"))
}

/// `ip address delete ADDRESS[/PREFIX] dev DEVICE`. Without a prefix the first entry of the address goes, and a warning is given.
pub(super) fn delete(call: &mut Call, options: Options, words: Words) -> Outcome {
    let wanted = Wanted::parse(options, words)?;
    let device = wanted.device()?;
    let net = wanted.net();
    let any_prefix = match wanted.net {
        Some(Prefix::Net { net: IpNet::V4(_), explicit: false }) => {
            let _ = call.err.write_all(&wildcard_warning(wanted.typed));
            true
        }
        _ => false,
    };
    let device = proper_name(call.kernel, device)?;
    delete_from(call.kernel, bytes(&device), net?, any_prefix, wanted.label)
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

/// Removes an address from a device, if need be that with a label; with `any_prefix` the first of that address, whatever its
/// prefix.
pub fn delete_from(kernel: &Kernel, device: &[u8], net: IpNet, any_prefix: bool, label: Option<&[u8]>) -> Outcome {
    let net = match net {
        IpNet::V4(net) => net,
        IpNet::V6(net) => {
            return kernel.delete_address_v6(device, net).map_err(|errno| match errno {
                Errno::EADDRNOTAVAIL => explained("ipv6: address not found."),
                errno => refused(errno),
            });
        }
    };
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    let is_meant = |address: &&Address| match address.net {
        IpNet::V4(other) => {
            other.addr() == net.addr()
                && (any_prefix || other == net)
                && label.is_none_or(|label| label == bytes(&address.label))
        }
        IpNet::V6(_) => false,
    };
    let Some(address) = there.iter().find(is_meant) else {
        return Err(not_there(kernel, device));
    };
    // only the first address of a label can be reached
    let first = there.iter().find(|other| other.label == address.label);
    if first != Some(address) {
        let reason = "it shares its label with another address, which an ioctl would remove instead";
        return Err(needs_netlink(line_of(address).as_bytes(), reason));
    }
    kernel.delete_address_v4(bytes(&address.label)).map_err(refused)
}

fn line_of(address: &Address) -> String {
    format!("removing {}", address.net)
}

/// The kernel looks at the privilege before it looks for the address.
fn not_there(kernel: &Kernel, device: &[u8]) -> Failure {
    match kernel.may_administer(device) {
        true => explained("ipv4: Address not found."),
        false => refused(Errno::EPERM),
    }
}
