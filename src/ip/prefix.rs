//! Addresses and prefixes with the complaints of iproute2.

use std::net::IpAddr;

use crate::era::Era;
use crate::error::Failure;
use crate::net::prefix::parse_address;
pub use crate::net::prefix::{Family, Prefix, number};
use crate::texts::iproute2::{address_expected, prefix_expected};

/// Parses a prefix.
///
/// # Errors
/// `Error: any valid prefix is expected rather than "…".`
pub fn prefix(era: Era, word: &[u8], family: Family) -> Result<Prefix, Failure> {
    Prefix::parse(word, family, era.ip().notation).ok_or_else(|| prefix_expected(era, family, word))
}

/// Parses an address.
///
/// # Errors
/// `Error: inet address is expected rather than "…".`
pub fn address(era: Era, word: &[u8], family: Family) -> Result<IpAddr, Failure> {
    parse_address(word, family, era.ip().notation).ok_or_else(|| address_expected(era, family, word))
}
