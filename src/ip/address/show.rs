//! `ip address show`: links with their addresses.

use crate::applet::Call;
use crate::error::Outcome;
use crate::ip::Options;
use crate::ip::list::{self, Filter, Listing};
use crate::ip::words::Words;

/// `ip address show [[dev] DEVICE] [up] [to PREFIX] [scope SCOPE] [label PATTERN] [FLAG] ...`
pub(super) fn show(call: &mut Call, options: Options, words: Words) -> Outcome {
    let filter = Filter::parse(call.kernel, options, words)?;
    list::list(call.kernel, call.out, Listing::Addresses, &filter, options)
}
