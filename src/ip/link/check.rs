//! What `ip link` refuses before its first step: what no step can do, and what the kernel finds wrong with a request.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::args::LinkArgs;
use super::refusal::unsupported;
use super::values::Values;
use crate::error::{Failure, Outcome, line};
use crate::kernel::{Kernel, LinkFile, flag};
use crate::texts::iproute2::{needs_netlink, refused};

/// The longest hardware address that an ioctl can carry (`sa_data` of a sockaddr).
const LONGEST_ADDRESS: usize = 14;

/// Refuses what no step can do, and what the kernel finds wrong before its first.
pub(super) fn check(kernel: &Kernel, link: &OsStr, args: &LinkArgs, values: &Values) -> Outcome {
    let name = link.as_bytes();
    if let Some(keyword) = args.unsupported() {
        return Err(unsupported(keyword));
    }
    values.check()?;
    check_hardware(kernel, name, args)?;
    values.check_for(kernel, name)?;
    check_files(kernel, name, args)?;
    check_state(kernel, name, args)?;
    match &args.master {
        Some(master) => check_master(kernel, link, master.as_deref()),
        None => Ok(()),
    }
}

/// Refuses hardware addresses that are too short for the link, or too long for an ioctl.
fn check_hardware(kernel: &Kernel, name: &[u8], args: &LinkArgs) -> Outcome {
    if let Some(broadcast) = &args.broadcast
        && kernel.address_length(name).is_some_and(|length| broadcast.len() < length)
    {
        return Err(refused(Errno::EINVAL));
    }
    for (keyword, address) in [("address", &args.address), ("broadcast", &args.broadcast)] {
        if address.as_ref().is_some_and(|address| address.len() > LONGEST_ADDRESS)
            && kernel.address_length(name).is_none_or(|length| length > LONGEST_ADDRESS)
        {
            return Err(needs_netlink(keyword, "an ioctl carries 14 bytes of it"));
        }
    }
    Ok(())
}

/// Refuses values whose file in /sys does not exist.
fn check_files(kernel: &Kernel, name: &[u8], args: &LinkArgs) -> Outcome {
    let files = [
        ("alias", args.alias.is_some(), LinkFile::ALIAS),
        ("group", args.group.is_some(), LinkFile::GROUP),
        ("carrier", args.carrier.is_some(), LinkFile::CARRIER),
        ("protodown", args.proto_down.is_some(), LinkFile::PROTO_DOWN),
        ("txqueuelen", args.queue_length.is_some_and(|length| length < 0), LinkFile::QUEUE_LENGTH),
    ];
    match files.iter().find(|(_, is_given, file)| *is_given && !kernel.has_link_file(name, *file)) {
        Some((keyword, _, _)) => Err(needs_netlink(keyword, "or its file in /sys, which is not there")),
        None => Ok(()),
    }
}

/// Refuses values whose file does not do what netlink does: the carrier while the link is down, and the generation of IPv6
/// addresses once the link has come up, for then it has made one.
fn check_state(kernel: &Kernel, name: &[u8], args: &LinkArgs) -> Outcome {
    let up_or_down = args.flags.mask & flag::UP != 0;
    let goes_up = args.flags.set & flag::UP != 0;
    let is_up = || kernel.link_flags(name).is_ok_and(|flags| flags & flag::UP != 0);
    let can_lose_carrier = || matches!(kernel.info_kind(name).as_deref(), Some("tun" | "dummy"));
    if args.carrier.is_some() && can_lose_carrier() && !(if up_or_down { goes_up } else { is_up() }) {
        return Err(needs_netlink("carrier of a link that is down", "set it up first"));
    }
    if args.no_addrgen && goes_up {
        return Err(needs_netlink("addrgenmode together with up", "set it before"));
    }
    Ok(())
}

/// Refuses to change the members of a bond and its like: ioctls know the ports of bridges only.
fn check_master(kernel: &Kernel, link: &OsStr, master: Option<&OsStr>) -> Outcome {
    let current = kernel.link_master(link.as_bytes());
    if current.as_deref() == master {
        return Ok(());
    }
    let is_other_kind = |master: &&OsStr| {
        let kind = kernel.info_kind(master.as_bytes());
        matches!(kind.as_deref(), Some("bond" | "team" | "vrf" | "batadv" | "openvswitch"))
    };
    match [current.as_deref(), master].into_iter().flatten().find(is_other_kind) {
        Some(master) => {
            Err(needs_netlink([b"belonging to ", master.as_bytes()].concat(), "ioctls know the ports of bridges only"))
        }
        None => Ok(()),
    }
}

/// Refuses a hardware address of another length than the link's. iproute2 does so before it looks the link up.
pub(super) fn check_address_length(kernel: &Kernel, args: &LinkArgs) -> Outcome {
    let (Some(device), Some(address)) = (args.device, &args.address) else { return Ok(()) };
    match kernel.address_length(device) {
        Some(length) if length > 0 && length != address.len() => {
            let [given, length] = [address.len(), length].map(|length| length.to_string());
            Err(Failure::new(line!("Invalid address length ", given, " - must be ", length, " bytes")))
        }
        _ => Ok(()),
    }
}
