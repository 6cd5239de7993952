//! `vif-route (online|offline|add|remove) {VAR=VAL}*`: routes a guest's addresses over its interface, and takes the routes away again.
//!
//! It follows the script of Xen 4.17. What that leaves undone or half done, this does on purpose
//! (`compat/original/DEVIATIONS.md`).
//!
//! [`config`] reads arguments and keys, [`outside`] finds the interface whose address this host uses.

mod config;
mod outside;

use crate::call::Call;
use crate::error::Outcome;
use crate::xen::vif::device::{self, own_names};
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::{self, Context, LockOf, Script};
use crate::xen::vif::hooks::run_hooks;
use crate::xen::vif::routed::{Routed, RoutedSpec, check_nets, disconnect};
use config::{RouteConfig, netdev};
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

const SCRIPT: Script =
    Script { name: "vif-route", variables: &VARIABLES, keys: [&["vifname", "ip"], &[]], lock: LockOf::Routes, work };

/// Metrics of routes over a device model's tap, which is there as long as the guest uses it, and over netback's interface.
const METRIC_TAP: u32 = 1;
const METRIC_VIF: u32 = 2;

/// Runs `vif-route`.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub fn run(call: &mut Call) -> Outcome {
    frame::run(call, &SCRIPT)
}

fn work(context: &mut Context) -> Result<(), VifError> {
    if context.config.command.plugs() { plug(context) } else { unplug(context) }
}

/// `online`, `add`: routes the guest's addresses, or leaves everything as it was.
fn plug(context: &mut Context) -> Result<(), VifError> {
    let (kernel, arguments) = (context.kernel, context.arguments);
    // this needs no key: xenstored is at work meanwhile
    let found = device::find_early(kernel, context.config)?;
    let look = || -> Result<_, VifError> {
        let routes = kernel.main_routes_v4().map_err(VifError::Unreadable)?;
        let outside = netdev(arguments).and_then(|netdev| Outside::find(kernel, &routes, netdev));
        Ok((routes, outside))
    };
    let early = found.is_some().then(look).transpose()?;
    let config = RouteConfig::read(context)?;
    let new_name = config.vifname.transpose()?.filter(|name| *name != context.config.device);
    let interface = device::wait_unlocked(context, found, new_name.as_ref())?;
    let (routes, outside) = early.map_or_else(look, Ok)?;
    let outside = outside?;
    check_nets(kernel, &routes, &own_names(context.config, interface.name(), new_name.as_ref()), &config.nets)?;
    let spec = RoutedSpec {
        address: outside.address,
        published: outside.published(&config.nets, config.reach),
        nets: config.nets,
        metric: if context.config.command.is_for_tap() { METRIC_TAP } else { METRIC_VIF },
        antispoof: config.antispoof,
    };
    let mut routed = Routed::new(interface, &routes);
    let connect = || {
        routed.rename(new_name)?;
        routed.connect(&spec)?;
        run_hooks(context, routed.name(), &[("main_ip", spec.address.to_string()), ("ip", config.ip)])?;
        context.succeed(routed.name().as_str())
    };
    connect().map_err(|error| error.with_left(routed.restore()))
}

/// `offline`, `remove`: takes away the routes that are there, whatever has become of this host's addresses.
fn unplug(context: &mut Context) -> Result<(), VifError> {
    let config = RouteConfig::read(context)?;
    let vifname = config.vifname.and_then(Result::ok);
    let name = device::present_name(context.kernel, context.keys, context.config, vifname)?;
    disconnect(context.kernel, &name, &config.nets)?;
    run_hooks(context, &name, &[("ip", config.ip)])?;
    context.succeed(name.as_str())
}
