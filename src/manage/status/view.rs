//! What is seen of a host: its bridges with all that hangs on them, and the ways out.

use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::check::{self, Kind, Remark};
use super::text::text;
use super::wanted::{self, Wanted};
use crate::call::Call;
use crate::error::{Failure, errno_text, line};
use crate::kernel::{Address, BridgeInfo, FdbEntry, Kernel, Link, PortInfo, Source, Traffic, flag, port_state};
use crate::net::order;
use crate::network::item::Item;

/// A host's networks.
pub(super) struct Host {
    /// Whether packets of IPv4 and of IPv6 are forwarded, where that is known.
    pub(super) forwards: [Option<bool>; 2],
    /// The routes of the main tables, without those that drop.
    ways: Vec<Way>,
    addresses: Vec<Address>,
    pub(super) brouters: Vec<Brouter>,
    /// What could not be looked at.
    pub(super) unknown: Option<String>,
}

/// A route.
pub(super) struct Way {
    pub(super) to: IpNet,
    pub(super) gateway: Option<IpAddr>,
    pub(super) link: OsString,
    pub(super) metric: u32,
}

/// A bridge, and what belongs to it.
#[derive(Default)]
pub(super) struct Brouter {
    pub(super) bridge: OsString,
    /// The networks that `brouter up` has made on it, or that a file describes.
    pub(super) networks: Vec<String>,
    /// Nothing where there is no such bridge.
    pub(super) link: Option<Link>,
    pub(super) info: BridgeInfo,
    /// vif2.0 before vif10.0.
    pub(super) ports: Vec<Port>,
    /// The interface to the outside, as the network names it.
    pub(super) outside: Option<String>,
    /// The networks that are to be masqueraded, and whether a rule does.
    pub(super) masquerade: Vec<(Ipv4Net, Option<bool>)>,
    pub(super) remarks: Vec<Remark>,
    /// A file describes a network that is not up, and nobody has asked for it.
    pub(super) is_only_planned: bool,
}

/// A port of a bridge.
#[derive(Default)]
pub(super) struct Port {
    pub(super) name: OsString,
    pub(super) number: u32,
    state: u8,
    pub(super) traffic: Option<Traffic>,
    /// The addresses behind it.
    pub(super) learnt: Vec<FdbEntry>,
    /// Why it does not forward; empty if it does.
    pub(super) reason: String,
}

impl Port {
    pub(super) fn state(&self) -> &'static str {
        port_state::NAMES.get(usize::from(self.state)).copied().unwrap_or("unknown")
    }

    pub(super) fn forwards(&self) -> bool {
        self.state == port_state::FORWARDING
    }
}

impl Host {
    pub(super) fn is_well(&self) -> bool {
        self.brouters.iter().all(|brouter| brouter.faults() == 0)
    }

    #[inline(never)]
    pub(super) fn addresses_of(&self, link: &OsStr) -> Vec<&Address> {
        self.addresses.iter().filter(|address| address.link == link).collect()
    }

    /// The default routes.
    #[inline(never)]
    pub(super) fn ways_out(&self) -> Vec<&Way> {
        self.ways.iter().filter(|way| way.is_default()).collect()
    }

    /// The other routes over a link.
    #[inline(never)]
    pub(super) fn ways_over(&self, link: &OsStr) -> Vec<&Way> {
        self.ways.iter().filter(|way| !way.is_default() && way.link == link).collect()
    }

    /// Whether packets that have to take this way are forwarded.
    pub(super) fn forwards_to(&self, way: &Way) -> bool {
        self.forwards[usize::from(way.to.addr().is_ipv6())] == Some(true)
    }
}

impl Way {
    fn is_default(&self) -> bool {
        self.to.prefix_len() == 0
    }
}

impl Brouter {
    /// How many things are out of order.
    pub(super) fn faults(&self) -> usize {
        self.remarks.iter().filter(|remark| remark.kind.is_fault).count()
    }

    /// A port that is off because its bridge is off is nothing of its own.
    pub(super) fn is_out_of_order(&self, port: &Port) -> bool {
        self.is_up() && !port.forwards()
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.flags & flag::UP != 0)
    }

    #[inline(never)]
    pub(super) fn remark(&mut self, kind: &'static Kind, object: String, rest: String) {
        self.remarks.push(Remark { kind, object, rest });
    }
}

