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
use crate::xen::vif::interface::Interface;

/// Makes the interface a bridge port and tells the toolstack (`online`, `add`). If a step fails, all steps are undone. `found` is the
/// interface, if it was there before xenstored answered.
///
/// # Errors
/// What failed, and what could not be restored.
pub(super) fn plug<'a>(
    context: &mut Context<'a>,
    found: Option<Interface<'a>>,
    wanted: PortConfig,
) -> Result<(), VifError> {
    let PortConfig { bridge, vifname, rules } = wanted;
    let bridge = find_bridge(context.kernel, &bridge)?;
    let new_name = vifname.transpose()?.filter(|name| *name != context.config.device);
    let interface = device::wait_for(context.kernel, context.keys, context.config, found, new_name.as_ref())?;
    let mut port = Port::new(interface);
    let mtu = context.keys.value("mtu")?;
    make_port(context, &mut port, new_name, &bridge, mtu, rules).map_err(|error| error.with_left(port.restore()))
}

fn make_port(
    context: &mut Context,
    port: &mut Port,
    new_name: Option<InterfaceName>,
    bridge: &InterfaceName,
    mtu: Option<String>,
    rules: Option<GuestRules<'_>>,
) -> Result<(), VifError> {
    // as Xen 3.0.3 to 3.1 did
    let suppress_arp = context.era == Era::Of2006;
    port.rename(new_name)?;
    port.prepare(bridge, suppress_arp)?;
    let mtu = port.set_mtu(mtu, bridge, context.log);
    port.attach(bridge)?;
    let mut insert = || {
        if let Some(rules) = &rules {
            rules.insert(context.log, port.name());
        }
    };
    // the guest's mtu is known here, as in the original
    let mtu = mtu.filter(|_| !context.config.command.is_for_tap());
    let told = context.keys.set_mtu_of_guest(mtu.as_deref(), &mut insert);
    let finish = |context: &mut Context| finish(context, port.name(), Some(bridge));
    told.and_then(|()| finish(context)).map_err(|error| {
        let removed = rules.map_or(Ok(()), |rules| rules.remove(port.name()));
        error.with_left(removed.err().into_iter().map(|left| left.one_line(context.era)).collect())
    })
}

/// `offline`, `remove`: takes the interface off its bridge. If interface or bridge have gone already, that is no error: netback may
/// have been faster.
///
/// # Errors
/// The kernel refuses, or cannot be asked.
pub(super) fn unplug(context: &mut Context, wanted: PortConfig) -> Result<(), VifError> {
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
        rules.remove(&port)?;
    }
    finish(context, &port, bridge.as_ref())
}

/// Runs the hooks, and reports success. There is no bridge if it has gone.
fn finish(context: &mut Context, port: &InterfaceName, bridge: Option<&InterfaceName>) -> Result<(), VifError> {
    let bridge = bridge.map_or_else(String::new, InterfaceName::to_string);
    let worked_on = format!("{port}, bridge {bridge}");
    run_hooks(context, port, &[("bridge", bridge)])?;
    context.succeed(&worked_on)
}
