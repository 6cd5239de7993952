//! `ip`: iproute2 6.1's command as far as ioctls and files go, byte for byte, or that of ss060323 (see [`crate::era`]).
//!
//! [`OBJECTS`] gives dispatch; an object's file holds its commands. Words are read by [`words`], addresses by [`prefix`].

pub mod address;
pub mod link;
pub mod list;
pub mod prefix;
pub mod route;
pub mod tuntap;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::Kernel;
pub(crate) use crate::texts::iproute2::refused;
use crate::texts::iproute2::{explained, needs_netlink, no_such_device};
use prefix::Family;
use words::{Words, is_short_for};

/// What the options before the object ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The tools that are followed.
    pub era: Era,
    /// `-4`, `-6`, `-family`: only addresses and routes of this family.
    pub family: Family,
    /// `-0`, `-family link`: links without their addresses.
    pub link_only: bool,
    /// `-oneline`: one line a record.
    pub oneline: bool,
    /// `-brief`: a table of the most important.
    pub brief: bool,
    /// `-json`: for machines.
    pub json: bool,
    /// `-pretty`: JSON for people.
    pub pretty: bool,
    /// `-details`: what goes without saying too.
    pub details: bool,
    /// `-statistics`, counted: 1 for what was sent and received, 2 for the kinds of errors too.
    pub statistics: u8,
}

impl Options {
    /// What goes without options.
    pub fn of(era: Era) -> Self {
        Options { era, ..Options::default() }
    }

    /// Whether a word means a keyword that may be cut short.
    fn means(self, word: &[u8], keyword: &str) -> bool {
        is_short_for(word, keyword) || word.is_empty() && !self.era.ip().empty_means_nothing
    }

    /// The end of a line within a record.
    fn newline(self) -> &'static str {
        if self.oneline { "\\" } else { "\n" }
    }
}

/// An object, the first word after the options.
struct Object {
    name: &'static str,
    /// The first era that has it.
    since: Era,
    run: fn(&mut Call, Options, Words) -> Outcome,
}

/// In the order in which iproute2 tries them: a word means the first of which it is the beginning.
const OBJECTS: [Object; 7] = [
    Object { name: "address", since: Era::Of2006, run: address::run },
    Object { name: "route", since: Era::Of2006, run: route::run },
    Object { name: "link", since: Era::Of2006, run: link::run },
    Object { name: "tunnel", since: Era::Of2006, run: |_, _, _| Err(unknown_object(b"tunnel")) },
    Object { name: "tuntap", since: Era::Today, run: tuntap::run },
    Object { name: "tap", since: Era::Today, run: tuntap::run },
    Object { name: "help", since: Era::Of2006, run: |_, _, _| Err(usage()) },
];

