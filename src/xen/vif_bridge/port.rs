//! A guest's interface as a bridge port: made in the original's order, and restored as it was found.

use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use crate::era::Era;
use crate::error::errno_text;
use crate::kernel::{Kernel, LinkSetting, flag};
use crate::net::{InterfaceName, Mac};
use crate::network::context::ISOLATED;
use crate::network::item::Item;
use crate::network::store::StateDir;
use crate::xen::log::Log;
use crate::xen::vif::error::{PortRefusal, VifError};
use crate::xen::vif::interface::{Interface, switch_off};

/// The MAC address of every guest's port: the highest one that is not a group's. A bridge takes the lowest address of its ports,
/// and so never a guest's.
const PORT_MAC: Mac = Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]);

/// An interface that becomes a port.
pub(super) struct Port<'a> {
    interface: Interface<'a>,
    /// An earlier call made it a port of the bridge.
    is_port: bool,
    /// The bridge that this call added it to.
    bridge: Option<InterfaceName>,
}

impl<'a> Port<'a> {
    pub(super) fn new(interface: Interface<'a>) -> Self {
        Port { interface, is_port: false, bridge: None }
    }

    pub(super) fn name(&self) -> &InterfaceName {
        self.interface.name()
    }

    /// Renames the interface, unless it has the name already.
    pub(super) fn rename(&mut self, new_name: Option<InterfaceName>) -> Result<(), VifError> {
        self.interface.rename(new_name)
    }

    /// Switches the interface off, gives it the ports' MAC address and removes its other addresses. One that is a port of the
    /// bridge already keeps carrying traffic. With `suppress_arp`, multicast and ARP are switched off.
    pub(super) fn prepare(&mut self, bridge: &InterfaceName, suppress_arp: bool) -> Result<(), VifError> {
        let name = self.interface.name();
        let refused = |action, errno| VifError::link(name, action, errno);
        // as netback makes it, nothing is to be done, and the kernel says whether it is a port when it is added
        if !self.interface.is_fresh(PORT_MAC) {
            self.is_port = is_port_of(self.interface.kernel(), name, bridge)?;
            if !self.is_port || !self.interface.had_mac(PORT_MAC) {
                self.interface.switch_off()?;
                match self.interface.set(LinkSetting::Address(&PORT_MAC.0)) {
                    // not every driver can
                    Err(Errno::EOPNOTSUPP | Errno::EADDRNOTAVAIL | Errno::EINVAL) => (),
                    done => done.map_err(|errno| refused("set its hardware address", errno))?,
                }
            }
        }
        if suppress_arp {
            let off = LinkSetting::Flags { set: flag::NOARP, mask: flag::NOARP | flag::MULTICAST };
            self.interface.set(off).map_err(|errno| refused("switch arp and multicast off", errno))?;
        }
        self.interface.flush()
    }

    /// Sets the mtu to `wanted` or else to the bridge's. Returns the number for the guest: the wanted one as it was given or, if it
    /// cannot be set, the mtu that the interface has.
    pub(super) fn set_mtu(&self, wanted: Option<String>, bridge: &InterfaceName, log: Log) -> Option<String> {
        let name = self.interface.name();
        let of =
            |link: &InterfaceName| self.interface.kernel().link_mtu(link.as_bytes()).ok().map(|mtu| mtu.to_string());
        let text = wanted.filter(|text| !text.is_empty()).or_else(|| of(bridge))?;
        let text = text.trim();
        let mtu = text.parse().ok().filter(|&mtu: &i32| mtu > 0)?;
        match self.interface.set_mtu(mtu) {
            Ok(()) => Some(text.into()),
            Err(errno) => {
                log.note(format!("{name}: cannot set its mtu to {text}: {}", errno_text(errno)).as_bytes());
                of(name)
            }
        }
    }

