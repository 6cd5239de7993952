//! Refusals of bridge-utils that other commands than `brctl` print too: 1.7.1's, with those of 1.0.6 where they differ.
//!
//! Names are printed as they were typed. The exit status is 1.

use nix::errno::Errno;

use crate::error::{Failure, errno_text, line};

/// Returns why `addbr` was refused.
pub fn addbr_failed(bridge: &[u8], errno: Errno) -> Failure {
    match errno {
        Errno::EEXIST => {
            Failure::new(line!("device ", bridge, " already exists; can't create bridge with the same name"))
        }
        errno => setting_failed("add bridge failed", errno),
    }
}

/// Returns why `delbr` was refused.
pub fn delbr_failed(bridge: &[u8], errno: Errno) -> Failure {
    Failure::new(match errno {
        Errno::ENXIO => line!("bridge ", bridge, " doesn't exist; can't delete it"),
        Errno::EBUSY => line!("bridge ", bridge, " is still up; can't delete it"),
        errno => line!("can't delete bridge ", bridge, ": ", errno_text(errno)),
    })
}

/// Returns why `addif` was refused. `port_exists` decides whether ENODEV means the port or the bridge.
pub fn addif_failed(bridge: &[u8], port: &[u8], errno: Errno, port_exists: bool) -> Failure {
    match errno {
        Errno::ENODEV => missing(bridge, port, port_exists),
        Errno::EBUSY => {
            let text = |verb| {
                line!("device ", port, " is already a member of a bridge; can't ", verb, " it to bridge ", bridge, ".")
            };
            Failure::new(text("add")).formerly(text("enslave"), 1)
        }
        Errno::ELOOP => {
            let object = " a bridge device to a bridge device.";
            let text = |verb| line!("device ", port, " is a bridge device itself; can't ", verb, object);
            Failure::new(text("add")).formerly(text("enslave"), 1)
        }
        errno => Failure::new(line!("can't add ", port, " to bridge ", bridge, ": ", errno_text(errno))),
    }
}

/// Returns why `delif` was refused. `port_exists` decides whether ENODEV means the port or the bridge.
pub fn delif_failed(bridge: &[u8], port: &[u8], errno: Errno, port_exists: bool) -> Failure {
    match errno {
        Errno::ENODEV => missing(bridge, port, port_exists),
        Errno::EINVAL => {
            let text = |role| line!("device ", port, " is not a ", role, " of ", bridge);
            Failure::new(text("port")).formerly(text("slave"), 1)
        }
        errno => Failure::new(line!("can't delete ", port, " from ", bridge, ": ", errno_text(errno))),
    }
}

/// Returns why `stp` was refused.
pub fn stp_failed(errno: Errno) -> Failure {
    setting_failed("set stp status failed", errno)
}

/// Returns why `setfd` was refused.
pub fn setfd_failed(errno: Errno) -> Failure {
    setting_failed("set forward delay failed", errno)
}

/// Returns `WHAT: ERRNO`, the form of every other refusal.
pub fn setting_failed(what: &str, errno: Errno) -> Failure {
    Failure::new(line!(what, ": ", errno_text(errno)))
}

/// Reports a bridge that does not exist.
pub fn no_such_bridge(bridge: &[u8]) -> Failure {
    Failure::new(line!("bridge ", bridge, " does not exist!"))
}

/// Reports a port that does not exist.
pub fn no_such_interface(interface: &[u8]) -> Failure {
    Failure::new(line!("interface ", interface, " does not exist!"))
}

/// Reports ENODEV. 1.0.6 blamed the port in either case.
fn missing(bridge: &[u8], port: &[u8], port_exists: bool) -> Failure {
    match port_exists {
        true => no_such_bridge(bridge).formerly(no_such_interface(port).text, 1),
        false => no_such_interface(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::era::Era;

    #[test]
    fn enodev_names_what_is_missing() {
        let text = |port_exists, era| addif_failed(b"b0", b"p0", Errno::ENODEV, port_exists).in_era(era).text;
        assert_eq!(text(true, Era::Today), b"bridge b0 does not exist!\n");
        assert_eq!(text(true, Era::Of2006), b"interface p0 does not exist!\n");
        assert_eq!(text(false, Era::Today), b"interface p0 does not exist!\n");
    }
}
