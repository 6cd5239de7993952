//! Renaming a link, with all that goes when it has to be switched off for that.
//!
//! Until Linux 6.2 a link that is up has no new name (EBUSY), and few drivers give it another hardware address. Switched off, it keeps
//! its IPv4 addresses, and loses its routes and IPv6; so do the VLANs on it. A host whose root is on the network would not go on.

use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::ip_config::{ConfigError, IpConfig};
use crate::kernel::{Kernel, LinkSetting, flag};
use crate::net::{InterfaceName, Mac};

/// Gives a link another name and, on request, another hardware address. A failure leaves both unchanged.
pub(super) fn rename(
    kernel: &Kernel,
    from: &InterfaceName,
    to: &InterfaceName,
    mac: Option<&Mac>,
) -> Result<(), ConfigError> {
    let change = |name: &InterfaceName| -> Result<(), Errno> {
        if name != to {
            kernel.set_link(name.as_bytes(), LinkSetting::Name(to.as_bytes()))?;
        }
        let Some(mac) = mac else { return Ok(()) };
        let old = kernel.mac(to.as_bytes())?;
        if old == *mac {
            return Ok(());
        }
        kernel.set_link(to.as_bytes(), LinkSetting::Address(&mac.0))
    };
    let refused = |errno| ConfigError::Name(from.clone(), to.clone(), errno);
    match change(from) {
        Ok(()) => return Ok(()),
        Err(Errno::EBUSY) => (),
        Err(errno) => {
            restore_name(kernel, from, to);
            return Err(refused(errno));
        }
    }
    let name = if kernel.has_link(to.as_bytes()) == Ok(true) { to } else { from };
    if kernel.has_remote_root() {
        restore_name(kernel, from, to);
        return Err(ConfigError::RemoteRoot(from.clone()));
    }
    let stopped = Stopped::stop(kernel, name).map_err(refused)?;
    let changed = change(name);
    if changed.is_err() {
        restore_name(kernel, from, to);
    }
    let name = if changed.is_ok() { to } else { from };
    let started = stopped.start(kernel, name);
    changed.map_err(refused)?;
    started.inspect_err(|_| {
        let _ = kernel.set_link(to.as_bytes(), LinkSetting::DOWN);
        restore_name(kernel, from, to);
        let _ = stopped.start(kernel, from);
    })
}

/// Gives a link its former name, if it has the new one.
fn restore_name(kernel: &Kernel, from: &InterfaceName, to: &InterfaceName) {
    if kernel.has_link(from.as_bytes()) == Ok(false) {
        let _ = kernel.set_link(to.as_bytes(), LinkSetting::Name(from.as_bytes()));
    }
}

/// What a link lost when it was switched off.
struct Stopped {
    was_up: bool,
    config: IpConfig,
    /// The links on top of it, which are switched off with it.
    upper: Vec<(InterfaceName, IpConfig)>,
}

impl Stopped {
    /// Switches a link off.
    fn stop(kernel: &Kernel, link: &InterfaceName) -> Result<Self, Errno> {
        let is_up = |name: &InterfaceName| kernel.link_flags(name.as_bytes()).map(|flags| flags & flag::UP != 0);
        let stopped = Stopped {
            was_up: is_up(link)?,
            config: IpConfig::read_movable(kernel, link),
            upper: upper(kernel, link)
                .into_iter()
                .filter(|name| is_up(name) == Ok(true))
                .map(|name| (name.clone(), IpConfig::read_movable(kernel, &name)))
                .collect(),
        };
        kernel.set_link(link.as_bytes(), LinkSetting::DOWN)?;
        Ok(stopped)
    }

    /// Switches it on again, under the name that it has now.
    fn start(&self, kernel: &Kernel, link: &InterfaceName) -> Result<(), ConfigError> {
        if !self.was_up {
            return Ok(());
        }
        self.config.put(kernel, link)?;
        self.upper.iter().try_for_each(|(name, config)| config.put(kernel, name))
    }
}

/// Returns the VLANs and other links on top of a link.
fn upper(kernel: &Kernel, link: &InterfaceName) -> Vec<InterfaceName> {
    let Ok(index) = kernel.link_index(link.as_bytes()) else { return Vec::new() };
    let names = kernel.link_names().unwrap_or_default().into_iter().filter(|(other, _)| *other != index);
    let names = names.filter_map(|(_, name)| InterfaceName::new(name.as_bytes()).ok());
    let is_upper = |name: &InterfaceName| {
        // a veth has its peer's index there
        kernel.info_kind(name.as_bytes()).is_some_and(|kind| kind != "veth")
            && kernel.link(name.as_bytes()).is_ok_and(|link| link.iflink == index)
    };
    names.filter(is_upper).collect()
}
