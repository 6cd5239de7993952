//! What a call asks for beside its command: from the keys in xenstore or, where one is missing, the arguments or the environment.

use super::rules::{Guard, GuestRules};
use crate::net::InterfaceName;
use crate::xen::vif::device;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::Context;

/// The bridge that a call is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BridgeChoice {
    /// None is named: the first one of the host.
    First,
    Named(InterfaceName),
    /// No bridge can have this name.
    Impossible(String),
}

/// What the port must be.
pub(super) struct PortConfig<'a> {
    pub(super) bridge: BridgeChoice,
    /// The name that the interface must get.
    pub(super) vifname: Option<Result<InterfaceName, VifError>>,
    /// Its firewall rules; `None` leaves the firewall alone.
    pub(super) rules: Option<GuestRules<'a>>,
}

impl<'a> PortConfig<'a> {
    /// Reads keys and arguments. A key counts even if it is empty. Rules are kept by `guard`.
    ///
    /// # Errors
    /// xenstored does not answer. For a call that makes a port also a value that cannot be used.
    pub(super) fn read(context: &mut Context, guard: Option<Guard<'a>>) -> Result<Self, VifError> {
        let bridge = value(context, "bridge")?.filter(|name| !name.is_empty());
        let vifname = device::new_name(context.keys, context.config)?;
        let rules = match guard {
            Some(guard) => Some(GuestRules::new(&value(context, "ip")?.unwrap_or_default(), guard)),
            None => None,
        };
        // since Xen 4.20; without its VLANs the guest would be in that of the bridge
        if context.config.command.plugs()
            && let Some(vlan) = context.keys.value("vlan")?.filter(|vlan| !vlan.is_empty())
        {
            return Err(VifError::Vlan(vlan));
        }
        Ok(PortConfig {
            bridge: bridge.map_or(BridgeChoice::First, |name| match name.parse() {
                Ok(name) => BridgeChoice::Named(name),
                Err(_) => BridgeChoice::Impossible(name),
            }),
            vifname,
            rules,
        })
    }
}

/// Returns the value of a key or else of a variable. A value that cannot be used does not keep a port from being taken off.
fn value(context: &mut Context, name: &str) -> Result<Option<String>, VifError> {
    match context.keys.value(name) {
        Err(VifError::Value { .. }) if !context.config.command.plugs() => Ok(None),
        value => Ok(value?.or_else(|| context.arguments.value(name))),
    }
}
