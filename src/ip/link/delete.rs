//! `ip link delete`: bridges, and tap and tun devices that no program has open.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::args::LinkArgs;
use super::check::check_address_length;
use super::group;
use super::kind::KindArgs;
use super::refusal::{check_no_index, no_device_given};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::device::{LOOPBACK, check_privilege, find};
use crate::ip::words::Words;
use crate::kernel::{Kernel, LinkFile, LinkSetting, Tun, delete_tun, flag};
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// `ip link delete { [dev] DEVICE | group GROUP } [type KIND ...]`. Other words are parsed, and mean nothing.
pub(super) fn delete(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let args = LinkArgs::resolved(kernel, words)?;
    check_address_length(kernel, &args)?;
    check_no_index(&args)?;
    let Some(device) = args.device else {
        return delete_group(kernel, args.group.ok_or_else(no_device_given)?);
    };
    let device = find(kernel, device)?;
    if let Some((kind, words)) = args.kind {
        KindArgs::parse(kind, words)?;
    }
    check_privilege(kernel)?;
    if args.has_netns {
        return Err(explained(Errno::EOPNOTSUPP, "specified netns attribute not supported."));
    }
    Deletable::of(kernel, &device)?.delete(kernel, &device)
}

/// Deletes the links of a group: all of them or, if one of them cannot be deleted, none.
fn delete_group(kernel: &Kernel, group: u32) -> Outcome {
    let members = group::members(kernel, group)?;
    if group == 0 {
        return Err(refused(Errno::EPERM));
    }
    if members.is_empty() {
        return Err(refused(Errno::ENODEV));
    }
    let kinds = members.iter().map(|member| Deletable::of(kernel, member)).collect::<Result<Vec<_>, _>>()?;
    members.iter().zip(kinds).try_for_each(|(member, kind)| kind.delete(kernel, member))
}

/// A kind of links that can be deleted without netlink.
enum Deletable {
    Bridge,
    Tun,
}

impl Deletable {
    fn of(kernel: &Kernel, link: &OsStr) -> Result<Self, Failure> {
        let name = link.as_bytes();
        if kernel.is_bridge(name) {
            return Ok(Deletable::Bridge);
        }
        match kernel.info_kind(name).as_deref() {
            Some("tun") if Tun::of(kernel, name).is_some() => Ok(Deletable::Tun),
            Some("tun") => Err(needs_netlink([b"deleting ", name].concat(), "or /sys, which tells its flags")),
            Some(kind) => {
                Err(needs_netlink([b"deleting ", name].concat(), &format!("no ioctl deletes a link of type {kind}")))
            }
            // neither the loopback nor hardware can be deleted
            None if name == LOOPBACK || kernel.has_link_file(name, LinkFile("device")) => {
                Err(refused(Errno::EOPNOTSUPP))
            }
            None => Err(needs_netlink([b"deleting ", name].concat(), "no ioctl deletes such a link")),
        }
    }

    fn delete(self, kernel: &Kernel, link: &OsStr) -> Outcome {
        let name = link.as_bytes();
        match self {
            // the ioctl wants it down
            Deletable::Bridge => {
                let was_up = kernel.link_flags(name).is_ok_and(|flags| flags & flag::UP != 0);
                kernel.set_link(name, LinkSetting::DOWN).map_err(refused)?;
                kernel.delete_bridge(name).map_err(|errno| {
                    let _ = kernel.set_link(name, if was_up { LinkSetting::UP } else { LinkSetting::DOWN });
                    refused(errno)
                })
            }
            Deletable::Tun => delete_tun(kernel, name).map_err(|errno| match errno {
                Errno::EBUSY => needs_netlink([b"deleting ", name].concat(), "a program has it open"),
                errno => refused(errno),
            }),
        }
    }
}
