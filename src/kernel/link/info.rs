//! What the kernel tells of a link.

use std::ffi::OsString;
use std::fmt::Write;

use crate::net::Mac;

/// Flags of a link (`IFF_*`, linux/if.h).
pub mod flag {
    /// Switched on by the administrator.
    pub const UP: u32 = libc::IFF_UP as u32;
    /// Has a broadcast address.
    pub const BROADCAST: u32 = libc::IFF_BROADCAST as u32;
    /// The loopback.
    pub const LOOPBACK: u32 = libc::IFF_LOOPBACK as u32;
    /// Has one peer.
    pub const POINTOPOINT: u32 = libc::IFF_POINTOPOINT as u32;
    /// Sends no trailers.
    pub const NOTRAILERS: u32 = libc::IFF_NOTRAILERS as u32;
    /// Operational (RFC 2863): up, and with a carrier as far as is known.
    pub const RUNNING: u32 = libc::IFF_RUNNING as u32;
    /// Sends no ARP requests.
    pub const NOARP: u32 = libc::IFF_NOARP as u32;
    /// Receives frames to other hosts, too.
    pub const PROMISC: u32 = libc::IFF_PROMISC as u32;
    /// Receives all multicasts.
    pub const ALLMULTI: u32 = libc::IFF_ALLMULTI as u32;
    /// Supports multicast.
    pub const MULTICAST: u32 = libc::IFF_MULTICAST as u32;
    /// Loses its addresses when it goes down.
    pub const DYNAMIC: u32 = libc::IFF_DYNAMIC as u32;
    /// The driver reports a carrier. Linux 2.6.17 and later; beyond what SIOCGIFFLAGS can carry.
    pub const LOWER_UP: u32 = libc::IFF_LOWER_UP as u32;
    /// Waits for an event outside, such as authentication.
    pub const DORMANT: u32 = libc::IFF_DORMANT as u32;
}

/// A link.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its index, from 1.
    pub index: i32,
    /// Its name.
    pub name: OsString,
    /// See [`flag`].
    pub flags: u32,
    /// Bytes that a frame may carry.
    pub mtu: u32,
    /// Packets that may wait to be sent.
    pub queue_length: u32,
    /// Type of hardware (`ARPHRD_*`, linux/if_arp.h).
    pub hw_type: u16,
    /// Hardware address as text (`02:00:00:00:00:01`), empty if it has none.
    pub address: String,
    /// Hardware broadcast address as text, empty if it has none.
    pub broadcast: String,
    /// RFC 2863's operational state as /sys spells it: `up`, `down`, `unknown`, `lowerlayerdown`, …
    pub state: String,
    /// Index of the link that this one stands on or, of a veth, of its peer (`IFLA_LINK`); its own if there is none, 0 for a
    /// tunnel that is bound to no link. It may be that of a link in another namespace.
    pub iflink: i32,
    /// A protocol keeps it down.
    pub proto_down: bool,
    /// The bridge (or bond) that it belongs to.
    pub master: Option<OsString>,
    /// Whether the kernel reports the master by netlink. Before 2.6.39 it did not report bridges.
    pub announces_master: bool,
    /// Interface group; 0 is the default one.
    pub group: u32,
    /// What the kernel does with packets that have to wait.
    pub queue: Queue,
}

/// How packets wait on a link. No file shows the queueing discipline itself, but what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// The link is switched off. It has no discipline if it was never on; whether it was cannot be known.
    Off,
    /// No packet waits: loopback, bridge, veth and other virtual devices.
    None,
    /// Hardware, tap and tun devices have the kernel's default.
    Default,
    /// Such a device has several queues, each with its own.
    Several,
}

/// A hardware address as SIOCGIFHWADDR gives it: without its length.
pub(in crate::kernel) struct Hardware {
    /// `ARPHRD_*`
    pub(super) hw_type: u16,
    pub(super) bytes: [u8; 14],
}

impl Hardware {
    /// Whether this is the address that /sys spells so. (An address longer than the 14 bytes is compared in these.)
    pub(in crate::kernel) fn is(&self, text: &str) -> bool {
        let spelt = text.split(':').filter(|octet| !octet.is_empty()).map(|octet| u8::from_str_radix(octet, 16));
        spelt.zip(self.bytes).all(|(spelt, own)| spelt == Ok(own))
    }

    pub(in crate::kernel) fn hw_type(&self) -> u16 {
        self.hw_type
    }

    /// Returns how many bytes it has, if that follows from the type.
    pub(super) fn length(&self) -> Option<usize> {
        match self.hw_type {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(6),
            // an IPv4 address
            libc::ARPHRD_TUNNEL | libc::ARPHRD_SIT | libc::ARPHRD_IPGRE => Some(4),
            _ => None,
        }
    }

    pub(super) fn mac(&self) -> Mac {
        let [a, b, c, d, e, f, ..] = self.bytes;
        Mac([a, b, c, d, e, f])
    }

    /// The text that /sys would have; empty where the length is not known.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(17);
        for octet in self.bytes.iter().take(self.length().unwrap_or(0)) {
            // writing to a String does not fail
            let _ = write!(text, "{}{octet:02x}", if text.is_empty() { "" } else { ":" });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_the_length_of_their_type() {
        let text = |hw_type, bytes: &[u8]| {
            let mut address = [0; 14];
            address[..bytes.len()].copy_from_slice(bytes);
            Hardware { hw_type, bytes: address }.text()
        };
        assert_eq!(text(libc::ARPHRD_ETHER, &[2, 0, 0, 0, 0, 0xfe]), "02:00:00:00:00:fe");
        assert_eq!(text(libc::ARPHRD_SIT, &[]), "00:00:00:00");
        assert_eq!(text(libc::ARPHRD_IPGRE, &[10, 0, 0, 1]), "0a:00:00:01");
        assert_eq!(text(libc::ARPHRD_NONE, &[]), "");
    }
}
