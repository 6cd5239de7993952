//! `ip tuntap`: tap and tun devices that stay without a program behind them. iproute2 itself makes them by ioctls.

use std::io::Write;

use nix::errno::Errno;

use super::link::is_name;
use super::list::Record;
use super::words::{Words, is_short_for};
use super::{Options, bytes, complete, garbage, print, unknown_command, wrong};
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::json::Json;
use crate::kernel::{IFNAMSIZ, Kernel, Tun, tun_flag};

/// A command of the object.
struct Command {
    name: &'static str,
    run: fn(&mut Call, Options, Words) -> Outcome,
}

/// In the order in which iproute2 tries them: a word means the first of which it is the beginning.
const COMMANDS: [Command; 6] = [
    Command { name: "add", run: |call, _, words| add(call, words) },
    Command { name: "delete", run: |call, _, words| delete(call, words) },
    Command { name: "show", run: show },
    Command { name: "lst", run: show },
    Command { name: "list", run: show },
    Command { name: "help", run: |_, _, _| Err(usage()) },
];

/// `ip tuntap [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let Some(word) = words.next() else { return show(call, options, words) };
    match COMMANDS.iter().find(|command| is_short_for(word, command.name)) {
        Some(command) => (command.run)(call, options, words),
        None => Err(unknown_command(word, "tuntap")),
    }
}

fn usage() -> Failure {
    Failure::new(
        b"\
Usage: ip tuntap { add | del | show | list | lst | help } [ dev PHYS_DEV ]
       [ mode { tun | tap } ] [ user USER ] [ group GROUP ]
       [ one_queue ] [ pi ] [ vnet_hdr ] [ multi_queue ] [ name NAME ]

Where: USER  := { STRING | NUMBER }
       GROUP := { STRING | NUMBER }
"
        .to_vec(),
    )
    .with_status(255)
}

/// What `add` and `delete` are asked for.
#[derive(Debug, Default)]
struct Wanted<'a> {
    /// Without one the kernel finds one.
    name: &'a [u8],
    /// See [`tun_flag`].
    flags: u16,
    user: Option<u32>,
    group: Option<u32>,
}

/// Words that stand alone, with the flag that they set or clear.
const SWITCHES: [(&str, u16, bool); 4] = [
    ("pi", tun_flag::NO_PI, false),
    ("one_queue", tun_flag::ONE_QUEUE, true),
    ("vnet_hdr", tun_flag::VNET_HDR, true),
    ("multi_queue", tun_flag::MULTI_QUEUE, true),
];

/// What a device is, and its flag.
const MODES: [(&str, u16); 2] = [("tun", tun_flag::TUN), ("tap", tun_flag::TAP)];

impl<'a> Wanted<'a> {
    /// Reads the words. Each may be cut short; what is no keyword is the name. `delete` does not know owners.
    fn parse(kernel: &Kernel, mut words: Words<'a>, with_owner: bool) -> Result<Self, Failure> {
        let mut wanted = Wanted { flags: tun_flag::NO_PI, ..Wanted::default() };
        while let Some(word) = words.next() {
            let is = |keyword| is_short_for(word, keyword);
            match word {
                _ if is("mode") => wanted.set_mode(words.operand()?)?,
                _ if with_owner && is("user") => wanted.user = owner(kernel, words.operand()?, "user", "/etc/passwd")?,
                _ if with_owner && is("group") => {
                    wanted.group = owner(kernel, words.operand()?, "group", "/etc/group")?
                }
                _ if is("dev") => wanted.name = checked(words.operand()?, "dev")?,
                _ if is("name") => wanted.set_name(words.operand()?)?,
                _ => match SWITCHES.iter().find(|(keyword, ..)| is(keyword)) {
                    Some((_, flag, true)) => wanted.flags |= flag,
                    Some((_, flag, false)) => wanted.flags &= !flag,
                    None if is("help") => return Err(usage()),
                    None => wanted.set_name(word)?,
                },
            }
        }
        match wanted.flags & (tun_flag::TUN | tun_flag::TAP) {
            0 => Err(Failure::new(line!("You failed to specify a tunnel mode"))),
            _ => Ok(wanted),
        }
    }

    fn set_name(&mut self, name: &'a [u8]) -> Outcome {
        if !self.name.is_empty() {
            return Err(garbage("name", name));
        }
        self.name = checked(name, "name")?;
        Ok(())
    }

