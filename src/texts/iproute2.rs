//! Texts of iproute2: those of 6.1 and, where they differed, those of ss060323.
//!
//! Exit status 2 is that of a refusal by the kernel, 255 that of C's `exit(-1)`.

use ipnet::IpNet;
use nix::errno::Errno;

use crate::era::Era;
use crate::error::{Failure, errno_text, line};
use crate::net::prefix::Family;

/// `RTNETLINK answers: File exists`
pub fn refused(errno: Errno) -> Failure {
    Failure::new(line!("RTNETLINK answers: ", errno_text(errno))).with_status(2)
}

/// `Error: ipv4: Address already assigned.`
///
/// Netlink brings such an explanation along with the errno, since Linux 4.12. An ioctl brings the errno alone, so the caller
/// finds out which explanation fits.
pub fn explained(errno: Errno, explanation: &str) -> Failure {
    Failure::new(line!("Error: ", explanation)).with_status(2).formerly(refused(errno).text, 2)
}

/// `SIOCSIFFLAGS: Operation not permitted`: C's perror(3) for an ioctl, which `ip link set` of ss060323 was made of.
pub fn ioctl_failed(ioctl: &str, errno: Errno) -> Failure {
    Failure::new(line!(ioctl, ": ", errno_text(errno))).with_status(255)
}

/// What iproute2 does by netlink and no ioctl can, and what the user can do instead.
pub fn needs_netlink(what: impl AsRef<[u8]>, instead: &str) -> Failure {
    Failure::new(line!("ip: ", what, " needs netlink: ", instead)).with_status(2)
}

/// `Cannot find device "eth7"`
pub fn no_such_device(device: &[u8]) -> Failure {
    Failure::new(line!("Cannot find device \"", device, "\"")).formerly_with_status(255)
}

/// `Error: any valid prefix is expected rather than "10.0.0.300".`
pub fn prefix_expected(era: Era, family: Family, word: &[u8]) -> Failure {
    Failure::new(line!("Error: ", expected(era, family), " prefix is expected rather than \"", word, "\"."))
}

/// `Error: inet address is expected rather than "10.0.0.300".`
pub fn address_expected(era: Era, family: Family, word: &[u8]) -> Failure {
    Failure::new(line!("Error: ", expected(era, family), " address is expected rather than \"", word, "\"."))
}

fn expected(era: Era, family: Family) -> &'static str {
    let [any, inet, inet6] = era.ip().expected;
    match family {
        Family::Any => any,
        Family::Inet => inet,
        Family::Inet6 => inet6,
    }
}

/// Refusal to switch a link on or off. (ss060323 reads the flags first; only that can find no link.)
pub fn flags_not_set(device: &[u8], errno: Errno) -> Failure {
    let (failure, ioctl) = match errno {
        Errno::ENODEV => (no_such_device(device), "SIOCGIFFLAGS"),
        errno => (refused(errno), "SIOCSIFFLAGS"),
    };
    failure.formerly(ioctl_failed(ioctl, errno).text, 255)
}

/// Refusal of an address that is added to a device. `errno` is that of the ioctls; netlink has others for a few cases.
pub fn address_not_added(device: &[u8], net: IpNet, errno: Errno) -> Failure {
    match (errno, net) {
        (Errno::ENODEV, _) => no_such_device(device),
        (Errno::EEXIST, IpNet::V4(_)) => explained(errno, "ipv4: Address already assigned."),
        (Errno::EEXIST, IpNet::V6(_)) => explained(errno, "ipv6: address already assigned."),
        (Errno::EACCES, IpNet::V6(_)) => explained(errno, "ipv6: IPv6 is disabled on this device."),
        (Errno::EADDRNOTAVAIL, IpNet::V6(net)) if net.addr().is_multicast() => {
            explained(Errno::EINVAL, "ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag.")
        }
        (Errno::EADDRNOTAVAIL, IpNet::V6(net)) if net.addr().is_loopback() => {
            explained(errno, "ipv6: Cannot assign loopback address on this device.")
        }
        (Errno::EADDRNOTAVAIL, IpNet::V6(_)) => explained(errno, "ipv6: Invalid address."),
        (errno, _) => refused(errno),
    }
}

/// Refusal of a second IPv4 address where the device's name is too long for the labels that the ioctls need.
pub fn no_label_left() -> Failure {
    needs_netlink("a second address", "the device's name leaves no room for an alias label")
}

/// Refusal to remove an address. EADDRNOTAVAIL says that the device lacks it.
pub fn address_not_removed(net: IpNet, errno: Errno) -> Failure {
    match (errno, net) {
        (Errno::EADDRNOTAVAIL, IpNet::V4(_)) => explained(errno, "ipv4: Address not found."),
        (Errno::EADDRNOTAVAIL, IpNet::V6(_)) => explained(errno, "ipv6: address not found."),
        (errno, _) => refused(errno),
    }
}

/// Refusal to remove an IPv4 address that is not the first of its label: the ioctls reach no other.
pub fn address_behind_label(net: IpNet) -> Failure {
    let reason = "it shares its label with another address, which an ioctl would remove instead";
    needs_netlink(format!("removing {net}"), reason)
}
