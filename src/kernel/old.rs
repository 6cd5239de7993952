//! The API before the present one, for callers that have not moved yet.
#![allow(missing_docs)]

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::address::Address;
use super::file::{exists, is_path_safe, read_all};
use super::handle::{Kernel, user_id};
use super::ioctl::{self, Ifreq};
use super::link::{LinkFile, LinkSetting, Tun, TunEnd, delete_tun, flag};
use super::neighbour::{Neighbour, is_member_v4};
use super::result::Result;
use super::route::{LocalRoute, Table};
use super::sysctl::net_conf;

pub use super::link::Counters as Count;
pub use crate::net::rtnetlink::RouteType as RouteKind;

pub mod scope {
    use crate::net::rtnetlink::Scope;
    pub const GLOBAL: Scope = Scope::GLOBAL;
    pub const HOST: Scope = Scope::HOST;
    pub const LINK: Scope = Scope::LINK;
    pub const SITE: Scope = Scope::SITE;
}

pub enum Listed {
    Label(Label),
    Whole(Address),
}

pub struct Label(Ifreq);

impl Listed {
    pub fn link(&self) -> &[u8] {
        match self {
            Listed::Label(Label(entry)) => entry.name().split(|&byte| byte == b':').next().unwrap_or_default(),
            Listed::Whole(address) => address.link.as_bytes(),
        }
    }
}

