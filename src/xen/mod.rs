//! Xen's network scripts: `network-virtual` and `vif-bridge`.
//!
//! [`script`] reads the arguments as Xen's scripts do, without evaluating them; [`firewall`] runs the programs that a script
//! would run; [`record`] keeps what the next call must know. [`store`] is xenstore, [`lock`] and [`log`] are those that hotplug
//! scripts share.

pub mod firewall;
pub mod lock;
pub mod log;
pub mod network_virtual;
pub mod record;
pub mod script;
pub mod store;
pub mod vif_bridge;

use crate::kernel::{IFNAMSIZ, is_path_safe};

/// What keeps a name from meaning the same to the kernel, to a path and to a label; nothing if it is a good one.
pub(crate) fn fault_of_name(name: &[u8]) -> Option<&'static str> {
    match name {
        long if long.len() >= IFNAMSIZ => Some("a name has at most 15 bytes"),
        name if !is_path_safe(name) || name.iter().any(|byte| byte.is_ascii_whitespace() || b":%".contains(byte)) => {
            Some("not a name for an interface (no '/', ':', '%' or blank, not '.' or '..')")
        }
        _ => None,
    }
}
