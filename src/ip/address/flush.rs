//! `ip address flush`: removes all addresses that a filter admits.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::complaint::unreadable;
use crate::ip::fields::print;
use crate::ip::list::{self, Filter};
use crate::ip::words::Words;
use crate::kernel::{Address, Kernel};
use crate::net::prefix::Family;
use crate::texts::iproute2::{address_behind_label, refused};

const NOTHING: &str = "Nothing to flush.\n";

/// `ip address flush [dev DEVICE] [FILTER]...`
pub(super) fn flush(call: &mut Call, words: Words) -> Outcome {
    let options = words.options;
    if words.peek().is_none() {
        return Err(Failure::new(line!("Flush requires arguments.")).formerly_with_status(255));
    }
    if options.link_only {
        return Err(Failure::new(line!("Cannot flush link addresses.")).formerly_with_status(255));
    }
    let filter = Filter::resolved(call.kernel, words)?;
    let doomed = if options.other_family.is_some() { Vec::new() } else { doomed(call.kernel, &filter)? };
    if options.statistics > 1 {
        for address in &doomed {
            let index = call.kernel.link_index(address.link.as_bytes()).unwrap_or(0);
            print(call.out, list::address_lines(options.era, index, address));
        }
    }
    let count = doomed.len();
    if count == 0 && !options.era.ip().quiet_flush {
        let _ = call.err.write_all(NOTHING.as_bytes());
        return Ok(());
    }
    for address in doomed {
        remove(call.kernel, &address).map_err(|errno| {
            Failure::new(line!("Failed to send flush request: ", errno_text(errno))).with_status(255)
        })?;
    }
    match count {
        _ if options.statistics == 0 => (),
        0 => print(call.out, NOTHING),
        _ => {
            print(call.out, format!("\n*** Round 1, deleting {count} addresses ***\n"));
            print(call.out, "*** Flush is complete after 1 round ***\n");
        }
    }
    Ok(())
}

/// Returns the addresses that a filter admits.
///
/// # Errors
/// An address that an ioctl cannot remove: it reaches the first of each label, so none that stays may be in front of one that goes.
fn doomed(kernel: &Kernel, filter: &Filter) -> Result<Vec<Address>, Failure> {
    // as in iproute2, what a filter says of links has no effect, except for the device
    let links = filter.candidates(kernel)?;
    let is_doomed = |address: &&Address| filter.admits(address) && links.iter().any(|link| link.name == address.link);

    let there = kernel.addresses_v4().map_err(refused)?;
    let mut doomed: Vec<Address> = there.iter().filter(is_doomed).cloned().collect();
    for address in &doomed {
        let in_front = there.iter().take_while(|other| *other != address);
        if in_front.filter(|other| other.label == address.label).any(|other| !doomed.contains(other)) {
            return Err(address_behind_label(address.net));
        }
    }
    if filter.family != Family::Inet {
        let there = kernel.addresses_v6().map_err(unreadable)?;
        doomed.extend(there.iter().filter(is_doomed).cloned());
    }
    Ok(doomed)
}

/// Removes an address, unless it has been removed with an earlier one: a secondary address goes with its primary one.
fn remove(kernel: &Kernel, address: &Address) -> Result<(), Errno> {
    let link = address.link.as_bytes();
    match address.net {
        IpNet::V4(_) => {
            let left = kernel.addresses_v4_of(link)?;
            match left.iter().any(|left| left.net == address.net && left.label == address.label) {
                true => kernel.delete_address(address.label.as_bytes(), address.net),
                false => Ok(()),
            }
        }
        IpNet::V6(_) => match kernel.delete_address(link, address.net) {
            Err(Errno::EADDRNOTAVAIL) => Ok(()),
            removed => removed,
        },
    }
}