/// The guest to which an interface belongs, by the names that Xen gives: `vif1.0`, `tap1.0`, `vif1.0-emu`.
pub(super) fn guest(name: &OsStr) -> Option<u32> {
    let name = name.to_str()?;
    let numbers = name.strip_prefix("vif").or_else(|| name.strip_prefix("tap"))?;
    let (guest, device) = numbers.split_once('.')?;
    let device = device.strip_suffix("-emu").unwrap_or(device);
    device.parse::<u32>().ok()?;
    guest.parse().ok()
}

/// Looks at all bridges, or at those that a name means: a network, or a bridge.
///
/// # Errors
/// The name means neither; or the bridges cannot be listed.
#[inline(never)]
pub(super) fn look(call: &Call, name: Option<&str>) -> Result<Host, Failure> {
    let kernel = call.kernel;
    let records = crate::manage::up::state_dir(kernel).map_err(|failure| failure.with_status(2))?;
    let networks = wanted::networks(kernel, &records);
    let mut bridges: Vec<OsString> = Vec::new();
    if let Some(name) = name {
        bridges.push(match networks.iter().find(|network| network.name == name) {
            Some(network) => network.bridge.as_str().into(),
            None if is_bridge(kernel, name.as_bytes()) => name.into(),
            None => return Err(super::refuse(line!(name, ": neither a network nor a bridge"))),
        });
    } else {
        // the ioctl takes one call, /sys one for each link
        match kernel.bridges(Source::Ioctl) {
            Ok(there) => bridges = there,
            // this kernel has no bridges
            Err(Errno::ENOPKG | Errno::EINVAL | Errno::ENOTTY | Errno::ENODEV) => (),
            Err(errno) => return Err(super::refuse(line!("cannot list bridges: ", errno_text(errno)))),
        }
        for network in &networks {
            if !bridges.iter().any(|bridge| *bridge == *network.bridge) {
                bridges.push(network.bridge.as_str().into());
            }
        }
        bridges = order::sorted_names(bridges);
    }
    let mut addresses = kernel.addresses_v4().unwrap_or_default();
    addresses.extend(kernel.addresses_v6().unwrap_or_default());
    let is_on = |file| kernel.read(file).first().map(|&byte| byte != b'0');
    let forwards = [is_on("/proc/sys/net/ipv4/ip_forward"), is_on("/proc/sys/net/ipv6/conf/all/forwarding")];
    let mut host = Host { forwards, ways: ways(kernel), addresses, brouters: Vec::new(), unknown: None };
    for bridge in bridges {
        let mut brouter = brouter(kernel, bridge);
        let bridge = brouter.bridge.to_string_lossy().into_owned();
        // that it is there, and on, is wanted of any bridge
        let mut any = Wanted { bridge, parts: vec![Item::Bridge], ..Wanted::default() };
        any.parts.extend(any.bridge.parse().ok().map(Item::Up));
        let of_it = || networks.iter().filter(|network| network.bridge == any.bridge);
        brouter.is_only_planned = name.is_none() && brouter.link.is_none() && !of_it().any(|network| network.is_made);
        check::check(call, &records, &mut brouter, &any);
        for network in of_it() {
            brouter.networks.push(network.name.clone());
            check::check(call, &records, &mut brouter, network);
        }
        check::check_what_is_there(kernel, &mut brouter, &host);
        host.brouters.push(brouter);
    }
    host.unknown = kernel.unread().map(|(file, errno)| text(&[&file, &": ", &errno_text(errno)]));
    Ok(host)
}

/// Whether there is a bridge of this name. (For a name that the kernel does not know an ioctl would run modprobe.)
fn is_bridge(kernel: &Kernel, name: &[u8]) -> bool {
    kernel.has_link(name) == Ok(true) && kernel.is_bridge(name)
}

#[inline(never)]
fn brouter(kernel: &Kernel, bridge: OsString) -> Brouter {
    let mut brouter = Brouter { bridge, ..Brouter::default() };
    let name = brouter.bridge.as_bytes();
    if !is_bridge(kernel, name) {
        return brouter;
    }
    brouter.link = kernel.link(name).ok();
    // by ioctl all is told at once, where /sys has a file for each value
    brouter.info = kernel.bridge_info(name, Source::Ioctl).unwrap_or_default();
    let infos = kernel.port_infos(name, Source::Ioctl).unwrap_or_default();
    let delay = brouter.is_up().then_some(brouter.info.bridge_forward_delay.0);
    // a number has at most ten bits (BR_PORT_BITS)
    let mut by_number = [usize::MAX; 1024];
    let mut ports = Vec::with_capacity(infos.len());
    for (name, info) in infos {
        by_number[info.number as usize % 1024] = ports.len();
        let reason =
            if info.state == port_state::FORWARDING { String::new() } else { reason(kernel, &name, &info, delay) };
        ports.push(Port { name, number: info.number, state: info.state, reason, ..Port::default() });
    }
    for entry in kernel.forwarding_table(name).unwrap_or_default() {
        if let Some(port) = ports.get_mut(by_number[entry.port_number() as usize % 1024]).filter(|_| !entry.is_local())
        {
            port.learnt.push(entry);
        }
    }
    let names: Vec<&OsStr> = ports.iter().map(|port| port.name.as_os_str()).collect();
    let traffic = kernel.traffic(&names).unwrap_or_else(|_| vec![None; names.len()]);
    let places = order::places(names.iter().map(|name| order_key(name.as_bytes())));
    for (_, place) in places {
        brouter.ports.push(Port { traffic: traffic[place], ..std::mem::take(&mut ports[place]) });
    }
    brouter
}

