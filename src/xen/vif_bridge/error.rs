//! Why `vif-bridge` fails, and the text that the toolstack and the log get.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use crate::era::Era;
use crate::error::{Failure, errno_text, io_text, line};
use crate::net::{BadName, InterfaceName};
use crate::texts::bridge_utils::{addif_failed, delif_failed};
use crate::xen::script::BadArgument;
use crate::xenstore::Fault;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum VifError {
    Argument(BadArgument),
    /// Not one of online, offline, add, remove.
    Command(OsString),
    /// A `type_if` that is neither vif nor tap.
    InterfaceType(String),
    /// A variable without a value.
    NotSet(&'static str),
    /// The value of a variable or key is not a name for an interface.
    Name {
        variable: &'static str,
        value: String,
        fault: BadName,
    },
    /// Another call for the same interface does not come to an end.
    Busy(InterfaceName),
    /// The lock of the interface cannot be created.
    Lock {
        device: InterfaceName,
        error: io::Error,
    },
    Xenstore(Fault),
    /// xenstored refuses to write a key.
    Write {
        key: String,
        value: String,
        errno: String,
    },
    /// No bridge is named, and the host has none.
    NoBridge,
    NoSuchBridge(String),
    NoSuchInterface(InterfaceName),
    /// Another interface has the name that this one must get.
    NameTaken {
        device: InterfaceName,
        new_name: InterfaceName,
    },
    PortOfAnother {
        port: InterfaceName,
        own: OsString,
        bridge: InterfaceName,
    },
    Rename {
        link: InterfaceName,
        new_name: InterfaceName,
        errno: Errno,
    },
    /// The kernel refuses something else; `action` completes "cannot".
    Link {
        link: InterfaceName,
        action: &'static str,
        errno: Errno,
    },
    AddPort(PortRefusal),
    DeletePort(PortRefusal),
}

/// What the kernel refused for a port of a bridge.
#[derive(Debug)]
pub(super) struct PortRefusal {
    pub(super) bridge: InterfaceName,
    pub(super) port: InterfaceName,
    pub(super) errno: Errno,
    /// Whether the interface still existed afterwards.
    pub(super) port_exists: bool,
}

impl From<Fault> for VifError {
    fn from(fault: Fault) -> Self {
        VifError::Xenstore(fault)
    }
}

impl VifError {
    /// Returns the text, without a line end. bridge-utils' words depend on the era.
    pub(super) fn text(&self, era: Era) -> Vec<u8> {
        use VifError as Error;
        let mut line = match self {
            Error::Argument(argument) => line!(argument.text()),
            Error::Command(command) => line!("Invalid command: ", command.as_bytes()),
            Error::InterfaceType(word) => line!("unknown interface type ", word),
            Error::NotSet(variable) => line!(variable, " is not set"),
            Error::Name { variable, value, fault } => line!(variable, "=\"", value, "\": ", fault.to_string()),
            Error::Busy(device) => line!(device, ": another call is at work on it"),
            Error::Lock { device, error } => {
                line!(device, ": cannot make a lock under /var/run/xen-hotplug: ", io_text(error))
            }
            Error::Xenstore(fault) => line!(fault.to_string()),
            Error::Write { key, value, errno } => line!("Writing ", key, " ", value, " to xenstore failed: ", errno),
            Error::NoBridge => line!("Could not find bridge, and none was specified"),
            Error::NoSuchBridge(name) => line!("Could not find bridge device ", name),
            Error::NoSuchInterface(name) => line!("interface ", name, " does not exist"),
            Error::NameTaken { device, new_name } => {
                let cause = [" An interface with name ", new_name.as_str(), " already exists."].concat();
                line!("Cannot rename interface ", device, ".", cause)
            }
            Error::PortOfAnother { port, own, bridge } => {
                line!(port, " is a port of ", own.as_bytes(), "; cannot add it to bridge ", bridge)
            }
            Error::Rename { link, new_name, errno } => {
                line!("ip link set ", link, " name ", new_name, " failed: ", errno_text(*errno))
            }
            Error::Link { link, action, errno } => line!(link, ": cannot ", action, ": ", errno_text(*errno)),
            Error::AddPort(refusal) => refusal.line(era, addif_failed),
            Error::DeletePort(refusal) => refusal.line(era, delif_failed),
        };
        line.truncate(line.trim_ascii_end().len());
        line
    }
}

impl PortRefusal {
    fn line(&self, era: Era, failed: fn(&[u8], &[u8], Errno, bool) -> Failure) -> Vec<u8> {
        failed(self.bridge.as_bytes(), self.port.as_bytes(), self.errno, self.port_exists).in_era(era).text
    }
}
