//! Ethernet addresses.

use std::fmt;

/// A MAC address; its text is lower case with colons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

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

#[cfg(test)]
mod tests {
    use super::Mac;

    #[test]
    fn lower_case_with_colons() {
        assert_eq!(Mac([0x02, 0, 0xab, 0xcd, 0x0e, 0xf1]).to_string(), "02:00:ab:cd:0e:f1");
    }
}
