//! `ip link add`: a new link, which here is a bridge.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::errno::Errno;

use super::apply::apply;
use super::args::LinkArgs;
use super::check::check;
use super::kind::{KindArgs, is_kind};
use super::refusal::{
    bridge_in_bridge, check_bridge_address, mtu_too_great, mtu_too_small, no_tun_by_netlink, unsupported,
};
use super::values::Values;
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::device::{check_privilege, find};
use crate::ip::words::Words;
use crate::kernel::{IFNAMSIZ, Kernel, LinkSetting};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// The mtu of a bridge (linux/if_ether.h, `ETH_MIN_MTU` and `ETH_MAX_MTU`).
const MTU: std::ops::RangeInclusive<i32> = 68..=0xffff;

/// `ip link add [link LINK] [name|dev] NAME ... type bridge ...`; with `replace`, which the kernel refuses for a link that
/// exists, the refusal has another text.
pub(super) fn add(call: &mut Call, words: Words, replace: bool) -> Outcome {
    let kernel = call.kernel;
    let mut args = LinkArgs::resolved(kernel, words)?.for_new();
    check_words(kernel, &args)?;
    let Some((kind, words)) = args.kind.take() else {
        return Err(match args.unsupported() {
            Some(keyword) => unsupported(keyword),
            None => Failure::new(line!("Not enough information: \"type\" argument is required")),
        });
    };
    let kind_args = KindArgs::parse(kind, words)?;

    check_privilege(kernel)?;
    check_name(&args)?;
    match &kind_args {
        KindArgs::Bridge(values) => {
            values.check()?;
            check_bridge_address(&args)?;
        }
        _ if kind.is_empty() => return Err(refused(Errno::ERANGE)),
        _ if kind == b"tun" => return Err(no_tun_by_netlink()),
        _ => (),
    }
    if args.device.is_some_and(|name| kernel.link_index(name).is_ok()) {
        return Err(refused(if replace { Errno::EOPNOTSUPP } else { Errno::EEXIST }));
    }
    let KindArgs::Bridge(values) = kind_args else { return Err(cannot_add(kind)) };
    check_bridge(kernel, &args)?;
    add_bridge(kernel, &args, &values)
}

/// Refuses what iproute2 itself refuses.
fn check_words(kernel: &Kernel, args: &LinkArgs) -> Outcome {
    if args.group.is_some() && args.device.is_none() {
        return Err(Failure::new(line!("group cannot be used when creating devices.")).with_status(255));
    }
    if args.name.is_some() {
        let text = "both \"name\" and \"dev\" cannot be used when creating devices.";
        return Err(Failure::new(line!(text)).with_status(255));
    }
    args.lower.map_or(Ok(()), |lower| find(kernel, lower).map(drop))
}

/// Refuses a name that is too long for a new link. (An alternative name may be longer.)
fn check_name(args: &LinkArgs) -> Outcome {
    match args.device.is_some_and(|name| name.len() >= IFNAMSIZ) {
        true => Err(explained(Errno::ERANGE, "Attribute failed policy validation.")),
        false => Ok(()),
    }
}

/// Why no link of a kind is added.
fn cannot_add(kind: &[u8]) -> Failure {
    let instead = match kind {
        b"vlan" => "use vconfig(8)",
        b"bond" => "write its name to /sys/class/net/bonding_masters",
        b"dummy" => "load the module with numdummies=N",
        b"ifb" => "load the module with numifbs=N",
        _ if kind.ends_with(b"_slave") || !is_kind(kind) => {
            return explained(Errno::EOPNOTSUPP, "Unknown device type.");
        }
        _ => "no ioctl makes such a link",
    };
    needs_netlink([b"type ", kind].concat(), instead)
}

/// Refuses what the kernel refuses before it makes a bridge, and what cannot be done to a new one by ioctl.
fn check_bridge(kernel: &Kernel, args: &LinkArgs) -> Outcome {
    if args.broadcast.as_ref().is_some_and(|broadcast| broadcast.len() < 6) {
        return Err(refused(Errno::EINVAL));
    }
    match args.mtu {
        Some(mtu) if mtu < *MTU.start() => return Err(mtu_too_small()),
        Some(mtu) if mtu > *MTU.end() => return Err(mtu_too_great()),
        _ => (),
    }
    if let Some(keyword) = args.unsupported_for_new() {
        return Err(unsupported(keyword));
    }
    match &args.master {
        Some(Some(master)) if kernel.is_bridge(master.as_bytes()) => Err(bridge_in_bridge()),
        _ if args.no_addrgen => Err(refused(Errno::EAFNOSUPPORT)),
        _ => Ok(()),
    }
}

/// Adds the bridge and sets its values. If that fails the bridge is deleted again.
fn add_bridge(kernel: &Kernel, args: &LinkArgs, values: &Values) -> Outcome {
    let bridge = make(kernel, args.device.unwrap_or(b"bridge%d")).map_err(refused)?;
    let set = || {
        check(kernel, &bridge, args, values)?;
        apply(kernel, &bridge, args, values)
    };
    set().inspect_err(|_| {
        let _ = kernel.set_link(bridge.as_bytes(), LinkSetting::DOWN);
        let _ = kernel.delete_bridge(bridge.as_bytes());
    })
}

/// Adds a bridge and returns its name. In it, `%d` stands for the first number that is free. The kernel can choose the number, but
/// does not report it, so the numbers are tried here in the kernel's order.
fn make(kernel: &Kernel, name: &[u8]) -> Result<OsString, Errno> {
    let has_one_percent = name.iter().filter(|byte| **byte == b'%').count() == 1;
    let place = name.windows(2).position(|pair| pair == b"%d").filter(|_| has_one_percent);
    let Some(place) = place else {
        return kernel.add_bridge(name).map(|()| OsString::from_vec(name.to_vec()));
    };
    for number in 0..u16::MAX {
        let name = [&name[..place], number.to_string().as_bytes(), &name[place + 2..]].concat();
        match kernel.add_bridge(&name) {
            Err(Errno::EEXIST) if name.len() < IFNAMSIZ => (),
            made => return made.map(|()| OsString::from_vec(name)),
        }
    }
    Err(Errno::ENFILE)
}
