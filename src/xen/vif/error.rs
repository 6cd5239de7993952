//! Why a vif script fails, and the text that the toolstack and the log get.

use std::ffi::OsString;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use ipnet::IpNet;
use nix::errno::Errno;

use crate::era::Era;
use crate::error::{Failure, errno_text, io_text, line, one_line};
use crate::firewall::choice::UnknownKind;
use crate::kernel::Unreadable;
use crate::net::{BadName, InterfaceName};
use crate::texts::bridge_utils::{addif_failed, delif_failed};
use crate::xen::script::BadArgument;
use crate::xenstore::Fault;

/// Why a call failed.
#[derive(Debug)]
pub(in crate::xen) enum VifError {
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
    /// A key holds a NUL byte, where a shell and the kernel would end.
    Value {
        key: String,
    },
    /// A key `vlan`, with its value.
    Vlan(String),
    /// A word of `ip` that is neither an address nor a network.
    Net(String),
    /// A word of `ip` that is not an IPv4 address.
    NatAddress(String),
    /// A guest's address whose router has none.
    NoRouter(Ipv4Addr),
    /// A key without a number.
    NoNumber(&'static str),
    /// `dhcp`: dhcpd is to be configured.
    Dhcp,
    /// A network of `ip` with host bits.
    HostBits(IpNet),
    /// A value of `reach`.
    Reach(String),
    /// The interface to the outside does not exist.
    NoOutside(InterfaceName),
    /// The interface to the outside has no IPv4 address.
    NoOutsideAddress(InterfaceName),
    /// Another route leads to what is to be routed to the guest.
    Shadowed {
        net: IpNet,
        link: Vec<u8>,
    },
    /// An address of this host is to be routed to the guest.
    OwnAddress(IpNet),
    /// A `firewall_backend` that there is not.
    Backend(String),
    /// Another call for the same interface does not come to an end.
    Busy(InterfaceName),
    /// The lock of the interface cannot be created.
    Lock {
        device: InterfaceName,
        error: io::Error,
    },
    Xenstore(Fault),
    /// xenstored refuses to read a key.
    Read {
        key: String,
        errno: String,
    },
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
    /// A firewall rule of the port is left.
    RulesLeft {
        port: InterfaceName,
        rule: String,
    },
    HookNotRun(PathBuf, io::Error),
    HookFailed(PathBuf, ExitStatus),
    /// The bridges of the host cannot be listed, or asked for their ports.
    Bridges(Errno),
    /// A table of the kernel cannot be read.
    Unreadable(Unreadable),
    Address {
        link: InterfaceName,
        address: Ipv4Addr,
        errno: Errno,
    },
    Sysctl {
        link: InterfaceName,
        value: &'static str,
        errno: Errno,
    },
    Route {
        link: InterfaceName,
        net: IpNet,
        errno: Errno,
    },
    DeleteRoute {
        link: InterfaceName,
        net: IpNet,
        errno: Errno,
    },
    Publish {
        link: InterfaceName,
        address: Ipv4Addr,
        errno: Errno,
    },
    Withdraw {
        link: String,
        address: Ipv4Addr,
        errno: Errno,
    },
    /// A failure after which not everything could be restored.
    NotRestored {
        cause: Box<VifError>,
        left: Vec<String>,
    },
}

/// What the kernel refused for a port of a bridge.
#[derive(Debug)]
pub(in crate::xen) struct PortRefusal {
    pub(in crate::xen) bridge: InterfaceName,
    pub(in crate::xen) port: InterfaceName,
    pub(in crate::xen) errno: Errno,
    /// Whether the interface still existed afterwards.
    pub(in crate::xen) port_exists: bool,
}

impl From<Fault> for VifError {
    fn from(fault: Fault) -> Self {
        VifError::Xenstore(fault)
    }
}

impl VifError {
    /// Returns that the kernel refuses something; `action` completes "cannot".
    pub(in crate::xen) fn link(link: &InterfaceName, action: &'static str, errno: Errno) -> Self {
        VifError::Link { link: link.clone(), action, errno }
    }

    /// Adds what could not be restored after this failure.
    pub(in crate::xen) fn with_left(self, left: Vec<String>) -> Self {
        if left.is_empty() { self } else { VifError::NotRestored { cause: Box::new(self), left } }
    }

    /// Returns the text as a part of another.
    pub(in crate::xen) fn one_line(&self, era: Era) -> String {
        String::from_utf8_lossy(&self.text(era)).into_owned()
    }

