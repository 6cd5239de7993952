//! `ip link add`: a new link, which here is a bridge.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use nix::errno::Errno;

use super::apply::{apply, check, mtu_too_great, mtu_too_small};
use super::wanted::Wanted;
use super::{
    Kind, LOOPBACK, beyond_ioctls, bridge, check_bridge_address, check_privilege, find, is_kind, no_tun_by_netlink,
};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{bytes, explained, needs_netlink, refused};
use crate::kernel::{IFNAMSIZ, Kernel};

/// What the mtu of a bridge may be (linux/if_ether.h, `ETH_MIN_MTU` and `ETH_MAX_MTU`).
const MTU: std::ops::RangeInclusive<i32> = 68..=0xffff;

/// `ip link add [link LINK] [name|dev] NAME ... type bridge ...`; with `replace`, which the kernel refuses for a link that is
/// there, the refusal has another text.
pub(super) fn add(call: &mut Call, words: Words, replace: bool) -> Outcome {
    let kernel = call.kernel;
    let mut wanted = Wanted::parse(kernel, words)?.for_new();
    check_words(kernel, &wanted)?;
    let Some((kind_name, words)) = wanted.kind.take() else {
        return Err(match wanted.beyond() {
            Some(word) => beyond_ioctls(word),
            None => Failure::new(line!("Not enough information: \"type\" argument is required")),
        });
    };
    let kind = Kind::parse(kind_name, words)?;

    check_privilege(kernel, LOOPBACK)?;
    check_name(&wanted)?;
    match &kind {
        Kind::Bridge(values) => {
            values.check()?;
            check_bridge_address(&wanted)?;
        }
        _ if kind_name.is_empty() => return Err(refused(Errno::ERANGE)),
        _ if kind_name == b"tun" => return Err(no_tun_by_netlink()),
        _ => (),
    }
    if wanted.device.is_some_and(|name| kernel.link_index(name).is_ok()) {
        return Err(refused(if replace { Errno::EOPNOTSUPP } else { Errno::EEXIST }));
    }
    let Kind::Bridge(values) = kind else { return Err(cannot_make(kind_name)) };
    check_bridge(kernel, &wanted)?;
    add_bridge(kernel, &wanted, &values)
}

/// What iproute2 itself refuses.
fn check_words(kernel: &Kernel, wanted: &Wanted) -> Outcome {
    if wanted.group.is_some() && wanted.device.is_none() {
        return Err(Failure::new(line!("group cannot be used when creating devices.")).with_status(255));
    }
    if wanted.name.is_some() {
        let text = "both \"name\" and \"dev\" cannot be used when creating devices.";
        return Err(Failure::new(line!(text)).with_status(255));
    }
    wanted.below.map_or(Ok(()), |below| find(kernel, below).map(drop))
}

/// An alternative name may be longer, a new one not.
fn check_name(wanted: &Wanted) -> Outcome {
    match wanted.device.is_some_and(|name| name.len() >= IFNAMSIZ) {
        true => Err(explained(Errno::ERANGE, "Attribute failed policy validation.")),
        false => Ok(()),
    }
}

/// Why no link of this kind is made.
fn cannot_make(kind: &[u8]) -> Failure {
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
    needs_netlink(&[b"type ", kind].concat(), instead)
}

/// What the kernel finds wrong with a new bridge before it makes it, and what cannot be done to it here.
fn check_bridge(kernel: &Kernel, wanted: &Wanted) -> Outcome {
    if wanted.broadcast.as_ref().is_some_and(|broadcast| broadcast.len() < 6) {
        return Err(refused(Errno::EINVAL));
    }
    match wanted.mtu {
        Some(mtu) if mtu < *MTU.start() => return Err(mtu_too_small()),
        Some(mtu) if mtu > *MTU.end() => return Err(mtu_too_great()),
        _ => (),
    }
    if let Some(word) = wanted.beyond_for_new() {
        return Err(beyond_ioctls(word));
    }
    match &wanted.master {
        Some(Some(master)) if kernel.is_bridge(bytes(master)) => {
            Err(explained(Errno::ELOOP, "Can not enslave a bridge to a bridge."))
        }
        _ if wanted.no_generation => Err(refused(Errno::EAFNOSUPPORT)),
        _ => Ok(()),
    }
}

/// Makes the bridge and sets its values; if that does not succeed it is taken away again.
fn add_bridge(kernel: &Kernel, wanted: &Wanted, values: &bridge::Values) -> Outcome {
    let bridge = make(kernel, wanted.device.unwrap_or(b"bridge%d")).map_err(refused)?;
    let set = || {
        check(kernel, &bridge, wanted, values)?;
        apply(kernel, bridge.clone(), wanted, values)
    };
    set().inspect_err(|_| {
        let _ = kernel.set_link_up(bytes(&bridge), false);
        let _ = kernel.delete_bridge(bytes(&bridge));
    })
}

/// Makes a bridge and tells its name. The kernel does not tell it of one that it has numbered (`br%d`), so that is done here in
/// the kernel's way: the first number that is free.
fn make(kernel: &Kernel, name: &[u8]) -> Result<OsString, Errno> {
    let numbered = name
        .windows(2)
        .position(|pair| pair == b"%d")
        .filter(|_| name.iter().filter(|byte| **byte == b'%').count() == 1);
    let Some(place) = numbered else {
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
