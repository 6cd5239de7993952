//! What a call asks for: from the arguments and the environment, then from the keys in xenstore.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::error::VifError;
use super::keys::Keys;
use super::rules::GuestRules;
use crate::era::Era;
use crate::net::InterfaceName;
use crate::xen::script::Arguments;

/// Seconds to wait for an interface, unless `wait` says otherwise.
const WAIT: u32 = 5;

/// The command of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
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
    pub(super) fn name(self) -> &'static str {
        match self {
            Command::Online => "online",
            Command::Offline => "offline",
            Command::Add => "add",
            Command::Remove => "remove",
        }
    }

    /// Whether a port is made; else it is taken off its bridge.
    pub(super) fn plugs(self) -> bool {
        matches!(self, Command::Online | Command::Add)
    }

    /// Whether it is about a device model's tap; else about netback's interface.
    pub(super) fn is_for_tap(self) -> bool {
        matches!(self, Command::Add | Command::Remove)
    }
}

/// What the arguments and the environment say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VifConfig {
    pub(super) command: Command,
    /// The name that netback or the device model gave to the interface.
    pub(super) device: InterfaceName,
    /// Seconds to wait for the interface.
    pub(super) wait: u32,
    /// Switch ARP and multicast off, as Xen 3.0.3 to 3.1 did.
    pub(super) suppress_arp: bool,
}

impl VifConfig {
    /// Reads what is asked for; `None` if `type_if` says that the call is about the other type of interface.
    pub(super) fn read(arguments: &Arguments, era: Era) -> Result<Option<Self>, VifError> {
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
        let suppress_arp = era == Era::Of2006;
        Ok(Some(VifConfig { command, device, wait, suppress_arp }))
    }
}

/// The bridge that a call is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BridgeChoice {
    /// None is named: the first one of the host.
    First,
    Named(InterfaceName),
    /// No bridge can have this name.
    Impossible(String),
}

/// What the keys say or, where one is missing, the arguments or the environment.
pub(super) struct PortConfig {
    pub(super) bridge: BridgeChoice,
    /// The name that the interface must get.
    pub(super) vifname: Option<Result<InterfaceName, VifError>>,
    /// Its firewall rules; `None` leaves the firewall alone.
    pub(super) rules: Option<GuestRules>,
}

impl PortConfig {
    /// Reads keys and arguments. A key counts even if it is empty.
    ///
    /// # Errors
    /// xenstored does not answer.
    pub(super) fn read(
        arguments: &Arguments,
        keys: &mut Keys,
        command: Command,
        path: Option<OsString>,
    ) -> Result<Self, VifError> {
        let bridge = keys.value("bridge")?.or_else(|| arguments.value("bridge")).filter(|name| !name.is_empty());
        let vifname = keys.value("vifname")?.filter(|name| !name.is_empty());
        let rules = match arguments.value("antispoof").as_deref() {
            Some("no") => None,
            _ => {
                let sources = keys.value("ip")?.or_else(|| arguments.value("ip"));
                Some(GuestRules::new(&sources.unwrap_or_default(), path))
            }
        };
        Ok(PortConfig {
            bridge: bridge.map_or(BridgeChoice::First, |name| match name.parse() {
                Ok(name) => BridgeChoice::Named(name),
                Err(_) => BridgeChoice::Impossible(name),
            }),
            vifname: vifname
                .map(|vifname| name("vifname", if command.is_for_tap() { vifname + "-emu" } else { vifname })),
            rules,
        })
    }
}

/// Checks the name of an interface.
fn name(variable: &'static str, value: String) -> Result<InterfaceName, VifError> {
    value.parse().map_err(|fault| VifError::Name { variable, value, fault })
}
