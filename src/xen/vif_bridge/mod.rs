//! `vif-bridge (online|offline|add|remove) {VAR=VAL}*`: makes a guest's interface a port of a bridge, and takes it off again.
//!
//! It follows the script of Xen 4.17. Where that would stop halfway, or leave the toolstack waiting until its timeout, this does
//! better on purpose (`compat/original/DEVIATIONS.md`).
//!
//! [`config`] reads arguments and keys, [`plug`] has the steps of a call, [`port`] the changes to an interface, [`rules`] those to
//! the firewall.

mod bridge;
mod config;
mod plug;
mod port;
mod rules;

use crate::call::Call;
use crate::error::Outcome;
use crate::xen::vif::device;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::{self, Context, LockOf, Script};
use config::PortConfig;
use rules::Guard;

/// The variables that mean something to this script, or to others that are given the same line.
const VARIABLES: [&str; 12] = [
    "command",
    "type_if",
    "vif",
    "INTERFACE",
    "XENBUS_PATH",
    "bridge",
    "ip",
    "antispoof",
    "firewall_backend",
    "wait",
    "netdev",
    "script",
];

const SCRIPT: Script = Script {
    name: "vif-bridge",
    variables: &VARIABLES,
    keys: [&["bridge", "vifname", "ip"], &["vlan", "mtu"]],
    lock: LockOf::Interface,
    work,
};

/// Runs `vif-bridge`.
///
/// # Errors
/// Status 1; the text has gone to the toolstack and to the log, and is repeated only if that cannot be written.
pub fn run(call: &mut Call) -> Outcome {
    frame::run(call, &SCRIPT)
}

fn work(context: &mut Context) -> Result<(), VifError> {
    // what needs no key comes first, while xenstored is at work
    let guard = Guard::choose(context)?;
    match context.config.command.plugs() {
        true => {
            let found = device::find_early(context.kernel, context.config)?;
            let wanted = PortConfig::read(context, guard)?;
            plug::plug(context, found, wanted)
        }
        false => {
            let wanted = PortConfig::read(context, guard)?;
            plug::unplug(context, wanted)
        }
    }
}
