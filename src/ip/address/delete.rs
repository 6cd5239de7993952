//! `ip address delete`.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::args::AddressArgs;
use crate::call::Call;
use crate::error::{Outcome, line};
use crate::ip::device::{check_privilege, proper_name};
use crate::ip::words::Words;
use crate::kernel::{Address, Kernel};
use crate::texts::iproute2::{address_behind_label, address_not_removed, refused};

/// `ip address delete ADDRESS[/PREFIX] [peer ADDRESS[/PREFIX]] dev DEVICE [label LABEL]`. Without a prefix the first entry of the
/// address is removed, with a warning.
pub(super) fn delete(call: &mut Call, words: Words) -> Outcome {
    let args = AddressArgs::parse(words, call.err)?;
    let device = args.device()?;
    args.check_label(call.era)?;
    if args.has_any_prefix() {
        let _ = call.err.write_all(&wildcard_warning(args.typed));
    }
    let device = proper_name(call.kernel, device)?;
    check_privilege(call.kernel)?;
    let any_prefix = args.has_any_prefix();
    let which = Which { local: args.local()?, peer: args.peer, any_prefix, label: args.label };
    delete_from(call.kernel, device.as_bytes(), &which)
}

fn wildcard_warning(typed: &[u8]) -> Vec<u8> {
    line!(
        "Warning: Executing wildcard deletion to stay compatible with old scripts.\n",
        "         Explicitly specify the prefix length (",
        typed,
        "/32) to avoid this warning.\n",
        "         This special behaviour is likely to disappear in further releases,\n",
        "         fix your scripts!",
    )
}

/// What identifies the address to delete.
struct Which<'a> {
    local: IpNet,
    peer: Option<IpNet>,
    any_prefix: bool,
    label: Option<&'a [u8]>,
}

impl Which<'_> {
    /// Compares as the kernel does (net/ipv4/devinet.c, `inet_rtm_deladdr`).
    fn is(&self, address: &Address) -> bool {
        let far_end = self.peer.filter(|peer| peer.prefix_len() != 0).unwrap_or(self.local);
        let is_same_network = || match far_end {
            IpNet::V4(net) => address.network_v4() == Some(net.trunc()),
            IpNet::V6(_) => false,
        };
        address.net.addr() == self.local.addr()
            && self.label.is_none_or(|label| label == address.label.as_bytes())
            && (self.any_prefix || is_same_network())
    }
}

/// Removes an address from a device.
fn delete_from(kernel: &Kernel, device: &[u8], which: &Which) -> Outcome {
    if let IpNet::V6(_) = which.local {
        let removed = kernel.delete_address(device, which.local);
        return removed.map_err(|errno| address_not_removed(which.local, errno));
    }
    let there = kernel.addresses_v4_of(device).map_err(refused)?;
    let Some(address) = there.iter().find(|address| which.is(address)) else {
        return Err(address_not_removed(which.local, Errno::EADDRNOTAVAIL));
    };
    let first = there.iter().find(|other| other.label == address.label);
    if first != Some(address) {
        return Err(address_behind_label(address.net));
    }
    kernel.delete_address(address.label.as_bytes(), address.net).map_err(refused)
}
