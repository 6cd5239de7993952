//! `type bridge` and what follows it: values of a bridge, in the units of /sys (times are hundredths of a second).

use nix::errno::Errno;

use super::hardware;
use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::wrong;
use crate::ip::keyword::{Keyword, exact, short};
use crate::ip::number;
use crate::ip::words::Words;
use crate::kernel::{BridgeSetting, Kernel, LinkFile, LinkSetting};
use crate::net::Mac;
use crate::net::prefix::Notation;
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// A value of a bridge: what may stand behind its keyword, and where the kernel stores it.
#[derive(Clone, Copy)]
struct Value {
    operand: Operand,
    place: Place,
}

/// What may stand behind a keyword.
#[derive(Clone, Copy)]
enum Operand {
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

const U8: Operand = Operand::Upto(u8::MAX as u64);
const U16: Operand = Operand::Upto(u16::MAX as u64);
const U32: Operand = Operand::Upto(u32::MAX as u64);

/// Where the kernel stores a value.
#[derive(Clone, Copy)]
enum Place {
    /// Behind an ioctl, or in a file: every kernel has it.
    Setting(BridgeSetting),
    /// In a file. A kernel without it does not know the value, and ignores it in netlink too.
    File(&'static str),
    /// In a file. A kernel without it answers that the value is not supported.
    Supported(&'static str),
    /// Behind netlink alone.
    Nowhere,
}

const fn setting(name: &'static str, operand: Operand, setting: BridgeSetting) -> Keyword<Value> {
    short(name, Value { operand, place: Place::Setting(setting) })
}

const fn file(name: &'static str, operand: Operand, file: &'static str) -> Keyword<Value> {
    short(name, Value { operand, place: Place::File(file) })
}

/// In the order in which the kernel looks for the values (net/bridge/br_netlink.c, `br_changelink`).
const KEYWORDS: &[Keyword<Value>] = &[
    setting("forward_delay", U32, BridgeSetting::FORWARD_DELAY),
    setting("hello_time", U32, BridgeSetting::HELLO_TIME),
    setting("max_age", U32, BridgeSetting::MAX_AGE),
    setting("ageing_time", U32, BridgeSetting::AGEING_TIME),
    setting("stp_state", U32, BridgeSetting::STP_STATE),
    setting("priority", U16, BridgeSetting::PRIORITY),
    short("vlan_filtering", Value { operand: U8, place: Place::Supported("bridge/vlan_filtering") }),
    file("vlan_protocol", Operand::Protocol, "bridge/vlan_protocol"),
    file("vlan_default_pvid", U16, "bridge/default_pvid"),
    file("vlan_stats_enabled", U8, "bridge/vlan_stats_enabled"),
    file("vlan_stats_per_port", U8, "bridge/vlan_stats_per_port"),
    file("group_fwd_mask", U16, "bridge/group_fwd_mask"),
    file("group_address", Operand::Address, "bridge/group_addr"),
    file("fdb_flush", Operand::None, "bridge/flush"),
    file("mcast_router", U8, "bridge/multicast_router"),
    file("mcast_snooping", U8, "bridge/multicast_snooping"),
    file("mcast_query_use_ifaddr", U8, "bridge/multicast_query_use_ifaddr"),
    file("mcast_querier", U8, "bridge/multicast_querier"),
    file("mcast_hash_elasticity", U32, "bridge/hash_elasticity"),
    file("mcast_hash_max", U32, "bridge/hash_max"),
    file("mcast_last_member_count", U32, "bridge/multicast_last_member_count"),
    file("mcast_startup_query_count", U32, "bridge/multicast_startup_query_count"),
    file("mcast_last_member_interval", Operand::Wrapping, "bridge/multicast_last_member_interval"),
    file("mcast_membership_interval", Operand::Wrapping, "bridge/multicast_membership_interval"),
    file("mcast_querier_interval", Operand::Wrapping, "bridge/multicast_querier_interval"),
    file("mcast_query_interval", Operand::Wrapping, "bridge/multicast_query_interval"),
    file("mcast_query_response_interval", Operand::Wrapping, "bridge/multicast_query_response_interval"),
    file("mcast_startup_query_interval", Operand::Wrapping, "bridge/multicast_startup_query_interval"),
    file("mcast_stats_enabled", U8, "bridge/multicast_stats_enabled"),
    file("mcast_igmp_version", U8, "bridge/multicast_igmp_version"),
    file("mcast_mld_version", U8, "bridge/multicast_mld_version"),
    file("nf_call_iptables", U8, "bridge/nf_call_iptables"),
    file("nf_call_ip6tables", U8, "bridge/nf_call_ip6tables"),
    file("nf_call_arptables", U8, "bridge/nf_call_arptables"),
    exact("no_linklocal_learn", Value { operand: U8, place: Place::File("bridge/no_linklocal_learn") }),
    exact("mcast_vlan_snooping", Value { operand: U8, place: Place::Nowhere }),
];

/// Values that a bridge is to have, in the order of the keywords.
#[derive(Default)]
pub(super) struct Values(Vec<(&'static Keyword<Value>, Given)>);

/// What stands behind a keyword.
enum Given {
    Number(u64),
    Address(Vec<u8>),
}

impl Values {
    /// Parses the words behind `type bridge`. Of several values for one keyword the last one counts.
    pub(super) fn parse(mut words: Words) -> Result<Self, Failure> {
        let mut given: Vec<Option<Given>> = KEYWORDS.iter().map(|_| None).collect();
        while let Some(word) = words.peek() {
            let keyword = words.take_keyword(KEYWORDS).ok_or_else(|| unknown_command(word, &words))?;
            let value = Given::parse(keyword, &mut words)?;
            if let Some(place) = KEYWORDS.iter().position(|other| other.name == keyword.name) {
                given[place] = Some(value);
            }
        }
        let given = KEYWORDS.iter().zip(given).filter_map(|(keyword, given)| Some((keyword, given?)));
        Ok(Values(given.collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses what the kernel refuses before it looks for the bridge.
    pub(super) fn check(&self) -> Outcome {
        match self.0.iter().any(|(_, given)| matches!(given, Given::Address(address) if address.len() > 6)) {
            true => Err(explained(Errno::ERANGE, "Attribute failed policy validation.")),
            false => Ok(()),
        }
    }

    /// Refuses what cannot be set on this bridge without netlink.
    pub(super) fn check_for(&self, kernel: &Kernel, bridge: &[u8]) -> Outcome {
        let has_files = || kernel.has_link_file(bridge, LinkFile("bridge"));
        for (keyword, _) in &self.0 {
            match keyword.meaning.place {
                Place::Setting(_) => (),
                Place::File(_) | Place::Supported(_) if has_files() => (),
                Place::File(_) | Place::Supported(_) => {
                    return Err(needs_netlink(keyword.name, "or /sys of this network namespace"));
                }
                Place::Nowhere => return Err(needs_netlink(keyword.name, "no file sets it")),
            }
        }
        Ok(())
    }

    /// Sets the values, in the kernel's order, up to the first that it refuses.
    pub(super) fn apply(&self, kernel: &Kernel, bridge: &[u8]) -> Outcome {
        self.0.iter().try_for_each(|(keyword, given)| given.set(keyword, kernel, bridge).map_err(refused))
    }
}

impl Given {
    fn parse(keyword: &Keyword<Value>, words: &mut Words) -> Result<Self, Failure> {
        let operand = keyword.meaning.operand;
        if let Operand::None = operand {
            return Ok(Given::Number(1));
        }
        let word = words.operand()?;
        let number = match operand {
            Operand::Upto(most) => number::get_unsigned::<u64>(word).filter(|number| *number <= most),
            Operand::Wrapping => number::get_u64(word),
            Operand::Protocol => protocol(word).map(u64::from),
            Operand::Address => return hardware::address(word, Notation::C).map(Given::Address),
            Operand::None => None,
        };
        number.map(Given::Number).ok_or_else(|| wrong(word, &format!("invalid {}", keyword.name)))
    }

    fn set(&self, keyword: &Keyword<Value>, kernel: &Kernel, bridge: &[u8]) -> Result<(), Errno> {
        let (file, is_optional) = match keyword.meaning.place {
            Place::Setting(setting) => match self {
                Given::Number(number) => return kernel.set_bridge(bridge, setting, *number),
                Given::Address(_) => return Err(Errno::EINVAL),
            },
            Place::File(file) => (LinkFile(file), true),
            Place::Supported(file) => (LinkFile(file), false),
            Place::Nowhere => return Err(Errno::EOPNOTSUPP),
        };
        if !kernel.has_link_file(bridge, file) {
            return if is_optional { Ok(()) } else { Err(Errno::EOPNOTSUPP) };
        }
        let text = match self {
            Given::Number(number) => number.to_string(),
            Given::Address(octets) => Mac(octets.as_slice().try_into().map_err(|_| Errno::EINVAL)?).to_string(),
        };
        kernel.set_link(bridge, LinkSetting::File(file, text.as_bytes()))
    }
}

fn unknown_command(word: &[u8], words: &Words) -> Failure {
    match words.options.is_short_for(word, "help") {
        true => Failure::new(USAGE.into()),
        false => Failure::new(line!("bridge: unknown command \"", word, "\"?\n", USAGE.trim_end())),
    }
}

/// Reads the protocol of VLAN tags, by name or number.
fn protocol(word: &[u8]) -> Option<u16> {
    match word.to_ascii_lowercase().as_slice() {
        b"802.1q" => u16::try_from(libc::ETH_P_8021Q).ok(),
        b"802.1ad" => u16::try_from(libc::ETH_P_8021AD).ok(),
        _ => number::get_unsigned(word),
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
    fn usage_names_every_keyword() {
        for keyword in KEYWORDS {
            assert!(USAGE.contains(&format!("[ {} ", keyword.name)), "{}", keyword.name);
        }
    }
}
