//! What netlink does to a link in one request, step by step.
//!
//! All that can be known beforehand is checked before the first step. The steps come in the order of the kernel
//! (net/core/rtnetlink.c, `do_setlink`); the first that it refuses ends them, and those before it stay, as with netlink.

use std::ffi::OsString;

use nix::errno::Errno;

use super::wanted::Wanted;
use super::{beyond_ioctls, bridge};
use crate::error::{Failure, Outcome};
use crate::ip::{bytes, explained, needs_netlink, refused};
use crate::kernel::{Kernel, LinkFile, flag};

/// The longest hardware address that an ioctl can carry (`sa_data` of a sockaddr).
const LONGEST_ADDRESS: usize = 14;

/// Refuses what no step can do, and what the kernel finds wrong before its first.
pub(super) fn check(kernel: &Kernel, link: &OsString, wanted: &Wanted, values: &bridge::Values) -> Outcome {
    let name = bytes(link);
    if let Some(word) = wanted.beyond() {
        return Err(beyond_ioctls(word));
    }
    values.check()?;
    if let Some(broadcast) = &wanted.broadcast
        && kernel.address_length(name).is_some_and(|length| broadcast.len() < length)
    {
        return Err(refused(Errno::EINVAL));
    }
    let mut addresses = [("address", &wanted.address), ("broadcast", &wanted.broadcast)].into_iter();
    if let Some((word, _)) = addresses.find(|(_, address)| is_too_long(kernel, name, address.as_deref())) {
        return Err(needs_netlink(word.as_bytes(), "an ioctl carries 14 bytes of it"));
    }
    values.check_for(kernel, name)?;
    let files = [
        ("alias", wanted.alias.is_some(), LinkFile::ALIAS),
        ("group", wanted.group.is_some(), LinkFile::GROUP),
        ("carrier", wanted.carrier.is_some(), LinkFile::CARRIER),
        ("protodown", wanted.proto_down.is_some(), LinkFile::PROTO_DOWN),
        ("txqueuelen", wanted.queue_length.is_some_and(|length| length < 0), LinkFile::QUEUE_LENGTH),
    ];
    if let Some((word, _, _)) = files.iter().find(|(_, given, file)| *given && !kernel.has_link_file(name, *file)) {
        return Err(needs_netlink(word.as_bytes(), "or its file in /sys, which is not there"));
    }
    check_state(kernel, name, wanted)?;
    match &wanted.master {
        Some(master) => check_master(kernel, link, master.as_ref()),
        None => Ok(()),
    }
}

fn is_too_long(kernel: &Kernel, name: &[u8], address: Option<&[u8]>) -> bool {
    address.is_some_and(|address| address.len() > LONGEST_ADDRESS)
        && kernel.address_length(name).is_none_or(|length| length > LONGEST_ADDRESS)
}

/// Two of the files do not do what netlink does: that of the carrier while the link is down, and that of IPv6 addresses when the
/// link has just come up, for then it has made one.
fn check_state(kernel: &Kernel, name: &[u8], wanted: &Wanted) -> Outcome {
    let up_or_down = wanted.flags.mask & flag::UP != 0;
    let goes_up = wanted.flags.set & flag::UP != 0;
    let is_up = || kernel.link_flags(name).is_ok_and(|flags| flags & flag::UP != 0);
    let can_lose_carrier = || matches!(kernel.link_kind(name).as_deref(), Some("tun" | "dummy"));
    if wanted.carrier.is_some() && can_lose_carrier() && !(if up_or_down { goes_up } else { is_up() }) {
        return Err(needs_netlink(b"carrier of a link that is down", "set it up first"));
    }
    if wanted.no_generation && goes_up {
        return Err(needs_netlink(b"addrgenmode together with up", "set it before"));
    }
    Ok(())
}

/// Ioctls know the ports of bridges. Bonds and their like have theirs by netlink, or in ways of their own.
fn check_master(kernel: &Kernel, link: &OsString, master: Option<&OsString>) -> Outcome {
    let current = kernel.link_master(bytes(link));
    if current.as_ref() == master {
        return Ok(());
    }
    let has_other_ways = |master: &&OsString| {
        let kind = kernel.link_kind(bytes(master));
        matches!(kind.as_deref(), Some("bond" | "team" | "vrf" | "batadv" | "openvswitch"))
    };
    match [current.as_ref(), master].into_iter().flatten().find(has_other_ways) {
        Some(master) => {
            Err(needs_netlink(&[b"belonging to ", bytes(master)].concat(), "ioctls know the ports of bridges only"))
        }
        None => Ok(()),
    }
}

