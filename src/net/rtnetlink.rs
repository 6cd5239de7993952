//! The vocabulary of rtnetlink (linux/rtnetlink.h): scopes, route types, protocols and tables, by number and by the name that
//! iproute2 gives them with Debian's files under /etc/iproute2.

use std::fmt;

/// Scope of an address or a route (`RT_SCOPE_*`): how far its destinations are. A greater number is a smaller distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(pub u8);

impl Scope {
    /// Valid everywhere, or reached through a gateway.
    pub const GLOBAL: Self = Scope(libc::RT_SCOPE_UNIVERSE);
    /// Valid within this site.
    pub const SITE: Self = Scope(libc::RT_SCOPE_SITE);
    /// Valid on this link, or reached without a gateway.
    pub const LINK: Self = Scope(libc::RT_SCOPE_LINK);
    /// Valid within this host.
    pub const HOST: Self = Scope(libc::RT_SCOPE_HOST);
    /// No destination exists.
    pub const NOWHERE: Self = Scope(libc::RT_SCOPE_NOWHERE);

    const NAMES: [(&'static str, Scope); 5] = [
        ("global", Scope::GLOBAL),
        ("site", Scope::SITE),
        ("link", Scope::LINK),
        ("host", Scope::HOST),
        ("nowhere", Scope::NOWHERE),
    ];

    /// Returns the scope of a name (`global`, `link`, …).
    pub fn named(name: &[u8]) -> Option<Self> {
        find(&Self::NAMES, name)
    }

    /// Returns the name of the scope, if it has one.
    pub fn name(self) -> Option<&'static str> {
        name_of(&Self::NAMES, self)
    }

    /// Converts a scope of /proc/net/if_inet6, which are the bits `IPV6_ADDR_*` of include/net/ipv6.h, as net/ipv6/addrconf.c
    /// does for rtnetlink (`rt_scope`).
    pub fn from_if_inet6(number: u8) -> Self {
        match number {
            0x10 => Scope::HOST,
            0x20 => Scope::LINK,
            0x40 => Scope::SITE,
            _ => Scope::GLOBAL,
        }
    }

    /// Converts a scope of /proc/net/fib_trie (net/ipv4/fib_trie.c, `rtn_scope`), where `universe` is iproute2's `global`.
    pub fn from_fib_trie(word: &str) -> Self {
        Scope::named(word.as_bytes()).unwrap_or(Scope::GLOBAL)
    }
}

/// The name, or the number in decimal.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Type of a route (`RTN_*`): what happens to a packet that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RouteType {
    /// It is forwarded.
    Unicast = libc::RTN_UNICAST,
    /// It is delivered to this host.
    Local = libc::RTN_LOCAL,
    /// It is sent to all hosts on the link, and delivered to this one.
    Broadcast = libc::RTN_BROADCAST,
    /// It is delivered to this host, one of several with the address.
    Anycast = libc::RTN_ANYCAST,
    /// It is sent to a group.
    Multicast = libc::RTN_MULTICAST,
    /// It is dropped silently.
    Blackhole = libc::RTN_BLACKHOLE,
    /// It is dropped, with ICMP "host unreachable" to the sender.
    Unreachable = libc::RTN_UNREACHABLE,
    /// It is dropped, with ICMP "communication prohibited" to the sender.
    Prohibit = libc::RTN_PROHIBIT,
    /// The lookup continues in another table.
    Throw = libc::RTN_THROW,
    /// Address translation of Linux 2.4; later kernels refuse it.
    Nat = libc::RTN_NAT,
    /// Never implemented; kernels refuse it.
    Xresolve = libc::RTN_XRESOLVE,
}

impl RouteType {
    /// The types by name, in the order in which iproute2 compares a word with them (ip/rtm_map.c, `rtnl_rtntype_a2n`), and
    /// whether a beginning of the name is enough.
    pub const NAMES: [(&'static str, RouteType, bool); 12] = [
        ("local", RouteType::Local, false),
        ("nat", RouteType::Nat, false),
        ("broadcast", RouteType::Broadcast, true),
        ("brd", RouteType::Broadcast, true),
        ("anycast", RouteType::Anycast, true),
        ("multicast", RouteType::Multicast, true),
        ("prohibit", RouteType::Prohibit, true),
        ("unreachable", RouteType::Unreachable, true),
        ("blackhole", RouteType::Blackhole, true),
        ("xresolve", RouteType::Xresolve, true),
        ("unicast", RouteType::Unicast, true),
        ("throw", RouteType::Throw, false),
    ];

    /// Returns the type of a name or of its beginning, as iproute2 takes it.
    pub fn named(word: &[u8]) -> Option<Self> {
        let is_meant = |name: &str, may_be_short| match may_be_short {
            true => !word.is_empty() && name.as_bytes().starts_with(word),
            false => name.as_bytes() == word,
        };
        Self::NAMES.iter().find(|&&(name, _, may_be_short)| is_meant(name, may_be_short)).map(|&(_, kind, _)| kind)
    }

    /// Returns the type of a number (`RTN_*`).
    pub fn from_number(number: u8) -> Option<Self> {
        Self::NAMES.iter().map(|&(_, kind, _)| kind).find(|kind| kind.number() == number)
    }

    /// Returns the number (`RTN_*`).
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Returns iproute2's name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|&&(_, kind, _)| kind == self).map_or("", |&(name, ..)| name)
    }

