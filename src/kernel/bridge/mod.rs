//! Bridges and their ports: by /sys/class/net where it shows this namespace, and by the bridge's ioctls, new and old.

mod fdb;
mod info;
mod list;
mod set;
mod state;

pub use fdb::FdbEntry;
pub use info::{BridgeInfo, PortInfo, port_state};
pub use set::{BridgeSetting, PortSetting};
