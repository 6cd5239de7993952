//! `ip link set` of ss060323, which was made of ioctls. Its errors name the one that failed; its status is C's `exit(-1)`.

use nix::errno::Errno;

use super::args::{Flags, on_or_off, put_int};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::complaint::garbage;
use crate::ip::hardware;
use crate::ip::keyword::{Keyword, exact, short};
use crate::ip::usage;
use crate::ip::words::{Words, put};
use crate::kernel::{IFNAMSIZ, Kernel, LinkSetting, flag};
use crate::net::prefix::Notation;
use crate::texts::iproute2::{flags_not_set, ioctl_failed};

/// What the words say.
#[derive(Default)]
struct LinkArgs2006<'a> {
    device: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    broadcast: Option<&'a [u8]>,
    /// -1 stands for none.
    queue_length: Option<i32>,
    /// -1 stands for none.
    mtu: Option<i32>,
    flags: Flags,
}

/// What a keyword means.
#[derive(Clone, Copy)]
enum Meaning {
    /// Stands alone: switches the link on or off.
    Up(bool),
    /// Before `on` or `off`: a flag, whether `on` sets it or clears it, and what a complaint calls it.
    Flag(u32, bool, &'static str),
    Field(for<'a> fn(&mut LinkArgs2006<'a>, &mut Words<'a>) -> Outcome),
}

/// In the order in which ss060323 compares them. What is no keyword is the link.
const KEYWORDS: &[Keyword<Meaning>] = &[
    exact("up", Meaning::Up(true)),
    exact("down", Meaning::Up(false)),
    exact("name", Meaning::Field(|args, words| put(&mut args.name, words.operand()))),
    short("address", Meaning::Field(|args, words| put(&mut args.address, words.operand()))),
    short("broadcast", Meaning::Field(|args, words| put(&mut args.broadcast, words.operand()))),
    exact("brd", Meaning::Field(|args, words| put(&mut args.broadcast, words.operand()))),
    short("txqueuelen", Meaning::Field(|args, words| put_int(&mut args.queue_length, "txqueuelen", words))),
    exact("qlen", Meaning::Field(|args, words| put_int(&mut args.queue_length, "txqueuelen", words))),
    short("txqlen", Meaning::Field(|args, words| put_int(&mut args.queue_length, "txqueuelen", words))),
    exact("mtu", Meaning::Field(|args, words| put_int(&mut args.mtu, "mtu", words))),
    exact("multicast", Meaning::Flag(flag::MULTICAST, true, "multicast")),
    exact("allmulticast", Meaning::Flag(flag::ALLMULTI, true, "allmulticast")),
    exact("promisc", Meaning::Flag(flag::PROMISC, true, "promisc")),
    exact("trailers", Meaning::Flag(flag::NOTRAILERS, false, "trailers")),
    exact("arp", Meaning::Flag(flag::NOARP, false, "noarp")),
    short("dynamic", Meaning::Flag(flag::DYNAMIC, true, "dynamic")),
    exact("dev", Meaning::Field(|args, words| args.set_device(words))),
];

impl<'a> LinkArgs2006<'a> {
    /// Parses the words, which come in any order.
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut args = LinkArgs2006::default();
        while !words.is_empty() {
            match words.take_keyword(KEYWORDS).map(|keyword| keyword.meaning) {
                Some(Meaning::Up(on)) => args.flags.change(flag::UP, on),
                Some(Meaning::Flag(flag, when, name)) => {
                    let on = on_or_off(words.operand()?).map_err(|_| not_a_flag(name))?;
                    args.flags.change(flag, on == when);
                }
                Some(Meaning::Field(read)) => read(&mut args, &mut words)?,
                None => args.set_device(&mut words)?,
            }
        }
        Ok(args)
    }

    fn set_device(&mut self, words: &mut Words<'a>) -> Outcome {
        if words.is_next_short_for("help") {
            return Err(usage::ip());
        }
        let word = words.operand()?;
        match self.device.replace(word) {
            Some(_) => Err(garbage("dev", word)),
            None => Ok(()),
        }
    }
}

fn not_a_flag(name: &str) -> Failure {
    failed(line!("Error: argument of \"", name, "\" must be \"on\" or \"off\""))
}

/// `ip link set [dev] DEVICE ...`: all words are parsed, then what they ask for is done in this order, up to the first failure.
pub(super) fn set(call: &mut Call, words: Words) -> Outcome {
    let kernel = call.kernel;
    let args = LinkArgs2006::parse(words)?;
    let given = args.device.ok_or_else(|| failed(line!("Not enough of information: \"dev\" argument is required.")))?;
    let mut device = cut(given);
    let (address, broadcast) = hardware_addresses(kernel, device, &args)?;
    if let Some(name) = args.name.filter(|name| *name != given) {
        kernel.set_link(device, LinkSetting::Name(cut(name))).map_err(|errno| ioctl_failed("SIOCSIFNAME", errno))?;
        device = cut(name);
    }
    if let Some(length) = args.queue_length.filter(|length| *length != -1) {
        let length = u32::try_from(length).map_err(|_| Errno::EINVAL);
        let set = length.and_then(|length| kernel.set_link(device, LinkSetting::QueueLength(length)));
        // ss060323 leaves out the T of SIOCSIFTXQLEN
        set.map_err(|errno| ioctl_failed("SIOCSIFXQLEN", errno))?;
    }
    if let Some(mtu) = args.mtu.filter(|mtu| *mtu != -1) {
        kernel.set_link(device, LinkSetting::Mtu(mtu)).map_err(|errno| ioctl_failed("SIOCSIFMTU", errno))?;
    }
    if let Some(broadcast) = broadcast {
        let set = kernel.set_link(device, LinkSetting::Broadcast(&broadcast));
        set.map_err(|errno| ioctl_failed("SIOCSIFHWBROADCAST", errno))?;
    }
    if let Some(address) = address {
        let set = kernel.set_link(device, LinkSetting::Address(&address));
        set.map_err(|errno| ioctl_failed("SIOCSIFHWADDR", errno))?;
    }
    let Flags { set, mask } = args.flags;
    match mask {
        0 => Ok(()),
        _ => kernel.set_link(device, LinkSetting::Flags { set, mask }).map_err(|errno| flags_not_set(device, errno)),
    }
}

/// Cuts a name that is too long, as the kernel does.
fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(IFNAMSIZ - 1)]
}

