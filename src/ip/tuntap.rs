//! `ip tuntap`: persistent tap and tun devices. iproute2 itself makes them by ioctls.

use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use super::color::Color;
use super::complaint::{garbage, unreadable, wrong};
use super::deferred::Deferred;
use super::device::is_name;
use super::dispatch::{Verb, dispatch, verb};
use super::fields::{Fields, print_records};
use super::keyword::{Keyword, find, short};
use super::options::Options;
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::json::Json;
use crate::kernel::{IFNAMSIZ, Kernel, Tun, TunEnd, tun_flag};
use crate::net::number::whole;

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", add),
    verb("delete", delete),
    verb("show", show),
    verb("lst", show),
    verb("list", show),
    verb("help", |_, _| Err(usage::tuntap())),
];

/// `ip tuntap [COMMAND ...]`
pub(super) fn run(call: &mut Call, words: Words) -> Outcome {
    dispatch(call, words, "tuntap", VERBS, show)
}

/// What the words after `add` and `delete` say.
#[derive(Debug, Default)]
struct TunArgs<'a> {
    /// Without one the kernel finds one.
    name: &'a [u8],
    /// See [`tun_flag`].
    flags: u16,
    user: Option<u32>,
    group: Option<u32>,
}

/// What the host is asked for: the number of a user or of a group.
enum Lookup<'a> {
    User(&'a [u8]),
    Group(&'a [u8]),
}

/// What a keyword means.
#[derive(Clone, Copy)]
enum Meaning {
    User,
    Group,
    Mode,
    Device,
    Name,
    /// Stands alone: a flag, and whether the word sets it or clears it.
    Switch(u16, bool),
    Help,
}

/// What is no keyword is the name. `delete` does not know the first two.
const KEYWORDS: &[Keyword<Meaning>] = &[
    short("user", Meaning::User),
    short("group", Meaning::Group),
    short("mode", Meaning::Mode),
    short("dev", Meaning::Device),
    short("name", Meaning::Name),
    short("pi", Meaning::Switch(tun_flag::NO_PI, false)),
    short("one_queue", Meaning::Switch(tun_flag::ONE_QUEUE, true)),
    short("vnet_hdr", Meaning::Switch(tun_flag::VNET_HDR, true)),
    short("multi_queue", Meaning::Switch(tun_flag::MULTI_QUEUE, true)),
    short("help", Meaning::Help),
];

/// Modes, with their flag.
const MODES: &[Keyword<u16>] = &[short("tun", tun_flag::TUN), short("tap", tun_flag::TAP)];

impl<'a> TunArgs<'a> {
    /// Parses the words, and looks up what they name on the host.
    fn resolved(kernel: &Kernel, words: Words<'a>, keywords: &[Keyword<Meaning>]) -> Result<Self, Failure> {
        let parsed = Deferred::parse(|args: &mut Self, lookups| args.read(lookups, words, keywords));
        parsed.resolve(|args, lookup| {
            match lookup {
                Lookup::User(word) => args.user = owner(kernel, word, "user", "/etc/passwd")?,
                Lookup::Group(word) => args.group = owner(kernel, word, "group", "/etc/group")?,
            }
            Ok(())
        })
    }

    fn read(&mut self, lookups: &mut Vec<Lookup<'a>>, mut words: Words<'a>, keywords: &[Keyword<Meaning>]) -> Outcome {
        self.flags = tun_flag::NO_PI;
        while !words.is_empty() {
            match words.take_keyword(keywords).map(|keyword| keyword.meaning) {
                Some(Meaning::User) => lookups.push(Lookup::User(words.operand()?)),
                Some(Meaning::Group) => lookups.push(Lookup::Group(words.operand()?)),
                Some(Meaning::Mode) => self.set_mode(words.operand()?, words.options)?,
                Some(Meaning::Device) => self.name = checked(words.operand()?, "dev")?,
                Some(Meaning::Name) => self.set_name(words.operand()?)?,
                Some(Meaning::Switch(flag, true)) => self.flags |= flag,
                Some(Meaning::Switch(flag, false)) => self.flags &= !flag,
                Some(Meaning::Help) => return Err(usage::tuntap()),
                None => self.set_name(words.operand()?)?,
            }
        }
        match self.flags & (tun_flag::TUN | tun_flag::TAP) {
            0 => Err(Failure::new(line!("You failed to specify a tunnel mode"))),
            _ => Ok(()),
        }
    }

    fn set_name(&mut self, name: &'a [u8]) -> Outcome {
        if !self.name.is_empty() {
            return Err(garbage("name", name));
        }
        self.name = checked(name, "name")?;
        Ok(())
    }

    fn set_mode(&mut self, word: &[u8], options: Options) -> Outcome {
        let Some(mode) = find(MODES, word, options).map(|keyword| keyword.meaning) else {
            return Err(Failure::new(line!("Unknown tunnel mode \"", word, "\"")).with_status(255));
        };
        let other = (tun_flag::TUN | tun_flag::TAP) & !mode;
        if self.flags & other != 0 {
            return Err(Failure::new(line!("You managed to ask for more than one tunnel mode.")).with_status(255));
        }
        self.flags |= mode;
        Ok(())
    }
}

fn checked<'a>(name: &'a [u8], keyword: &str) -> Result<&'a [u8], Failure> {
    match is_name(name, IFNAMSIZ - 1) {
        true => Ok(name),
        false => Err(wrong(name, &format!("\"{keyword}\" not a valid ifname"))),
    }
}

