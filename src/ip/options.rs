//! What the options in front of the object ask for.

use super::color::{Palette, When};
use crate::era::Era;
use crate::net::prefix::Family;

/// The options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The tools that are followed.
    pub(super) era: Era,
    /// `-4`, `-6`, `-family`: only addresses and routes of this family.
    pub(super) family: Family,
    /// `-0`, `-family link`: links without their addresses.
    pub(super) link_only: bool,
    /// `-oneline`: one line for each record.
    pub(super) oneline: bool,
    /// `-brief`: a table of the most important fields.
    pub(super) brief: bool,
    /// `-json`
    pub(super) json: bool,
    /// `-pretty`: JSON with line ends and indentation.
    pub(super) pretty: bool,
    /// `-details`: also fields that have their usual value.
    pub(super) details: bool,
    /// `-color`
    pub(super) color: When,
    /// The colours, if the output has any.
    pub(super) palette: Option<Palette>,
    /// `-Numeric`: numbers in place of names.
    pub(super) numeric: bool,
    /// `-echo`: addresses are listed with their links, as in lines of their own.
    pub(super) echo: bool,
    /// `-B`, `-M`: a family that has neither addresses nor routes here, by its name.
    pub(super) other_family: Option<&'static str>,
    /// `-statistics`, counted: 1 for traffic, 2 for the kinds of errors too.
    pub(super) statistics: u8,
}

impl Options {
    /// Returns the options of an era if none is given.
    pub(super) fn of(era: Era) -> Self {
        Options { era, ..Options::default() }
    }

    /// Whether a word is a keyword or its beginning: iproute2's `matches`. (To ss060323 a word of no letters is the beginning of
    /// any keyword.)
    pub(super) fn is_short_for(self, word: &[u8], keyword: &str) -> bool {
        keyword.as_bytes().starts_with(word) && !(word.is_empty() && self.era.ip().empty_means_nothing)
    }

    /// Returns the end of a line within a record.
    pub(super) fn newline(self) -> &'static str {
        if self.oneline { "\\" } else { "\n" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        let (today, former) = (Options::of(Era::Today), Options::of(Era::Of2006));
        for (word, is_short) in [("a", true), ("address", true), ("addresses", false), ("b", false)] {
            assert_eq!(today.is_short_for(word.as_bytes(), "address"), is_short, "{word}");
            assert_eq!(former.is_short_for(word.as_bytes(), "address"), is_short, "{word}");
        }
        assert!(!today.is_short_for(b"", "address"));
        assert!(former.is_short_for(b"", "address"));
    }
}
