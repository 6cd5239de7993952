//! `vif-route (online|offline|add|remove) {VAR=VAL}*`: routes a guest's addresses over its interface, and takes the routes away again.
//!
//! It follows the script of Xen 4.17. What that leaves undone or half done, this does on purpose
//! (`compat/original/DEVIATIONS.md`).
//!
//! [`config`] reads arguments and keys, [`outside`] finds the interface whose address this host uses.

mod config;
mod outside;

use std::io::ErrorKind;

use crate::call::Call;
use crate::error::Outcome;
use crate::lock::Lock;
use crate::net::InterfaceName;
use crate::xen::vif::config::VifConfig;
use crate::xen::vif::device;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::{self, Context, Script};
use crate::xen::vif::routed::{Routed, RoutedSpec, check_nets, disconnect};
use config::RouteConfig;
use outside::Outside;

/// The variables that mean something to this script, or to others that are given the same line.
const VARIABLES: [&str; 12] = [
    "command",
    "type_if",
    "vif",
    "INTERFACE",
    "XENBUS_PATH",
    "ip",
    "netdev",
    "reach",
    "antispoof",
    "wait",
    "bridge",
    "script",
];

const SCRIPT: Script = Script { name: "vif-route", variables: &VARIABLES, work };

/// Metrics of routes over a device model's tap, which is there as long as the guest uses it, and over netback's interface.
const METRIC_TAP: u32 = 1;
const METRIC_VIF: u32 = 2;

/// Seconds to wait for other calls, which change routes too. Each takes some milliseconds.
const PATIENCE: u32 = 10;

/// Runs `vif-route`.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub fn run(call: &mut Call) -> Outcome {
    frame::run(call, &SCRIPT)
}

fn work(context: &mut Context) -> Result<String, VifError> {
    let config = RouteConfig::read(context)?;
    let name = match context.config.command.plugs() {
        true => plug(context, config)?,
        false => unplug(context, config)?,
    };
    Ok(name.to_string())
}

/// `online`, `add`: routes the guest's addresses, or leaves everything as it was.
fn plug(context: &mut Context, config: RouteConfig) -> Result<InterfaceName, VifError> {
    let kernel = context.kernel;
    let new_name = config.vifname.transpose()?.filter(|name| *name != context.config.device);
    let interface = device::wait_for(kernel, context.keys, context.config, new_name.as_ref())?;
    // two guests with the same address must not both find it free
    let _lock = lock(context)?;
    let outside = Outside::find(kernel, config.netdev)?;
    let mut own = vec![interface.name().clone()];
    own.extend(new_name.clone());
    own.extend(own.clone().iter().filter_map(|name| counterpart(context.config, name)));
    check_nets(kernel, &own, &config.nets)?;
    let spec = RoutedSpec {
        address: outside.address,
        published: outside.published(&config.nets, config.reach),
        nets: config.nets,
        metric: if context.config.command.is_for_tap() { METRIC_TAP } else { METRIC_VIF },
        antispoof: config.antispoof,
        outside: outside.name,
    };
    let mut routed = Routed::new(interface)?;
    let connect = || {
        routed.rename(new_name)?;
        routed.connect(&spec)?;
        match context.config.command.is_for_tap() {
            true => Ok(()),
            false => context.keys.set("hotplug-status", "connected"),
        }
    };
    match connect() {
        Ok(()) => Ok(routed.name().clone()),
        Err(error) => Err(error.with_left(routed.restore())),
    }
}

/// `offline`, `remove`: takes away the routes that are there, whatever has become of this host's addresses.
fn unplug(context: &mut Context, config: RouteConfig) -> Result<InterfaceName, VifError> {
    let vifname = config.vifname.and_then(Result::ok);
    let name = device::present_name(context.kernel, context.keys, context.config, vifname)?;
    let _lock = lock(context)?;
    disconnect(context.kernel, &name, &config.nets)?;
    Ok(name)
}

fn lock(context: &Context) -> Result<Lock, VifError> {
    let device = &context.config.device;
    Lock::claim(context.kernel, SCRIPT.name, PATIENCE).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => VifError::Busy(device.clone()),
        _ => VifError::Lock { device: device.clone(), error },
    })
}

/// Returns the other interface of the same guest: a device model's tap beside netback's interface.
fn counterpart(config: &VifConfig, name: &InterfaceName) -> Option<InterfaceName> {
    match config.command.is_for_tap() {
        true => name.as_str().strip_suffix("-emu")?.parse().ok(),
        false => format!("{name}-emu").parse().ok(),
    }
}
