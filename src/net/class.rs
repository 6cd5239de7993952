//! Classes of IPv4 addresses, which SIOCSIFADDR still goes by.

use std::net::Ipv4Addr;

/// Returns the prefix length of an address's class (net/ipv4/devinet.c, `inet_abc_len`).
pub fn class_prefix(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0 => 0,
        1..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        _ => 32,
    }
}
