//! An interface becomes a port of a bridge, and leaves it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bridge::{bridge_of, exists, find_bridge, first_bridge};
use super::config::{BridgeChoice, PortConfig, VifConfig};
use super::error::VifError;
use super::keys::{Keys, Owner};
use super::port::{Port, detach};
use super::rules::GuestRules;
use crate::kernel::Kernel;
use crate::net::InterfaceName;
use crate::xen::log::Log;

/// What a call works with.
pub(super) struct Context<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) log: Log<'a>,
    pub(super) keys: &'a mut Keys,
    pub(super) config: &'a VifConfig,
}

/// Port and bridge of a call that succeeded.
pub(super) struct Done {
    pub(super) port: InterfaceName,
    /// `None` if the bridge has gone.
    pub(super) bridge: Option<InterfaceName>,
}

impl<'a> Context<'a> {
    /// `online`, `add`: makes the interface a port and reports that to the toolstack, or leaves everything as it was.
    pub(super) fn plug(&mut self, wanted: PortConfig) -> Result<Done, VifError> {
        let PortConfig { bridge, vifname, rules } = wanted;
        let bridge = find_bridge(self.kernel, &bridge)?;
        let new_name = vifname.transpose()?.filter(|name| *name != self.config.device);
        let mut port = self.find_port(new_name.as_ref())?;
        let mtu = self.keys.value("mtu")?;
        match self.make_port(&mut port, new_name, &bridge, mtu, rules) {
            Ok(()) => Ok(Done { port: port.name().clone(), bridge: Some(bridge) }),
            Err(error) => {
                port.put_back();
                Err(error)
            }
        }
    }

    /// Waits for the interface. It has `new_name` if an earlier call renamed it.
    fn find_port(&mut self, new_name: Option<&InterfaceName>) -> Result<Port<'a>, VifError> {
        let (kernel, device) = (self.kernel, &self.config.device);
        if let Some(new_name) = new_name
            && !exists(kernel, device)
            && exists(kernel, new_name)
            && self.keys.owner(kernel, new_name)? == Owner::Us
        {
            return Port::find(kernel, new_name);
        }
        wait_for(self.config.wait, || exists(kernel, device));
        match new_name.filter(|name| exists(kernel, name)) {
            Some(new_name) => Err(VifError::NameTaken { device: device.clone(), new_name: new_name.clone() }),
            None => Port::find(kernel, device),
        }
    }

    fn make_port(
        &mut self,
        port: &mut Port,
        new_name: Option<InterfaceName>,
        bridge: &InterfaceName,
        mtu: Option<String>,
        rules: Option<GuestRules>,
    ) -> Result<(), VifError> {
        port.rename(new_name)?;
        port.prepare(bridge, self.config.suppress_arp)?;
        let mtu = port.set_mtu(mtu, bridge, self.log);
        port.attach(bridge)?;
        if let Some(rules) = &rules {
            rules.insert(self.kernel, self.log, port.name());
        }
        if self.config.command.is_for_tap() {
            return Ok(());
        }
        self.report_connected(mtu).inspect_err(|_| {
            if let Some(rules) = &rules {
                rules.remove(self.kernel, self.log, port.name());
            }
        })
    }

    fn report_connected(&mut self, mtu: Option<String>) -> Result<(), VifError> {
        if let Some(mtu) = mtu {
            self.keys.set_mtu_of_guest(&mtu)?;
        }
        self.keys.set("hotplug-status", "connected")
    }

    /// `offline`, `remove`: takes the interface off its bridge. If interface or bridge have gone already, that is no error: netback
    /// may have been faster.
    pub(super) fn unplug(&mut self, wanted: PortConfig) -> Result<Done, VifError> {
        let (kernel, device) = (self.kernel, &self.config.device);
        let port = match wanted.vifname {
            // while the interface has its first name, the other name is another guest's
            Some(Ok(name)) if !exists(kernel, device) && self.keys.owner(kernel, &name)? != Owner::Another => name,
            _ => device.clone(),
        };
        let bridge = match wanted.bridge {
            // the first bridge may be another one by now
            BridgeChoice::First => bridge_of(kernel, &port).or_else(|| first_bridge(kernel)),
            named => find_bridge(kernel, &named).ok().or_else(|| bridge_of(kernel, &port)),
        };
        detach(kernel, &port, bridge.as_ref())?;
        if let Some(rules) = wanted.rules {
            rules.remove(kernel, self.log, &port);
        }
        Ok(Done { port, bridge })
    }
}

/// Waits until an interface exists: a call may come before the kernel has created it.
fn wait_for(seconds: u32, exists: impl Fn() -> bool) {
    let start = Instant::now();
    while start.elapsed().as_secs() < seconds.into() && !exists() {
        sleep(Duration::from_millis(10));
    }
}