    /// Whether the route drops packets, or has them looked up in another table.
    pub fn rejects(self) -> bool {
        matches!(self, RouteType::Blackhole | RouteType::Unreachable | RouteType::Prohibit | RouteType::Throw)
    }

    /// Converts a type of /proc/net/fib_trie (net/ipv4/fib_trie.c, `rtn_type_names`): the name in capitals.
    pub fn from_fib_trie(word: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(word)).map(|&(_, kind, _)| kind)
    }
}

/// Who added a route (`RTPROT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol(pub u8);

impl Protocol {
    /// Not known.
    pub const UNSPEC: Self = Protocol(libc::RTPROT_UNSPEC);
    /// The kernel, for an address.
    pub const KERNEL: Self = Protocol(libc::RTPROT_KERNEL);
    /// A program that says nothing else, as `ip route add` without `proto`; all routes added by ioctl.
    pub const BOOT: Self = Protocol(libc::RTPROT_BOOT);
    /// The administrator.
    pub const STATIC: Self = Protocol(libc::RTPROT_STATIC);
    /// A router's advertisement (IPv6).
    pub const RA: Self = Protocol(9);

    const NAMES: [(&'static str, Protocol); 22] = [
        ("unspec", Protocol::UNSPEC),
        ("redirect", Protocol(libc::RTPROT_REDIRECT)),
        ("kernel", Protocol::KERNEL),
        ("boot", Protocol::BOOT),
        ("static", Protocol::STATIC),
        ("gated", Protocol(8)),
        ("ra", Protocol::RA),
        ("mrt", Protocol(10)),
        ("zebra", Protocol(11)),
        ("bird", Protocol(12)),
        ("dnrouted", Protocol(13)),
        ("xorp", Protocol(14)),
        ("ntk", Protocol(15)),
        ("dhcp", Protocol(16)),
        ("keepalived", Protocol(18)),
        ("babel", Protocol(42)),
        ("openr", Protocol(99)),
        ("bgp", Protocol(186)),
        ("isis", Protocol(187)),
        ("ospf", Protocol(188)),
        ("rip", Protocol(189)),
        ("eigrp", Protocol(192)),
    ];

    /// Returns the protocol of a name.
    pub fn named(name: &[u8]) -> Option<Self> {
        find(&Self::NAMES, name)
    }

    /// Returns iproute2's name, if there is one.
    pub fn name(self) -> Option<&'static str> {
        name_of(&Self::NAMES, self)
    }
}

/// A routing table (`RT_TABLE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableId(pub u32);

impl TableId {
    /// All tables, in a request for routes.
    pub const ALL: Self = TableId(libc::RT_TABLE_UNSPEC as u32);
    /// The table `default`.
    pub const DEFAULT: Self = TableId(libc::RT_TABLE_DEFAULT as u32);
    /// The table `main`, to which routes are added if none is named.
    pub const MAIN: Self = TableId(libc::RT_TABLE_MAIN as u32);
    /// The table `local`: the kernel's own routes to this host's addresses and to broadcast addresses.
    pub const LOCAL: Self = TableId(libc::RT_TABLE_LOCAL as u32);

    const NAMES: [(&'static str, TableId); 4] =
        [("unspec", TableId::ALL), ("default", TableId::DEFAULT), ("main", TableId::MAIN), ("local", TableId::LOCAL)];

    /// Returns the table of a name.
    pub fn named(name: &[u8]) -> Option<Self> {
        find(&Self::NAMES, name)
    }
}

fn find<T: Copy>(names: &[(&str, T)], word: &[u8]) -> Option<T> {
    names.iter().find(|(name, _)| name.as_bytes() == word).map(|&(_, value)| value)
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> Option<&'static str> {
    names.iter().find(|(_, other)| *other == value).map(|&(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_types() {
        let known = [
            ("u", Some(RouteType::Unreachable)),
            ("uni", Some(RouteType::Unicast)),
            ("b", Some(RouteType::Broadcast)),
            ("bl", Some(RouteType::Blackhole)),
            ("a", Some(RouteType::Anycast)),
            ("x", Some(RouteType::Xresolve)),
            ("lo", None),
            ("th", None),
            ("", None),
        ];
        for (word, kind) in known {
            assert_eq!(RouteType::named(word.as_bytes()), kind, "{word}");
        }
    }

    #[test]
    fn types_by_number() {
        for number in 1..=11 {
            let kind = RouteType::from_number(number).unwrap();
            assert_eq!(kind.number(), number);
            assert_eq!(RouteType::named(kind.name().as_bytes()), Some(kind));
            assert_eq!(RouteType::from_fib_trie(&kind.name().to_ascii_uppercase()), Some(kind));
        }
        assert_eq!((RouteType::from_number(0), RouteType::from_number(12)), (None, None));
    }

    #[test]
    fn scopes_of_files() {
        let scopes = [0x00, 0x10, 0x20, 0x40, 0x80].map(Scope::from_if_inet6);
        assert_eq!(scopes, [Scope::GLOBAL, Scope::HOST, Scope::LINK, Scope::SITE, Scope::GLOBAL]);
        let scopes = ["universe", "link", "host", "nowhere", "site"].map(Scope::from_fib_trie);
        assert_eq!(scopes, [Scope::GLOBAL, Scope::LINK, Scope::HOST, Scope::NOWHERE, Scope::SITE]);
        assert_eq!([Scope::LINK, Scope(7)].map(|scope| scope.to_string()), ["link", "7"]);
    }
}
