//! What Xen calls: `network-bridge`, `network-virtual`, `network-route`, `network-nat`, `vif-bridge`, `vif-nat` and `vif-route`.
//!
//! `forwarding` is what `network-route` and `network-nat` share, and `engine` how network scripts use the engine of networks. [`script`] reads arguments as Xen's scripts do, without evaluating them; [`log`] writes where the scripts write; [`vif`] is what
//! scripts for guests' interfaces share.

mod engine;
mod forwarding;
pub mod log;
pub mod network_bridge;
pub mod network_nat;
pub mod network_route;
pub mod network_virtual;
pub mod script;
mod vif;
pub mod vif_bridge;
pub mod vif_nat;
pub mod vif_route;
