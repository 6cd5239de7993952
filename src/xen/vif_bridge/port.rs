//! A guest's interface as a bridge port: made in the original's order, and put back as it was found.

use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::error::{PortRefusal, VifError};
use crate::error::errno_text;
use crate::kernel::{Address, Kernel, LinkSetting, flag};
use crate::net::{InterfaceName, Mac};
use crate::xen::log::Log;

/// The MAC address of every guest's port: the highest one that is not a group's. A bridge takes the lowest address of its ports,
/// and so never a guest's.
const PORT_MAC: Mac = Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]);

/// An interface that becomes a port, and how it was found.
pub(super) struct Port<'a> {
    kernel: &'a Kernel,
    name: InterfaceName,
    /// The name that it was found with, if it has been renamed.
    old_name: Option<InterfaceName>,
    flags: u32,
    mac: Mac,
    mtu: i32,
    /// The IPv4 and IPv6 addresses that are removed from it.
    addresses: Vec<Address>,
    /// An earlier call made it a port of the bridge.
    is_port: bool,
    /// The bridge that this call added it to.
    bridge: Option<InterfaceName>,
}

impl<'a> Port<'a> {
    /// Reads the state of an interface.
    pub(super) fn find(kernel: &'a Kernel, name: &InterfaceName) -> Result<Self, VifError> {
        let link = name.as_bytes();
        let read = || Ok((kernel.link_flags(link)?, kernel.mac(link)?, kernel.link_mtu(link)?));
        let (flags, mac, mtu) = read().map_err(|errno| match errno {
            Errno::ENODEV => VifError::NoSuchInterface(name.clone()),
            errno => refused(name, "look at it", errno),
        })?;
        Ok(Port {
            kernel,
            name: name.clone(),
            old_name: None,
            flags,
            mac,
            mtu,
            addresses: Vec::new(),
            is_port: false,
            bridge: None,
        })
    }

    pub(super) fn name(&self) -> &InterfaceName {
        &self.name
    }

    fn set(&self, setting: LinkSetting) -> Result<(), Errno> {
        self.kernel.set_link(self.name.as_bytes(), setting)
    }

    /// Renames the interface, unless it has the name already.
    pub(super) fn rename(&mut self, new_name: Option<InterfaceName>) -> Result<(), VifError> {
        let Some(new_name) = new_name.filter(|new_name| *new_name != self.name) else { return Ok(()) };
        if let Err(errno) = self.set(LinkSetting::Name(new_name.as_bytes())) {
            return Err(VifError::Rename { link: self.name.clone(), new_name, errno });
        }
        self.old_name = Some(std::mem::replace(&mut self.name, new_name));
        Ok(())
    }

    /// Switches the interface off, gives it the ports' MAC address and removes its other addresses. One that is a port of the
    /// bridge already keeps carrying traffic. With `suppress_arp`, multicast and ARP are switched off, as by Xen 3.0.3 to 3.1.
    pub(super) fn prepare(&mut self, bridge: &InterfaceName, suppress_arp: bool) -> Result<(), VifError> {
        match self.kernel.bridge_of(self.name.as_bytes()) {
            Some(own) if own.as_bytes() == bridge.as_bytes() => self.is_port = true,
            Some(own) => {
                return Err(VifError::PortOfAnother { port: self.name.clone(), own, bridge: bridge.clone() });
            }
            None => (),
        }
        // before the link goes down, and with it the IPv6 addresses
        self.addresses = self.read_addresses().map_err(|errno| refused(&self.name, "read its addresses", errno))?;
        if !self.is_port || self.mac != PORT_MAC {
            self.set(LinkSetting::DOWN).map_err(|errno| refused(&self.name, "switch it off", errno))?;
            // not every driver can
            let _ = self.set(LinkSetting::Address(&PORT_MAC.0));
        }
        if suppress_arp {
            self.set(LinkSetting::Flags { set: flag::NOARP, mask: flag::NOARP | flag::MULTICAST })
                .map_err(|errno| refused(&self.name, "switch arp and multicast off", errno))?;
        }
        self.flush().map_err(|errno| refused(&self.name, "flush its addresses", errno))
    }

