//! What Xen's vif scripts share: `vif-bridge` and its siblings.
//!
//! Xen's udev rules (Xen 3) or its toolstack (libxl) run them when a guest's interface appears and when it goes, and wait for the key
//! `hotplug-status` in xenstore.
//!
//! [`frame`] runs a call and reports how it ended; [`config`] reads arguments, [`keys`] the keys in xenstore; [`interface`] changes
//! an interface and restores it, [`routed`] connects one by routes; [`device`] finds the one that a call means; [`error`] has the texts of failures, [`hooks`] runs programs of the administrator's.

pub(super) mod config;
pub(super) mod device;
pub(super) mod error;
pub(super) mod frame;
pub(super) mod hooks;
pub(super) mod interface;
pub(super) mod keys;
pub(super) mod routed;