impl Kernel {
    pub fn unread(&self) -> Option<(&'static str, Errno)> {
        self.unread.get()
    }
    pub fn has_unread_ipv6(&self) -> bool {
        self.unread.get().is_some_and(|(file, _)| file == "/proc/net/if_inet6")
    }
    pub fn control_error(&self) -> Option<Errno> {
        if self.is_running() { self.control().err() } else { None }
    }
    pub fn local_routes_v4(&self) -> Vec<LocalRoute> {
        self.routes_v4().unwrap_or_default().local
    }
    pub fn table_v4(&self, number: u32) -> Table {
        self.routes_v4().unwrap_or_default().table(self, number)
    }
    pub fn has_other_routes_v4(&self) -> bool {
        self.routes_v4().unwrap_or_default().has_others()
    }
    pub fn has_rules_v4(&self) -> bool {
        self.routes_v4().unwrap_or_default().has_rules()
    }
    pub fn forwards(&self) -> bool {
        self.sysctl("net/ipv4/ip_forward").is_ok_and(|value| !value.starts_with('0'))
    }
    pub fn forwards_v6(&self) -> bool {
        self.sysctl("net/ipv6/conf/all/forwarding").is_ok_and(|value| !value.starts_with('0'))
    }
    pub fn flush_route_cache(&self) -> Result<()> {
        self.set_sysctl("net/ipv4/route/flush", "-1")
    }
    pub fn has_ipv6(&self, link: &[u8]) -> bool {
        net_conf("ipv6", &String::from_utf8_lossy(link), "disable_ipv6")
            .and_then(|name| self.sysctl(&name))
            .is_ok_and(|value| value == "0")
    }
    pub fn link_value(&self, family: &str, link: &str, value: &str) -> Option<i64> {
        net_conf(family, link, value).and_then(|name| self.sysctl(&name)).ok()?.parse().ok()
    }
    pub fn generate_no_addresses(&self, name: &[u8]) -> Result<()> {
        let name = str::from_utf8(name).ok().filter(|name| is_path_safe(name.as_bytes())).ok_or(Errno::ENOENT)?;
        self.set_sysctl(&net_conf("ipv6", name, "addr_gen_mode")?, "1")
    }
    pub fn shows_frames_to_firewall(&self, bridge: &[u8], v6: bool) -> Option<[bool; 2]> {
        let name = if v6 { "ip6tables" } else { "iptables" };
        let all = self.sysctl(&["net/bridge/bridge-nf-call-", name].concat()).ok().map(|text| text != "0");
        let own = self.device(bridge).and_then(|device| device.number(&["bridge/nf_call_", name].concat()));
        // without br_netfilter the bridge's own value does nothing
        all.map(|all| [all, own.is_some_and(|own| own != 0)])
    }
    pub fn marks_dead_links(&self) -> bool {
        exists(&self.path("/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown"))
    }
    pub fn set_link_flags(&self, name: &[u8], set: u32, mask: u32) -> Result<()> {
        self.set_link(name, LinkSetting::Flags { set, mask })
    }
    pub fn set_link_up(&self, name: &[u8], up: bool) -> Result<()> {
        self.set_link(name, if up { LinkSetting::UP } else { LinkSetting::DOWN })
    }
    pub fn may_administer(&self, _name: &[u8]) -> bool {
        self.has_net_admin()
    }
    pub fn may_change_routes(&self) -> bool {
        self.has_net_admin()
    }
    pub fn rename_link(&self, name: &[u8], new_name: &[u8]) -> Result<()> {
        self.set_link(name, LinkSetting::Name(new_name))
    }
    pub fn set_link_mtu(&self, name: &[u8], mtu: i32) -> Result<()> {
        self.set_link(name, LinkSetting::Mtu(mtu))
    }
    pub fn set_queue_length(&self, name: &[u8], length: u32) -> Result<()> {
        self.set_link(name, LinkSetting::QueueLength(length))
    }
    pub fn set_link_address(&self, name: &[u8], address: &[u8]) -> Result<()> {
        self.set_link(name, LinkSetting::Address(address))
    }
    pub fn set_link_broadcast(&self, name: &[u8], address: &[u8]) -> Result<()> {
        self.set_link(name, LinkSetting::Broadcast(address))
    }
    pub fn set_link_file(&self, name: &[u8], file: LinkFile, value: &[u8]) -> Result<()> {
        self.set_link(name, LinkSetting::File(file, value))
    }
    pub fn ethernet_address(&self, name: &[u8]) -> Result<[u8; 6]> {
        self.mac(name).map(|mac| mac.0)
    }
    pub fn link_alias(&self, link: &[u8]) -> String {
        self.link_file(link, LinkFile::ALIAS).unwrap_or_default()
    }
    pub fn link_group(&self, link: &[u8]) -> Option<u32> {
        self.link_file(link, LinkFile::GROUP)?.parse().ok()
    }
    pub fn xenbus_node(&self, link: &[u8]) -> Option<String> {
        self.link_file(link, LinkFile::XENBUS_NODE)
    }
    pub fn link_kind(&self, link: &[u8]) -> Option<String> {
        self.info_kind(link)
    }
    pub fn proper_name(&self, name: &[u8]) -> Result<OsString> {
        self.link_index(name).and_then(|index| self.link_name(index))
    }
    pub fn flags_if_there(&self, name: &[u8]) -> Result<Option<u32>> {
        match self.has_link(name)? {
            true => self.link_flags(name).map(Some),
            false => Ok(None),
        }
    }
    pub fn is_without_carrier(&self, link: &[u8]) -> bool {
        // one that runs has one: the kernel finds out about both at the same time
        self.link_flags(link).is_ok_and(|flags| flags & (flag::UP | flag::RUNNING) == flag::UP)
            && self.link(link).is_ok_and(|link| link.flags & (flag::UP | flag::LOWER_UP) == flag::UP)
    }
    pub fn tun(&self, link: &[u8]) -> Option<Tun> {
        Tun::of(self, link)
    }
    pub fn open_tun(&self) -> Result<TunEnd> {
        TunEnd::open(self)
    }
    pub fn delete_tun(&self, link: &[u8]) -> Result<()> {
        delete_tun(self, link)
    }
    pub fn user(&self) -> u32 {
        user_id()
    }
    pub fn neighbours_v4(&self) -> Vec<Neighbour> {
        Neighbour::all(self)
    }
    pub fn is_member_v4(&self, link: &[u8], group: Ipv4Addr) -> bool {
        is_member_v4(self, link, group)
    }
    pub fn read(&self, path: &str) -> Vec<u8> {
        read_all(&self.path(path)).unwrap_or_default()
    }
    pub fn in_halves<T: Sync, R: Send>(&self, list: &[T], work: impl Fn(&Kernel, &[T]) -> R + Sync) -> Vec<R> {
        self.parallel(list, work)
    }
    pub fn listed_v4(&self, link: Option<&[u8]>) -> Result<Vec<Listed>> {
        let is_wanted = |listed: &Listed| link.is_none_or(|link| listed.link() == link);
        Ok(match &self.answers {
            Some(answers) => answers.addresses.iter().cloned().map(Listed::Whole).filter(is_wanted).collect(),
            None => {
                let labels = ioctl::address_labels(self.control()?)?.into_iter();
                labels.map(|entry| Listed::Label(Label(entry))).filter(is_wanted).collect()
            }
        })
    }
    pub fn addresses_listed<'a>(&'a self, listed: impl Iterator<Item = &'a Listed>) -> Result<Vec<Address>> {
        let mut list: Vec<Address> = Vec::with_capacity(1);
        for listed in listed {
            let mut address = match listed {
                Listed::Whole(address) => address.clone(),
                Listed::Label(Label(entry)) => match self.address_of(*entry) {
                    Ok(address) => address,
                    Err(Errno::ENODEV | Errno::EADDRNOTAVAIL | Errno::EINVAL) => continue,
                    Err(errno) => return Err(errno),
                },
            };
            if let Some(network) = address.network_v4() {
                let mut earlier = list.iter().rev().take_while(|earlier| earlier.link == address.link);
                address.secondary = earlier.any(|earlier| !earlier.secondary && earlier.network_v4() == Some(network));
            }
            list.push(address);
        }
        Ok(list)
    }
}
