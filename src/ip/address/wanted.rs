//! The words after `ip address add`, `replace` and `delete`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::scope_number;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, duplicate, garbage, needs_netlink, refused, usage, wrong};

/// The broadcast address that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broadcast {
    /// `+`: all host bits one.
    Ones,
    /// `-`: all host bits zero.
    Zeros,
    /// This one.
    This(Ipv4Addr),
}

impl Broadcast {
    /// The address that is meant. Networks of one or two addresses have none.
    pub(super) fn of(self, net: Ipv4Net) -> Option<Ipv4Addr> {
        match self {
            Broadcast::This(address) => (!address.is_unspecified()).then_some(address),
            _ if net.prefix_len() > 30 => None,
            Broadcast::Ones => Some(net.broadcast()),
            Broadcast::Zeros => Some(net.network()),
        }
    }
}

/// Flags that the kernel sets (ip/ipaddress.c, `ifa_flag_data`).
const READ_ONLY_FLAGS: [&[u8]; 7] =
    [b"secondary", b"temporary", b"dadfailed", b"deprecated", b"tentative", b"permanent", b"stable-privacy"];

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    local: Option<Prefix>,
    /// The address as it was typed.
    pub(super) typed: &'a [u8],
    peer: Option<IpNet>,
    device: Option<&'a [u8]>,
    pub(super) label: Option<&'a [u8]>,
    pub(super) broadcast: Option<Broadcast>,
    /// In rtnetlink's numbers.
    scope: Option<u8>,
    valid_lifetime: Option<u32>,
    preferred_lifetime: Option<u32>,
    /// What else no ioctl can do.
    beyond: Option<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    /// Reads the words, in any order. What is no keyword is the address. Flags that a listing names and nobody can set are passed
    /// over with a warning, as are IPv6's where no IPv6 address was named yet.
    pub(super) fn parse(options: Options, mut words: Words<'a>, err: &mut dyn Write) -> Result<Self, Failure> {
        let mut warn = |flag, what| drop(err.write_all(&line!("Warning: ", flag, " option ", what)));
        let mut wanted = Wanted::default();
        let mut family = options.family;
        while let Some(word) = words.next() {
            let short_for = |keyword| options.means(word, keyword);
            match word {
                b"peer" | b"remote" => wanted.set_peer(options.era, words.operand()?, &mut family)?,
                b"brd" => wanted.set_broadcast(options.era, words.operand()?, &mut family)?,
                _ if short_for("broadcast") => wanted.set_broadcast(options.era, words.operand()?, &mut family)?,
                b"anycast" => {
                    prefix::address(options.era, words.operand()?, family)?;
                    wanted.beyond = Some(word);
                }
                b"scope" => wanted.scope = Some(scope_number(words.operand()?)?),
                b"dev" => wanted.device = Some(words.operand()?),
                b"label" => wanted.label = Some(words.operand()?),
                // what follows came later
                _ if options.era == Era::Of2006 => wanted.set_local(options, word, &mut words, &mut family)?,
                _ if ["metric", "priority", "preference"].into_iter().any(short_for) => {
                    let metric = words.operand()?;
                    number(metric).ok_or_else(|| wrong(metric, "\"metric\" value is invalid\n"))?;
                    wanted.beyond = Some(word);
                }
                _ if short_for("valid_lft") => wanted.valid_lifetime = Some(lifetime(words.operand()?, "valid_lft")?),
                _ if short_for("preferred_lft") => {
                    wanted.preferred_lifetime = Some(lifetime(words.operand()?, "preferred_lft")?);
                }
                _ if READ_ONLY_FLAGS.contains(&word) => warn(word, "is not mutable from userspace"),
                b"home" | b"nodad" | b"mngtmpaddr" | b"optimistic" if family != Family::Inet6 => {
                    warn(word, "can be set only for IPv6 addresses");
                }
                b"home" | b"nodad" | b"mngtmpaddr" | b"optimistic" => wanted.beyond = Some(word),
                b"noprefixroute" | b"autojoin" => wanted.beyond = Some(word),
                b"proto" => {
                    words.operand()?;
                    wanted.beyond = Some(word);
                }
                _ => wanted.set_local(options, word, &mut words, &mut family)?,
            }
        }
        Ok(wanted)
    }

    fn set_local(&mut self, options: Options, word: &'a [u8], words: &mut Words<'a>, family: &mut Family) -> Outcome {
        let typed = if word == b"local" { words.operand()? } else { word };
        if options.means(typed, "help") {
            return Err(usage());
        }
        if self.local.is_some() {
            return Err(garbage("local", typed));
        }
        let local = prefix::prefix(options.era, typed, *family)?;
        if let Prefix::Net { net, .. } = local {
            *family = Family::of(net.addr());
        }
        (self.local, self.typed) = (Some(local), typed);
        Ok(())
    }

    fn set_peer(&mut self, era: Era, word: &[u8], family: &mut Family) -> Outcome {
        if self.peer.is_some() {
            return Err(duplicate("peer", word));
        }
        if let Prefix::Net { net, .. } = prefix::prefix(era, word, *family)? {
            *family = Family::of(net.addr());
            self.peer = Some(net);
        }
        Ok(())
    }

    fn set_broadcast(&mut self, era: Era, word: &[u8], family: &mut Family) -> Outcome {
        if self.broadcast.is_some() {
            return Err(duplicate("broadcast", word));
        }
        self.broadcast = Some(match word {
            b"+" => Broadcast::Ones,
            b"-" => Broadcast::Zeros,
            _ => match prefix::address(era, word, *family)? {
                IpAddr::V4(address) => {
                    *family = Family::Inet;
                    Broadcast::This(address)
                }
                IpAddr::V6(_) => return Err(only_ipv4_broadcast()),
            },
        });
        Ok(())
    }

    /// The device, which must be named.
    pub(super) fn device(&self) -> Result<&'a [u8], Failure> {
        self.device.ok_or_else(|| {
            Failure::new(line!("Not enough information: \"dev\" argument is required.")).formerly_with_status(255)
        })
    }

    /// The local address; `any` and none at all the kernel refuses.
    pub(super) fn local(&self) -> Result<IpNet, Failure> {
        match self.local {
            Some(Prefix::Net { net, .. }) => Ok(net),
            Some(Prefix::All) | None => Err(refused(Errno::EOPNOTSUPP)),
        }
    }

    /// The other end.
    pub(super) fn peer(&self) -> Option<IpNet> {
        self.peer
    }

    /// Whether an IPv4 address stands without prefix and peer, so that `delete` takes any.
    pub(super) fn is_any_prefix(&self) -> bool {
        matches!(self.local, Some(Prefix::Net { net: IpNet::V4(_), explicit: false })) && self.peer.is_none()
    }

    /// A label may have to begin with the device's name.
    pub(super) fn check_label(&self, era: Era) -> Outcome {
        match (self.device, self.label) {
            (Some(device), Some(label)) if !era.ip().any_label && !label.starts_with(device) => {
                let text = line!("\"dev\" (", device, ") must match \"label\" (", label, ").");
                Err(Failure::new(text))
            }
            _ => Ok(()),
        }
    }

    /// What does not go together, found before the device is looked for.
    pub(super) fn check(&self) -> Outcome {
        let forever = u32::MAX;
        if self.preferred_lifetime.unwrap_or(forever) > self.valid_lifetime.unwrap_or(forever) {
            return Err(Failure::new(line!("preferred_lft is greater than valid_lft")));
        }
        match (self.local, self.broadcast) {
            (Some(Prefix::Net { net: IpNet::V6(_), .. }), Some(_)) => Err(only_ipv4_broadcast()),
            _ => Ok(()),
        }
    }

    /// What only netlink can do.
    pub(super) fn check_possible(&self) -> Outcome {
        if let Some(word) = self.beyond {
            return Err(needs_netlink(word, "leave it out"));
        }
        for (word, lifetime) in [("valid_lft", self.valid_lifetime), ("preferred_lft", self.preferred_lifetime)] {
            if lifetime.is_some_and(|lifetime| lifetime != u32::MAX) {
                return Err(needs_netlink(word.as_bytes(), "without it, an address stays forever"));
            }
        }
        // the kernel gives an address the scope that iproute2 would
        let usual = match self.local {
            Some(Prefix::Net { net: IpNet::V4(net), .. }) if net.addr().is_loopback() => 254,
            _ => 0,
        };
        match self.scope {
            Some(scope) if scope != usual => Err(needs_netlink(b"the scope of an address", "leave it out")),
            _ => Ok(()),
        }
    }
}

fn only_ipv4_broadcast() -> Failure {
    Failure::new(line!("Broadcast can be set only for IPv4 addresses")).formerly_with_status(255)
}

fn number(word: &[u8]) -> Option<u32> {
    prefix::number(word).and_then(|number| u32::try_from(number).ok())
}

fn lifetime(word: &[u8], keyword: &str) -> Result<u32, Failure> {
    match word {
        b"forever" => Ok(u32::MAX),
        _ => number(word).ok_or_else(|| wrong(word, &format!("{keyword} value"))),
    }
}
