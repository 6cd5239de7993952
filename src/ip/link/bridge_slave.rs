//! `type bridge_slave`: values of a port of a bridge.

use super::values::{Operand, Place, Table, U8, U16, U32, Value};
use crate::ip::keyword::{Keyword, short};
use crate::kernel::PortSetting;

/// Values of a port.
pub(super) const TABLE: Table = Table {
    unknown: "bridge_slave: unknown option",
    usage: USAGE,
    reason: |name| match name {
        "state" | "priority" | "cost" => format!("{name} is invalid"),
        _ => format!("invalid {name}"),
    },
    keywords: KEYWORDS,
};

const fn switch(name: &'static str, file: &'static str) -> Keyword<Value> {
    short(name, Value::new(Operand::Switch, Place::File(file)))
}

const fn unsupported(name: &'static str, operand: Operand) -> Keyword<Value> {
    short(name, Value::new(operand, Place::Nowhere("no file sets it")))
}

/// The steps are in the order in which the kernel looks for the values: flags, then these (net/bridge/br_netlink.c, `br_setport`).
const KEYWORDS: &[Keyword<Value>] = &[
    short("fdb_flush", Value::new(Operand::Word("1"), Place::File("brport/flush")).at(3)),
    unsupported("state", U8),
    short("priority", Value::new(U16, Place::Port(PortSetting::PRIORITY)).at(2)),
    short("cost", Value::new(U32, Place::Port(PortSetting::PATH_COST)).at(1)),
    switch("hairpin", "brport/hairpin_mode"),
    switch("guard", "brport/bpdu_guard"),
    switch("root_block", "brport/root_block"),
    switch("fastleave", "brport/multicast_fast_leave"),
    switch("learning", "brport/learning"),
    switch("flood", "brport/unicast_flood"),
    switch("mcast_flood", "brport/multicast_flood"),
    switch("bcast_flood", "brport/broadcast_flood"),
    switch("mcast_to_unicast", "brport/multicast_to_unicast"),
    switch("proxy_arp", "brport/proxyarp"),
    switch("proxy_arp_wifi", "brport/proxyarp_wifi"),
    short("mcast_router", Value::new(U8, Place::File("brport/multicast_router")).at(4)),
    switch("mcast_fast_leave", "brport/multicast_fast_leave"),
    switch("neigh_suppress", "brport/neigh_suppress"),
    short("group_fwd_mask", Value::new(U16, Place::File("brport/group_fwd_mask")).at(5)),
    unsupported("vlan_tunnel", Operand::Switch),
    switch("isolated", "brport/isolated"),
    unsupported("locked", Operand::Switch),
    short("backup_port", Value::new(Operand::Link, Place::File("brport/backup_port")).at(6)),
    short("nobackup_port", Value::new(Operand::Word(""), Place::File("brport/backup_port")).at(6)),
];

const USAGE: &str = "\
Usage: ... bridge_slave [ fdb_flush ]
\t\t\t[ state STATE ]
\t\t\t[ priority PRIO ]
\t\t\t[ cost COST ]
\t\t\t[ guard {on | off} ]
\t\t\t[ hairpin {on | off} ]
\t\t\t[ fastleave {on | off} ]
\t\t\t[ root_block {on | off} ]
\t\t\t[ learning {on | off} ]
\t\t\t[ flood {on | off} ]
\t\t\t[ proxy_arp {on | off} ]
\t\t\t[ proxy_arp_wifi {on | off} ]
\t\t\t[ mcast_router MULTICAST_ROUTER ]
\t\t\t[ mcast_fast_leave {on | off} ]
\t\t\t[ mcast_flood {on | off} ]
\t\t\t[ bcast_flood {on | off} ]
\t\t\t[ mcast_to_unicast {on | off} ]
\t\t\t[ group_fwd_mask MASK ]
\t\t\t[ neigh_suppress {on | off} ]
\t\t\t[ vlan_tunnel {on | off} ]
\t\t\t[ isolated {on | off} ]
\t\t\t[ locked {on | off} ]
\t\t\t[ backup_port DEVICE ] [ nobackup_port ]
";
