//! `type bridge` and what follows it: values of a bridge, in the units of /sys (times are hundredths of a second).

use nix::errno::Errno;

use super::{hardware, number};
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::{Words, is_short_for};
use crate::ip::{explained, needs_netlink, refused, wrong};
use crate::kernel::{BridgeSetting, Kernel, LinkFile};
use crate::net::Mac;

/// A word behind `type bridge`.
struct Keyword {
    name: &'static str,
    /// Whether its beginning is enough.
    may_be_short: bool,
    value: Value,
    place: Place,
}

/// What may stand behind the word.
#[derive(Clone, Copy)]
enum Value {
    /// A number up to this one.
    Upto(u64),
    /// A number of 64 bits, where -1 is the largest.
    Wrapping,
    /// An Ethernet address.
    Address,
    /// The name or number of a protocol.
    Protocol,
    /// Nothing.
    None,
}

const U8: Value = Value::Upto(u8::MAX as u64);
const U16: Value = Value::Upto(u16::MAX as u64);
const U32: Value = Value::Upto(u32::MAX as u64);

/// Where the value is kept.
#[derive(Clone, Copy)]
enum Place {
    /// Wherever the kernel has it: it always had it.
    Setting(BridgeSetting),
    /// A file. A kernel without it does not know the value, and ignores it in netlink too.
    File(&'static str),
    /// A file of which a kernel without it says that the value is not supported.
    Supported(&'static str),
    /// Netlink alone.
    Nowhere,
}

const fn setting(name: &'static str, value: Value, setting: BridgeSetting) -> Keyword {
    Keyword { name, may_be_short: true, value, place: Place::Setting(setting) }
}

const fn file(name: &'static str, value: Value, file: &'static str) -> Keyword {
    Keyword { name, may_be_short: true, value, place: Place::File(file) }
}

/// In the order in which the kernel looks for the values (net/bridge/br_netlink.c, `br_changelink`). A word means the first of
/// which it is the beginning.
const KEYWORDS: [Keyword; 36] = [
    setting("forward_delay", U32, BridgeSetting::FORWARD_DELAY),
    setting("hello_time", U32, BridgeSetting::HELLO_TIME),
    setting("max_age", U32, BridgeSetting::MAX_AGE),
    setting("ageing_time", U32, BridgeSetting::AGEING_TIME),
    setting("stp_state", U32, BridgeSetting::STP_STATE),
    setting("priority", U16, BridgeSetting::PRIORITY),
    Keyword { name: "vlan_filtering", may_be_short: true, value: U8, place: Place::Supported("bridge/vlan_filtering") },
    file("vlan_protocol", Value::Protocol, "bridge/vlan_protocol"),
    file("vlan_default_pvid", U16, "bridge/default_pvid"),
    file("vlan_stats_enabled", U8, "bridge/vlan_stats_enabled"),
    file("vlan_stats_per_port", U8, "bridge/vlan_stats_per_port"),
    file("group_fwd_mask", U16, "bridge/group_fwd_mask"),
    file("group_address", Value::Address, "bridge/group_addr"),
    file("fdb_flush", Value::None, "bridge/flush"),
    file("mcast_router", U8, "bridge/multicast_router"),
    file("mcast_snooping", U8, "bridge/multicast_snooping"),
    file("mcast_query_use_ifaddr", U8, "bridge/multicast_query_use_ifaddr"),
    file("mcast_querier", U8, "bridge/multicast_querier"),
    file("mcast_hash_elasticity", U32, "bridge/hash_elasticity"),
    file("mcast_hash_max", U32, "bridge/hash_max"),
    file("mcast_last_member_count", U32, "bridge/multicast_last_member_count"),
    file("mcast_startup_query_count", U32, "bridge/multicast_startup_query_count"),
    file("mcast_last_member_interval", Value::Wrapping, "bridge/multicast_last_member_interval"),
    file("mcast_membership_interval", Value::Wrapping, "bridge/multicast_membership_interval"),
    file("mcast_querier_interval", Value::Wrapping, "bridge/multicast_querier_interval"),
    file("mcast_query_interval", Value::Wrapping, "bridge/multicast_query_interval"),
    file("mcast_query_response_interval", Value::Wrapping, "bridge/multicast_query_response_interval"),
    file("mcast_startup_query_interval", Value::Wrapping, "bridge/multicast_startup_query_interval"),
    file("mcast_stats_enabled", U8, "bridge/multicast_stats_enabled"),
    file("mcast_igmp_version", U8, "bridge/multicast_igmp_version"),
    file("mcast_mld_version", U8, "bridge/multicast_mld_version"),
    file("nf_call_iptables", U8, "bridge/nf_call_iptables"),
    file("nf_call_ip6tables", U8, "bridge/nf_call_ip6tables"),
    file("nf_call_arptables", U8, "bridge/nf_call_arptables"),
    Keyword {
        name: "no_linklocal_learn",
        may_be_short: false,
        value: U8,
        place: Place::File("bridge/no_linklocal_learn"),
    },
    Keyword { name: "mcast_vlan_snooping", may_be_short: false, value: U8, place: Place::Nowhere },
];

/// Values that a bridge is to have, in the order of the keywords, with the place of the keyword.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(usize, Given)>);

/// What stood behind a keyword.
#[derive(Debug)]
enum Given {
    Number(u64),
    Address(Vec<u8>),
}

impl Values {
    /// Reads the words behind `type bridge`. Of several values for one keyword the last one counts.
    pub(super) fn parse(mut words: Words) -> Result<Self, Failure> {
        let mut values = Values::default();
        while let Some(word) = words.next() {
            let is_meant = |keyword: &Keyword| match keyword.may_be_short {
                true => is_short_for(word, keyword.name),
                false => word == keyword.name.as_bytes(),
            };
            match KEYWORDS.iter().position(is_meant) {
                Some(at) => values.put(at, Given::parse(&KEYWORDS[at], &mut words)?),
                None if is_short_for(word, "help") => return Err(Failure::new(USAGE.into())),
                None => {
                    return Err(Failure::new(line!("bridge: unknown command \"", word, "\"?\n", USAGE.trim_end())));
                }
            }
        }
        Ok(values)
    }

    fn put(&mut self, keyword: usize, given: Given) {
        let place = self.0.partition_point(|(other, _)| *other < keyword);
        self.0.retain(|(other, _)| *other != keyword);
        self.0.insert(place, (keyword, given));
    }

    /// Whether nothing was given.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the kernel finds wrong with the request before it looks at the bridge.
    pub(super) fn check(&self) -> Outcome {
        match self.0.iter().any(|(_, given)| matches!(given, Given::Address(address) if address.len() > 6)) {
            true => Err(explained(Errno::ERANGE, "Attribute failed policy validation.")),
            false => Ok(()),
        }
    }

    /// Refuses what cannot be set on this bridge without netlink.
    pub(super) fn check_for(&self, kernel: &Kernel, bridge: &[u8]) -> Outcome {
        let has_files = || kernel.has_link_file(bridge, LinkFile("bridge"));
        for (keyword, _) in self.given() {
            match keyword.place {
                Place::Setting(_) => (),
                Place::File(_) | Place::Supported(_) if has_files() => (),
                Place::File(_) | Place::Supported(_) => {
                    return Err(needs_netlink(keyword.name.as_bytes(), "or /sys of this network namespace"));
                }
                Place::Nowhere => return Err(needs_netlink(keyword.name.as_bytes(), "no file sets it")),
            }
        }
        Ok(())
    }

    /// Sets the values, in the kernel's order, up to the first that it refuses.
    pub(super) fn apply(&self, kernel: &Kernel, bridge: &[u8]) -> Outcome {
        self.given().try_for_each(|(keyword, given)| keyword.set(kernel, bridge, given).map_err(refused))
    }

    fn given(&self) -> impl Iterator<Item = (&'static Keyword, &Given)> {
        self.0.iter().map(|(at, given)| (&KEYWORDS[*at], given))
    }
}

impl Keyword {
    fn set(&self, kernel: &Kernel, bridge: &[u8], given: &Given) -> Result<(), Errno> {
        let (file, is_supported) = match self.place {
            Place::Setting(setting) => match given {
                Given::Number(number) => return kernel.set_bridge(bridge, setting, *number),
                Given::Address(_) => return Err(Errno::EINVAL),
            },
            Place::File(file) => (LinkFile(file), true),
            Place::Supported(file) => (LinkFile(file), false),
            Place::Nowhere => return Err(Errno::EOPNOTSUPP),
        };
        if !kernel.has_link_file(bridge, file) {
            return if is_supported { Ok(()) } else { Err(Errno::EOPNOTSUPP) };
        }
        let text = match given {
            Given::Number(number) => number.to_string(),
            Given::Address(octets) => Mac(octets.as_slice().try_into().map_err(|_| Errno::EINVAL)?).to_string(),
        };
        kernel.set_link_file(bridge, file, text.as_bytes())
    }
}

impl Given {
    fn parse(keyword: &Keyword, words: &mut Words) -> Result<Self, Failure> {
        if let Value::None = keyword.value {
            return Ok(Given::Number(1));
        }
        let word = words.operand()?;
        let number = match keyword.value {
            Value::Upto(most) => number::unsigned::<u64>(word).filter(|number| *number <= most),
            Value::Wrapping => number::wrapping(word),
            Value::Protocol => protocol(word).map(u64::from),
            Value::Address => return hardware::address(Era::Today, word).map(Given::Address),
            Value::None => None,
        };
        number.map(Given::Number).ok_or_else(|| wrong(word, &format!("invalid {}", keyword.name)))
    }
}

/// The protocols that a bridge can have its tags of, by name (linux/if_ether.h), and all by number.
fn protocol(word: &[u8]) -> Option<u16> {
    match word.to_ascii_lowercase().as_slice() {
        b"802.1q" => Some(0x8100),
        b"802.1ad" => Some(0x88a8),
        _ => number::unsigned(word),
    }
}

/// What `ip link help bridge` prints.
pub(super) const USAGE: &str = "\
Usage: ... bridge [ fdb_flush ]
\t\t  [ forward_delay FORWARD_DELAY ]
\t\t  [ hello_time HELLO_TIME ]
\t\t  [ max_age MAX_AGE ]
\t\t  [ ageing_time AGEING_TIME ]
\t\t  [ stp_state STP_STATE ]
\t\t  [ priority PRIORITY ]
\t\t  [ group_fwd_mask MASK ]
\t\t  [ group_address ADDRESS ]
\t\t  [ no_linklocal_learn NO_LINKLOCAL_LEARN ]
\t\t  [ vlan_filtering VLAN_FILTERING ]
\t\t  [ vlan_protocol VLAN_PROTOCOL ]
\t\t  [ vlan_default_pvid VLAN_DEFAULT_PVID ]
\t\t  [ vlan_stats_enabled VLAN_STATS_ENABLED ]
\t\t  [ vlan_stats_per_port VLAN_STATS_PER_PORT ]
\t\t  [ mcast_snooping MULTICAST_SNOOPING ]
\t\t  [ mcast_vlan_snooping MULTICAST_VLAN_SNOOPING ]
\t\t  [ mcast_router MULTICAST_ROUTER ]
\t\t  [ mcast_query_use_ifaddr MCAST_QUERY_USE_IFADDR ]
\t\t  [ mcast_querier MULTICAST_QUERIER ]
\t\t  [ mcast_hash_elasticity HASH_ELASTICITY ]
\t\t  [ mcast_hash_max HASH_MAX ]
\t\t  [ mcast_last_member_count LAST_MEMBER_COUNT ]
\t\t  [ mcast_startup_query_count STARTUP_QUERY_COUNT ]
\t\t  [ mcast_last_member_interval LAST_MEMBER_INTERVAL ]
\t\t  [ mcast_membership_interval MEMBERSHIP_INTERVAL ]
\t\t  [ mcast_querier_interval QUERIER_INTERVAL ]
\t\t  [ mcast_query_interval QUERY_INTERVAL ]
\t\t  [ mcast_query_response_interval QUERY_RESPONSE_INTERVAL ]
\t\t  [ mcast_startup_query_interval STARTUP_QUERY_INTERVAL ]
\t\t  [ mcast_stats_enabled MCAST_STATS_ENABLED ]
\t\t  [ mcast_igmp_version IGMP_VERSION ]
\t\t  [ mcast_mld_version MLD_VERSION ]
\t\t  [ nf_call_iptables NF_CALL_IPTABLES ]
\t\t  [ nf_call_ip6tables NF_CALL_IP6TABLES ]
\t\t  [ nf_call_arptables NF_CALL_ARPTABLES ]

Where: VLAN_PROTOCOL := { 802.1Q | 802.1ad }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_names_of_their_own() {
        for (place, keyword) in KEYWORDS.iter().enumerate() {
            assert!(KEYWORDS[..place].iter().all(|other| other.name != keyword.name), "{} twice", keyword.name);
        }
    }

    #[test]
    fn usage_names_every_keyword() {
        for keyword in &KEYWORDS {
            assert!(USAGE.contains(&format!("[ {} ", keyword.name)), "{}", keyword.name);
        }
    }
}
