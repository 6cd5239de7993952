//! Values behind `type bridge` and `type bridge_slave`: ioctls for those that every kernel has, files for the others.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::wrong;
use crate::ip::device::find;
use crate::ip::hardware;
use crate::ip::keyword::Keyword;
use crate::ip::link::args::switch;
use crate::ip::number;
use crate::ip::words::Words;
use crate::kernel::{BridgeSetting, Kernel, LinkFile, LinkSetting, PortSetting, Source};
use crate::net::Mac;
use crate::net::number::unsigned_long;
use crate::net::prefix::Notation;
use crate::texts::iproute2::{explained, needs_netlink, refused};

/// The keywords of a kind, and its texts.
pub(super) struct Table {
    /// What is said of a word that is no keyword.
    pub(super) unknown: &'static str,
    /// What `ip link help KIND` prints.
    pub(super) usage: &'static str,
    /// Says what is wrong with a number behind a keyword.
    pub(super) reason: fn(&str) -> String,
    /// In the order in which iproute2 compares them.
    pub(super) keywords: &'static [Keyword<Value>],
}

/// A value: what may stand behind its keyword, and where the kernel stores it.
#[derive(Clone, Copy)]
pub(super) struct Value {
    operand: Operand,
    place: Place,
    step: u8,
}

impl Value {
    pub(super) const fn new(operand: Operand, place: Place) -> Self {
        Value { operand, place, step: 0 }
    }

    /// Has the value set after those of earlier steps. Values of one step are set in the order of the table.
    pub(super) const fn at(self, step: u8) -> Self {
        Value { step, ..self }
    }
}

