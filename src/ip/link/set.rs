//! `ip link set`: values of a link, or of all links of a group.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::apply::apply;
use super::args::LinkArgs;
use super::check::{check, check_address_length};
use super::group;
use super::kind::{KindArgs, not_understood};
use super::refusal::{check_bridge_address, check_no_index, no_device_given, no_tun_by_netlink};
use super::values::Values;
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::device::{check_privilege, find};
use crate::ip::words::Words;
use crate::kernel::Kernel;
use crate::texts::iproute2::{needs_netlink, refused};

/// `ip link set { [dev] DEVICE | group GROUP } ...`
pub(super) fn set(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let mut args = LinkArgs::resolved(kernel, words)?;
    check_address_length(kernel, &args)?;
    check_no_index(&args)?;
    let Some(device) = args.device else { return set_group(kernel, args) };
    let device = find(kernel, device)?;
    let kind = args.kind.take().map(|(kind, words)| Ok((kind, KindArgs::parse(kind, words)?))).transpose()?;
    if let Some((_, KindArgs::BridgeSlave(values))) = &kind {
        values.resolve(kernel)?;
    }
    check_privilege(kernel)?;
    if let Some((_, KindArgs::Bridge(_))) = &kind {
        check_bridge_address(&args)?;
    }
    let values =
        kind.map_or(Ok(Values::default()), |(kind, kind_args)| values_for(kernel, &device, kind, kind_args))?;
    check(kernel, &device, &args, &values)?;
    apply(kernel, &device, &args, &values)
}

/// Returns the values behind a kind, if the link is of this kind.
fn values_for<'a>(kernel: &Kernel, device: &OsStr, kind: &[u8], args: KindArgs<'a>) -> Result<Values<'a>, Failure> {
    match args {
        _ if kind.is_empty() => Err(refused(Errno::ERANGE)),
        _ if kind == b"tun" => Err(no_tun_by_netlink()),
        KindArgs::Bridge(values) if values.is_empty() || kernel.is_bridge(device.as_bytes()) => Ok(values),
        KindArgs::BridgeSlave(values) if values.is_empty() || kernel.try_bridge_of(device.as_bytes()) != Ok(None) => {
            Ok(values)
        }
        KindArgs::Unsupported if is_of_kind(kernel, device, kind) => {
            Err(needs_netlink([b"type ", kind].concat(), "no ioctl sets its values"))
        }
        KindArgs::Bridge(_) | KindArgs::BridgeSlave(_) | KindArgs::Unsupported => Err(refused(Errno::EOPNOTSUPP)),
        // a kind without values is not even compared
        KindArgs::Nothing => Ok(Values::default()),
    }
}

/// Whether a link is of this kind or, where that ends with `_slave`, belongs to one that is.
fn is_of_kind(kernel: &Kernel, device: &OsStr, kind: &[u8]) -> bool {
    let is = |link: &OsStr, kind: &[u8]| kernel.info_kind(link.as_bytes()).is_some_and(|name| name.as_bytes() == kind);
    match kind.strip_suffix(b"_slave") {
        Some(kind) => kernel.link_master(device.as_bytes()).is_some_and(|master| is(&master, kind)),
        None => is(device, kind),
    }
}

/// Sets the values of each link of a group.
fn set_group(kernel: &Kernel, mut args: LinkArgs) -> Outcome {
    let group = args.group.take().ok_or_else(no_device_given)?;
    if let Some((_, mut words)) = args.kind.take()
        && let Some(word) = words.next()
    {
        return Err(not_understood(word, &words).with_status(255));
    }
    let members = group::members(kernel, group)?;
    let values = Values::default();
    for member in &members {
        check(kernel, member, &args, &values)?;
    }
    members.iter().try_for_each(|member| apply(kernel, member, &args, &values))
}
