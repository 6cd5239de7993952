//! Names of network interfaces.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// The longest name in bytes: IFNAMSIZ without the NUL (linux/if.h).
const LONGEST: usize = libc::IFNAMSIZ - 1;

/// A checked name of an interface, which the kernel, a path, a label, iptables and a shell all read alike.
///
/// It has 1 to 15 ASCII letters, digits, '.', '_', '-' and '@', does not begin with '-', and is neither "." nor "..". The kernel
/// admits more, and reads some of it differently: ':' makes a label of another interface, '%' a pattern for which it finds a
/// number. iptables takes a last '+' for a wildcard. "all" and "default" are the kernel's own under /proc/sys/net.
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
        let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-@".contains(byte);
        let name = str::from_utf8(name).ok().filter(|name| name.as_bytes().iter().all(is_good));
        match name.unwrap_or_default() {
            "" | "." | ".." => Err(BadName::Malformed),
            "all" | "default" => Err(BadName::Reserved),
            name if name.starts_with('-') => Err(BadName::Malformed),
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
    /// It is empty, "." or "..", begins with '-', or holds a character that names do not hold.
    Malformed,
    /// It is "all" or "default".
    Reserved,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadName::TooLong => "a name has at most 15 bytes",
            BadName::Malformed => {
                "not a name for an interface (letters, digits, '.', '_', '@', inner '-'; not '.' or '..')"
            }
            BadName::Reserved => "the kernel reserves this name for settings of all interfaces",
        })
    }
}

impl std::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_one_interface() {
        for name in
            ["eth0", "vif1.0", "vif1.0-emu", "xenbr0", "abcdefghijklmno", "br-lan", "a@b", "...", "_", "Alle", "0-"]
        {
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
        let malformed = [
            "",
            ".",
            "..",
            "-",
            "-i",
            "a/b",
            "../lo",
            "eth0:1",
            ":",
            "vif%d",
            "a b",
            " a",
            "a\tb",
            "a\n",
            "a\0",
            "\0",
            "a\0b",
            "\u{1b}[31m",
            "\u{7f}",
            "a\u{a0}b",
            "\u{85}",
            "$(id)",
            "$x",
            "(a)",
            "a;b",
            "a`b",
            "a'b",
            "a\"b",
            "a\\b",
            "eth+",
            "+",
            "a+b",
            "a*",
            "a?",
            "a[b]",
            "a{b}",
            "a|b",
            "a&b",
            "a<b",
            "a>b",
            "a!",
            "~a",
            "#a",
            "a=b",
            "a,b",
            "\u{fc}ber",
            "a\u{202e}b",
            "a\u{200f}",
            "\u{feff}a",
        ];
        for name in malformed {
            assert_eq!(InterfaceName::new(name.as_bytes()), Err(BadName::Malformed), "{name:?}");
        }
        for byte in (0..=255).filter(|byte: &u8| !byte.is_ascii_alphanumeric() && !b"._-@".contains(byte)) {
            assert_eq!(InterfaceName::new(&[b'a', byte, b'b']), Err(BadName::Malformed), "{byte:#x}");
        }
        for name in ["all", "default"] {
            assert_eq!(name.parse::<InterfaceName>(), Err(BadName::Reserved));
        }
        assert_eq!("abcdefghijklmnop".parse::<InterfaceName>(), Err(BadName::TooLong));
        assert_eq!("a:2345678901234567".parse::<InterfaceName>(), Err(BadName::TooLong), "the length is checked first");
    }
}
