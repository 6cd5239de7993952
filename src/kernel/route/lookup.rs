//! Which route a packet would take, as far as a socket can be asked: nothing is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockType, SockaddrIn, bind, connect, getsockname, setsockopt, sockopt};

use crate::kernel::file::os_string;
use crate::kernel::handle::Kernel;
use crate::kernel::result::{Result, errno};
use crate::kernel::socket::open_socket;

/// Any port but 0; the route does not depend on it.
const PORT: u16 = 9;

impl Kernel {
    /// Returns the source address of packets to an address: from a given address if it is this host's, and over a given link.
    ///
    /// # Errors
    /// What the kernel answers to such packets: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL for routes that drop; EADDRNOTAVAIL
    /// for a source that is not this host's, or if there is none. EPERM where a link can only be chosen with privilege. ENODEV
    /// off `/`.
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
            setsockopt(&socket, sockopt::BindToDevice, &os_string(link))?;
            index = self.link_index(link)?;
        }
        let to = match to {
            IpAddr::V4(to) => SocketAddr::V4(SocketAddrV4::new(to, PORT)),
            IpAddr::V6(to) => SocketAddr::V6(SocketAddrV6::new(to, PORT, 0, index as u32)),
        };
        socket.connect(to).and_then(|()| socket.local_addr()).map(|address| address.ip()).map_err(errno)
    }

    /// Whether an IPv4 address is this host's own: packets to it stay here, or it is the broadcast address of a network on a link.
    pub fn is_own_v4(&self, address: Ipv4Addr) -> bool {
        // no socket can have an address that is not, unless /proc/sys/net/ipv4/ip_nonlocal_bind says so
        let with_address = SockaddrIn::from(SocketAddrV4::new(address, 0));
        let bound = self.control().and_then(|control| bind(control.as_raw_fd(), &with_address));
        if bound == Err(Errno::EADDRNOTAVAIL) {
            return false;
        }
        let source = || {
            let socket = open_socket(AddressFamily::Inet, SockType::Datagram)?;
            connect(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(address, PORT)))?;
            getsockname::<SockaddrIn>(socket.as_raw_fd())
        };
        match source() {
            Ok(source) => source.ip() == address,
            // what the kernel answers for a broadcast address, unless the socket may send there
            Err(errno) => errno == Errno::EACCES,
        }
    }
}
