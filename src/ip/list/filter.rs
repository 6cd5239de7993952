//! Which links and addresses are listed: the words after `ip address show` and `ip link show`, which are the same.

use std::ffi::OsString;

use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::address::scope_number;
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, garbage, link, usage, wrong};
use crate::kernel::{Address, Ipv6Flags, Kernel, Link, flag};

/// What is asked for. Everything, by default.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// The link of this name.
    pub device: Option<&'a [u8]>,
    /// Links that are switched on.
    up: bool,
    /// Links of this interface group.
    group: Option<u32>,
    /// Links that belong to this one, or to none.
    master: Option<Option<OsString>>,
    /// Links of this kind.
    kind: Option<&'a [u8]>,
    /// Addresses whose flags of this mask are these.
    flags: (u32, u32),
    /// Addresses of this scope, in rtnetlink's numbers.
    scope: Option<u8>,
    /// Addresses within this prefix.
    to: Option<Prefix>,
    /// Addresses whose label matches this pattern.
    pub label: Option<&'a [u8]>,
    /// Addresses of this family.
    pub family: Family,
}

/// A link that may be asked for.
pub struct Candidate {
    /// Its index.
    pub index: i32,
    /// Its name.
    pub name: OsString,
    /// What is known of it, if it was read already.
    link: Option<Link>,
}

/// Words that ss060323 did not know yet: to it they were names of links.
const LATER: [&str; 5] = ["group", "master", "vrf", "nomaster", "type"];

/// Flags by name (ip/ipaddress.c, `ifa_flag_data`; linux/if_addr.h). Those above the low eight bits no file shows.
const FLAGS: [(&str, u32); 13] = [
    ("secondary", 0x01),
    ("temporary", 0x01),
    ("nodad", 0x02),
    ("optimistic", 0x04),
    ("dadfailed", 0x08),
    ("home", 0x10),
    ("deprecated", 0x20),
    ("tentative", 0x40),
    ("permanent", 0x80),
    ("mngtmpaddr", 0x100),
    ("noprefixroute", 0x200),
    ("autojoin", 0x400),
    ("stable-privacy", 0x800),
];

impl<'a> Filter<'a> {
    /// Reads the words after the command.
    pub(in crate::ip) fn parse(kernel: &Kernel, options: Options, mut words: Words<'a>) -> Result<Self, Failure> {
        let era = options.era;
        let mut filter = Filter { family: options.family, ..Filter::default() };
        while let Some(word) = words.next() {
            match word {
                _ if era.lacks(word, &LATER) => filter.set_device(word, options)?,
                b"to" => {
                    let word = words.operand()?;
                    if era == Era::Of2006 && options.link_only {
                        return Err(not_among_links(word));
                    }
                    let to = prefix::prefix(era, word, filter.family)?;
                    if let (Family::Any, Prefix::Net { net, .. }) = (filter.family, to) {
                        filter.family = Family::of(net.addr());
                    }
                    filter.to = Some(to);
                }
                b"scope" => {
                    let scope = words.operand()?;
                    filter.scope = match scope {
                        b"all" => None,
                        _ => Some(scope_number(scope).map_err(|_| wrong(scope, "invalid \"scope\"\n"))?),
                    };
                }
                b"up" => filter.up = true,
                b"label" => filter.label = Some(words.operand()?),
                b"group" => {
                    let group = words.operand()?;
                    filter.group =
                        Some(link::number::group(group).ok_or_else(|| wrong(group, "Invalid \"group\" value\n"))?);
                }
                b"master" => {
                    let master = words.operand()?;
                    let name = link::find(kernel, master);
                    filter.master = Some(Some(name.map_err(|_| wrong(master, "Device does not exist\n"))?));
                }
                b"vrf" => {
                    let vrf = words.operand()?;
                    match link::find(kernel, vrf) {
                        Ok(name) if kernel.link_kind(name.as_encoded_bytes()).as_deref() == Some("vrf") => {
                            filter.master = Some(Some(name));
                        }
                        _ => return Err(wrong(vrf, "Not a valid VRF name\n")),
                    }
                }
                b"nomaster" => filter.master = Some(None),
                b"type" => filter.kind = Some(words.operand()?),
                _ if filter.set_flag(word, era) => (),
                b"dev" if era == Era::Today => filter.name_device(words.operand()?)?,
                b"dev" => filter.set_device(words.operand()?, options)?,
                _ => filter.set_device(word, options)?,
            }
        }
        Ok(filter)
    }

