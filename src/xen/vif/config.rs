//! What a call asks for, by its arguments and its environment.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::error::VifError;
use crate::net::InterfaceName;
use crate::xen::script::Arguments;

/// Seconds to wait for an interface, unless `wait` says otherwise.
const WAIT: u32 = 5;

/// The command of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xen) enum Command {
    /// netback has created a guest's interface.
    Online,
    /// netback's interface goes.
    Offline,
    /// A device model has created a tap.
    Add,
    /// A device model's tap goes.
    Remove,
}

impl Command {
    fn parse(word: OsString) -> Result<Self, VifError> {
        match word.as_bytes() {
            b"online" => Ok(Command::Online),
            b"offline" => Ok(Command::Offline),
            b"add" => Ok(Command::Add),
            b"remove" => Ok(Command::Remove),
            _ => Err(VifError::Command(word)),
        }
    }

    /// Returns the word that stands for it.
    pub(in crate::xen) fn name(self) -> &'static str {
        match self {
            Command::Online => "online",
            Command::Offline => "offline",
            Command::Add => "add",
            Command::Remove => "remove",
        }
    }

    /// Whether the interface is connected; else it is disconnected.
    pub(in crate::xen) fn plugs(self) -> bool {
        matches!(self, Command::Online | Command::Add)
    }

    /// Whether it is about a device model's tap; else about netback's interface.
    pub(in crate::xen) fn is_for_tap(self) -> bool {
        matches!(self, Command::Add | Command::Remove)
    }
}

/// What the arguments and the environment say.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::xen) struct VifConfig {
    pub(in crate::xen) command: Command,
    /// The name that netback or the device model gave to the interface.
    pub(in crate::xen) device: InterfaceName,
    /// Seconds to wait for the interface.
    pub(in crate::xen) wait: u32,
}

impl VifConfig {
    /// Reads what is asked for; `None` if `type_if` says that the call is about the other type of interface.
    pub(in crate::xen) fn read(arguments: &Arguments) -> Result<Option<Self>, VifError> {
        let command = Command::parse(arguments.command())?;
        let is_tap = match arguments.value("type_if").as_deref() {
            None | Some("vif") => false,
            Some("tap") => true,
            Some(other) => return Err(VifError::InterfaceType(other.into())),
        };
        if is_tap != command.is_for_tap() {
            return Ok(None);
        }
        let variable = if is_tap { "INTERFACE" } else { "vif" };
        let device = name(variable, arguments.value(variable).ok_or(VifError::NotSet(variable))?)?;
        let wait = arguments.value("wait").and_then(|seconds| seconds.parse().ok()).unwrap_or(WAIT);
        Ok(Some(VifConfig { command, device, wait }))
    }
}

/// Checks the name of an interface.
pub(in crate::xen) fn name(variable: &'static str, value: String) -> Result<InterfaceName, VifError> {
    value.parse().map_err(|fault| VifError::Name { variable, value, fault })
}
