//! What Xen calls: `network-virtual` and `vif-bridge`.
//!
//! [`script`] reads arguments as Xen's scripts do, without evaluating them; [`log`] writes where the scripts write.

pub mod log;
pub mod network_virtual;
pub mod script;
pub mod vif_bridge;