    fn set_device(&mut self, word: &'a [u8], options: Options) -> Outcome {
        if options.means(word, "help") {
            return Err(usage());
        }
        self.name_device(word)
    }

    fn name_device(&mut self, name: &'a [u8]) -> Outcome {
        match self.device.replace(name) {
            None => Ok(()),
            Some(_) => Err(garbage("dev", name)),
        }
    }

    /// Whether a link has a name that would do for a label: ss060323 looks at that.
    pub(super) fn admits_name(&self, link: &OsString) -> bool {
        self.label.is_none_or(|pattern| matches_pattern(pattern, link.as_encoded_bytes()))
    }

    /// Whether links without their addresses are listed at all: iproute2 lists none where a label is asked for.
    ///
    /// # Errors
    /// `Error: "…" may be inet prefix, but it is not allowed in this context.`
    pub fn admits_links(&self) -> Result<bool, Failure> {
        match self.to {
            Some(Prefix::Net { net, .. }) => Err(not_among_links(net.to_string().as_bytes())),
            _ => Ok(self.label.is_none()),
        }
    }

    /// The link of a name, with all its addresses.
    pub fn of_device(device: &'a [u8]) -> Self {
        Filter { device: Some(device), ..Filter::default() }
    }

    /// Takes a flag's name, with `-` for those that have it not.
    fn set_flag(&mut self, word: &[u8], era: Era) -> bool {
        let known_in_2006: [&[u8]; 6] =
            [b"dynamic", b"permanent", b"secondary", b"primary", b"tentative", b"deprecated"];
        if era == Era::Of2006 && !known_in_2006.contains(&word) {
            return false;
        }
        let (set, name) = match word {
            [b'-', name @ ..] => (false, name),
            name => (true, name),
        };
        let (set, bit) = match name {
            b"dynamic" => (!set, 0x80),
            b"primary" => (!set, 0x01),
            _ => match FLAGS.iter().find(|(flag, _)| flag.as_bytes() == name) {
                Some((_, bit)) => (set, *bit),
                None => return false,
            },
        };
        let (mask, wanted) = self.flags;
        self.flags = (mask | bit, if set { wanted | bit } else { wanted & !bit });
        true
    }

    /// The links that may be asked for, by index: all, or the one that is named.
    ///
    /// # Errors
    /// `Device "…" does not exist.`
    pub fn candidates(&self, kernel: &Kernel) -> Result<Vec<Candidate>, Failure> {
        match self.device {
            Some(name) => match kernel.link(name) {
                Ok(link) => Ok(vec![Candidate { index: link.index, name: link.name.clone(), link: Some(link) }]),
                Err(_) => {
                    let text = line!("Device \"", name, "\" does not exist.");
                    Err(Failure::new(text).formerly_with_status(255))
                }
            },
            None => {
                let names = kernel.link_names().unwrap_or_default().into_iter();
                Ok(names.map(|(index, name)| Candidate { index, name, link: None }).collect())
            }
        }
    }

    /// Whether it takes more than its name to tell whether a link is asked for.
    pub fn asks_of_links(&self) -> bool {
        self.up || self.group.is_some() || self.master.is_some() || self.kind.is_some()
    }

    /// What is known of a link, if it is asked for.
    pub fn admitted(&self, kernel: &Kernel, candidate: &Candidate) -> Option<Link> {
        let link = match &candidate.link {
            Some(link) => link.clone(),
            None => kernel.listed_link(candidate.index, &candidate.name).ok()?,
        };
        self.admits_link(kernel, &link).then_some(link)
    }

