//! `ip link set`: values of a link, or of all links of a group.

use std::ffi::OsString;

use nix::errno::Errno;

use super::apply::{apply, check};
use super::wanted::Wanted;
use super::{
    Kind, bridge, check_bridge_address, check_privilege, find, group_members, no_device_given, no_tun_by_netlink,
    refuse_index,
};
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::words::Words;
use crate::ip::{bytes, needs_netlink, no_such_device, refused};
use crate::kernel::{IFNAMSIZ, Kernel};
use crate::texts::iproute2::flags_not_set;

/// `ip link set { [dev] DEVICE | group GROUP } ...`
pub(super) fn set(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let mut wanted = Wanted::parse(kernel, words)?;
    wanted.check_address_length(kernel)?;
    refuse_index(&wanted)?;
    let Some(device) = wanted.device else { return set_group(kernel, wanted) };
    let device = find(kernel, device)?;
    let kind = wanted.kind.take().map(|(name, words)| Ok((name, Kind::parse(name, words)?))).transpose()?;
    check_privilege(kernel, bytes(&device))?;
    if let Some((_, Kind::Bridge(_))) = &kind {
        check_bridge_address(&wanted)?;
    }
    let values = values_for(kernel, &device, kind)?;
    check(kernel, &device, &wanted, &values)?;
    apply(kernel, device, &wanted, &values)
}

/// The values of a kind of link, if it is of this kind.
fn values_for(kernel: &Kernel, device: &OsString, kind: Option<(&[u8], Kind)>) -> Result<bridge::Values, Failure> {
    let Some((name, kind)) = kind else { return Ok(bridge::Values::default()) };
    match kind {
        _ if name.is_empty() => Err(refused(Errno::ERANGE)),
        _ if name == b"tun" => Err(no_tun_by_netlink()),
        Kind::Bridge(values) if values.is_empty() || kernel.is_bridge(bytes(device)) => Ok(values),
        Kind::Beyond if is_of_kind(kernel, device, name) => Err(needs_netlink(
            &[b"type ", name].concat(),
            if name == b"bridge_slave" { "use brctl(8)" } else { "no ioctl sets its values" },
        )),
        Kind::Bridge(_) | Kind::Beyond => Err(refused(Errno::EOPNOTSUPP)),
        // a kind without values is not even compared
        Kind::Bare => Ok(bridge::Values::default()),
    }
}

/// Whether a link is of this kind or, where that ends with `_slave`, belongs to one that is.
fn is_of_kind(kernel: &Kernel, device: &OsString, name: &[u8]) -> bool {
    let is = |link: &OsString, name: &[u8]| kernel.link_kind(bytes(link)).is_some_and(|kind| kind.as_bytes() == name);
    match name.strip_suffix(b"_slave") {
        Some(name) => kernel.link_master(bytes(device)).is_some_and(|master| is(&master, name)),
        None => is(device, name),
    }
}

/// Sets the values of each link of a group.
fn set_group(kernel: &Kernel, mut wanted: Wanted) -> Outcome {
    let group = wanted.group.take().ok_or_else(no_device_given)?;
    if let Some((_, mut words)) = wanted.kind.take()
        && let Some(word) = words.next()
    {
        return Err(super::not_understood(word).with_status(255));
    }
    let members = group_members(kernel, group)?;
    let values = bridge::Values::default();
    for member in &members {
        check(kernel, member, &wanted, &values)?;
    }
    members.into_iter().try_for_each(|member| apply(kernel, member, &wanted, &values))
}

/// Switches a link on or off.
pub fn set_up(kernel: &Kernel, device: &[u8], up: bool) -> Outcome {
    // the ioctl would cut a longer name, and mean another device
    if device.len() >= IFNAMSIZ {
        return Err(no_such_device(device));
    }
    kernel.set_link_up(device, up).map_err(|errno| flags_not_set(device, errno))
}
