//! Which bridge is meant.

use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::config::BridgeChoice;
use crate::kernel::{Kernel, Source};
use crate::net::InterfaceName;
use crate::xen::vif::error::VifError;
use crate::xen::vif::interface::exists;

/// Finds the bridge that is meant. `xenbr0` stands for `eth0` if only that exists and is a bridge, as Xen's network-bridge has
/// named it since 3.2. That a named interface is a bridge is not checked.
///
/// # Errors
/// There is no such interface, or no bridge at all; the kernel cannot be asked.
pub(super) fn find_bridge(kernel: &Kernel, choice: &BridgeChoice) -> Result<InterfaceName, VifError> {
    let name = match choice {
        BridgeChoice::First => return first_bridge(kernel)?.ok_or(VifError::NoBridge),
        BridgeChoice::Impossible(name) => return Err(VifError::NoSuchBridge(name.clone())),
        BridgeChoice::Named(name) => name,
    };
    if exists(kernel, name)? {
        return Ok(name.clone());
    }
    let eth = name.as_str().strip_prefix("xenbr").and_then(|number| format!("eth{number}").parse().ok());
    match eth {
        Some(eth) if is_bridge(kernel, &eth)? => Ok(eth),
        _ => Err(VifError::NoSuchBridge(name.to_string())),
    }
}

fn is_bridge(kernel: &Kernel, name: &InterfaceName) -> Result<bool, VifError> {
    match kernel.bridge_head(name.as_bytes()) {
        Ok(_) => Ok(true),
        Err(Errno::ENODEV | Errno::EOPNOTSUPP | Errno::ENOTTY | Errno::EINVAL) => Ok(false),
        Err(errno) => Err(VifError::link(name, "find out whether it is a bridge", errno)),
    }
}

/// Returns the host's first bridge in the order of `brctl show`.
///
/// # Errors
/// The kernel cannot be asked, or the bridge has a name that is refused.
pub(super) fn first_bridge(kernel: &Kernel) -> Result<Option<InterfaceName>, VifError> {
    // /sys would leave out what it cannot be asked about
    let names = match kernel.bridges(Source::Ioctl) {
        Err(Errno::ENOPKG | Errno::EOPNOTSUPP | Errno::ENOTTY | Errno::EINVAL) => return Ok(None),
        names => names.map_err(VifError::Bridges)?,
    };
    names.into_iter().min().map(|name| checked(&name.to_string_lossy())).transpose()
}

/// Returns the bridge that has the interface as a port.
///
/// # Errors
/// Those of [`first_bridge`].
pub(super) fn bridge_of(kernel: &Kernel, port: &InterfaceName) -> Result<Option<InterfaceName>, VifError> {
    let bridge = kernel.bridge_of_port(port.as_bytes()).map_err(VifError::Bridges)?;
    bridge.map(|name| checked(&String::from_utf8_lossy(name.as_bytes()))).transpose()
}

fn checked(name: &str) -> Result<InterfaceName, VifError> {
    name.parse().map_err(|fault| VifError::Name { variable: "bridge", value: name.into(), fault })
}
