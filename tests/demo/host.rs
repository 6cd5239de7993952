//! Hosts behind TAP devices: IP stacks in this process that act as guests.

use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{ChecksumCapabilities, Medium, TunTapInterface};
use smoltcp::socket::{raw, tcp};
use smoltcp::time::Instant as Timestamp;
use smoltcp::wire::{
    EthernetAddress, Icmpv4Message, Icmpv4Packet, Icmpv4Repr, IpAddress, IpCidr, IpProtocol, IpVersion, Ipv4Packet,
    Ipv4Repr,
};

/// The initial TTL of our pings.
pub(crate) const FIRST_TTL: u8 = 64;
/// A reply takes milliseconds, but smoltcp sends at most one ARP request per second.
const TIMEOUT: Duration = Duration::from_secs(3);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(200);

pub(crate) struct Host {
    address: Ipv4Addr,
    tap: TunTapInterface,
    stack: Interface,
    sockets: SocketSet<'static>,
    /// A raw socket shows each ICMP message with its IP header. The stack answers requests itself.
    icmp: SocketHandle,
}

impl Host {
    /// Creates a TAP device, which is deleted when the host is dropped, and a host with a /24 address behind it.
    pub(crate) fn behind_tap(name: &str, address: Ipv4Addr, gateway: Option<Ipv4Addr>) -> Result<Self, String> {
        let mut tap = TunTapInterface::new(name, Medium::Ethernet)
            .map_err(|e| format!("cannot create the TAP device {name}: {e}"))?;
        let [.., last] = address.octets();
        let mac = EthernetAddress([0x00, 0x16, 0x3e, 0, 0, last]); // 00:16:3e is Xen's prefix
        let mut stack = Interface::new(Config::new(mac.into()), &mut tap, Timestamp::now());
        stack.update_ip_addrs(|list| list.push(IpCidr::new(address.into(), 24)).expect("room for one address"));
        if let Some(gateway) = gateway {
            stack.routes_mut().add_default_ipv4_route(gateway).expect("room for one route");
        }
        let buffer = || raw::PacketBuffer::new(vec![raw::PacketMetadata::EMPTY; 8], vec![0; 2048]);
        let mut sockets = SocketSet::new(Vec::new());
        let icmp = raw::Socket::new(IpVersion::Ipv4, IpProtocol::Icmp, buffer(), buffer());
        let icmp = sockets.add(icmp);
        Ok(Self { address, tap, stack, sockets, icmp })
    }

    /// Queues an echo request, unless the last one still waits for ARP.
    fn send_echo_request(&mut self, to: Ipv4Addr) {
        let socket = self.sockets.get_mut::<raw::Socket>(self.icmp);
        if socket.send_queue() > 0 {
            return;
        }
        let checksums = ChecksumCapabilities::default();
        let echo = Icmpv4Repr::EchoRequest { ident: 1, seq_no: 1, data: b"brouter" };
        let header = Ipv4Repr {
            src_addr: self.address,
            dst_addr: to,
            next_header: IpProtocol::Icmp,
            payload_len: echo.buffer_len(),
            hop_limit: FIRST_TTL,
        };
        let mut bytes = vec![0; header.buffer_len() + echo.buffer_len()];
        let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
        header.emit(&mut packet, &checksums);
        let mut payload = Icmpv4Packet::new_unchecked(packet.payload_mut());
        echo.emit(&mut payload, &checksums);
        socket.send_slice(&bytes).expect("an empty queue has room");
    }

    /// Adds a TCP socket.
    fn tcp_socket(&mut self) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; 2048]);
        self.sockets.add(tcp::Socket::new(buffer(), buffer()))
    }

    /// Returns the next received ICMP message with its source and TTL.
    fn next_message(&mut self) -> Option<(Icmpv4Message, Ipv4Addr, u8)> {
        let bytes = self.sockets.get_mut::<raw::Socket>(self.icmp).recv().ok()?;
        let packet = Ipv4Packet::new_checked(bytes).ok()?;
        let message = Icmpv4Packet::new_checked(packet.payload()).ok()?.msg_type();
        Some((message, packet.src_addr(), packet.hop_limit()))
    }
}

/// Pings an address from the first host, while all hosts run. After the reply, returns the source and TTL with which the request
/// arrived, if the address belongs to one of the hosts (dom0 is not one).
pub(crate) fn ping(hosts: &mut [Host], to: Ipv4Addr, deadline: Instant) -> Result<Option<(Ipv4Addr, u8)>, String> {
    let end = deadline.min(Instant::now() + TIMEOUT);
    let mut next_request = Instant::now();
    let mut request = None;
    while Instant::now() < end {
        if Instant::now() >= next_request {
            hosts[0].send_echo_request(to);
            next_request += BETWEEN_REQUESTS;
        }
        for host in &mut *hosts {
            host.stack.poll(Timestamp::now(), &mut host.tap, &mut host.sockets);
            while let Some((message, source, ttl)) = host.next_message() {
                match message {
                    Icmpv4Message::EchoRequest if host.address == to => request = Some((source, ttl)),
                    Icmpv4Message::EchoReply if source == to => return Ok(request),
                    _ => {}
                }
            }
        }
        sleep(Duration::from_millis(1));
    }
    Err("no reply".to_owned())
}

/// The greeting of a server.
const GREETING: &[u8] = b"hello";

/// Connects one host to an address and a port, while another one listens on its own port and greets. Returns the address that the
/// server sees, once the greeting has arrived.
pub(crate) fn connect(
    hosts: &mut [Host],
    [client, server]: [usize; 2],
    (to, port, own_port): (Ipv4Addr, u16, u16),
    deadline: Instant,
) -> Result<Ipv4Addr, String> {
    let listening = hosts[server].tcp_socket();
    hosts[server].sockets.get_mut::<tcp::Socket>(listening).listen(own_port).expect("a new socket listens");
    let asking = hosts[client].tcp_socket();
    let Host { stack, sockets, .. } = &mut hosts[client];
    let connected = sockets.get_mut::<tcp::Socket>(asking).connect(stack.context(), (to, port), 49152);
    connected.map_err(|error| error.to_string())?;
    let end = deadline.min(Instant::now() + TIMEOUT);
    let mut seen = None;
    while Instant::now() < end {
        for host in &mut *hosts {
            host.stack.poll(Timestamp::now(), &mut host.tap, &mut host.sockets);
        }
        let socket = hosts[server].sockets.get_mut::<tcp::Socket>(listening);
        if seen.is_none() && socket.may_send() {
            seen = socket.remote_endpoint().map(|remote| remote.addr);
            socket.send_slice(GREETING).expect("an empty buffer has room");
        }
        let socket = hosts[client].sockets.get_mut::<tcp::Socket>(asking);
        let greeted = socket.can_recv() && socket.recv(|text| (text.len(), text == GREETING)).unwrap_or(false);
        if let Some(IpAddress::Ipv4(address)) = seen.filter(|_| greeted) {
            return Ok(address);
        }
        sleep(Duration::from_millis(1));
    }
    Err("no answer".to_owned())
}