/// Does what was asked for.
pub(super) fn apply(kernel: &Kernel, link: OsString, wanted: &Wanted, values: &bridge::Values) -> Outcome {
    let index = kernel.link_index(bytes(&link)).map_err(refused)?;
    before_name(kernel, bytes(&link), wanted, values)?;
    match wanted.name {
        Some(name) => {
            kernel.rename_link(bytes(&link), name).map_err(refused)?;
            let link = kernel.link_name(index).map_err(refused)?;
            after_name(kernel, bytes(&link), index, wanted)
        }
        None => after_name(kernel, bytes(&link), index, wanted),
    }
}

fn before_name(kernel: &Kernel, link: &[u8], wanted: &Wanted, values: &bridge::Values) -> Outcome {
    values.apply(kernel, link)?;
    if let Some(address) = &wanted.address {
        kernel.set_link_address(link, address).map_err(refused)?;
    }
    if let Some(mtu) = wanted.mtu {
        kernel.set_link_mtu(link, mtu).map_err(|errno| mtu_refused(kernel, link, mtu, errno))?;
    }
    if let Some(group) = wanted.group {
        kernel.set_link_file(link, LinkFile::GROUP, group.to_string().as_bytes()).map_err(refused)?;
    }
    Ok(())
}

fn after_name(kernel: &Kernel, link: &[u8], index: i32, wanted: &Wanted) -> Outcome {
    if let Some(alias) = wanted.alias {
        kernel.set_link_file(link, LinkFile::ALIAS, alias).map_err(refused)?;
    }
    if let Some(broadcast) = &wanted.broadcast {
        kernel.set_link_broadcast(link, broadcast).map_err(refused)?;
    }
    if wanted.flags.mask != 0 {
        kernel.set_link_flags(link, wanted.flags.set, wanted.flags.mask).map_err(refused)?;
    }
    if let Some(master) = &wanted.master {
        set_master(kernel, link, index, master.as_ref())?;
    }
    if let Some(on) = wanted.carrier {
        kernel.set_link_file(link, LinkFile::CARRIER, digit(on)).map_err(refused)?;
    }
    if let Some(length) = wanted.queue_length {
        kernel.set_queue_length(link, length as u32).map_err(refused)?;
    }
    if wanted.no_generation {
        kernel.generate_no_addresses(link).map_err(|errno| match errno {
            Errno::ENOENT => refused(Errno::EAFNOSUPPORT),
            errno => refused(errno),
        })?;
    }
    if let Some(on) = wanted.proto_down {
        kernel.set_link_file(link, LinkFile::PROTO_DOWN, digit(on)).map_err(|errno| match errno {
            Errno::EOPNOTSUPP => explained(Errno::EOPNOTSUPP, "Protodown not supported by device."),
            errno => refused(errno),
        })?;
    }
    Ok(())
}

fn digit(on: bool) -> &'static [u8] {
    if on { b"1" } else { b"0" }
}

/// The kernel's explanation. The mtu that a link has lies between the least and the greatest.
fn mtu_refused(kernel: &Kernel, link: &[u8], mtu: i32, errno: Errno) -> Failure {
    match (errno, kernel.link(link)) {
        (Errno::EINVAL, Ok(link)) if i64::from(mtu) < i64::from(link.mtu) => mtu_too_small(),
        (Errno::EINVAL, Ok(_)) => mtu_too_great(),
        (errno, _) => refused(errno),
    }
}

pub(super) fn mtu_too_small() -> Failure {
    explained(Errno::EINVAL, "mtu less than device minimum.")
}

pub(super) fn mtu_too_great() -> Failure {
    explained(Errno::EINVAL, "mtu greater than device maximum.")
}

/// Makes a link a port of a bridge, or of none. It is released from the one that it has before the other one is asked.
fn set_master(kernel: &Kernel, name: &[u8], index: i32, master: Option<&OsString>) -> Outcome {
    let current = kernel.bridge_of(name);
    if current.as_ref() == master {
        return Ok(());
    }
    if let Some(bridge) = &current {
        kernel.delete_port(bytes(bridge), index).map_err(refused)?;
    }
    let Some(master) = master else { return Ok(()) };
    let is_bridge = kernel.is_bridge(bytes(master));
    kernel.add_port(bytes(master), index).map_err(|errno| match errno {
        Errno::ELOOP => explained(Errno::ELOOP, "Can not enslave a bridge to a bridge."),
        Errno::EOPNOTSUPP if is_bridge => explained(Errno::EOPNOTSUPP, "Device does not allow enslaving to a bridge."),
        errno => refused(errno),
    })
}
