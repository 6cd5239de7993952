//! Groups that links and this host's protocols listen to (multicast).

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::file::read_all;
use super::handle::Kernel;
use super::ioctl::{self, Ifreq};
use super::procfs::{lines, words};
use super::result::Result;

/// The address of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupAddress {
    /// Of frames.
    Link(Vec<u8>),
    /// Of packets.
    Net(IpAddr),
}

/// A group that a link listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Index of the link.
    pub index: i32,
    /// Name of the link.
    pub link: OsString,
    /// The group.
    pub address: GroupAddress,
    /// How many have joined it.
    pub users: u32,
    /// Was added by hand ([`Kernel::set_group`]).
    pub is_static: bool,
}

impl Kernel {
    /// Returns the groups whose frames links receive: /proc/net/dev_mcast. None without the file.
    pub fn link_groups(&self) -> Vec<Group> {
        self.groups("/proc/net/dev_mcast", link_group)
    }

    /// Returns the IPv6 groups: /proc/net/igmp6. None without the file.
    pub fn groups_v6(&self) -> Vec<Group> {
        self.groups("/proc/net/igmp6", group_v6)
    }

    fn groups(&self, file: &str, parse: fn(&[u8]) -> Option<Group>) -> Vec<Group> {
        let text = read_all(&self.path(file)).unwrap_or_default();
        lines(&text).filter_map(parse).collect()
    }

    /// Returns the IPv4 groups: /proc/net/igmp. None without the file.
    pub fn groups_v4(&self) -> Vec<Group> {
        // `1\teth0      :     1      V3`, then for each group `\t\t\t\t010000E0     1 0:00000000\t\t0`
        let text = read_all(&self.path("/proc/net/igmp")).unwrap_or_default();
        let mut of_link = None;
        let mut groups = Vec::new();
        for line in lines(&text).skip(1) {
            let mut words = words(line);
            let (Some(first), Some(second)) = (words.next(), words.next()) else { continue };
            if !line.starts_with(b"\t") {
                let link = OsString::from(second.strip_suffix(':').unwrap_or(second));
                of_link = first.parse().ok().map(|index| (index, link));
            } else if let Some((index, link)) = of_link.clone()
                && let Ok(raw) = u32::from_str_radix(first, 16)
            {
                let address = GroupAddress::Net(IpAddr::V4(raw.to_ne_bytes().into()));
                let users = second.parse().unwrap_or(0);
                groups.push(Group { index, link, address, users, is_static: false });
            }
        }
        groups
    }

    /// Has a link receive the frames to a group, or no longer. Whoever asks twice must end it twice.
    ///
    /// # Errors
    /// ENODEV, EPERM, EINVAL (the link has no groups, or this is not one), ENOENT (it was not asked to).
    pub fn set_group(&self, link: &[u8], address: &[u8], is_member: bool) -> Result<()> {
        let request = if is_member { ioctl::SIOCADDMULTI } else { ioctl::SIOCDELMULTI };
        let mut argument = Ifreq::named(link).with_hardware_address(libc::AF_UNSPEC as u16, address);
        ioctl::call(self.control()?, request, &mut argument)
    }
}

/// Parses `INDEX LINK USERS STATIC HEX` of /proc/net/dev_mcast.
fn link_group(line: &[u8]) -> Option<Group> {
    let words: Vec<&str> = words(line).collect();
    let [index, link, users, is_static, address] = words.as_slice() else { return None };
    Some(Group {
        index: index.parse().ok()?,
        link: link.into(),
        address: GroupAddress::Link(octets(address)?),
        users: users.parse().ok()?,
        is_static: *is_static != "0",
    })
}

/// Parses `INDEX LINK HEX USERS FLAGS TIMER` of /proc/net/igmp6.
fn group_v6(line: &[u8]) -> Option<Group> {
    let words: Vec<&str> = words(line).collect();
    let [index, link, address, users, ..] = words.as_slice() else { return None };
    let address = <[u8; 16]>::try_from(octets(address)?).ok()?;
    Some(Group {
        index: index.parse().ok()?,
        link: link.into(),
        address: GroupAddress::Net(IpAddr::V6(Ipv6Addr::from(address))),
        users: users.parse().ok()?,
        is_static: false,
    })
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(octet).collect() } else { None }
}

/// Whether a link is member of an IPv4 group, so that packets to the group are delivered to this host too.
pub fn is_member_v4(kernel: &Kernel, link: &[u8], group: Ipv4Addr) -> bool {
    let address = GroupAddress::Net(group.into());
    kernel.groups_v4().iter().any(|joined| joined.link.as_encoded_bytes() == link && joined.address == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_files() {
        let group = link_group(b"2    b0              1     0     333300000001").unwrap();
        assert_eq!((group.index, group.users, group.is_static), (2, 1, false));
        assert_eq!(group.address, GroupAddress::Link(vec![0x33, 0x33, 0, 0, 0, 1]));
        assert_eq!(link_group(b"2    b0              1     0     33330000000"), None);
        let group = group_v6(b"1    lo              ff020000000000000000000000000001     3 0000000C 0").unwrap();
        assert_eq!(group.address, GroupAddress::Net("ff02::1".parse().unwrap()));
        assert_eq!(group.users, 3);
    }
}
