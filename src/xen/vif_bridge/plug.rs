//! An interface becomes a port of a bridge, and leaves it.

use super::bridge::{bridge_of, find_bridge, first_bridge};
use super::config::{BridgeChoice, PortConfig};
use super::port::{Port, detach};
use super::rules::GuestRules;
use crate::era::Era;
use crate::net::InterfaceName;
use crate::xen::vif::device;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::Context;
use crate::xen::vif::hooks::run_hooks;

/// Port and bridge of a call that succeeded.
pub(super) struct Done {
    pub(super) port: InterfaceName,
    /// `None` if the bridge has gone.
    pub(super) bridge: Option<InterfaceName>,
}

/// `online`, `add`: makes the interface a port and reports that to the toolstack, or leaves everything as it was.
///
/// # Errors
/// What failed, and what could not be restored.
pub(super) fn plug(context: &mut Context, wanted: PortConfig) -> Result<Done, VifError> {
    let PortConfig { bridge, vifname, rules } = wanted;
    let bridge = find_bridge(context.kernel, &bridge)?;
    let new_name = vifname.transpose()?.filter(|name| *name != context.config.device);
    let interface = device::wait_for(context.kernel, context.keys, context.config, new_name.as_ref())?;
    let mut port = Port::new(interface);
    let mtu = context.keys.value("mtu")?;
    match make_port(context, &mut port, new_name, &bridge, mtu, rules) {
        Ok(()) => Ok(Done { port: port.name().clone(), bridge: Some(bridge) }),
        Err(error) => Err(error.with_left(port.restore())),
    }
}

fn make_port(
    context: &mut Context,
    port: &mut Port,
    new_name: Option<InterfaceName>,
    bridge: &InterfaceName,
    mtu: Option<String>,
    rules: Option<GuestRules>,
) -> Result<(), VifError> {
    // as Xen 3.0.3 to 3.1 did
    let suppress_arp = context.era == Era::Of2006;
    port.rename(new_name)?;
    port.prepare(bridge, suppress_arp)?;
    let mtu = port.set_mtu(mtu, bridge, context.log);
    port.attach(bridge)?;
    let mut insert = || {
        if let Some(rules) = &rules {
            rules.insert(context.kernel, context.log, port.name());
        }
    };
    // the guest's mtu is known here, as in the original
    let mtu = mtu.filter(|_| !context.config.command.is_for_tap());
    let told = context.keys.set_mtu_of_guest(mtu.as_deref(), &mut insert);
    let variables = [("bridge", bridge.to_string())];
    let run_hooks = |context: &mut Context| run_hooks(context, port.name(), &variables);
    let finish = |context: &mut Context| match context.config.command.is_for_tap() {
        true => run_hooks(context),
        false => run_hooks(context).and_then(|()| context.keys.set("hotplug-status", "connected")),
    };
    told.and_then(|()| finish(context)).map_err(|error| {
        let removed = rules.map_or(Ok(()), |rules| rules.remove(context.kernel, port.name()));
        error.with_left(removed.err().into_iter().map(|left| left.one_line(context.era)).collect())
    })
}

/// `offline`, `remove`: takes the interface off its bridge. If interface or bridge have gone already, that is no error: netback may
/// have been faster.
///
/// # Errors
/// The kernel refuses, or cannot be asked.
pub(super) fn unplug(context: &mut Context, wanted: PortConfig) -> Result<Done, VifError> {
    let kernel = context.kernel;
    let vifname = wanted.vifname.and_then(Result::ok);
    let port = device::present_name(kernel, context.keys, context.config, vifname)?;
    let own = bridge_of(kernel, &port);
    let bridge = match wanted.bridge {
        // the first bridge may be another one by now
        BridgeChoice::First => match own? {
            None => first_bridge(kernel)?,
            own => own,
        },
        named => match find_bridge(kernel, &named) {
            Err(VifError::NoSuchBridge(_)) => own?,
            bridge => Some(bridge?),
        },
    };
    detach(kernel, &port, bridge.as_ref())?;
    if let Some(rules) = wanted.rules {
        rules.remove(kernel, &port)?;
    }
    run_hooks(context, &port, &[("bridge", bridge.as_ref().map_or_else(String::new, InterfaceName::to_string))])?;
    Ok(Done { port, bridge })
}