/// Returns the number of a user or a group that is given by number, or by its name in a file; nothing for -1.
fn owner(kernel: &Kernel, word: &[u8], what: &str, file: &str) -> Result<Option<u32>, Failure> {
    let in_file = || number_of(&std::fs::read(kernel.path(file)).unwrap_or_default(), word);
    let number = number(word).or_else(in_file);
    let number = number.ok_or_else(|| Failure::new(line!("invalid ", what, " \"", word, "\"")).with_status(255))?;
    Ok(Some(number).filter(|number| *number != u32::MAX))
}

/// Reads a decimal number by strtol(3), and returns its low 32 bits.
fn number(word: &[u8]) -> Option<u32> {
    let number = whole(word, 10)?.clamp(i64::MIN.into(), i64::MAX.into());
    Some(number as u32)
}

/// Returns the third field of the line that begins with a name, in a file such as /etc/passwd or /etc/group.
fn number_of(file: &[u8], name: &[u8]) -> Option<u32> {
    file.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        match fields.next() {
            Some(first) if first == name && !name.is_empty() => str::from_utf8(fields.nth(1)?).ok()?.parse().ok(),
            _ => None,
        }
    })
}

/// Returns the name of the user or group with a number, from a file such as /etc/passwd or /etc/group.
pub(super) fn name_of(kernel: &Kernel, file: &str, number: u32) -> Option<String> {
    let text = std::fs::read_to_string(kernel.path(file)).ok()?;
    text.lines().find_map(|line| {
        let (name, rest) = line.split_once(':')?;
        (rest.split(':').nth(1)?.parse() == Ok(number)).then(|| name.into())
    })
}

/// `ip tuntap add [dev|name] NAME mode { tun | tap } [user USER] [group GROUP] [pi] [one_queue] [vnet_hdr] [multi_queue]`
fn add(call: &mut Call, words: Words) -> Outcome {
    let args = TunArgs::resolved(call.kernel, words, KEYWORDS)?;
    let end = TunEnd::open(call.kernel).map_err(|errno| failed("open", errno))?;
    end.attach(args.name, args.flags | tun_flag::EXCLUSIVE).map_err(|errno| failed("ioctl(TUNSETIFF)", errno))?;
    if let Some(user) = args.user {
        end.set_owner(user).map_err(|errno| failed("ioctl(TUNSETOWNER)", errno))?;
    }
    if let Some(group) = args.group {
        end.set_group(group).map_err(|errno| failed("ioctl(TUNSETGROUP)", errno))?;
    }
    end.set_persistent(true).map_err(|errno| failed("ioctl(TUNSETPERSIST)", errno))
}

