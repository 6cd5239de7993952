//! What netlink does to a link in one request, step by step.
//!
//! The steps come in the order of the kernel (net/core/rtnetlink.c, `do_setlink`). The first that it refuses ends them, and those
//! before it stay, as with netlink.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::args::{Flags, LinkArgs};
use super::refusal::{bridge_in_bridge, mtu_too_great, mtu_too_small};
use super::values::Values;
use crate::error::{Failure, Outcome};
use crate::kernel::{Kernel, LinkFile, LinkSetting, net_conf};
use crate::texts::iproute2::{explained, refused};

/// Does what was asked for.
pub(super) fn apply(kernel: &Kernel, link: &OsStr, args: &LinkArgs, values: &Values) -> Outcome {
    let index = kernel.link_index(link.as_bytes()).map_err(refused)?;
    before_name(kernel, link.as_bytes(), args, values)?;
    match args.name {
        Some(name) => {
            kernel.set_link(link.as_bytes(), LinkSetting::Name(name)).map_err(refused)?;
            let link = kernel.link_name(index).map_err(refused)?;
            after_name(kernel, link.as_bytes(), index, args)
        }
        None => after_name(kernel, link.as_bytes(), index, args),
    }
}

fn before_name(kernel: &Kernel, link: &[u8], args: &LinkArgs, values: &Values) -> Outcome {
    let set = |setting| kernel.set_link(link, setting);
    values.apply(kernel, link)?;
    if let Some(address) = &args.address {
        set(LinkSetting::Address(address)).map_err(refused)?;
    }
    if let Some(mtu) = args.mtu {
        set(LinkSetting::Mtu(mtu)).map_err(|errno| mtu_refused(kernel, link, mtu, errno))?;
    }
    if let Some(group) = args.group {
        set(LinkSetting::File(LinkFile::GROUP, group.to_string().as_bytes())).map_err(refused)?;
    }
    Ok(())
}

fn after_name(kernel: &Kernel, link: &[u8], index: i32, args: &LinkArgs) -> Outcome {
    let set = |setting| kernel.set_link(link, setting);
    if let Some(alias) = args.alias {
        set(LinkSetting::File(LinkFile::ALIAS, alias)).map_err(refused)?;
    }
    if let Some(broadcast) = &args.broadcast {
        set(LinkSetting::Broadcast(broadcast)).map_err(refused)?;
    }
    if args.flags.mask != 0 {
        let Flags { set: flags, mask } = args.flags;
        set(LinkSetting::Flags { set: flags, mask }).map_err(refused)?;
    }
    if let Some(master) = &args.master {
        set_master(kernel, link, index, master.as_deref())?;
    }
    if let Some(on) = args.carrier {
        set(LinkSetting::File(LinkFile::CARRIER, digit(on))).map_err(refused)?;
    }
    if let Some(length) = args.queue_length {
        set(LinkSetting::QueueLength(length as u32)).map_err(refused)?;
    }
    if args.no_addrgen {
        disable_addrgen(kernel, link).map_err(refused)?;
    }
    if let Some(on) = args.proto_down {
        set(LinkSetting::File(LinkFile::PROTO_DOWN, digit(on))).map_err(|errno| match errno {
            Errno::EOPNOTSUPP => explained(Errno::EOPNOTSUPP, "Protodown not supported by device."),
            errno => refused(errno),
        })?;
    }
    Ok(())
}

fn digit(on: bool) -> &'static [u8] {
    if on { b"1" } else { b"0" }
}

/// Has a link make no IPv6 addresses by itself. (The file of another mode would make some at once.)
///
/// # Errors
/// EAFNOSUPPORT without IPv6 there, and before Linux 4.10; those of the file.
fn disable_addrgen(kernel: &Kernel, link: &[u8]) -> Result<(), Errno> {
    /// linux/if_link.h
    const IN6_ADDR_GEN_MODE_NONE: &str = "1";
    let file = net_conf("ipv6", &String::from_utf8_lossy(link), "addr_gen_mode");
    file.and_then(|file| kernel.set_sysctl(&file, IN6_ADDR_GEN_MODE_NONE)).map_err(|errno| match errno {
        Errno::ENOENT => Errno::EAFNOSUPPORT,
        errno => errno,
    })
}

/// The kernel's explanation. The mtu that a link has lies between the least and the greatest.
fn mtu_refused(kernel: &Kernel, link: &[u8], mtu: i32, errno: Errno) -> Failure {
    match (errno, kernel.link(link)) {
        (Errno::EINVAL, Ok(link)) if i64::from(mtu) < i64::from(link.mtu) => mtu_too_small(),
        (Errno::EINVAL, Ok(_)) => mtu_too_great(),
        (errno, _) => refused(errno),
    }
}

/// Makes a link a port of a bridge, or of none. It is released from the one that it has before the other one is asked.
fn set_master(kernel: &Kernel, name: &[u8], index: i32, master: Option<&OsStr>) -> Outcome {
    let current = kernel.try_bridge_of(name).map_err(refused)?;
    if current.as_deref() == master {
        return Ok(());
    }
    if let Some(bridge) = &current {
        kernel.delete_port(bridge.as_bytes(), index).map_err(refused)?;
    }
    let Some(master) = master else { return Ok(()) };
    let is_bridge = kernel.is_bridge(master.as_bytes());
    kernel.add_port(master.as_bytes(), index).map_err(|errno| match errno {
        Errno::ELOOP => bridge_in_bridge(),
        Errno::EOPNOTSUPP if is_bridge => explained(Errno::EOPNOTSUPP, "Device does not allow enslaving to a bridge."),
        errno => refused(errno),
    })
}
