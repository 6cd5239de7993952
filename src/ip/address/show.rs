//! `ip address show`: links with their addresses.

use crate::call::Call;
use crate::error::Outcome;
use crate::ip::list::{self, Filter, Listing};
use crate::ip::words::Words;

/// `ip address show [[dev] DEVICE] [up] [to PREFIX] [scope SCOPE] [label PATTERN] [FLAG] ...`
pub(super) fn show(call: &mut Call, words: Words) -> Outcome {
    let options = words.options;
    let filter = Filter::resolved(call.kernel, words)?;
    list::list(call, Listing::Addresses, &filter, options)
}