/// What an option does to [`Options`], or to the call.
enum Effect {
    Set(fn(&mut Options)),
    Family,
    Version,
    Help,
    /// Has no bearing on what is printed here.
    Nothing,
    /// The same, with an operand.
    Operand,
    /// Is not to be had here; what to do instead.
    Absent(&'static str),
}

/// Options in the order of ip.c, with the first era that has them; each may be cut short.
const OPTIONS: [(&str, Era, Effect); 25] = [
    ("-loops", Era::Today, Effect::Operand),
    ("-family", Era::Of2006, Effect::Family),
    ("-4", Era::Of2006, Effect::Set(|options| options.family = Family::Inet)),
    ("-6", Era::Of2006, Effect::Set(|options| options.family = Family::Inet6)),
    ("-0", Era::Of2006, Effect::Set(|options| options.link_only = true)),
    ("-human-readable", Era::Today, Effect::Nothing),
    ("-iec", Era::Today, Effect::Nothing),
    ("-statistics", Era::Of2006, Effect::Set(|options| options.statistics += 1)),
    ("-stats", Era::Of2006, Effect::Set(|options| options.statistics += 1)),
    ("-details", Era::Today, Effect::Set(|options| options.details = true)),
    ("-resolve", Era::Of2006, Effect::Nothing),
    ("-oneline", Era::Of2006, Effect::Set(|options| options.oneline = true)),
    ("-timestamp", Era::Of2006, Effect::Nothing),
    ("-Version", Era::Of2006, Effect::Version),
    ("-force", Era::Of2006, Effect::Nothing),
    ("-batch", Era::Of2006, Effect::Absent("run ip once for each line")),
    ("-brief", Era::Today, Effect::Set(|options| options.brief = true)),
    ("-json", Era::Today, Effect::Set(|options| options.json = true)),
    ("-pretty", Era::Today, Effect::Set(|options| options.pretty = true)),
    ("-rcvbuf", Era::Today, Effect::Operand),
    ("-color", Era::Today, Effect::Nothing),
    ("-help", Era::Of2006, Effect::Help),
    ("-netns", Era::Today, Effect::Absent("enter the namespace first, by nsenter(1)")),
    ("-Numeric", Era::Today, Effect::Nothing),
    ("-all", Era::Today, Effect::Nothing),
];

/// Runs `ip`.
pub fn run(call: &mut Call) -> Outcome {
    let mut words = Words::new(call.args);
    let era = call.era;
    let mut options = Options::of(era);
    while let Some(word) = words.peek().filter(|word| word.first() == Some(&b'-')) {
        words.next();
        if word == b"--" {
            break;
        }
        // `--oneline` is `-oneline`
        let option = if word.starts_with(b"--") { &word[1..] } else { word };
        let meant = OPTIONS.iter().find(|(name, since, _)| era.knows(*since) && is_short_for(option, name));
        match meant.map(|(.., effect)| effect) {
            Some(Effect::Set(set)) => set(&mut options),
            Some(Effect::Family) => set_family(&mut options, words.next().ok_or_else(usage)?)?,
            Some(Effect::Version) => {
                print(call.out, era.ip().version);
                return Ok(());
            }
            Some(Effect::Help) => return Err(usage()),
            Some(Effect::Nothing) => (),
            Some(Effect::Operand) => drop(words.next().ok_or_else(usage)?),
            Some(Effect::Absent(instead)) => {
                return Err(
                    Failure::new(line!("ip: option \"", option, "\" is not to be had: ", instead)).with_status(255)
                );
            }
            None => {
                return Err(
                    Failure::new(line!("Option \"", option, "\" is unknown, try \"ip -help\".")).with_status(255)
                );
            }
        }
    }
    // under a longer name, such as `iproute`, the rest of it is the object
    let name = call.program.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let named = name.strip_prefix(b"ip").filter(|object| !object.is_empty());
    let Some(word) = named.or_else(|| words.next()) else { return Err(usage()) };
    match OBJECTS.iter().find(|object| era.knows(object.since) && options.means(word, object.name)) {
        // what is not known is not missing
        Some(object) => (object.run)(call, options, words).map_err(|failure| match complete(call.kernel) {
            Err(reason) => reason,
            Ok(()) => failure,
        }),
        None => Err(unknown_object(word)),
    }
}

fn unknown_object(word: &[u8]) -> Failure {
    Failure::new(line!("Object \"", word, "\" is unknown, try \"ip help\".")).formerly_with_status(255)
}

fn set_family(options: &mut Options, word: &[u8]) -> Outcome {
    match word {
        b"inet" => options.family = Family::Inet,
        b"inet6" => options.family = Family::Inet6,
        b"link" => options.link_only = true,
        _ => return Err(swapped(word, "invalid protocol family")),
    }
    Ok(())
}

/// How the command is used: what there is of it here. On standard error and with status 255, as iproute2 does it.
fn usage() -> Failure {
    let former = b"\
Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { link | addr | route }
       OPTIONS := { -V[ersion] | -s[tatistics] |
                    -f[amily] { inet | inet6 | link } | -o[neline] }
";
    Failure::new(
        b"\
Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | route | tuntap }
       OPTIONS := { -V[ersion] | -s[tatistics] | -j[son] | -p[retty] |
                    -f[amily] { inet | inet6 | link } | -4 | -6 | -0 |
                    -br[ief] | -o[neline] }
"
        .to_vec(),
    )
    .with_status(255)
    .formerly(former.to_vec(), 255)
}

/// Writes text of which nobody asks whether it arrived: iproute2 does not.
fn print(out: &mut dyn Write, text: impl AsRef<[u8]>) {
    let _ = out.write_all(text.as_ref());
}

// The errors that all objects share, in the words of lib/utils.c and lib/libnetlink.c. Status 255 is iproute2's exit(-1).

fn unknown_command(word: &[u8], object: &str) -> Failure {
    Failure::new(line!("Command \"", word, "\" is unknown, try \"ip ", object, " help\".")).with_status(255)
}

/// `invarg`
fn wrong(value: &[u8], reason: &str) -> Failure {
    Failure::new(line!("Error: argument \"", value, "\" is wrong: ", reason)).with_status(255)
}

/// `invarg` where ss060323 had mixed up which is which.
fn swapped(value: &[u8], reason: &str) -> Failure {
    wrong(value, reason).formerly(line!("Error: argument \"", reason, "\" is wrong: ", value), 255)
}

/// `duparg`
fn duplicate(key: &str, value: &[u8]) -> Failure {
    Failure::new(line!("Error: duplicate \"", key, "\": \"", value, "\" is the second value.")).with_status(255)
}

/// `duparg2`
fn garbage(key: &str, value: &[u8]) -> Failure {
    Failure::new(line!("Error: either \"", key, "\" is duplicate, or \"", value, "\" is a garbage.")).with_status(255)
}

/// Fails where a file that tells what there is could not be read.
fn complete(kernel: &Kernel) -> Outcome {
    match kernel.unread() {
        None => Ok(()),
        Some((file, errno)) => {
            Err(Failure::new(line!("ip: cannot read ", file, ": ", errno_text(errno))).with_status(2))
        }
    }
}

/// The proper name of a device that may be called by another: by an alternative name or by a label.
fn proper_name(kernel: &Kernel, device: &[u8]) -> Result<OsString, Failure> {
    kernel.proper_name(device).map_err(|_| no_such_device(device))
}

/// An interface's name as bytes.
fn bytes(name: &OsString) -> &[u8] {
    name.as_bytes()
}
