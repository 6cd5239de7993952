//! `ip link delete`: bridges, and tap and tun devices that no program has open.

use std::ffi::OsString;

use nix::errno::Errno;

use super::wanted::Wanted;
use super::{Kind, LOOPBACK, check_privilege, find, group_members, no_device_given, refuse_index};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::words::Words;
use crate::ip::{bytes, explained, needs_netlink, refused};
use crate::kernel::{Kernel, LinkFile, flag};

/// `ip link delete { [dev] DEVICE | group GROUP } [type KIND ...]`; other words are read, and mean nothing.
pub(super) fn delete(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let mut wanted = Wanted::parse(kernel, words)?;
    wanted.check_address_length(kernel)?;
    refuse_index(&wanted)?;
    let kind = wanted.kind.take();
    let Some(device) = wanted.device else {
        let group = wanted.group.ok_or_else(no_device_given)?;
        return delete_group(kernel, group);
    };
    let device = find(kernel, device)?;
    kind.map_or(Ok(()), |(name, words)| Kind::parse(name, words).map(drop))?;
    check_privilege(kernel, bytes(&device))?;
    if wanted.netns() {
        return Err(explained(Errno::EOPNOTSUPP, "specified netns attribute not supported."));
    }
    Deletable::of(kernel, &device)?.delete(kernel, &device)
}

/// Deletes the links of a group: all of them or, if one of them cannot be deleted, none.
fn delete_group(kernel: &Kernel, group: u32) -> Outcome {
    let members = group_members(kernel, group)?;
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
    fn of(kernel: &Kernel, link: &OsString) -> Result<Self, Failure> {
        let name = bytes(link);
        if kernel.is_bridge(name) {
            return Ok(Deletable::Bridge);
        }
        match kernel.link_kind(name).as_deref() {
            Some("tun") if kernel.tun(name).is_some() => Ok(Deletable::Tun),
            Some("tun") => Err(needs_netlink(&[b"deleting ", name].concat(), "or /sys, which tells its flags")),
            Some(kind) => {
                Err(needs_netlink(&[b"deleting ", name].concat(), &format!("no ioctl deletes a link of type {kind}")))
            }
            // neither the loopback nor hardware can be deleted
            None if name == LOOPBACK || kernel.has_link_file(name, LinkFile("device")) => {
                Err(refused(Errno::EOPNOTSUPP))
            }
            None => Err(needs_netlink(&[b"deleting ", name].concat(), "no ioctl deletes such a link")),
        }
    }

    fn delete(self, kernel: &Kernel, link: &OsString) -> Outcome {
        let name = bytes(link);
        match self {
            // the ioctl wants it down
            Deletable::Bridge => {
                let was_up = kernel.link_flags(name).is_ok_and(|flags| flags & flag::UP != 0);
                kernel.set_link_up(name, false).map_err(refused)?;
                kernel.delete_bridge(name).map_err(|errno| {
                    let _ = kernel.set_link_up(name, was_up);
                    refused(errno)
                })
            }
            Deletable::Tun => kernel.delete_tun(name).map_err(|errno| match errno {
                Errno::EBUSY => needs_netlink(&[b"deleting ", name].concat(), "a program has it open"),
                errno => refused(errno),
            }),
        }
    }
}
