//! Which bridge is meant.

use super::config::BridgeChoice;
use super::error::VifError;
use crate::kernel::{Kernel, Source};
use crate::net::InterfaceName;

/// Finds the bridge that is meant. `xenbr0` stands for `eth0` if only that exists and is a bridge, as Xen's network-bridge has
/// named it since 3.2. That a named interface is a bridge is not checked.
///
/// # Errors
/// There is no such interface, or no bridge at all.
pub(super) fn find_bridge(kernel: &Kernel, choice: &BridgeChoice) -> Result<InterfaceName, VifError> {
    let name = match choice {
        BridgeChoice::First => return first_bridge(kernel).ok_or(VifError::NoBridge),
        BridgeChoice::Impossible(name) => return Err(VifError::NoSuchBridge(name.clone())),
        BridgeChoice::Named(name) => name,
    };
    if exists(kernel, name) {
        return Ok(name.clone());
    }
    let eth = name.as_str().strip_prefix("xenbr").and_then(|number| format!("eth{number}").parse().ok());
    eth.filter(|eth: &InterfaceName| kernel.is_bridge(eth.as_bytes()))
        .ok_or_else(|| VifError::NoSuchBridge(name.to_string()))
}

/// Returns the host's first bridge in the order of `brctl show`.
pub(super) fn first_bridge(kernel: &Kernel) -> Option<InterfaceName> {
    let bridges = kernel.bridges(Source::Sysfs).unwrap_or_default();
    bridges.iter().find_map(|name| InterfaceName::new(name.as_encoded_bytes()).ok())
}

/// Returns the bridge that has the interface as a port.
pub(super) fn bridge_of(kernel: &Kernel, port: &InterfaceName) -> Option<InterfaceName> {
    InterfaceName::new(kernel.bridge_of(port.as_bytes())?.as_encoded_bytes()).ok()
}

/// Whether an interface of this name exists. (Asking an ioctl alone would make the kernel run modprobe for a missing one.)
pub(super) fn exists(kernel: &Kernel, name: &InterfaceName) -> bool {
    kernel.has_link(name.as_bytes()).unwrap_or(false)
}