    fn read_addresses(&self) -> Result<Vec<Address>, Errno> {
        let link = self.name.as_bytes();
        let mut addresses = self.kernel.addresses_v4_of(link)?;
        let v6 = self.kernel.addresses_v6().map_err(|unreadable| unreadable.errno)?;
        addresses.extend(v6.into_iter().filter(|address| address.link.as_bytes() == link));
        Ok(addresses)
    }

    fn flush(&self) -> Result<(), Errno> {
        for address in &self.addresses {
            // of IPv4 the first one of a label, so all of them in the end
            match self.kernel.delete_address(address.label.as_bytes(), address.net) {
                // it went with the one before it, or with the link
                Err(Errno::EADDRNOTAVAIL | Errno::ENODEV) => (),
                other => other?,
            }
        }
        Ok(())
    }

    /// Sets the mtu to `wanted` or else to the bridge's. Returns the number as it was given, unless it is not an mtu.
    pub(super) fn set_mtu(&self, wanted: Option<String>, bridge: &InterfaceName, log: Log) -> Option<String> {
        let bridges = || self.kernel.link_mtu(bridge.as_bytes()).ok().map(|mtu| mtu.to_string());
        let text = wanted.filter(|text| !text.is_empty()).or_else(bridges)?;
        let mtu = text.trim().parse().ok().filter(|&mtu: &i32| mtu > 0)?;
        if let Err(errno) = self.set(LinkSetting::Mtu(mtu)) {
            log.note(format!("{}: cannot set its mtu to {text}: {}", self.name, errno_text(errno)).as_bytes());
        }
        Some(text)
    }

    /// Adds the interface to the bridge and switches it on.
    pub(super) fn attach(&mut self, bridge: &InterfaceName) -> Result<(), VifError> {
        if !self.is_port {
            change_port(self.kernel, bridge, &self.name, Kernel::add_port).map_err(VifError::AddPort)?;
            self.bridge = Some(bridge.clone());
        }
        self.set(LinkSetting::UP).map_err(|errno| refused(&self.name, "switch it on", errno))
    }

    /// Restores the interface to the state in which it was found. Further failures are ignored: one is being reported.
    pub(super) fn put_back(self) {
        let kernel = self.kernel;
        if let Some(bridge) = &self.bridge {
            let _ = change_port(kernel, bridge, &self.name, Kernel::delete_port);
        }
        if kernel.mac(self.name.as_bytes()) != Ok(self.mac) || self.old_name.is_some() {
            let _ = self.set(LinkSetting::DOWN);
            let _ = self.set(LinkSetting::Address(&self.mac.0));
        }
        let _ = self.set(LinkSetting::Mtu(self.mtu));
        for address in &self.addresses {
            let _ = kernel.add_address(address.label.as_bytes(), address.net, address.peer, address.broadcast);
        }
        // the kernel renames the labels of addresses, too
        if let Some(old_name) = &self.old_name {
            let _ = self.set(LinkSetting::Name(old_name.as_bytes()));
        }
        let name = self.old_name.as_ref().unwrap_or(&self.name);
        let mask = flag::UP | flag::NOARP | flag::MULTICAST;
        let _ = kernel.set_link(name.as_bytes(), LinkSetting::Flags { set: self.flags, mask });
    }
}

/// Takes an interface off the bridge and switches it off. It may disappear at any moment.
pub(super) fn detach(kernel: &Kernel, name: &InterfaceName, bridge: Option<&InterfaceName>) -> Result<(), VifError> {
    let link = name.as_bytes();
    let is_gone = || kernel.link_index(link).is_err();
    match kernel.set_link(link, LinkSetting::DOWN) {
        Err(errno) if !is_gone() => return Err(refused(name, "switch it off", errno)),
        _ => (),
    }
    let Some(bridge) = bridge else { return Ok(()) };
    if kernel.bridge_of(link).is_none_or(|own| own.as_bytes() != bridge.as_bytes()) {
        return Ok(());
    }
    match change_port(kernel, bridge, name, Kernel::delete_port) {
        Err(refusal) if !is_gone() => Err(VifError::DeletePort(refusal)),
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

fn refused(link: &InterfaceName, action: &'static str, errno: Errno) -> VifError {
    VifError::Link { link: link.clone(), action, errno }
}
