//! `ip link show`: links without their addresses.

use crate::applet::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::Options;
use crate::ip::list::{self, Filter, Listing};
use crate::ip::words::Words;

/// `ip link show [[dev] DEVICE] [up] [group GROUP] [master DEVICE | nomaster] [type KIND]`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    let filter = Filter::parse(call.kernel, options, words)?;
    if filter.device.is_some_and(|device| device.contains(&b':') && call.kernel.link_index(device).is_ok()) {
        // the kernel finds a link by its label for ioctls only
        let refusal = line!("RTNETLINK answers: No such device\nCannot send link get request: No such device");
        return Err(Failure::new(refusal));
    }
    list::list(call.kernel, call.out, Listing::Links, &filter, options)
}