/// Why a port does not forward, in at most 17 characters. The delay is that of the bridge, if it is up.
#[inline(never)]
fn reason(kernel: &Kernel, name: &OsStr, info: &PortInfo, delay: Option<u64>) -> String {
    let flags = kernel.link_flags(name.as_bytes()).unwrap_or(flag::UP | flag::RUNNING);
    let text = match (info.state, delay) {
        (_, None) => "bridge is down",
        (port_state::DISABLED, _) if flags & flag::UP == 0 => "switched off",
        (port_state::DISABLED, _) if flags & flag::RUNNING == 0 => "no carrier",
        (port_state::DISABLED, _) => "just attached",
        (port_state::BLOCKING, _) => "by spanning tree",
        (state, Some(delay)) => {
            // first it listens, then it learns, as long again
            let left = info.forward_delay_timer.0 + if state == port_state::LISTENING { delay } else { 0 };
            return text(&[&"forwards in ", &left.div_ceil(100), &" s"]);
        }
    };
    text.into()
}

#[inline(never)]
fn ways(kernel: &Kernel) -> Vec<Way> {
    let mut ways = Vec::new();
    for route in kernel.routes_v4().unwrap_or_default().main {
        if let Some(link) = route.link {
            let gateway = route.gateway.map(IpAddr::from);
            ways.push(Way { to: route.destination.into(), gateway, link, metric: route.metric });
        }
    }
    for route in kernel.routes_v6().unwrap_or_default().main {
        // the loopback stands for routes that drop; and of multicast nobody asks
        if route.link != "lo" && !route.destination.addr().is_multicast() {
            let gateway = route.gateway.map(IpAddr::from);
            ways.push(Way { to: route.destination.into(), gateway, link: route.link, metric: route.metric });
        }
    }
    ways
}

/// A name with the first number in it: what is before, the number, what is behind.
pub(super) fn split(name: &[u8]) -> (&[u8], Option<u32>, &[u8]) {
    let start = name.iter().position(u8::is_ascii_digit).unwrap_or(name.len());
    let length = name[start..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len() - start);
    let digits = &name[start..start + length];
    // 01 is not 1
    let number = Some(digits).filter(|digits| digits.len() == 1 || digits.first() != Some(&b'0'));
    match number.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok()) {
        Some(number) => (&name[..start], Some(number), &name[start + length..]),
        None => (name, None, b""),
    }
}

/// What orders vif2.0 before vif10.0.
fn order_key(name: &[u8]) -> u128 {
    let (before, number, behind) = split(name);
    let six = |bytes: &[u8]| order::name_key(&bytes[..bytes.len().min(6)]) >> 80;
    six(before) << 80 | u128::from(number.unwrap_or(0)) << 48 | six(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_by_number() {
        let names = ["eth0", "vif1.0", "vif2.0", "vif2.1", "vif10.0", "vif100.0"];
        assert!(names.is_sorted_by_key(|name| order_key(name.as_bytes())));
        assert_eq!(split(b"vif12.0"), (&b"vif"[..], Some(12), &b".0"[..]));
        assert_eq!(split(b"p01"), (&b"p01"[..], None, &b""[..]));
        assert_eq!(split(b"p0"), (&b"p"[..], Some(0), &b""[..]));
        assert_eq!(split(b"lan"), (&b"lan"[..], None, &b""[..]));
    }

    #[test]
    fn guests_by_their_interfaces() {
        for (name, wanted) in [("vif12.1", 12), ("tap3.0", 3), ("vif3.0-emu", 3)] {
            assert_eq!(guest(name.as_ref()), Some(wanted));
        }
        for other in ["vif1", "vif1.x", "eth0.1", "vif.1"] {
            assert_eq!(guest(other.as_ref()), None, "{other}");
        }
    }
}
