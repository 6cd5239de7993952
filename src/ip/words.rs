//! The words of a command line, one after the other.

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use super::complaint::{incomplete, wrong};
use super::keyword::{self, Keyword};
use super::options::Options;
use crate::error::{Failure, Outcome};
use crate::net::prefix::{Family, Prefix, parse_address};
use crate::texts::iproute2::{address_expected, prefix_expected};

/// A cursor over the words of a command, with the options that stood in front of it.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    rest: &'a [OsString],
    /// The word that was taken as a keyword last, as typed.
    pub(super) keyword: &'a [u8],
    pub(super) options: Options,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [OsString], options: Options) -> Self {
        Words { rest: words, keyword: b"", options }
    }

    /// Returns the next word and leaves it there.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        self.rest.first().map(|word| word.as_bytes())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes the next word if it is a keyword.
    pub(super) fn take_keyword<'k, M>(&mut self, keywords: &'k [Keyword<M>]) -> Option<&'k Keyword<M>> {
        let keyword = keyword::find(keywords, self.peek()?, self.options)?;
        self.keyword = self.next()?;
        Some(keyword)
    }

    /// Takes the word that must follow a keyword.
    ///
    /// # Errors
    /// `Command line is not complete`.
    pub(super) fn operand(&mut self) -> Result<&'a [u8], Failure> {
        self.next().ok_or_else(incomplete)
    }

    /// Takes the word that must follow a keyword, and parses it.
    ///
    /// # Errors
    /// `Error: argument "…" is wrong: REASON`
    pub(super) fn parse<T>(&mut self, parse: impl FnOnce(&[u8]) -> Option<T>, reason: &str) -> Result<T, Failure> {
        let word = self.operand()?;
        parse(word).ok_or_else(|| wrong(word, reason))
    }

    /// Parses a prefix of a family. (That of the options may have been narrowed by earlier words.)
    ///
    /// # Errors
    /// `Error: any valid prefix is expected rather than "…".`
    pub(super) fn prefix(&self, word: &[u8], family: Family) -> Result<Prefix, Failure> {
        let era = self.options.era;
        Prefix::parse(word, family, era.ip().notation).ok_or_else(|| prefix_expected(era, family, word))
    }

    /// Parses an address of a family.
    ///
    /// # Errors
    /// `Error: inet address is expected rather than "…".`
    pub(super) fn address(&self, word: &[u8], family: Family) -> Result<IpAddr, Failure> {
        let era = self.options.era;
        parse_address(word, family, era.ip().notation).ok_or_else(|| address_expected(era, family, word))
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

/// Puts what was read into a field.
pub(super) fn put<T>(field: &mut Option<T>, read: Result<T, Failure>) -> Outcome {
    *field = Some(read?);
    Ok(())
}
