//! Refusals that several commands of `ip link` share.

use nix::errno::Errno;

use super::args::LinkArgs;
use crate::error::{Failure, Outcome, line};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// A keyword that only netlink serves.
pub(super) fn unsupported(keyword: &str) -> Failure {
    let instead = match keyword {
        "netns" => "no ioctl moves a link to another namespace",
        "index" | "numtxqueues" | "numrxqueues" => "the kernel chooses it for a new link",
        "vrf" => "no ioctl makes a link part of one",
        _ => "no ioctl sets it",
    };
    needs_netlink(keyword, instead)
}

/// Refuses an index for a link that exists.
pub(super) fn check_no_index(args: &LinkArgs) -> Outcome {
    let text = "index can be used only when creating devices or when moving device to another netns.";
    match args.index {
        Some(_) if !args.has_netns => Err(Failure::new(line!(text)).with_status(255)),
        _ => Ok(()),
    }
}

/// `Not enough information: "dev" argument is required.`
pub(super) fn no_device_given() -> Failure {
    Failure::new(line!("Not enough information: \"dev\" argument is required.")).with_status(255)
}

/// The kernel's refusal of `type tun`.
pub(super) fn no_tun_by_netlink() -> Failure {
    explained(Errno::EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported.")
}

/// Refuses a hardware address that the kernel refuses for a bridge before it looks for the link.
pub(super) fn check_bridge_address(args: &LinkArgs) -> Outcome {
    match args.address.as_deref() {
        None => Ok(()),
        Some(address) if address.len() != 6 => Err(refused(Errno::EINVAL)),
        Some(address) if address[0] & 1 != 0 || address == [0; 6] => Err(refused(Errno::EADDRNOTAVAIL)),
        Some(_) => Ok(()),
    }
}

/// The kernel's refusal of an mtu.
pub(super) fn mtu_too_small() -> Failure {
    explained(Errno::EINVAL, "mtu less than device minimum.")
}

/// The kernel's refusal of an mtu.
pub(super) fn mtu_too_great() -> Failure {
    explained(Errno::EINVAL, "mtu greater than device maximum.")
}

/// The kernel's refusal of a bridge as the port of a bridge.
pub(super) fn bridge_in_bridge() -> Failure {
    explained(Errno::ELOOP, "Can not enslave a bridge to a bridge.")
}