    fn set_mode(&mut self, word: &[u8]) -> Outcome {
        let Some((_, mode)) = MODES.iter().find(|(name, _)| is_short_for(word, name)) else {
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

/// A user or a group by name, which the file has, or number; -1 is none.
fn owner(kernel: &Kernel, word: &[u8], what: &str, file: &str) -> Result<Option<u32>, Failure> {
    number(word)
        .or_else(|| number_of(&kernel.read(file), word))
        .map(|number| Some(number).filter(|number| *number != u32::MAX))
        .ok_or_else(|| Failure::new(line!("invalid ", what, " \"", word, "\"")).with_status(255))
}

/// A decimal number, of which 32 bits count: C's `strtol`.
fn number(word: &[u8]) -> Option<u32> {
    let text = str::from_utf8(word.trim_ascii_start()).ok()?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX });
    Some(number as u32)
}

/// The third field of the line that begins with a name, in a file such as /etc/passwd or /etc/group.
fn number_of(file: &[u8], name: &[u8]) -> Option<u32> {
    file.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        match fields.next() {
            Some(first) if first == name && !name.is_empty() => str::from_utf8(fields.nth(1)?).ok()?.parse().ok(),
            _ => None,
        }
    })
}

/// `ip tuntap add [dev|name] NAME mode { tun | tap } [user USER] [group GROUP] [pi] [one_queue] [vnet_hdr] [multi_queue]`
fn add(call: &mut Call, words: Words) -> Outcome {
    let wanted = Wanted::parse(call.kernel, words, true)?;
    let end = call.kernel.open_tun().map_err(|errno| failed("open", errno))?;
    end.attach(wanted.name, wanted.flags | tun_flag::EXCLUSIVE).map_err(|errno| failed("ioctl(TUNSETIFF)", errno))?;
    if let Some(user) = wanted.user {
        end.set_owner(user).map_err(|errno| failed("ioctl(TUNSETOWNER)", errno))?;
    }
    if let Some(group) = wanted.group {
        end.set_group(group).map_err(|errno| failed("ioctl(TUNSETGROUP)", errno))?;
    }
    end.set_persistent(true).map_err(|errno| failed("ioctl(TUNSETPERSIST)", errno))
}

/// `ip tuntap delete [dev|name] NAME mode { tun | tap } [multi_queue]`: a device that is not there is made for a moment, as by
/// iproute2.
fn delete(call: &mut Call, words: Words) -> Outcome {
    let wanted = Wanted::parse(call.kernel, words, false)?;
    let end = call.kernel.open_tun().map_err(|errno| failed("open", errno))?;
    end.attach(wanted.name, wanted.flags).map_err(|errno| failed("ioctl(TUNSETIFF)", errno))?;
    end.set_persistent(false).map_err(|errno| failed("ioctl(TUNSETPERSIST)", errno))
}

/// C's `perror`.
fn failed(what: &str, errno: Errno) -> Failure {
    Failure::new(line!(what, ": ", errno_text(errno)))
}

/// `ip tuntap show`: all devices; iproute2 looks at no word behind it.
fn show(call: &mut Call, options: Options, _: Words) -> Outcome {
    list(call.kernel, call.out, options);
    complete(call.kernel)
}

/// Lists tap and tun devices.
pub fn list(kernel: &Kernel, out: &mut dyn Write, options: Options) {
    let links = kernel.link_names().unwrap_or_default();
    let tuns = links.iter().filter_map(|(_, name)| Some((bytes(name), kernel.tun(bytes(name))?)));
    let records = tuns.map(|(name, tun)| record(name, &tun, options.json));
    if options.json {
        print(out, Json::List(records.map(|mut record| record.take_json()).collect()).document(options.pretty));
    } else {
        records.for_each(|record| print(out, record.so_far()));
    }
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

fn record(name: &[u8], tun: &Tun, is_json: bool) -> Record {
    let named = FLAGS.iter().filter(|(flag, when, _)| (tun.flags & flag != 0) == *when);
    let mut flags: Vec<String> = named.map(|(_, _, name)| String::from(*name)).collect();
    let unknown = FLAGS.iter().fold(tun.flags, |flags, (flag, _, _)| flags & !flag);
    if unknown != 0 {
        flags.push(format!("{unknown:#x}"));
    }
    let mut record = Record::new(is_json);
    record.put("ifname", name, [name, b": "].concat());
    let text = flags.join(" ");
    record.put("flags", Json::List(flags.into_iter().map(Json::from).collect()), text);
    if let Some(user) = tun.owner {
        record.put("user", user, format!(" user {user}"));
    }
    if let Some(group) = tun.group {
        record.put("group", group, format!(" group {group}"));
    }
    record.text("\n");
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_by_name() {
        let line = |flags, owner, group| {
            let record = record(b"t0", &Tun { flags, owner, group }, false);
            String::from_utf8_lossy(record.so_far()).into_owned()
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
