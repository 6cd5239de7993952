//! Words with a meaning: objects, commands, options and keywords, each in a table of [`Keyword`]s.

use super::options::Options;
use crate::era::Era;

/// A word with a meaning of type `M`, and the eras that know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword<M> {
    pub(super) name: &'static str,
    /// Whether its beginning is enough.
    may_be_short: bool,
    since: Era,
    until: Era,
    pub(super) meaning: M,
}

/// A keyword that must be written out.
pub(super) const fn exact<M>(name: &'static str, meaning: M) -> Keyword<M> {
    Keyword { name, may_be_short: false, since: Era::Of2006, until: Era::Today, meaning }
}

/// A keyword that may be cut short.
pub(super) const fn short<M>(name: &'static str, meaning: M) -> Keyword<M> {
    Keyword { name, may_be_short: true, since: Era::Of2006, until: Era::Today, meaning }
}

/// Restricts a keyword to iproute2 6.1: ss060323 did not know it yet.
pub(super) const fn today<M: Copy>(keyword: Keyword<M>) -> Keyword<M> {
    Keyword { since: Era::Today, ..keyword }
}

/// Restricts a keyword to ss060323: later versions gave it up.
pub(super) const fn of_2006<M: Copy>(keyword: Keyword<M>) -> Keyword<M> {
    Keyword { until: Era::Of2006, ..keyword }
}

/// Returns the keyword that a word means: the first of the table that it is, or is the beginning of.
pub(super) fn find<'k, M>(keywords: &'k [Keyword<M>], word: &[u8], options: Options) -> Option<&'k Keyword<M>> {
    debug_assert!(is_distinct(keywords));
    keywords.iter().find(|keyword| {
        (keyword.since..=keyword.until).contains(&options.era)
            && match keyword.may_be_short {
                true => options.is_short_for(word, keyword.name),
                false => word == keyword.name.as_bytes(),
            }
    })
}

/// Whether every keyword can be reached: no era has one twice.
fn is_distinct<M>(keywords: &[Keyword<M>]) -> bool {
    keywords.iter().enumerate().all(|(place, keyword)| {
        let is_hidden_by = |other: &Keyword<M>| {
            other.name == keyword.name && other.since <= keyword.until && keyword.since <= other.until
        };
        !keywords[..place].iter().any(is_hidden_by)
    })
}
