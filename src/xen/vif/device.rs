//! Which interface a call means: it may not exist yet, and an earlier call may have renamed it.

use std::thread::sleep;
use std::time::Duration;

use super::config::{VifConfig, name};
use super::error::VifError;
use super::frame::Context;
use super::interface::{Interface, exists};
use super::keys::{Keys, Owner};
use crate::kernel::Kernel;
use crate::net::InterfaceName;
use crate::patience::Patience;

/// Reads the name that the interface must get: the key `vifname`, for a tap with `-emu` behind it.
///
/// # Errors
/// xenstored does not answer. The inner result is that of the check.
pub(in crate::xen) fn new_name(
    keys: &mut Keys,
    config: &VifConfig,
) -> Result<Option<Result<InterfaceName, VifError>>, VifError> {
    let vifname = match keys.value("vifname") {
        Err(fault @ VifError::Value { .. }) => return Ok(Some(Err(fault))),
        value => value?.filter(|name| !name.is_empty()),
    };
    let suffix = if config.command.is_for_tap() { "-emu" } else { "" };
    Ok(vifname.map(|vifname| name("vifname", vifname + suffix)))
}

/// Reads the state of the interface if it is there under its first name, before xenstored has answered.
pub(in crate::xen) fn find_early<'a>(
    kernel: &'a Kernel,
    config: &VifConfig,
) -> Result<Option<Interface<'a>>, VifError> {
    match exists(kernel, &config.device)? {
        true => Interface::find(kernel, &config.device).map(Some),
        false => Ok(None),
    }
}

/// Waits for the interface, unless it was found early. It has `new_name` if an earlier call renamed it.
pub(in crate::xen) fn wait_for<'a>(
    kernel: &'a Kernel,
    keys: &mut Keys,
    config: &VifConfig,
    found: Option<Interface<'a>>,
    new_name: Option<&InterfaceName>,
) -> Result<Interface<'a>, VifError> {
    let device = &config.device;
    if let Some(new_name) = new_name.filter(|_| found.is_none())
        && !exists(kernel, device)?
        && exists(kernel, new_name)?
        && keys.owner(kernel, new_name)? == Owner::Us
    {
        return Interface::find(kernel, new_name);
    }
    let mut patience = Patience::new(Duration::from_secs(config.wait.into()));
    let is_early = found.is_some();
    while !is_early && !patience.is_over() && !exists(kernel, device)? {
        sleep(Duration::from_millis(10));
    }
    match new_name {
        Some(new_name) if exists(kernel, new_name)? => {
            Err(VifError::NameTaken { device: device.clone(), new_name: new_name.clone() })
        }
        _ => found.map_or_else(|| Interface::find(kernel, device), Ok),
    }
}

/// Waits for the interface as [`wait_for`], while other calls may have the lock.
pub(in crate::xen) fn wait_unlocked<'a>(
    context: &mut Context<'a>,
    found: Option<Interface<'a>>,
    new_name: Option<&InterfaceName>,
) -> Result<Interface<'a>, VifError> {
    let wait =
        |context: &mut Context<'a>, found| wait_for(context.kernel, context.keys, context.config, found, new_name);
    if found.is_none() {
        context.unlock();
        wait(context, None)?;
        context.lock()?;
        // another call may have renamed it
    }
    wait(context, found)
}

/// Returns the interface's present name, for a call that disconnects it.
pub(in crate::xen) fn present_name(
    kernel: &Kernel,
    keys: &mut Keys,
    config: &VifConfig,
    new_name: Option<InterfaceName>,
) -> Result<InterfaceName, VifError> {
    Ok(match new_name {
        // while the interface has its first name, the other name is another guest's
        Some(name) if !exists(kernel, &config.device)? && keys.owner(kernel, &name)? != Owner::Another => name,
        _ => config.device.clone(),
    })
}

/// Returns the names of the guest's own interfaces: the present and the new name, each with that of the other interface of the same
/// guest, which is a device model's tap beside netback's.
pub(in crate::xen) fn own_names(
    config: &VifConfig,
    present: &InterfaceName,
    new_name: Option<&InterfaceName>,
) -> Vec<InterfaceName> {
    let names = [Some(present), new_name].into_iter().flatten();
    let counterpart = |name: &InterfaceName| match config.command.is_for_tap() {
        true => name.as_str().strip_suffix("-emu")?.parse().ok(),
        false => format!("{name}-emu").parse().ok(),
    };
    names.flat_map(|name| [Some(name.clone()), counterpart(name)]).flatten().collect()
}
