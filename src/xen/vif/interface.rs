//! A guest's interface: changed, and restored to the state in which a call found it.

use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::error::VifError;
use crate::error::errno_text;
use crate::kernel::{Address, Kernel, LinkSetting, flag};
use crate::net::{InterfaceName, Mac, labels};

/// The flags that a call changes.
const FLAGS: u32 = flag::UP | flag::NOARP | flag::MULTICAST;

/// A guest's interface.
pub(in crate::xen) struct Interface<'a> {
    kernel: &'a Kernel,
    name: InterfaceName,
    found: Found,
}

/// How a call found an interface.
struct Found {
    name: InterfaceName,
    flags: u32,
    mac: Mac,
    mtu: i32,
    v4: Vec<Address>,
    v6: Vec<Address>,
}

impl<'a> Interface<'a> {
    /// Reads the state of an interface.
    pub(in crate::xen) fn find(kernel: &'a Kernel, name: &InterfaceName) -> Result<Self, VifError> {
        let link = name.as_bytes();
        let read = || {
            Ok(Found {
                name: name.clone(),
                flags: kernel.link_flags(link)?,
                mac: kernel.mac(link)?,
                mtu: kernel.link_mtu(link)?,
                v4: kernel.addresses_v4_of(link)?,
                v6: addresses_v6(kernel, name)?,
            })
        };
        let found = read().map_err(|errno| match errno {
            Errno::ENODEV => VifError::NoSuchInterface(name.clone()),
            errno => VifError::link(name, "read its state", errno),
        })?;
        Ok(Interface { kernel, name: name.clone(), found })
    }

    pub(in crate::xen) fn kernel(&self) -> &'a Kernel {
        self.kernel
    }

    pub(in crate::xen) fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// Returns the name that it was found with.
    pub(in crate::xen) fn found_name(&self) -> &InterfaceName {
        &self.found.name
    }

    /// Whether it had this flag when it was found.
    pub(in crate::xen) fn had_flag(&self, flag: u32) -> bool {
        self.found.flags & flag != 0
    }

    /// Whether it was found on, with this IPv4 address and no other.
    pub(in crate::xen) fn has_only_v4(&self, address: Ipv4Addr) -> bool {
        let net = IpNet::V4(address.into());
        self.had_flag(flag::UP)
            && matches!(&self.found.v4[..], [only] if only.net == net && only.peer.or(only.broadcast).is_none())
    }

    /// Whether it had this hardware address when it was found.
    pub(in crate::xen) fn had_mac(&self, mac: Mac) -> bool {
        self.found.mac == mac
    }

    /// Whether it was found off, with this hardware address and no other address, as netback makes it.
    pub(in crate::xen) fn is_fresh(&self, mac: Mac) -> bool {
        !self.had_flag(flag::UP) && self.had_mac(mac) && self.found.v4.is_empty() && self.found.v6.is_empty()
    }

    /// Sets the mtu, unless it was found with it.
    pub(in crate::xen) fn set_mtu(&self, mtu: i32) -> Result<(), Errno> {
        if mtu == self.found.mtu { Ok(()) } else { self.set(LinkSetting::Mtu(mtu)) }
    }

    pub(in crate::xen) fn set(&self, setting: LinkSetting) -> Result<(), Errno> {
        self.kernel.set_link(self.name.as_bytes(), setting)
    }

    /// Switches the interface on.
    pub(in crate::xen) fn switch_on(&self) -> Result<(), VifError> {
        self.set(LinkSetting::UP).map_err(|errno| VifError::link(&self.name, "switch it on", errno))
    }

    /// Switches the interface off.
    pub(in crate::xen) fn switch_off(&self) -> Result<(), VifError> {
        self.set(LinkSetting::DOWN).map_err(|errno| VifError::link(&self.name, "switch it off", errno))
    }

    /// Renames the interface, unless it has the name already.
    pub(in crate::xen) fn rename(&mut self, new_name: Option<InterfaceName>) -> Result<(), VifError> {
        let Some(new_name) = new_name.filter(|new_name| *new_name != self.name) else { return Ok(()) };
        if let Err(errno) = self.set(LinkSetting::Name(new_name.as_bytes())) {
            return Err(VifError::Rename { link: self.name.clone(), new_name, errno });
        }
        self.name = new_name;
        Ok(())
    }

    /// Deletes the addresses with which the interface was found.
    pub(in crate::xen) fn flush(&self) -> Result<(), VifError> {
        let flush = || {
            // the kernel renamed their labels with the interface
            let v4 = match self.found.name == self.name {
                true => self.found.v4.clone(),
                false => self.kernel.addresses_v4_of(self.name.as_bytes())?,
            };
            v4.iter().try_for_each(|address| self.delete(address.label.as_bytes(), address.net))?;
            self.found.v6.iter().try_for_each(|address| self.delete(self.name.as_bytes(), address.net))
        };
        flush().map_err(|errno| VifError::link(&self.name, "flush its addresses", errno))
    }

    fn delete(&self, label: &[u8], net: IpNet) -> Result<(), Errno> {
        // of IPv4 the first one of a label, so all of them in the end
        match self.kernel.delete_address(label, net) {
            // it went with the one before it, or with the link
            Err(Errno::EADDRNOTAVAIL | Errno::ENODEV) => Ok(()),
            other => other,
        }
    }

    /// Restores the interface to the state in which it was found. Returns what could not be restored, with the reason.
    pub(in crate::xen) fn restore(mut self) -> Vec<String> {
        let mut left = Left::default();
        let is_renamed = self.name != self.found.name;
        let has_other_mac = self.kernel.mac(self.name.as_bytes()) != Ok(self.found.mac);
        if has_other_mac || is_renamed {
            left.attempt("flags", self.set(LinkSetting::DOWN));
        }
        if has_other_mac {
            left.attempt("hardware address", self.set(LinkSetting::Address(&self.found.mac.0)));
        }
        if is_renamed {
            let renamed = self.set(LinkSetting::Name(self.found.name.as_bytes()));
            if renamed.is_ok() {
                self.name = self.found.name.clone();
            }
            left.attempt("name", renamed);
        }
        if self.kernel.link_mtu(self.name.as_bytes()) != Ok(self.found.mtu) {
            left.attempt("mtu", self.set(LinkSetting::Mtu(self.found.mtu)));
        }
        self.restore_v4(&mut left);
        left.attempt("flags", self.set(LinkSetting::Flags { set: self.found.flags, mask: FLAGS }));
        // they went with the link, and an old kernel takes them only on a link that is up
        self.restore_v6(&mut left);
        left.0
    }

    fn restore_v4(&self, left: &mut Left) {
        let present = match self.kernel.addresses_v4_of(self.name.as_bytes()) {
            Ok(present) if present == self.found.v4 => return,
            Ok(present) => present,
            Err(errno) => return left.attempt("IPv4 addresses", Err(errno)),
        };
        for address in &present {
            left.attempt(&address.net.to_string(), self.delete(address.label.as_bytes(), address.net));
        }
        let mut used: Vec<Vec<u8>> = Vec::new();
        for address in &self.found.v4 {
            let net = address.net;
            let Some(label) = self.free_label(address.label.as_bytes(), &used) else {
                left.note(format!("{net}: no label is left for it"));
                continue;
            };
            let added = self.kernel.add_address(&label, net, address.peer, address.broadcast);
            if added.is_ok() && label != address.label.as_bytes() {
                left.note(format!("label of {net}: {}", String::from_utf8_lossy(&label)));
            }
            left.attempt(&net.to_string(), added);
            used.push(label);
        }
    }

    /// Returns a label that has no address yet, the wanted one if possible: no ioctl gives one label to two addresses.
    fn free_label(&self, wanted: &[u8], used: &[Vec<u8>]) -> Option<Vec<u8>> {
        let is_free = |label: &[u8]| !used.iter().any(|other| other == label);
        let is_another = |label: &[u8]| self.found.v4.iter().any(|address| address.label.as_bytes() == label);
        match is_free(wanted) {
            true => Some(wanted.to_vec()),
            false => labels(self.name.as_bytes()).find(|label| is_free(label) && !is_another(label)),
        }
    }

    fn restore_v6(&self, left: &mut Left) {
        let present = match addresses_v6(self.kernel, &self.name) {
            Ok(present) => present,
            Err(errno) => return left.attempt("IPv6 addresses", Err(errno)),
        };
        let has = |addresses: &[Address], net: IpNet| addresses.iter().any(|address| address.net == net);
        for address in self.found.v6.iter().filter(|address| !has(&present, address.net)) {
            match self.kernel.add_address(self.name.as_bytes(), address.net, None, None) {
                // the kernel has made it in the meantime
                Err(Errno::EEXIST) => (),
                added => left.attempt(&address.net.to_string(), added),
            }
        }
        // made by switching the link on
        for address in present.iter().filter(|address| !has(&self.found.v6, address.net)) {
            left.attempt(&address.net.to_string(), self.delete(self.name.as_bytes(), address.net));
        }
    }
}

