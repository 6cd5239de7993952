//! Ethernet addresses.

use std::fmt;
use std::str::FromStr;

/// A MAC address. Its text is lower case with colons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// What Xen gives all guests' interfaces on the host, so that none of them becomes the bridge's.
    pub const OF_XEN: Mac = Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]);

    /// Returns the address as a number, the first octet highest.
    pub fn number(self) -> u64 {
        self.0.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
    }

    /// Returns the address of a number's lower 48 bits.
    pub fn from_number(number: u64) -> Self {
        let [_, _, octets @ ..] = number.to_be_bytes();
        Mac(octets)
    }

    /// Returns whether a single interface can have it: it is neither a group's nor zero.
    pub fn is_of_one(self) -> bool {
        self.0[0] & 1 == 0 && self != Mac::default()
    }
}

impl fmt::Display for Mac {
    // a forwarding table prints tens of thousands of them, so without the machinery of `{:02x}`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b':'; 17];
        for (place, byte) in self.0.iter().enumerate() {
            text[3 * place] = DIGITS[usize::from(byte >> 4)];
            text[3 * place + 1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

/// The text is not a MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMac;

/// Six octets of one or two hexadecimal digits with colons between them.
impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let is_octet =
            |octet: &str| matches!(octet.len(), 1 | 2) && octet.bytes().all(|digit| digit.is_ascii_hexdigit());
        let octet = |octet| u8::from_str_radix(octet, 16).ok().filter(|_| is_octet(octet)).ok_or(NotAMac);
        let octets = text.split(':').map(octet).collect::<Result<Vec<u8>, NotAMac>>()?;
        octets.try_into().map(Mac).map_err(|_| NotAMac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_with_colons() {
        assert_eq!(Mac([0x02, 0, 0xab, 0xcd, 0x0e, 0xf1]).to_string(), "02:00:ab:cd:0e:f1");
    }

    #[test]
    fn numbers() {
        let mac: Mac = "02:00:ab:cd:0e:f1".parse().unwrap();
        assert_eq!(mac.number(), 0x0200_abcd_0ef1);
        assert_eq!(Mac::from_number(mac.number()), mac);
    }

    #[test]
    fn octets_of_one_or_two_digits() {
        assert_eq!("02:0:AB:cd:e:f1".parse(), Ok(Mac([0x02, 0, 0xab, 0xcd, 0x0e, 0xf1])));
        for wrong in
            ["", "02:00:00:00:00", "02:00:00:00:00:01:02", "02:00:00:00:00:", "+2:00:00:00:00:01", "02-00-00-00-00-01"]
        {
            assert_eq!(wrong.parse::<Mac>(), Err(NotAMac), "{wrong}");
        }
    }
}
