//! A bridge and what hangs on it.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::fact::Fact;
use super::port::{Port, PortBlock, guest_of, numbered};
use crate::kernel::{
    BridgeInfo, FdbEntry, Kernel, Link, LinkFile, PortInfo, Source, Sysfs, Traffic, Unreadable, flag, port_state,
};
use crate::net::Family;

/// A bridge that exists.
pub(crate) struct Bridge<'k> {
    kernel: &'k Kernel,
    pub(crate) name: OsString,
    /// As the bridge's ioctls tell it: three times are in the kernel's own ticks, among them `forward_delay`.
    pub(crate) info: BridgeInfo,
    link: Fact<Link, Errno>,
    ports: Fact<Vec<Port>, Errno>,
    learnt: Fact<Vec<FdbEntry>, Errno>,
    traffic: Fact<Vec<(u32, Traffic)>, Unreadable>,
    firewalled: [OnceCell<Firewalled>; 2],
}

/// Whether the firewall of IPv4 or of IPv6 sees the frames on a bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Firewalled {
    /// Those of all bridges (`bridge-nf-call-iptables`).
    pub(crate) everywhere: bool,
    /// Those of this bridge (`nf_call_iptables`).
    pub(crate) here: bool,
}

impl Firewalled {
    pub(crate) fn is_on(self) -> bool {
        self.everywhere || self.here
    }
}

/// Returns whether a link is a network card, a bond of them or a VLAN on one, by its name or its device.
pub(crate) fn is_uplink(kernel: &Kernel, link: &OsStr) -> bool {
    let device = format!("/sys/class/net/{}/device", link.to_string_lossy());
    // the backends of Xen's guests are devices, too
    guest_of(&link.to_string_lossy()).is_none()
        && (has_name_of_card(link.as_bytes()) || kernel.sysfs() == Sysfs::Own && kernel.has_file(&device))
}

/// Whether a name is one that network cards, bonds and their VLANs have: eth0, eno1, enp3s0.5, peth0, bond0, team0.
fn has_name_of_card(name: &[u8]) -> bool {
    let prefixes: [&[u8]; 5] = [b"eth", b"en", b"peth", b"bond", b"team"];
    prefixes.into_iter().any(|prefix| name.starts_with(prefix) && name.iter().any(u8::is_ascii_digit))
}

