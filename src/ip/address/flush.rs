//! `ip address flush`: removes all addresses that a filter admits.

use ipnet::IpNet;
use nix::errno::Errno;

use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::list::{self, Filter};
use crate::ip::prefix::Family;
use crate::ip::words::Words;
use crate::ip::{Options, bytes, complete, print, refused};
use crate::kernel::{Address, Kernel};
use crate::texts::iproute2::address_behind_label;

const NOTHING: &str = "Nothing to flush.\n";

/// `ip address flush [dev DEVICE] [FILTER]...`
pub(super) fn flush(call: &mut Call, options: Options, words: Words) -> Outcome {
    if words.peek().is_none() {
        return Err(Failure::new(line!("Flush requires arguments.")).formerly_with_status(255));
    }
    if options.link_only {
        return Err(Failure::new(line!("Cannot flush link addresses.")).formerly_with_status(255));
    }
    let filter = Filter::parse(call.kernel, options, words)?;
    let doomed = chosen(call.kernel, &filter)?;
    check_reachable(call.kernel, &doomed)?;
    if options.statistics > 1 {
        for address in &doomed {
            let index = call.kernel.link_index(bytes(&address.link)).unwrap_or(0);
            print(call.out, list::address_lines(options.era, index, address));
        }
    }
    let count = doomed.len();
    if count == 0 && !options.era.ip().quiet_flush {
        let _ = call.err.write_all(NOTHING.as_bytes());
        return Ok(());
    }
    remove(call.kernel, doomed)?;
    if options.statistics > 0 {
        print(
            call.out,
            match count {
                0 => NOTHING.to_string(),
                _ => {
                    format!("\n*** Round 1, deleting {count} addresses ***\n*** Flush is complete after 1 round ***\n")
                }
            },
        );
    }
    Ok(())
}

/// The addresses that a filter admits.
fn chosen(kernel: &Kernel, filter: &Filter) -> Result<Vec<Address>, Failure> {
    let mut links = filter.candidates(kernel)?;
    links.retain(|link| !filter.asks_of_links() || filter.admitted(kernel, link).is_some());
    let mut list = kernel.addresses_v4().map_err(refused)?;
    if filter.family != Family::Inet {
        list.extend(kernel.addresses_v6().unwrap_or_default());
    }
    complete(kernel)?;
    list.retain(|address| filter.admits(address) && links.iter().any(|link| link.name == address.link));
    Ok(list)
}

/// Of a label only the first address can be removed, so none that stays may be in front of one that goes.
fn check_reachable(kernel: &Kernel, doomed: &[Address]) -> Outcome {
    let there = kernel.addresses_v4().map_err(refused)?;
    for address in doomed.iter().filter(|address| address.net.addr().is_ipv4()) {
        let in_front = there.iter().take_while(|other| *other != address).filter(|other| other.label == address.label);
        if in_front.into_iter().any(|other| !doomed.contains(other)) {
            return Err(address_behind_label(address.net));
        }
    }
    Ok(())
}

/// Removes them. A secondary address may go with its primary one.
fn remove(kernel: &Kernel, doomed: Vec<Address>) -> Outcome {
    for address in doomed {
        let link = bytes(&address.link);
        let removed = match address.net {
            IpNet::V4(_) => match kernel.addresses_v4_of(link) {
                Ok(left) if left.iter().any(|left| left.net == address.net && left.label == address.label) => {
                    kernel.delete_address_v4(bytes(&address.label))
                }
                Ok(_) => Ok(()),
                Err(errno) => Err(errno),
            },
            IpNet::V6(net) => match kernel.delete_address_v6(link, net) {
                Err(Errno::EADDRNOTAVAIL) => Ok(()),
                other => other,
            },
        };
        removed.map_err(|errno| {
            Failure::new(line!("Failed to send flush request: ", errno_text(errno))).with_status(255)
        })?;
    }
    Ok(())
}
