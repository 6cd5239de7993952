//! Which way a packet would take, as far as a socket can be asked: nothing is sent.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};

use crate::kernel::{Kernel, Result, errno, procfs};

/// Any that is not 0; the route does not depend on it.
const PORT: u16 = 9;

/// Whether a link is member of an IPv4 group, so that packets to the group are delivered to this host too: /proc/net/igmp.
pub fn is_member_v4(kernel: &Kernel, link: &[u8], group: Ipv4Addr) -> bool {
    kernel.is_member_v4(link, group)
}

impl Kernel {
    /// The source address of packets to an address; from a given one if it is this host's, and over a given link.
    ///
    /// # Errors
    /// What the kernel answers to such packets: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL for routes that drop; EADDRNOTAVAIL for
    /// a source that is not this host's, or if there is none. EPERM where a link can only be chosen with privilege.
    pub fn source_to(&self, to: IpAddr, from: Option<IpAddr>, link: Option<&[u8]>) -> Result<IpAddr> {
        if !self.is_running() {
            return Err(Errno::ENODEV);
        }
        let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(from.unwrap_or(any), 0)).map_err(errno)?;
        if to.is_ipv4() {
            socket.set_broadcast(true).map_err(errno)?;
        }
        let mut index = 0;
        if let Some(link) = link {
            setsockopt(&socket, sockopt::BindToDevice, &OsStr::from_bytes(link).to_owned())?;
            index = self.link_index(link)?;
        }
        let to = match to {
            IpAddr::V4(to) => SocketAddr::V4(SocketAddrV4::new(to, PORT)),
            IpAddr::V6(to) => SocketAddr::V6(SocketAddrV6::new(to, PORT, 0, index as u32)),
        };
        socket.connect(to).and_then(|()| socket.local_addr()).map(|address| address.ip()).map_err(errno)
    }

    /// Whether a link is member of an IPv4 group: packets to it are for this host too.
    pub fn is_member_v4(&self, link: &[u8], group: Ipv4Addr) -> bool {
        // `1\teth0      :     1      V3`, then for each group `\t\t\t\t010000E0     1 0:00000000\t\t0`
        let text = procfs::read(self, "/proc/net/igmp");
        let mut is_link = false;
        for line in text.split(|&byte| byte == b'\n').skip(1) {
            let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
            if !line.starts_with(b"\t") {
                is_link = words.nth(1).is_some_and(|name| name.strip_suffix(b":").unwrap_or(name) == link);
            } else if is_link
                && let Some(word) = words.next()
                && let Ok(raw) = u32::from_str_radix(&String::from_utf8_lossy(word), 16)
                && Ipv4Addr::from(raw.to_ne_bytes()) == group
            {
                return true;
            }
        }
        false
    }
}
