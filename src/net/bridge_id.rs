//! Identifiers of bridges in the spanning tree protocol (IEEE 802.1D).

use std::fmt;
use std::str::FromStr;

/// Two bytes of priority and a MAC address; its text is `8000.020000000001`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeId(pub [u8; 8]);

impl fmt::Display for BridgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if place == 2 { "." } else { "" })?;
        }
        Ok(())
    }
}

/// The text is not a bridge's identifier.
#[derive(Debug, PartialEq, Eq)]
pub struct NotABridgeId;

impl FromStr for BridgeId {
    type Err = NotABridgeId;

    fn from_str(text: &str) -> Result<Self, NotABridgeId> {
        let (priority, mac) = text.split_once('.').ok_or(NotABridgeId)?;
        let digits = [priority, mac].concat();
        if priority.len() != 4 || digits.len() != 16 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotABridgeId);
        }
        u64::from_str_radix(&digits, 16).map(|number| BridgeId(number.to_be_bytes())).map_err(|_| NotABridgeId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let id: BridgeId = "8000.020000000001".parse().unwrap();
        assert_eq!(id.0, [0x80, 0, 2, 0, 0, 0, 0, 1]);
        assert_eq!(id.to_string(), "8000.020000000001");
        for wrong in ["", "8000", "8000.02", "80000.2000000001", "+800.020000000001", "8000.02000000000é"] {
            assert_eq!(wrong.parse::<BridgeId>(), Err(NotABridgeId), "{wrong}");
        }
    }
}
