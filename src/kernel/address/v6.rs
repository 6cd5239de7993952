//! IPv6 addresses: listed by /proc/net/if_inet6, added and removed by ioctls.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::info::Address;
use crate::kernel::file::os_string;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl;
use crate::kernel::procfs::{Unreadable, lines, table};
use crate::kernel::result::Result;
use crate::net::rtnetlink::Scope;

const ADDRESSES: &str = "/proc/net/if_inet6";

impl Unreadable {
    /// Whether it is the table of IPv6 addresses.
    pub fn is_ipv6_addresses(self) -> bool {
        self.file == ADDRESSES
    }
}

impl Kernel {
    /// Returns all IPv6 addresses: of a link those of wider scope first, as the kernel lists them; within a scope in the order
    /// of /proc/net/if_inet6, which is that of a hash. None where the kernel has no IPv6.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn addresses_v6(&self) -> Result<Vec<Address>, Unreadable> {
        let listed: Vec<Address> = lines(&table(self, ADDRESSES)?).filter_map(address).collect();
        let of_scope = |scope| listed.iter().filter(move |address| address.scope == scope).cloned();
        Ok([Scope::GLOBAL, Scope::SITE, Scope::LINK, Scope::HOST].into_iter().flat_map(of_scope).collect())
    }

    pub(super) fn add_v6(&self, link: &[u8], net: Ipv6Net) -> Result<()> {
        let mut request = ioctl::in6_ifreq(net.addr(), net.prefix_len(), self.link_index(link)?);
        ioctl::call(self.control_v6()?, ioctl::SIOCSIFADDR_V6, &mut request)
    }

    pub(super) fn delete_v6(&self, link: &[u8], net: Ipv6Net) -> Result<()> {
        let mut request = ioctl::in6_ifreq(net.addr(), net.prefix_len(), self.link_index(link)?);
        ioctl::call(self.control_v6()?, ioctl::SIOCDIFADDR_V6, &mut request)
    }
}

/// Parses a line of /proc/net/if_inet6: `ADDRESS INDEX PREFIX SCOPE FLAGS NAME`, numbers in hexadecimal.
fn address(line: &[u8]) -> Option<Address> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let mut hex = || u128::from_str_radix(str::from_utf8(words.next()?).ok()?, 16).ok();
    let local = Ipv6Addr::from(hex()?);
    let (_index, prefix, scope, flags) = (hex()?, hex()?, hex()?, hex()? as u32);
    let link = os_string(words.next()?);
    Some(Address {
        label: link.clone(),
        link,
        net: Ipv6Net::new(local, prefix as u8).ok()?.into(),
        peer: None,
        broadcast: None,
        secondary: flags & libc::IFA_F_SECONDARY != 0,
        scope: Scope::from_if_inet6(scope as u8),
        flags,
    })
}
