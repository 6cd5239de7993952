//! What Xen calls: `network-virtual`, `vif-bridge`, `vif-nat` and `vif-route`.
//!
//! [`script`] reads arguments as Xen's scripts do, without evaluating them; [`log`] writes where the scripts write; [`vif`] is what
//! scripts for guests' interfaces share.

pub mod log;
pub mod network_virtual;
pub mod script;
mod vif;
pub mod vif_bridge;
pub mod vif_nat;
pub mod vif_route;