type Hardware = Option<Vec<u8>>;

/// Parses the hardware addresses, which must be as long as the link's own. ss060323 asks a packet socket for that length, which
/// takes privilege.
fn hardware_addresses(kernel: &Kernel, device: &[u8], args: &LinkArgs2006) -> Result<(Hardware, Hardware), Failure> {
    if args.address.or(args.broadcast).is_none() {
        return Ok((None, None));
    }
    if !kernel.has_net_admin() {
        return Err(ioctl_failed("socket(PF_PACKET)", Errno::EPERM));
    }
    kernel.link_index(device).map_err(|errno| ioctl_failed("SIOCGIFINDEX", errno))?;
    let length = kernel.address_length(device);
    let read = |word: Option<&[u8]>| word.map(|word| hardware_address(word, length)).transpose();
    Ok((read(args.address)?, read(args.broadcast)?))
}

fn hardware_address(word: &[u8], length: Option<usize>) -> Result<Vec<u8>, Failure> {
    let address = hardware::address(word, 32, Notation::Decimal).map_err(|failure| failure.with_status(255))?;
    match length {
        Some(length) if length != address.len() => {
            // its reader had put an end to the text at the first colon
            let first = word.split(|&byte| byte == b':').next().unwrap_or(word);
            Err(failed(line!("Wrong address (", first, ") length: expected ", length.to_string(), " bytes")))
        }
        _ => Ok(address),
    }
}

fn failed(text: Vec<u8>) -> Failure {
    Failure::new(text).with_status(255)
}
