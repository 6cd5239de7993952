//! The only door to the kernel: verbs on bridges, links, addresses and routes.
//!
//! They use ioctls, /sys/class/net and /proc/net, never netlink. A verb takes names as they were typed and returns the kernel's
//! errno; the commands turn that into text. [`Kernel`] is passed in everywhere, so that readers run on a folder of another host's
//! files as well.
//!
//! From the ground up: [`ioctl`] (the only unsafe code) and [`file`]; values that verbs return, such as [`Link`] and [`BridgeInfo`];
//! [`handle`], which has [`Kernel`]; [`procfs`] and [`sysfs`]; and the verbs, by subject.

mod address;
mod answers;
mod bridge;
mod device;
mod file;
mod group;
mod handle;
mod ioctl;
mod link;
mod listener;
mod mounts;
mod neighbour;
mod parallel;
mod procfs;
mod result;
mod route;
mod socket;
mod sysctl;
mod sysfs;
mod table;
mod tunnel;

pub use address::Address;
pub use answers::{Answers, BridgeAnswers};
pub use bridge::{BridgeInfo, BridgeSetting, FdbEntry, PortInfo, PortSetting, port_state};
pub use group::{Group, GroupAddress, is_member_v4};
pub use handle::{Kernel, Source, terminal_columns, user_id};
pub use ioctl::{IFNAMSIZ, RouterEntry, SixRd, Tunnel, TunnelVerb, note_signals, signal, spawn};
pub use link::{
    Counters, Link, LinkFile, LinkSetting, Queue, Statistics, Traffic, Tun, TunEnd, delete_tun, flag, tun_flag,
};
pub use listener::{Listener, is_served};
pub use neighbour::{ArpEntry, Neighbour, arp_flag};
pub use procfs::Unreadable;
pub use result::Result;
pub use route::{
    LocalRoute, RouteChangeV4, RouteChangeV6, RouteV4, RouteV6, RoutesV4, RoutesV6, Table, default_link_v4,
    expires_in_reach, flag6, metric_in_reach,
};
pub use socket::{Turn, open_socket};
pub use sysctl::net_conf;
pub use sysfs::Sysfs;
pub use table::{Extension, TABLE_INFO};
pub use tunnel::{RequestResult, tunnel_flag};
