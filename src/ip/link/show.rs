//! `ip link show`: links without their addresses.

use super::by_index;
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::list::{self, Filter, Listing};
use crate::ip::words::Words;
use crate::ip::{Options, complete};
use crate::kernel::Kernel;

/// `ip link show [[dev] DEVICE] [up] [group GROUP] [master DEVICE | nomaster] [type KIND]`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    if options.era == Era::Of2006 {
        let options = Options { link_only: true, ..options };
        let filter = Filter::parse(call.kernel, options, words)?;
        return list::list(call.kernel, call.out, Listing::Links, &filter, options);
    }
    let filter = Filter::parse(call.kernel, options, words)?;
    if !filter.admits_links()? {
        return Ok(());
    }
    if filter.device.is_some_and(|device| is_found_by_ioctl_alone(call.kernel, device)) {
        let refusal = line!("RTNETLINK answers: No such device\nCannot send link get request: No such device");
        return Err(Failure::new(refusal));
    }
    list::list(call.kernel, call.out, Listing::Links, &filter, options)?;
    complete(call.kernel)
}

/// Whether iproute2 finds a link that the kernel, asked by netlink, does not: by a label, or `ifN` by its index.
fn is_found_by_ioctl_alone(kernel: &Kernel, device: &[u8]) -> bool {
    match kernel.link_index(device) {
        Ok(_) => device.contains(&b':'),
        Err(_) => by_index(device).is_some(),
    }
}
