//! `vif-nat (online|offline|add|remove) {VAR=VAL}*`: routes an address behind this host to a guest, whose router this host is.
//!
//! It follows the script of Xen 4.17, but for dhcpd, whose files it does not edit (`compat/original/DEVIATIONS.md`). [`config`] reads
//! arguments and keys.

mod config;

use crate::call::Call;
use crate::error::Outcome;
use crate::net::InterfaceName;
use crate::xen::vif::device::{self, own_names};
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::{self, Context, LockOf, Script};
use crate::xen::vif::hooks::run_hooks;
use crate::xen::vif::interface::switch_off;
use crate::xen::vif::routed::{Routed, RoutedSpec, check_nets};
use config::NatConfig;

/// The variables that mean something to this script, or to others that are given the same line.
const VARIABLES: [&str; 12] = [
    "command",
    "type_if",
    "vif",
    "INTERFACE",
    "XENBUS_PATH",
    "ip",
    "dhcp",
    "antispoof",
    "wait",
    "netdev",
    "bridge",
    "script",
];

const SCRIPT: Script = Script {
    name: "vif-nat",
    variables: &VARIABLES,
    keys: [&["vifname"], &["ip", "frontend-id", "handle"]],
    lock: LockOf::Routes,
    work,
};

/// Runs `vif-nat`.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub fn run(call: &mut Call) -> Outcome {
    frame::run(call, &SCRIPT)
}

fn work(context: &mut Context) -> Result<(), VifError> {
    let command = context.config.command;
    match (command.plugs(), command.is_for_tap()) {
        (true, false) => plug(context),
        (true, true) => rename_tap(context),
        (false, is_for_tap) => unplug(context, is_for_tap),
    }
}

/// `online`: routes the guest's address, or leaves everything as it was.
fn plug(context: &mut Context) -> Result<(), VifError> {
    let kernel = context.kernel;
    // this needs no key: xenstored is at work meanwhile
    let found = device::find_early(kernel, context.config)?;
    let routes = || kernel.main_routes_v4().map_err(VifError::Unreadable);
    let early = found.is_some().then(routes).transpose()?;
    let config = NatConfig::read(context)?;
    let new_name = new_name(context)?;
    let interface = device::wait_unlocked(context, found, new_name.as_ref())?;
    let routes = early.map_or_else(routes, Ok)?;
    check_nets(kernel, &routes, &own_names(context.config, interface.name(), new_name.as_ref()), &config.nets)?;
    let NatConfig { router: address, nets, antispoof } = config;
    let spec = RoutedSpec { address, nets, metric: 0, antispoof, published: Vec::new() };
    let mut routed = Routed::new(interface, &routes);
    let connect = || {
        routed.rename(new_name)?;
        routed.connect(&spec)?;
        run_hooks(context, routed.name(), &variables(&spec))?;
        context.succeed(routed.name().as_str())
    };
    connect().map_err(|error| error.with_left(routed.restore()))
}

/// Returns the variables of hooks.
fn variables(spec: &RoutedSpec) -> [(&'static str, String); 2] {
    let guest = spec.nets.first().map_or_else(String::new, |net| net.addr().to_string());
    [("router_ip", spec.address.to_string()), ("vif_ip", guest)]
}

/// `add`: a device model's tap gets its name and nothing else, as in the original.
fn rename_tap(context: &mut Context) -> Result<(), VifError> {
    let new_name = new_name(context)?;
    if new_name.is_none() {
        return context.succeed(context.config.device.as_str());
    }
    let mut interface = device::wait_unlocked(context, None, new_name.as_ref())?;
    interface.rename(new_name)?;
    context.succeed(interface.name().as_str())
}

fn new_name(context: &mut Context) -> Result<Option<InterfaceName>, VifError> {
    let new_name = device::new_name(context.keys, context.config)?.transpose()?;
    Ok(new_name.filter(|name| *name != context.config.device))
}

/// `offline`, `remove`: switches the interface off, and with it its routes. A tap is left alone.
fn unplug(context: &mut Context, is_for_tap: bool) -> Result<(), VifError> {
    let vifname = device::new_name(context.keys, context.config)?.and_then(Result::ok);
    let name = device::present_name(context.kernel, context.keys, context.config, vifname)?;
    if !is_for_tap {
        switch_off(context.kernel, &name)?;
        run_hooks(context, &name, &[])?;
    }
    context.succeed(name.as_str())
}