    /// Returns the text as one line without its end. bridge-utils' words depend on the era.
    pub(in crate::xen) fn text(&self, era: Era) -> Vec<u8> {
        use VifError as Error;
        let mut line = match self {
            Error::Argument(argument) => line!(argument.text()),
            Error::Command(command) => line!("Invalid command: ", command.as_bytes()),
            Error::InterfaceType(word) => line!("unknown interface type ", word),
            Error::NotSet(variable) => line!(variable, " is not set"),
            Error::Name { variable, value, fault } => line!(variable, "=\"", value, "\": ", fault.to_string()),
            Error::Value { key } => line!(key, ": its value holds a NUL byte"),
            Error::Vlan(vlan) => {
                line!(
                    "vlan=\"",
                    vlan,
                    "\": the VLANs of a bridge port can be set by netlink only, which is not used here"
                )
            }
            Error::Net(_) | Error::HostBits(_) | Error::Reach(_) => self.value_line(),
            Error::NoOutside(_) | Error::NoOutsideAddress(_) => self.value_line(),
            Error::NatAddress(_) | Error::NoRouter(_) | Error::NoNumber(_) | Error::Dhcp => self.value_line(),
            Error::Shadowed { net, link } => line!(net.to_string(), " is routed over ", link, " already"),
            Error::OwnAddress(net) => line!(net.addr().to_string(), " is an address of this host"),
            Error::Backend(word) => line!("firewall_backend=\"", word, "\": ", UnknownKind.to_string()),
            Error::Busy(device) => line!(device, ": another call is at work on it"),
            Error::Lock { device, error } => {
                line!(device, ": cannot make a lock under /var/run/xen-hotplug: ", io_text(error))
            }
            Error::Xenstore(fault) => line!(fault.to_string()),
            Error::Read { key, errno } => line!("Reading ", key, " from xenstore failed: ", errno),
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
            Error::RulesLeft { port, rule } => line!(port, ": cannot delete its firewall rules: ", rule),
            Error::HookNotRun(path, error) => line!(path.display().to_string(), ": ", io_text(error)),
            Error::HookFailed(path, status) => line!(path.display().to_string(), ": ", status.to_string()),
            Error::Bridges(errno) => line!("cannot list the host's bridges: ", errno_text(*errno)),
            Error::Unreadable(table) => line!("cannot read ", table.file, ": ", errno_text(table.errno)),
            Error::Address { link, address, errno } => {
                line!(link, ": cannot add the address ", address.to_string(), ": ", errno_text(*errno))
            }
            Error::Sysctl { link, value, errno } => line!(link, ": cannot set ", value, ": ", errno_text(*errno)),
            Error::Route { link, net, errno } => {
                line!("cannot add the route ", net.to_string(), " over ", link, ": ", errno_text(*errno))
            }
            Error::DeleteRoute { link, net, errno } => {
                line!("cannot delete the route ", net.to_string(), " over ", link, ": ", errno_text(*errno))
            }
            Error::Publish { link, address, errno } => {
                line!("cannot publish ", address.to_string(), " on ", link, ": ", errno_text(*errno))
            }
            Error::Withdraw { link, address, errno } => {
                line!("cannot withdraw ", address.to_string(), " on ", link, ": ", errno_text(*errno))
            }
            Error::NotRestored { cause, left } => line!(cause.text(era), "; not restored: ", left.join(", ")),
        };
        line.truncate(line.trim_ascii_end().len());
        one_line(&line)
    }
}

impl VifError {
    /// Returns the line about a value that cannot be used, with the remedy.
    fn value_line(&self) -> Vec<u8> {
        match self {
            VifError::Net(word) => line!("ip: \"", word, "\": an address or a network is expected"),
            VifError::HostBits(net) => {
                let (net, address) = (net.to_string(), net.addr().to_string());
                line!("ip: \"", net, "\": not a network; give the address alone, ", address)
            }
            VifError::NatAddress(word) => line!("ip: \"", word, "\": an IPv4 address is expected"),
            VifError::NoRouter(guest) => {
                line!("ip: ", guest.to_string(), ": its last number is over 128, and has 127 added for the router")
            }
            VifError::NoNumber(key) => line!(key, " in xenstore is not a number; give the guest an address by ip"),
            VifError::Dhcp => {
                line!("dhcp: dhcpd is not configured here; run dnsmasq --interface=vif* --dhcp-range=ADDRESS,static")
            }
            VifError::Reach(value) => line!("reach=\"", value, "\": arp or none is expected"),
            VifError::NoOutside(netdev) => {
                line!("interface ", netdev, " does not exist; name the interface to the outside by netdev")
            }
            VifError::NoOutsideAddress(netdev) => {
                line!(netdev, " has no IPv4 address; name the interface to the outside by netdev")
            }
            other => other.text(Era::Today),
        }
    }
}

impl PortRefusal {
    fn line(&self, era: Era, failed: fn(&[u8], &[u8], Errno, bool) -> Failure) -> Vec<u8> {
        failed(self.bridge.as_bytes(), self.port.as_bytes(), self.errno, self.port_exists).in_era(era).text
    }
}
