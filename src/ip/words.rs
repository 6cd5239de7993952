//! The words of a command line, one after the other.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::error::{Failure, line};

/// A cursor over the words of a command.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    rest: &'a [OsString],
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [OsString]) -> Self {
        Words { rest: words }
    }

    /// The next word, which stays.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        self.rest.first().map(|word| word.as_bytes())
    }

    /// The word that must follow a keyword.
    ///
    /// # Errors
    /// `Command line is not complete`, status 255 (lib/utils.c, `incomplete_command`).
    pub(super) fn operand(&mut self) -> Result<&'a [u8], Failure> {
        self.next()
            .ok_or_else(|| Failure::new(line!("Command line is not complete. Try option \"help\"")).with_status(255))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (word, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(word.as_bytes())
    }
}

/// Whether a word is the beginning of a keyword, or all of it: iproute2's `matches`.
pub(super) fn is_short_for(word: &[u8], keyword: &str) -> bool {
    !word.is_empty() && keyword.as_bytes().starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::is_short_for;

    #[test]
    fn beginnings() {
        assert!(is_short_for(b"a", "address"));
        assert!(is_short_for(b"address", "address"));
        assert!(!is_short_for(b"addresses", "address"));
        assert!(!is_short_for(b"", "address"));
    }
}