impl<'k> Bridge<'k> {
    /// Reads the bridge of a name, which must be that of a link; `None` if that link is no bridge.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn read(kernel: &'k Kernel, name: &OsStr) -> Result<Option<Self>, Errno> {
        let bytes = name.as_bytes();
        // the ioctl answers at once what /sys has in a file for each value
        match kernel.bridge_info(bytes, Source::Ioctl) {
            Ok(info) => Ok(Some(Bridge {
                kernel,
                name: name.into(),
                info,
                link: Fact::default(),
                ports: Fact::default(),
                learnt: Fact::default(),
                traffic: Fact::default(),
                firewalled: Default::default(),
            })),
            Err(Errno::EOPNOTSUPP | Errno::ENODEV) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Returns the bridge as a link.
    ///
    /// # Errors
    /// ENODEV if it has been deleted meanwhile.
    pub(crate) fn link(&self) -> Result<&Link, Errno> {
        self.link.get(|| self.kernel.link(self.name.as_bytes()))
    }

    pub(crate) fn is_up(&self) -> bool {
        self.link().is_ok_and(|link| link.flags & flag::UP != 0)
    }

    /// Returns the ports, vif2.0 before vif10.0.
    ///
    /// # Errors
    /// ENODEV if the bridge has been deleted meanwhile.
    pub(crate) fn ports(&self) -> Result<&[Port], Errno> {
        self.ports.get(|| self.read_ports()).map(Vec::as_slice)
    }

    fn read_ports(&self) -> Result<Vec<Port>, Errno> {
        let name = self.name.as_bytes();
        let infos = self.kernel.port_infos(name, Source::Ioctl)?;
        let port = |(name, info): (OsString, PortInfo)| Port {
            block: self.block(&name, &info),
            name,
            number: info.number,
            state: info.state,
        };
        let mut ports: Vec<Port> = infos.into_iter().map(port).collect();
        ports.sort_unstable_by(|one, other| numbered(&one.name).cmp(&numbered(&other.name)));
        Ok(ports)
    }

    /// Returns why a port does not forward; `None` if it does.
    fn block(&self, port: &OsStr, info: &PortInfo) -> Option<PortBlock> {
        if info.state == port_state::FORWARDING {
            return None;
        }
        // a port that has gone meanwhile has no flags
        let flags = self.kernel.link_flags(port.as_bytes()).unwrap_or(flag::UP | flag::RUNNING);
        let is_set = |wanted| flags & wanted != 0;
        Some(match info.state {
            _ if !is_set(flag::UP) => PortBlock::SwitchedOff,
            _ if !is_set(flag::RUNNING) => PortBlock::NoCarrier,
            _ if !self.is_up() => PortBlock::BridgeDown,
            port_state::DISABLED => PortBlock::JustAttached,
            port_state::BLOCKING => PortBlock::SpanningTree,
            state => {
                // the port listens first, then it learns for as long again
                let still_learns = if state == port_state::LISTENING { self.info.bridge_forward_delay.0 } else { 0 };
                PortBlock::ForwardsIn { seconds: (info.forward_delay_timer.0 + still_learns).div_ceil(100) }
            }
        })
    }

    /// Returns the ports that lead to the outside, such as a network card: guests reach it through them, without the host as router.
    pub(crate) fn uplinks(&self) -> Vec<&Port> {
        self.ports().unwrap_or_default().iter().filter(|port| is_uplink(self.kernel, &port.name)).collect()
    }

    /// Returns the other ports.
    pub(crate) fn guest_ports(&self) -> impl Iterator<Item = &Port> {
        self.ports().unwrap_or_default().iter().filter(|port| !is_uplink(self.kernel, &port.name))
    }

    /// Returns the addresses that the bridge has learnt, by the port they are behind.
    ///
    /// # Errors
    /// ENODEV if the bridge has been deleted meanwhile, EAGAIN if the table kept changing.
    pub(crate) fn learnt(&self) -> Result<&[FdbEntry], Errno> {
        let read = || {
            let mut table = self.kernel.forwarding_table(self.name.as_bytes())?;
            table.retain(|entry| !entry.is_local());
            table.sort_by_key(FdbEntry::port_number);
            Ok(table)
        };
        self.learnt.get(read).map(Vec::as_slice)
    }

    /// Returns the addresses that were learnt behind a port; none where the table is not known.
    pub(crate) fn learnt_behind(&self, port: &Port) -> &[FdbEntry] {
        let table = self.learnt().unwrap_or_default();
        let start = table.partition_point(|entry| entry.port_number() < port.number);
        let length = table[start..].partition_point(|entry| entry.port_number() == port.number);
        &table[start..start + length]
    }

    /// Returns what the ports have received and sent, by their numbers.
    ///
    /// # Errors
    /// /proc/net/dev cannot be read.
    pub(crate) fn traffic(&self) -> Result<&[(u32, Traffic)], Unreadable> {
        let read = || {
            let ports = self.ports().unwrap_or_default();
            let names: Vec<&OsStr> = ports.iter().map(|port| port.name.as_os_str()).collect();
            let traffic = ports.iter().zip(self.kernel.traffic(&names)?);
            Ok(traffic.filter_map(|(port, traffic)| Some((port.number, traffic?))).collect())
        };
        self.traffic.get(read).map(Vec::as_slice)
    }

    /// Returns what a port has received and sent, if that is known.
    pub(crate) fn traffic_of(&self, port: &Port) -> Option<Traffic> {
        self.traffic().ok()?.iter().find(|(number, _)| *number == port.number).map(|(_, traffic)| *traffic)
    }

    /// Returns whether the firewall sees the frames on the bridge.
    pub(crate) fn firewalled(&self, family: Family) -> Firewalled {
        *self.firewalled[family as usize].get_or_init(|| {
            let (everywhere, here) = match family {
                Family::V4 => ("net/bridge/bridge-nf-call-iptables", LinkFile("bridge/nf_call_iptables")),
                Family::V6 => ("net/bridge/bridge-nf-call-ip6tables", LinkFile("bridge/nf_call_ip6tables")),
            };
            // without br_netfilter the bridge's own value does nothing
            let Ok(everywhere) = self.kernel.sysctl(everywhere) else { return Firewalled::default() };
            let here = self.kernel.link_file(self.name.as_bytes(), here);
            Firewalled { everywhere: everywhere != "0", here: here.is_some_and(|value| value != "0") }
        })
    }
}
