//! A guest's interface as a port: what is done to it, in the original's order, and how it is put back.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;
use nix::errno::Errno;

use super::NAME;
use crate::brctl;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{Address, Kernel, flag};
use crate::xen::log;

/// The address of all ports of guests: the highest there is that is not a group's, so that a bridge, which takes the lowest of
/// its ports' addresses for its own, never takes a guest's.
const PORT_ADDRESS: [u8; 6] = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff];

/// An interface that becomes a port, and how it was found.
pub(super) struct Port<'a> {
    kernel: &'a Kernel,
    name: String,
    /// The name that it was found with, once it has another.
    old_name: Option<String>,
    flags: u32,
    address: [u8; 6],
    mtu: i32,
    /// The IPv4 and IPv6 addresses that were taken from it.
    flushed: Vec<Address>,
    /// It was a port of the bridge, by a call before this one.
    is_port: bool,
    /// The bridge whose port it was made.
    bridge: Option<String>,
}

impl<'a> Port<'a> {
    /// Looks at an interface.
    pub(super) fn find(kernel: &'a Kernel, name: &str) -> Result<Self, Failure> {
        let look = |link: &[u8]| Ok((kernel.link_flags(link)?, kernel.ethernet_address(link)?, kernel.link_mtu(link)?));
        let (flags, address, mtu) = look(name.as_bytes()).map_err(|errno| match errno {
            Errno::ENODEV => Failure::new(line!("interface ", name, " does not exist")),
            errno => cannot(name, "look at it", errno),
        })?;
        Ok(Port {
            kernel,
            name: name.into(),
            old_name: None,
            flags,
            address,
            mtu,
            flushed: Vec::new(),
            is_port: false,
            bridge: None,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn link(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// Gives it another name.
    pub(super) fn take_name(&mut self, new_name: Option<String>) -> Outcome {
        let Some(new_name) = new_name.filter(|new_name| new_name != &self.name) else { return Ok(()) };
        self.kernel.rename_link(self.link(), new_name.as_bytes()).map_err(|errno| {
            Failure::new(line!("ip link set ", self.name, " name ", new_name, " failed: ", errno_text(errno)))
        })?;
        self.old_name = Some(std::mem::replace(&mut self.name, new_name));
        Ok(())
    }

    /// Switches it off, gives it the ports' hardware address and takes its other addresses away. What is a port already goes on
    /// carrying traffic. `is_mute`: multicast and ARP are switched off.
    pub(super) fn prepare(&mut self, bridge: &str, is_mute: bool) -> Outcome {
        let kernel = self.kernel;
        match kernel.bridge_of(self.link()) {
            Some(own) if own.as_bytes() == bridge.as_bytes() => self.is_port = true,
            Some(own) => {
                let text = line!(self.name, " is a port of ", own.as_bytes(), "; cannot add it to bridge ", bridge);
                return Err(Failure::new(text));
            }
            None => (),
        }
        if !self.is_port || self.address != PORT_ADDRESS {
            kernel.set_link_up(self.link(), false).map_err(|errno| cannot(&self.name, "switch it off", errno))?;
            // not every driver can
            let _ = kernel.set_link_address(self.link(), &PORT_ADDRESS);
        }
        if is_mute {
            kernel
                .set_link_flags(self.link(), flag::NOARP, flag::NOARP | flag::MULTICAST)
                .map_err(|errno| cannot(&self.name, "switch arp and multicast off", errno))?;
        }
        self.flushed = kernel.addresses_v4_of(self.link()).unwrap_or_default();
        self.flushed.extend(
            kernel.addresses_v6().unwrap_or_default().into_iter().filter(|address| *address.link == *self.name),
        );
        for address in &self.flushed {
            match address.net {
                // of a label the first: in the end all of them
                IpNet::V4(_) => kernel.delete_address_v4(address.label.as_bytes()),
                IpNet::V6(net) => kernel.delete_address_v6(self.link(), net),
            }
            .or_else(|errno| match errno {
                // it went with the one before it
                Errno::EADDRNOTAVAIL | Errno::ENODEV => Ok(()),
                errno => Err(cannot(&self.name, "flush its addresses", errno)),
            })?;
        }
        Ok(())
    }

    /// Lets its frames carry as much as was said or, if nothing was, as the bridge's do. The number is returned.
    pub(super) fn set_mtu(&self, wanted: Option<String>, bridge: &str) -> Option<String> {
        let bridges = || self.kernel.link_mtu(bridge.as_bytes()).ok().map(|mtu| mtu.to_string());
        let text = wanted.filter(|text| !text.is_empty()).or_else(bridges)?;
        let mtu = text.trim().parse().ok().filter(|&mtu: &i32| mtu > 0)?;
        if let Err(errno) = self.kernel.set_link_mtu(self.link(), mtu) {
            let said = [&self.name, ": cannot set its mtu to ", &text, ": ", errno_text(errno)].concat();
            log::note(self.kernel, NAME, said.as_bytes());
        }
        Some(text)
    }

    /// Makes it a port of the bridge and switches it on.
    pub(super) fn attach(&mut self, bridge: &str) -> Outcome {
        if !self.is_port {
            brctl::port::add(self.kernel, bridge.as_bytes(), self.link())?;
            self.bridge = Some(bridge.into());
        }
        self.kernel.set_link_up(self.link(), true).map_err(|errno| cannot(&self.name, "switch it on", errno))
    }

    /// Puts it back as it was found. What fails here is left: there is an error to report already.
    pub(super) fn put_back(self) {
        let kernel = self.kernel;
        let mut link = self.name.as_bytes();
        if let Some(bridge) = &self.bridge {
            let _ = brctl::port::delete(kernel, bridge.as_bytes(), link);
        }
        if kernel.ethernet_address(link) != Ok(self.address) || self.old_name.is_some() {
            let _ = kernel.set_link_up(link, false);
            let _ = kernel.set_link_address(link, &self.address);
        }
        let _ = kernel.set_link_mtu(link, self.mtu);
        if let Some(old_name) = &self.old_name {
            let _ = kernel.rename_link(link, old_name.as_bytes());
            link = old_name.as_bytes();
        }
        for address in &self.flushed {
            let _ = match address.net {
                IpNet::V4(net) => kernel.add_address_v4(address.label.as_bytes(), net, address.peer, address.broadcast),
                IpNet::V6(net) => kernel.add_address_v6(link, net),
            };
        }
        let _ = kernel.set_link_flags(link, self.flags, flag::UP | flag::NOARP | flag::MULTICAST);
    }
}

/// Makes an interface a port no longer and switches it off. It may go at any moment.
pub(super) fn detach(kernel: &Kernel, name: &str, bridge: &str) -> Outcome {
    let link = name.as_bytes();
    let ignore_gone = |done: Outcome| done.or_else(|failure| kernel.link_index(link).map_or(Ok(()), |_| Err(failure)));
    ignore_gone(kernel.set_link_up(link, false).map_err(|errno| cannot(name, "switch it off", errno)))?;
    match kernel.bridge_of(link) {
        Some(own) if own.as_bytes() == bridge.as_bytes() => {
            ignore_gone(brctl::port::delete(kernel, bridge.as_bytes(), link))
        }
        _ => Ok(()),
    }
}

fn cannot(name: &str, what: &str, errno: Errno) -> Failure {
    Failure::new(line!(name, ": cannot ", what, ": ", errno_text(errno)))
}
