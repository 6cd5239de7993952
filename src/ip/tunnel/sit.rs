//! What only tunnels of IPv6 over IPv4 have: the routers of ISATAP, and prefixes of IPv6 rapid deployment (RFC 5969).

use std::net::{Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;

use super::args::read_address;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::complaint::wrong;
use crate::ip::device::is_name;
use crate::ip::fields::Fields;
use crate::ip::words::Words;
use crate::kernel::{IFNAMSIZ, RouterEntry, SixRd};
use crate::net::prefix::{Family, Prefix};

/// `sit1: ioctl 89f4 failed: …`
fn ioctl_failed(device: &[u8], request: u32, errno: Errno) -> Failure {
    Failure::new(line!(device, ": ioctl ", format!("{request:x}"), " failed: ", errno_text(errno)))
}

/// Puts the potential routers of an ISATAP tunnel.
pub(super) fn put_routers(call: &mut Call, fields: &mut Fields, name: &[u8]) {
    match call.kernel.routers(name) {
        Ok(routers) => {
            for router in routers {
                let address = Ipv4Addr::from(router.address);
                let key = if router.is_default() { "pdr" } else { "pr" };
                fields.show(key, address, format_args!(" {key} {address}"));
            }
        }
        Err((request, errno)) => drop(call.err.write_all(&ioctl_failed(name, request, errno).text)),
    }
}

/// Puts the prefix of IPv6 rapid deployment, if a tunnel has one.
pub(super) fn put_6rd(call: &mut Call, fields: &mut Fields, name: &[u8]) {
    match call.kernel.six_rd(name) {
        Ok(six_rd) if six_rd.prefix_length != 0 => {
            let prefix = Ipv6Addr::from(six_rd.prefix);
            let length = six_rd.prefix_length;
            fields.show("6rd-prefix", prefix, format_args!(" 6rd-prefix {prefix}"));
            fields.print("6rd-prefixlen", u32::from(length), format_args!("/{length}"));
            if six_rd.relay_prefix != [0; 4] {
                let (prefix, length) = (Ipv4Addr::from(six_rd.relay_prefix), six_rd.relay_prefix_length);
                fields.show("6rd-relay_prefix", prefix, format_args!(" 6rd-relay_prefix {prefix}"));
                fields.print("6rd-relay_prefixlen", u32::from(length), format_args!("/{length}"));
            }
        }
        Ok(_) | Err((_, Errno::EINVAL)) => (),
        Err((request, errno)) => drop(call.err.write_all(&ioctl_failed(name, request, errno).text)),
    }
}

/// The device behind `dev`.
fn checked_device<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Failure> {
    let word = words.operand()?;
    if is_name(word, IFNAMSIZ - 1) { Ok(word) } else { Err(wrong(word, "\"dev\" not a valid ifname")) }
}

fn no_device() -> Failure {
    Failure::new(line!("Must specify device")).with_status(255)
}

/// iproute2 sends request 0 then, which no device knows.
fn nothing_asked(device: &[u8]) -> Failure {
    ioctl_failed(device, 0, Errno::ENOTTY)
}

/// `ip tunnel prl { prl-default | prl-nodefault | prl-delete } ADDRESS dev DEVICE`
pub(super) fn change_routers(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut entry = None;
    while let Some(word) = words.next() {
        let (is_default, is_deleted) = match word {
            b"prl-default" => (true, false),
            b"prl-nodefault" => (false, false),
            b"prl-delete" => (false, true),
            b"dev" => {
                device = Some(checked_device(&mut words)?);
                continue;
            }
            _ => {
                return Err(Failure::new(line!("Invalid PRL parameter \"", word, "\"")).with_status(255));
            }
        };
        let address = read_address(&mut words)?;
        if entry.replace((RouterEntry::new(address, is_default), is_deleted)).is_some() {
            return Err(Failure::new(line!("One PRL entry at a time")).with_status(255));
        }
    }
    let device = device.ok_or_else(no_device)?;
    let (entry, is_deleted) = entry.ok_or_else(|| nothing_asked(device))?;
    call.kernel
        .change_router(device, entry, is_deleted)
        .map_err(|(request, errno)| ioctl_failed(device, request, errno))
}

/// `ip tunnel 6rd { 6rd-prefix PREFIX | 6rd-relay_prefix PREFIX | 6rd-reset } dev DEVICE`
pub(super) fn change_6rd(call: &mut Call, mut words: Words) -> Outcome {
    let mut device = None;
    let mut is_reset = None;
    let mut six_rd = SixRd::default();
    while let Some(word) = words.next() {
        let net = |words: &mut Words, family| match words.prefix_of(family)? {
            Prefix::Net { net, .. } => Ok(net),
            Prefix::All if family == Family::Inet => Ok(ipnet::Ipv4Net::default().into()),
            Prefix::All => Ok(ipnet::Ipv6Net::default().into()),
        };
        match word {
            b"6rd-prefix" => {
                if let ipnet::IpNet::V6(net) = net(&mut words, Family::Inet6)? {
                    six_rd.prefix = net.addr().octets();
                    six_rd.prefix_length = net.prefix_len().into();
                }
                is_reset = Some(false);
            }
            b"6rd-relay_prefix" => {
                if let ipnet::IpNet::V4(net) = net(&mut words, Family::Inet)? {
                    six_rd.relay_prefix = net.addr().octets();
                    six_rd.relay_prefix_length = net.prefix_len().into();
                }
                is_reset = Some(false);
            }
            b"6rd-reset" => is_reset = Some(true),
            b"dev" => device = Some(checked_device(&mut words)?),
            _ => {
                return Err(Failure::new(line!("Invalid 6RD parameter \"", word, "\"")).with_status(255));
            }
        }
    }
    let device = device.ok_or_else(no_device)?;
    let is_reset = is_reset.ok_or_else(|| nothing_asked(device))?;
    call.kernel.change_six_rd(device, six_rd, is_reset).map_err(|(request, errno)| ioctl_failed(device, request, errno))
}
