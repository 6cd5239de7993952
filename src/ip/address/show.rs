//! `ip address show`: links with their addresses.

use crate::call::Call;
use crate::error::Outcome;
use crate::ip::list::{self, Filter, Listing};
use crate::ip::prefix::Family;
use crate::ip::words::Words;
use crate::ip::{Options, complete};

/// `ip address show [[dev] DEVICE] [up] [to PREFIX] [scope SCOPE] [label PATTERN] [FLAG] ...`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    let filter = Filter::parse(call.kernel, options, words)?;
    list::list(call.kernel, call.out, Listing::Addresses, &filter, options)?;
    match complete(call.kernel) {
        // what there is of IPv4 has been shown
        Err(reason) if filter.family == Family::Any && call.kernel.has_unread_ipv6() => {
            let _ = call.err.write_all(&reason.text);
            Ok(())
        }
        other => other,
    }
}
