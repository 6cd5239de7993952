//! Ports of a bridge, and why one does not forward.

use std::ffi::{OsStr, OsString};

use crate::kernel::port_state;

/// A port of a bridge.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: OsString,
    /// Its number in the bridge, of at most ten bits (`BR_PORT_BITS`).
    pub(crate) number: u32,
    pub(super) state: u8,
    /// Why it does not forward, if it does not.
    pub(crate) block: Option<PortBlock>,
}

/// Why a port does not forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortBlock {
    SwitchedOff,
    NoCarrier,
    /// The bridge is down, which disables all of its ports.
    BridgeDown,
    /// The port is up and has a carrier, but the bridge has not noticed yet.
    JustAttached,
    /// The spanning tree has another path.
    SpanningTree,
    /// The forward delay is running: the port listens, and learns for as long again. The time left is rounded up.
    ForwardsIn {
        seconds: u64,
    },
}

impl Port {
    /// Returns the state's name in bridge-utils' words.
    pub(crate) fn state(&self) -> &'static str {
        port_state::NAMES.get(usize::from(self.state)).copied().unwrap_or("unknown")
    }

    pub(crate) fn forwards(&self) -> bool {
        self.state == port_state::FORWARDING
    }

    /// Returns the guest that the interface belongs to, by the names that Xen gives: `vif1.0`, `tap1.0`, `vif1.0-emu`.
    pub(crate) fn guest(&self) -> Option<u32> {
        guest_of(self.name.to_str()?)
    }
}

/// Returns the guest that an interface belongs to, by the name that Xen gave it.
pub(crate) fn guest_of(name: &str) -> Option<u32> {
    let numbers = name.strip_prefix("vif").or_else(|| name.strip_prefix("tap"))?;
    let (guest, device) = numbers.split_once('.')?;
    device.strip_suffix("-emu").unwrap_or(device).parse::<u32>().ok()?;
    guest.parse().ok()
}

/// A name split at its first number: what is before it, the number, what is behind it. Ordered by these, vif2.0 comes before
/// vif10.0.
pub(crate) type NumberedName<'a> = (&'a [u8], Option<u32>, &'a [u8]);

/// Splits a name at its first number.
pub(crate) fn numbered(name: &OsStr) -> NumberedName<'_> {
    let name = name.as_encoded_bytes();
    let start = name.iter().position(u8::is_ascii_digit).unwrap_or(name.len());
    let length = name[start..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len() - start);
    let (digits, behind) = name[start..].split_at(length);
    // 01 is not 1
    let digits = Some(digits).filter(|digits| digits.len() == 1 || digits.first() != Some(&b'0'));
    match digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok()) {
        Some(number) => (&name[..start], Some(number), behind),
        None => (name, None, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_by_number() {
        let names = ["eth0", "vif1.0", "vif2.0", "vif2.1", "vif10.0", "vif100.0"];
        assert!(names.is_sorted_by_key(|name| numbered(name.as_ref())));
        assert_eq!(numbered("vif12.0".as_ref()), (&b"vif"[..], Some(12), &b".0"[..]));
        assert_eq!(numbered("p01".as_ref()), (&b"p01"[..], None, &b""[..]));
        assert_eq!(numbered("p0".as_ref()), (&b"p"[..], Some(0), &b""[..]));
        assert_eq!(numbered("lan".as_ref()), (&b"lan"[..], None, &b""[..]));
    }

    #[test]
    fn guests_by_their_interfaces() {
        for (name, wanted) in [("vif12.1", 12), ("tap3.0", 3), ("vif3.0-emu", 3)] {
            assert_eq!(guest_of(name), Some(wanted));
        }
        for other in ["vif1", "vif1.x", "eth0.1", "vif.1"] {
            assert_eq!(guest_of(other), None, "{other}");
        }
    }
}