/// `ip tuntap delete [dev|name] NAME mode { tun | tap } [multi_queue]`. A device that does not exist is made for a moment, as by
/// iproute2.
fn delete(call: &mut Call, words: Words) -> Outcome {
    let args = TunArgs::resolved(call.kernel, words, &KEYWORDS[2..])?;
    let end = TunEnd::open(call.kernel).map_err(|errno| failed("open", errno))?;
    end.attach(args.name, args.flags).map_err(|errno| failed("ioctl(TUNSETIFF)", errno))?;
    end.set_persistent(false).map_err(|errno| failed("ioctl(TUNSETPERSIST)", errno))
}

/// perror(3)
fn failed(what: &str, errno: Errno) -> Failure {
    Failure::new(line!(what, ": ", errno_text(errno)))
}

/// `ip tuntap show`: all devices. iproute2 ignores the words behind it.
fn show(call: &mut Call, words: Words) -> Outcome {
    let links = call.kernel.link_names().map_err(unreadable)?;
    let mut fields = Fields::of(words.options);
    for (_, name) in &links {
        if let Some(tun) = Tun::of(call.kernel, name.as_bytes()) {
            put(&mut fields, name.as_bytes(), &tun);
        }
    }
    print_records(call.out, [fields], words.options);
    Ok(())
}

/// Flags in the order in which iproute2 names them (ip/iptuntap.c, `print_flags`), and whether they are named when they are set
/// or when they are not. Without headers for each packet there is no filter: the kernel has one bit for both.
const FLAGS: [(u16, bool, &str); 8] = [
    (tun_flag::TUN, true, "tun"),
    (tun_flag::TAP, true, "tap"),
    (tun_flag::NO_PI, false, "pi"),
    (tun_flag::ONE_QUEUE, true, "one_queue"),
    (tun_flag::MULTI_QUEUE, true, "multi_queue"),
    (tun_flag::VNET_HDR, true, "vnet_hdr"),
    (tun_flag::PERSIST, true, "persist"),
    (tun_flag::NO_PI, false, "filter"),
];

fn put(fields: &mut Fields, name: &[u8], tun: &Tun) {
    let named = FLAGS.iter().filter(|(flag, when, _)| (tun.flags & flag != 0) == *when);
    let mut flags: Vec<String> = named.map(|(_, _, name)| String::from(*name)).collect();
    let unknown = FLAGS.iter().fold(tun.flags, |flags, (flag, _, _)| flags & !flag);
    if unknown != 0 {
        flags.push(format!("{unknown:#x}"));
    }
    fields.colored(Some(Color::Name), |fields| fields.put("ifname", name, [name, b":"].concat()));
    fields.text(" ");
    let text = flags.join(" ");
    fields.put("flags", Json::List(flags.into_iter().map(Json::from).collect()), text);
    if let Some(user) = tun.owner {
        fields.put("user", user, format!(" user {user}"));
    }
    if let Some(group) = tun.group {
        fields.put("group", group, format!(" group {group}"));
    }
    fields.text("\n");
    fields.end_record();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_by_name() {
        let line = |flags, owner, group| {
            let mut fields = Fields::new(false);
            put(&mut fields, b"t0", &Tun { flags, owner, group });
            String::from_utf8_lossy(&fields.into_text()).into_owned()
        };
        assert_eq!(line(0x1802, None, None), "t0: tap persist\n");
        assert_eq!(line(0x0801, None, None), "t0: tun pi persist filter\n");
        assert_eq!(line(0x6902, None, None), "t0: tap pi one_queue multi_queue vnet_hdr persist filter\n");
        assert_eq!(line(0x1832, None, None), "t0: tap persist 0x30\n");
        assert_eq!(line(0x1002, Some(0), Some(5)), "t0: tap user 0 group 5\n");
    }

    #[test]
    fn numbers() {
        for (word, expected) in [("5", 5), ("010", 10), (" +5", 5), ("-1", u32::MAX), ("99999999999", 1_215_752_191)] {
            assert_eq!(number(word.as_bytes()), Some(expected), "{word}");
        }
        for word in ["", "5 ", "0x10", "5x", "-", "+-5"] {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
        assert_eq!(number_of(b"root:x:0:0:\nbob:x:1000:", b"bob"), Some(1000));
        assert_eq!(number_of(b"root:x:0:0:\n:x:3", b""), None);
    }
}