    fn admits_link(&self, kernel: &Kernel, link: &Link) -> bool {
        (!self.up || link.flags & flag::UP != 0)
            && self.group.is_none_or(|group| link.group == group)
            && self.master.as_ref().is_none_or(|master| match master {
                // the kernel does not look at this of a link that is asked for by its name
                None => link.master.is_none() || self.device.is_some(),
                master => link.master == *master,
            })
            && self.kind.is_none_or(|kind| is_of_kind(kernel, link, kind))
    }

    /// Whether an address is listed.
    pub fn admits(&self, address: &Address) -> bool {
        let (mask, wanted) = self.flags;
        self.family.includes(address.net.addr())
            && (flags_of(address) ^ wanted) & mask == 0
            && self.scope.is_none_or(|scope| address.scope.0 == scope)
            && self.label.is_none_or(|pattern| matches_pattern(pattern, address.label.as_encoded_bytes()))
            && match self.to {
                Some(Prefix::Net { net, .. }) => net.contains(&address.net.addr()),
                Some(Prefix::All) | None => true,
            }
    }
}

fn not_among_links(prefix: &[u8]) -> Failure {
    let reason = "\" may be inet prefix, but it is not allowed in this context.";
    Failure::new(line!("Error: \"", prefix, reason))
}

/// Flags as rtnetlink would give them. What has no lifetime is permanent; IPv4's lifetimes no file shows.
fn flags_of(address: &Address) -> u32 {
    match address.net.addr().is_ipv4() {
        true => u32::from(Ipv6Flags::PERMANENT) | u32::from(address.secondary),
        false => address.v6.0.into(),
    }
}

/// Whether a link is of a kind that `ip link add … type` makes, or with `_slave` belongs to one.
fn is_of_kind(kernel: &Kernel, link: &Link, kind: &[u8]) -> bool {
    let kind_of = |name: &OsString| kernel.link_kind(name.as_encoded_bytes());
    match kind.strip_suffix(b"_slave") {
        Some(kind) => link.master.as_ref().and_then(kind_of).is_some_and(|of| of.as_bytes() == kind),
        None => kind_of(&link.name).is_some_and(|of| of.as_bytes() == kind),
    }
}

/// A pattern of the shell: `*`, `?` and `[...]` (fnmatch without flags).
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| matches_pattern(rest, &text[skipped..])),
        [b'?', rest @ ..] => !text.is_empty() && matches_pattern(rest, &text[1..]),
        [b'[', set @ ..] if set.iter().skip(1).any(|&byte| byte == b']') => {
            let (set, rest) = set.split_at(1 + set.iter().skip(1).position(|&byte| byte == b']').unwrap_or(0));
            text.first().is_some_and(|&byte| is_in_set(set, byte)) && matches_pattern(&rest[1..], &text[1..])
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && matches_pattern(rest, &text[1..])
        }
    }
}

/// The inside of `[...]`: bytes and ranges, with `!` or `^` at the start those that are not in it.
fn is_in_set(set: &[u8], byte: u8) -> bool {
    let (negated, mut set) = match set {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    loop {
        match set {
            [from, b'-', to, rest @ ..] => {
                found |= (*from..=*to).contains(&byte);
                set = rest;
            }
            [one, rest @ ..] => {
                found |= *one == byte;
                set = rest;
            }
            [] => return found != negated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn patterns() {
        for (pattern, text) in
            [("v1*", "v1:0"), ("*", ""), ("v?", "v1"), ("v[0-9]", "v7"), ("v[!a]", "vb"), ("\\*", "*")]
        {
            assert!(matches_pattern(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("v1", "v1:0"), ("v?", "v"), ("v[0-9]", "va"), ("v[!a]", "va"), ("[", "x"), ("", "v")] {
            assert!(!matches_pattern(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}
