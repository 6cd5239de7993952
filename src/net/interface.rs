//! Names of network interfaces.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// The longest name in bytes: IFNAMSIZ without the NUL (linux/if.h).
const LONGEST: usize = libc::IFNAMSIZ - 1;

/// A checked name of an interface: the kernel, a path and a label read it alike.
///
/// It has 1 to 15 bytes of UTF-8 without '/', ':', '%', white space and control characters, and is neither "." nor "..". (A ':'
/// would make it a label of another interface, '%' a pattern for which the kernel finds a number.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// Filled up with zeros, so that names compare as texts do.
    bytes: [u8; LONGEST],
    length: u8,
}

impl InterfaceName {
    /// Checks a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(name: &[u8]) -> Result<Self, BadName> {
        if name.len() > LONGEST {
            return Err(BadName::TooLong);
        }
        let name = str::from_utf8(name).map_err(|_| BadName::Malformed)?;
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || "/:%".contains(c);
        match name {
            "" | "." | ".." => Err(BadName::Malformed),
            name if name.contains(is_bad) => Err(BadName::Malformed),
            name => {
                let mut bytes = [0; LONGEST];
                bytes[..name.len()].copy_from_slice(name.as_bytes());
                Ok(InterfaceName { bytes, length: name.len() as u8 })
            }
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the name as the kernel takes it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl FromStr for InterfaceName {
    type Err = BadName;

    fn from_str(name: &str) -> Result<Self, BadName> {
        InterfaceName::new(name.as_bytes())
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AsRef<OsStr> for InterfaceName {
    fn as_ref(&self) -> &OsStr {
        OsStr::from_bytes(self.as_bytes())
    }
}

impl AsRef<[u8]> for InterfaceName {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Why a text is not the name of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// It has more than 15 bytes.
    TooLong,
    /// It is empty, "." or "..", holds a character that no name may hold, or is not UTF-8.
    Malformed,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadName::TooLong => "a name has at most 15 bytes",
            BadName::Malformed => "not a name for an interface (no '/', ':', '%' or blank, not '.' or '..')",
        })
    }
}

impl std::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_one_interface() {
        for name in ["eth0", "vif1.0", "xenbr0", "abcdefghijklmno", "br-lan", "a@b", "...", "\u{fc}ber"] {
            assert_eq!(InterfaceName::new(name.as_bytes()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_in_the_order_of_texts() {
        let texts = ["a", "a-long-one", "a0", "aa", "ab", "b"];
        let mut names: Vec<InterfaceName> = texts.iter().rev().map(|name| name.parse().unwrap()).collect();
        names.sort();
        assert!(names.iter().map(InterfaceName::as_str).eq(texts));
    }

    #[test]
    fn names_that_mean_something_else() {
        let malformed =
            ["", ".", "..", "a/b", "eth0:1", "vif%d", "a b", "a\tb", "a\n", "a\0", "\u{7f}", "a\u{a0}b", "\u{85}"];
        for name in malformed {
            assert_eq!(InterfaceName::new(name.as_bytes()), Err(BadName::Malformed), "{name:?}");
        }
        assert_eq!(InterfaceName::new(b"\xff"), Err(BadName::Malformed));
        assert_eq!("abcdefghijklmnop".parse::<InterfaceName>(), Err(BadName::TooLong));
        assert_eq!(
            "a:2345678901234567".parse::<InterfaceName>(),
            Err(BadName::TooLong),
            "the length is looked at first"
        );
    }
}