    /// Adds the interface to the bridge and switches it on.
    pub(super) fn attach(&mut self, bridge: &InterfaceName) -> Result<(), VifError> {
        if !self.is_port {
            self.add(bridge)?;
        }
        if is_isolate(self.interface.kernel(), bridge) {
            match self.interface.set(LinkSetting::File(ISOLATED, b"1")) {
                // up said so
                Err(Errno::ENOENT) => (),
                done => done.map_err(|errno| VifError::link(self.name(), "isolate it", errno))?,
            }
        }
        self.interface.switch_on()
    }

    /// Adds the interface to the bridge, unless it is its port already.
    fn add(&mut self, bridge: &InterfaceName) -> Result<(), VifError> {
        let kernel = self.interface.kernel();
        let Err(refusal) = change_port(kernel, bridge, self.name(), Kernel::add_port) else {
            self.bridge = Some(bridge.clone());
            return Ok(());
        };
        match refusal.errno == Errno::EBUSY && is_port_of(kernel, self.name(), bridge)? {
            true => Ok(()),
            false => Err(VifError::AddPort(refusal)),
        }
    }

    /// Restores the interface to the state in which it was found. Returns what could not be restored.
    pub(super) fn restore(self) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(bridge) = &self.bridge
            && let Err(error) = delete_port(self.interface.kernel(), bridge, self.name())
        {
            left.push(format!("port of {bridge}: {}", error.one_line(Era::Today)));
        }
        left.extend(self.interface.restore());
        left
    }
}

/// Returns whether a network of brouter's keeps the guests on a bridge from each other.
fn is_isolate(kernel: &Kernel, bridge: &InterfaceName) -> bool {
    let states = kernel.has_file("/run/brouter").then(|| StateDir::of(kernel).ok()).flatten();
    let known = states.into_iter().flat_map(|states| states.networks()).filter_map(|(_, state)| state.known());
    let isolates = |item: &Item| matches!(item, Item::Between(_));
    known.filter(|state| state.bridge == *bridge).any(|state| state.items.iter().any(isolates))
}

/// Whether an interface is a port of the bridge already.
///
/// # Errors
/// It is a port of another one; the kernel cannot be asked.
fn is_port_of(kernel: &Kernel, port: &InterfaceName, bridge: &InterfaceName) -> Result<bool, VifError> {
    match kernel.bridge_of_port(port.as_bytes()).map_err(VifError::Bridges)? {
        None => Ok(false),
        Some(own) if own.as_bytes() == bridge.as_bytes() => Ok(true),
        Some(own) => Err(VifError::PortOfAnother { port: port.clone(), own, bridge: bridge.clone() }),
    }
}

/// Takes an interface off the bridge and switches it off. It may disappear at any moment.
pub(super) fn detach(kernel: &Kernel, name: &InterfaceName, bridge: Option<&InterfaceName>) -> Result<(), VifError> {
    if !switch_off(kernel, name)? {
        return Ok(());
    }
    bridge.map_or(Ok(()), |bridge| delete_port(kernel, bridge, name))
}

/// Deletes a port of a bridge. It may disappear at any moment, and what was named may be no bridge, or not that of the port: only a
/// port that is still there is an error.
fn delete_port(kernel: &Kernel, bridge: &InterfaceName, port: &InterfaceName) -> Result<(), VifError> {
    let Err(refusal) = change_port(kernel, bridge, port, Kernel::delete_port) else { return Ok(()) };
    match kernel.bridge_of_port(port.as_bytes()).map_err(VifError::Bridges)? {
        Some(own) if own.as_bytes() == bridge.as_bytes() => Err(VifError::DeletePort(refusal)),
        _ => Ok(()),
    }
}

/// Adds a port to a bridge, or deletes it.
fn change_port(
    kernel: &Kernel,
    bridge: &InterfaceName,
    port: &InterfaceName,
    change: fn(&Kernel, &[u8], i32) -> Result<(), Errno>,
) -> Result<(), PortRefusal> {
    let index = kernel.link_index(port.as_bytes());
    index.and_then(|index| change(kernel, bridge.as_bytes(), index)).map_err(|errno| PortRefusal {
        bridge: bridge.clone(),
        port: port.clone(),
        errno,
        port_exists: kernel.link_index(port.as_bytes()).is_ok(),
    })
}
