//! Xen's network scripts: `network-virtual`.
//!
//! [`script`] reads the arguments as Xen's scripts do, without evaluating them; [`firewall`] runs the programs that a script
//! would run; [`record`] keeps what the next call must know.

pub mod firewall;
pub mod network_virtual;
pub mod record;
pub mod script;