/// What may stand behind a keyword.
#[derive(Clone, Copy)]
pub(super) enum Operand {
    /// A number up to this one.
    Upto(u64),
    /// A number of 64 bits, where -1 is the largest.
    Wrapping,
    /// `on` or `off`.
    Switch,
    /// An Ethernet address.
    Address,
    /// The name or number of a protocol.
    Protocol,
    /// The name of a link.
    Link,
    /// Nothing: the word itself stands for this value.
    Word(&'static str),
}

pub(super) const U8: Operand = Operand::Upto(u8::MAX as u64);
pub(super) const U16: Operand = Operand::Upto(u16::MAX as u64);
pub(super) const U32: Operand = Operand::Upto(u32::MAX as u64);

/// Where the kernel stores a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind an ioctl, or in a file: every kernel has it.
    Bridge(BridgeSetting),
    /// Behind an ioctl of the port's bridge, or in a file: every kernel has it.
    Port(PortSetting),
    /// In a file. A kernel without it does not know the value, and ignores it in netlink too.
    File(&'static str),
    /// In a file. A kernel without it answers that the value is not supported.
    Supported(&'static str),
    /// Behind netlink alone; what to do instead.
    Nowhere(&'static str),
}

/// Values that a link is to have, in the order in which they are set.
#[derive(Default)]
pub(super) struct Values<'a>(Vec<(&'static Keyword<Value>, Given<'a>)>);

/// What stands behind a keyword.
enum Given<'a> {
    Number(u64),
    Address(Vec<u8>),
    Word(&'static str),
    Link(&'a [u8]),
}

impl<'a> Values<'a> {
    /// Parses the words behind `type KIND`. Of several values for one place the last one counts.
    pub(super) fn parse(table: &'static Table, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut given: Vec<(&'static Keyword<Value>, Given)> = Vec::new();
        while let Some(word) = words.peek() {
            let keyword = words.take_keyword(table.keywords).ok_or_else(|| table.unknown(word, &words))?;
            let value = Given::parse(table, keyword, &mut words)?;
            let is_other = |other: &Keyword<Value>| match keyword.meaning.place {
                Place::Nowhere(_) => other.name != keyword.name,
                place => other.meaning.place != place,
            };
            given.retain(|(other, _)| is_other(other));
            given.push((keyword, value));
        }
        let place_in_table = |keyword: &Keyword<Value>| table.keywords.iter().position(|one| one.name == keyword.name);
        given.sort_by_key(|(keyword, _)| (keyword.meaning.step, place_in_table(keyword)));
        Ok(Values(given))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks for the links that are named.
    ///
    /// # Errors
    /// `Error: argument "…" is wrong: Device does not exist`
    pub(super) fn resolve(&self, kernel: &Kernel) -> Outcome {
        self.0.iter().try_for_each(|(_, given)| match given {
            Given::Link(word) => find(kernel, word).map(drop).map_err(|_| wrong(word, "Device does not exist\n")),
            _ => Ok(()),
        })
    }

    /// Refuses what the kernel refuses before it looks for the link.
    pub(super) fn check(&self) -> Outcome {
        match self.0.iter().any(|(_, given)| matches!(given, Given::Address(address) if address.len() > 6)) {
            true => Err(explained(Errno::ERANGE, "Attribute failed policy validation.")),
            false => Ok(()),
        }
    }

    /// Refuses what cannot be set on this link without netlink.
    pub(super) fn check_for(&self, kernel: &Kernel, link: &[u8]) -> Outcome {
        for (keyword, _) in &self.0 {
            match keyword.meaning.place {
                Place::Bridge(_) | Place::Port(_) => (),
                Place::File(file) | Place::Supported(file) => {
                    // `bridge` or `brport`
                    let folder = file.split_once('/').map_or(file, |(folder, _)| folder);
                    if !kernel.has_link_file(link, LinkFile(folder)) {
                        return Err(needs_netlink(keyword.name, "or /sys of this network namespace"));
                    }
                }
                Place::Nowhere(instead) => return Err(needs_netlink(keyword.name, instead)),
            }
        }
        Ok(())
    }

    /// Sets the values, up to the first that the kernel refuses.
    pub(super) fn apply(&self, kernel: &Kernel, link: &[u8]) -> Outcome {
        self.0.iter().try_for_each(|(keyword, given)| given.set(keyword.meaning.place, kernel, link).map_err(refused))
    }
}

impl Table {
    fn unknown(&self, word: &[u8], words: &Words) -> Failure {
        match words.options.is_short_for(word, "help") {
            true => Failure::new(self.usage.into()),
            false => Failure::new(line!(self.unknown, " \"", word, "\"?\n", self.usage.trim_end())),
        }
    }
}

impl<'a> Given<'a> {
    fn parse(table: &Table, keyword: &Keyword<Value>, words: &mut Words<'a>) -> Result<Self, Failure> {
        let operand = keyword.meaning.operand;
        if let Operand::Word(word) = operand {
            return Ok(Given::Word(word));
        }
        let word = words.operand()?;
        let number = match operand {
            Operand::Upto(most) => unsigned(word).filter(|number| *number <= most),
            Operand::Wrapping => number::get_u64(word),
            Operand::Protocol => protocol(word).map(u64::from),
            Operand::Switch => Some(switch(keyword.name, word).map_err(|failure| failure.with_status(1))?.into()),
            Operand::Address => return hardware::address(word, 32, Notation::C).map(Given::Address),
            Operand::Link => return Ok(Given::Link(word)),
            Operand::Word(_) => None,
        };
        number.map(Given::Number).ok_or_else(|| wrong(word, &(table.reason)(keyword.name)))
    }

    fn set(&self, place: Place, kernel: &Kernel, link: &[u8]) -> Result<(), Errno> {
        let (file, is_optional) = match (place, self) {
            (Place::Bridge(setting), Given::Number(number)) => return kernel.set_bridge(link, setting, *number),
            (Place::Port(setting), Given::Number(number)) => {
                let bridge = kernel.try_bridge_of(link)?.ok_or(Errno::EOPNOTSUPP)?;
                return kernel.set_port(bridge.as_bytes(), link, setting, *number, Source::Sysfs);
            }
            (Place::File(file), _) => (LinkFile(file), true),
            (Place::Supported(file), _) => (LinkFile(file), false),
            (Place::Bridge(_) | Place::Port(_) | Place::Nowhere(_), _) => return Err(Errno::EOPNOTSUPP),
        };
        if !kernel.has_link_file(link, file) {
            return if is_optional { Ok(()) } else { Err(Errno::EOPNOTSUPP) };
        }
        let write = |text: &[u8]| kernel.set_link(link, LinkSetting::File(file, text));
        match self {
            Given::Number(number) => write(number.to_string().as_bytes()),
            Given::Address(octets) => {
                let mac = Mac(octets.as_slice().try_into().map_err(|_| Errno::EINVAL)?);
                write(mac.to_string().as_bytes())
            }
            Given::Word(word) => write(word.as_bytes()),
            Given::Link(name) => write(proper(kernel, name).as_ref()),
        }
    }
}

/// The proper name of a link that exists.
fn proper(kernel: &Kernel, word: &[u8]) -> Vec<u8> {
    find(kernel, word).as_deref().map_or(word, OsStr::as_bytes).to_vec()
}

/// Reads a number by strtoul(3): a negative one wraps around, one too large is none.
fn unsigned(word: &[u8]) -> Option<u64> {
    unsigned_long(word, 0).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// Reads the protocol of VLAN tags, by name or number.
fn protocol(word: &[u8]) -> Option<u16> {
    match word.to_ascii_lowercase().as_slice() {
        b"802.1q" => u16::try_from(libc::ETH_P_8021Q).ok(),
        b"802.1ad" => u16::try_from(libc::ETH_P_8021AD).ok(),
        _ => number::get_unsigned(word),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{bridge, bridge_slave};

    #[test]
    fn usages_name_every_keyword() {
        for table in [bridge::TABLE, bridge_slave::TABLE] {
            for keyword in table.keywords {
                assert!(table.usage.contains(&format!("[ {} ", keyword.name)), "{}", keyword.name);
            }
        }
    }
}
