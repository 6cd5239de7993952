//! `ip link show`: links without their addresses.

use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::device::index_in;
use crate::ip::list::{self, Filter, Listing};
use crate::ip::words::Words;
use crate::kernel::Kernel;

/// `ip link show [[dev] DEVICE] [up] [group GROUP] [master DEVICE | nomaster] [type KIND]`
pub(super) fn show(call: &mut Call, mut words: Words) -> Outcome {
    words.options.link_only |= call.era == Era::Of2006;
    let options = words.options;
    // links have no prefixes
    words.options.link_only = true;
    let filter = Filter::resolved(call.kernel, words)?;
    if call.era == Era::Of2006 {
        return list::list(call, Listing::Links, &filter, options);
    }
    if !filter.admits_links() {
        return Ok(());
    }
    if filter.device.is_some_and(|device| is_found_by_ioctl_alone(call.kernel, device)) {
        let refusal = line!("RTNETLINK answers: No such device\nCannot send link get request: No such device");
        return Err(Failure::new(refusal));
    }
    list::list(call, Listing::Links, &filter, options)
}

/// Whether iproute2 finds a link that the kernel, asked by netlink, does not: by a label, or `ifN` by its index.
fn is_found_by_ioctl_alone(kernel: &Kernel, device: &[u8]) -> bool {
    match kernel.link_index(device) {
        Ok(_) => device.contains(&b':'),
        Err(_) => index_in(device).is_some(),
    }
}