/// What could not be restored.
#[derive(Default)]
struct Left(Vec<String>);

impl Left {
    /// Notes a failure, unless the interface has gone.
    fn attempt(&mut self, what: &str, outcome: Result<(), Errno>) {
        match outcome {
            Ok(()) | Err(Errno::ENODEV) => (),
            Err(errno) => self.note(format!("{what}: {}", errno_text(errno))),
        }
    }

    fn note(&mut self, text: String) {
        self.0.push(text);
    }
}

fn addresses_v6(kernel: &Kernel, link: &InterfaceName) -> Result<Vec<Address>, Errno> {
    let mut addresses = kernel.addresses_v6().map_err(|unreadable| unreadable.errno)?;
    addresses.retain(|address| address.link.as_bytes() == link.as_bytes());
    Ok(addresses)
}

/// Switches an interface off, which may disappear at any moment. Returns whether it was there.
pub(in crate::xen) fn switch_off(kernel: &Kernel, name: &InterfaceName) -> Result<bool, VifError> {
    match kernel.set_link(name.as_bytes(), LinkSetting::DOWN) {
        Ok(()) => Ok(true),
        Err(Errno::ENODEV | Errno::ENXIO) if !exists(kernel, name)? => Ok(false),
        Err(errno) => Err(VifError::link(name, "switch it off", errno)),
    }
}

/// Whether an interface of this name exists. (Asking an ioctl alone would make the kernel run modprobe for a missing one.)
pub(in crate::xen) fn exists(kernel: &Kernel, name: &InterfaceName) -> Result<bool, VifError> {
    kernel.has_link(name.as_bytes()).map_err(|errno| VifError::link(name, "look for it", errno))
}
