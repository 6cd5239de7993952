//! `type bridge`: values of a bridge, in the units of /sys (times are hundredths of a second).

use super::values::{Operand, Place, Table, U8, U16, U32, Value};
use crate::ip::keyword::{Keyword, exact, short};
use crate::kernel::BridgeSetting;

/// Values of a bridge.
pub(super) const TABLE: Table = Table {
    unknown: "bridge: unknown command",
    usage: USAGE,
    reason: |name| format!("invalid {name}"),
    keywords: KEYWORDS,
};

const fn setting(name: &'static str, operand: Operand, setting: BridgeSetting) -> Keyword<Value> {
    short(name, Value::new(operand, Place::Bridge(setting)))
}

const fn file(name: &'static str, operand: Operand, file: &'static str) -> Keyword<Value> {
    short(name, Value::new(operand, Place::File(file)))
}

/// In the order in which the kernel looks for the values (net/bridge/br_netlink.c, `br_changelink`).
const KEYWORDS: &[Keyword<Value>] = &[
    setting("forward_delay", U32, BridgeSetting::FORWARD_DELAY),
    setting("hello_time", U32, BridgeSetting::HELLO_TIME),
    setting("max_age", U32, BridgeSetting::MAX_AGE),
    setting("ageing_time", U32, BridgeSetting::AGEING_TIME),
    setting("stp_state", U32, BridgeSetting::STP_STATE),
    setting("priority", U16, BridgeSetting::PRIORITY),
    short("vlan_filtering", Value::new(U8, Place::Supported("bridge/vlan_filtering"))),
    file("vlan_protocol", Operand::Protocol, "bridge/vlan_protocol"),
    file("vlan_default_pvid", U16, "bridge/default_pvid"),
    file("vlan_stats_enabled", U8, "bridge/vlan_stats_enabled"),
    file("vlan_stats_per_port", U8, "bridge/vlan_stats_per_port"),
    file("group_fwd_mask", U16, "bridge/group_fwd_mask"),
    file("group_address", Operand::Address, "bridge/group_addr"),
    file("fdb_flush", Operand::Word("1"), "bridge/flush"),
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
    exact("no_linklocal_learn", Value::new(U8, Place::File("bridge/no_linklocal_learn"))),
    exact("mcast_vlan_snooping", Value::new(U8, Place::Nowhere("no file sets it"))),
];

const USAGE: &str = "\
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
