//! Ports that programs of this host listen on: /proc/net/tcp, udp and their IPv6 sisters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::sockopt::BindToDevice;
use nix::sys::socket::{AddressFamily, SockType, SockaddrIn, bind, setsockopt};

use super::file::{os_string, read_all};
use super::handle::Kernel;
use super::procfs::{lines, words};
use super::result::Result;
use super::socket::open_socket;

/// A socket that waits for connections, or for packets of anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its address; 0.0.0.0 or :: for every address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
}

impl Listener {
    /// Returns the TCP sockets that listen, IPv4 before IPv6. None of a family whose file cannot be read.
    pub fn all_tcp(kernel: &Kernel) -> Vec<Self> {
        read(kernel, ["/proc/net/tcp", "/proc/net/tcp6"], TCP_LISTEN)
    }

    /// Returns the UDP sockets that are not connected, IPv4 before IPv6. None of a family whose file cannot be read.
    pub fn all_udp(kernel: &Kernel) -> Vec<Self> {
        read(kernel, ["/proc/net/udp", "/proc/net/udp6"], TCP_CLOSE)
    }
}

/// Returns whether a socket gets the UDP packets to a port that arrive on a link, whatever their address: a socket of that link, or
/// of all. /proc does not tell the link, so a socket is bound there for a moment.
///
/// # Errors
/// ENODEV, EPERM, EACCES (it takes root).
pub fn is_served(link: &[u8], port: u16) -> Result<bool> {
    let socket = open_socket(AddressFamily::Inet, SockType::Datagram)?;
    setsockopt(&socket, BindToDevice, &os_string(link))?;
    match bind(socket.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, port)) {
        Err(Errno::EADDRINUSE) => Ok(true),
        bound => bound.map(|()| false),
    }
}

/// States of sockets (include/net/tcp_states.h). A UDP socket is closed until it is connected.
const TCP_LISTEN: &str = "0A";
const TCP_CLOSE: &str = "07";

fn read(kernel: &Kernel, files: [&str; 2], state: &str) -> Vec<Listener> {
    let tables = files.map(|file| read_all(&kernel.path(file)).unwrap_or_default());
    tables.iter().flat_map(|table| lines(table).skip(1)).filter_map(|line| parse(state, line)).collect()
}

/// Parses `NUMBER: ADDRESS:PORT ADDRESS:PORT STATE …`, all of them hexadecimal (net/ipv4/tcp_ipv4.c, `get_openreq4`).
fn parse(listens: &str, line: &[u8]) -> Option<Listener> {
    let mut words = words(line).skip(1);
    let (address, port) = words.next()?.split_once(':')?;
    let state = words.nth(1)?;
    let port = u16::from_str_radix(port, 16).ok().filter(|_| state == listens)?;
    Some(Listener { address: parse_address(address)?, port })
}

/// Parses an address as words of 32 bits, each in the byte order of the machine.
fn parse_address(text: &str) -> Option<IpAddr> {
    let word = |place: usize| {
        let digits = text.get(place * 8..place * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            // an IPv4 address in a socket of IPv6
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_listen() {
        let of = |protocol, line: &str| {
            parse(protocol, line.as_bytes()).map(|found| (found.address.to_string(), found.port))
        };
        let tcp = |line| of(TCP_LISTEN, line);
        assert_eq!(tcp("   0: 00000000:0016 00000000:0000 0A 00000000:00000000"), Some(("0.0.0.0".into(), 22)));
        assert_eq!(tcp("   1: 010200C0:1F90 00000000:0000 0A 00000000:00000000"), Some(("192.0.2.1".into(), 8080)));
        assert_eq!(tcp("   2: 010200C0:1F90 020200C0:A000 01 00000000:00000000"), None, "a connection");
        let six = "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A x";
        assert_eq!(tcp(six), Some(("::".into(), 80)));
        let six = "   0: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A x";
        assert_eq!(tcp(six), Some(("2001:db8::1".into(), 80)));
        let six = "   0: 0000000000000000FFFF0000010200C0:0050 00000000000000000000000000000000:0000 0A x";
        assert_eq!(tcp(six), Some(("192.0.2.1".into(), 80)), "an IPv4 address in a socket of IPv6");
        let udp = "  99: 0100007F:0035 00000000:0000 07 00000000:00000000";
        assert_eq!(of(TCP_CLOSE, udp), Some(("127.0.0.1".into(), 53)));
        assert_eq!(tcp("  sl  local_address rem_address   st tx_queue"), None);
    }
}
