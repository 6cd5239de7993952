//! The words of a command line, one after the other.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

use super::complaint::{incomplete, not_among_links, wrong};
use super::keyword::{self, Keyword};
use super::options::Options;
use crate::error::{Failure, Outcome, line};
use crate::net::prefix::{Family, Prefix, parse_address};
use crate::texts::iproute2::{address_expected, prefix_expected};

/// A cursor over the words of a command, with the options that stood in front of it.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    rest: &'a [OsString],
    /// The word that was taken as a keyword last, as typed.
    pub(super) keyword: &'a [u8],
    /// The family of addresses: that of the options, or of the first address.
    pub(super) family: Family,
    pub(super) options: Options,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [OsString], options: Options) -> Self {
        Words { rest: words, keyword: b"", family: options.family, options }
    }

    /// Returns the next word and leaves it there.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        self.rest.first().map(|word| word.as_bytes())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the next word is a keyword or its beginning.
    pub(super) fn is_next_short_for(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|word| self.options.is_short_for(word, keyword))
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

    /// Takes a prefix, and expects addresses of its family from then on.
    ///
    /// # Errors
    /// `Error: any valid prefix is expected rather than "…".`
    pub(super) fn prefix(&mut self) -> Result<Prefix, Failure> {
        let prefix = self.prefix_of(self.family)?;
        if let Prefix::Net { net, .. } = prefix {
            self.family = Family::of(net.addr());
        }
        Ok(prefix)
    }

    /// Takes a prefix of a family.
    ///
    /// # Errors
    /// Those of [`Words::prefix`].
    pub(super) fn prefix_of(&mut self, family: Family) -> Result<Prefix, Failure> {
        let (word, era) = (self.operand()?, self.options.era);
        if self.options.link_only {
            return Err(not_among_links(word));
        }
        if let Some(name) = self.options.other_family {
            return Err(Failure::new(line!("Error: ", name, " prefix is expected rather than \"", word, "\".")));
        }
        Prefix::parse(word, family, era.ip().notation).ok_or_else(|| prefix_expected(era, family, word))
    }

    /// Takes the name of a family, where one may stand in front of a router's address.
    pub(super) fn take_family(&mut self) -> Option<Family> {
        let family = match self.peek()? {
            b"inet" if self.options.era.ip().via_family => Family::Inet,
            b"inet6" if self.options.era.ip().via_family => Family::Inet6,
            _ => return None,
        };
        self.next().map(|_| family)
    }

    /// Takes an address, and expects addresses of its family from then on.
    ///
    /// # Errors
    /// `Error: inet address is expected rather than "…".`
    pub(super) fn address(&mut self) -> Result<IpAddr, Failure> {
        let address = self.address_of(self.family)?;
        self.family = Family::of(address);
        Ok(address)
    }

    /// Takes an address of a family.
    ///
    /// # Errors
    /// Those of [`Words::address`].
    pub(super) fn address_of(&mut self, family: Family) -> Result<IpAddr, Failure> {
        let (word, era) = (self.operand()?, self.options.era);
        if word == b"default" {
            // every address as one
            let none =
                if family == Family::Inet6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
            return Ok(none);
        }
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

/// Sets a field to what was read.
pub(super) fn set<T>(field: &mut T, read: Result<T, Failure>) -> Outcome {
    *field = read?;
    Ok(())
}

/// Sets a field that has no value yet, or another one.
pub(super) fn put<T>(field: &mut Option<T>, read: Result<T, Failure>) -> Outcome {
    set(field, read.map(Some))
}
