//! `ip link set` of ss060323: it was made of ioctls then. Its errors tell which of them failed, and its status is iproute2's
//! exit(-1).

use nix::errno::Errno;

use super::wanted::Flags;
use super::{hardware, number};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::ip::words::Words;
use crate::ip::{Options, duplicate, garbage, usage, wrong};
use crate::kernel::{IFNAMSIZ, Kernel, flag};
use crate::texts::iproute2::{flags_not_set, ioctl_failed};

/// What is asked for.
#[derive(Default)]
struct Wanted<'a> {
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

/// A flag's keyword, the flag, whether `on` sets or clears it, and what the complaint calls it.
const FLAGS: [(&str, u32, bool, &str); 6] = [
    ("multicast", flag::MULTICAST, true, "multicast"),
    ("allmulticast", flag::ALLMULTI, true, "allmulticast"),
    ("promisc", flag::PROMISC, true, "promisc"),
    ("trailers", flag::NOTRAILERS, false, "trailers"),
    ("arp", flag::NOARP, false, "noarp"),
    ("dynamic", flag::DYNAMIC, true, "dynamic"),
];

impl<'a> Wanted<'a> {
    /// Reads the words, in any order. What is no keyword is the link.
    fn parse(options: Options, mut words: Words<'a>) -> Result<Self, Failure> {
        let mut wanted = Wanted::default();
        while let Some(word) = words.next() {
            let is = |keyword: &str| word == keyword.as_bytes();
            let begins = |keyword| options.means(word, keyword);
            match () {
                () if is("up") => wanted.flags.change(flag::UP, true),
                () if is("down") => wanted.flags.change(flag::UP, false),
                () if is("name") => wanted.name = Some(words.operand()?),
                () if begins("address") => wanted.address = Some(words.operand()?),
                () if begins("broadcast") || is("brd") => wanted.broadcast = Some(words.operand()?),
                () if begins("txqueuelen") || is("qlen") || begins("txqlen") => {
                    put(&mut wanted.queue_length, "txqueuelen", words.operand()?)?;
                }
                () if is("mtu") => put(&mut wanted.mtu, "mtu", words.operand()?)?,
                () => {
                    match FLAGS.iter().find(|(keyword, ..)| is(keyword) || *keyword == "dynamic" && begins(keyword)) {
                        Some((_, flag, when, name)) => match words.operand()? {
                            b"on" => wanted.flags.change(*flag, *when),
                            b"off" => wanted.flags.change(*flag, !*when),
                            _ => {
                                return Err(failed(line!(
                                    "Error: argument of \"",
                                    name,
                                    "\" must be \"on\" or \"off\""
                                )));
                            }
                        },
                        None => {
                            let device = if is("dev") { words.operand()? } else { word };
                            if options.means(device, "help") {
                                return Err(usage());
                            }
                            if wanted.device.replace(device).is_some() {
                                return Err(garbage("dev", device));
                            }
                        }
                    }
                }
            }
        }
        Ok(wanted)
    }
}

fn put(place: &mut Option<i32>, name: &str, word: &[u8]) -> Outcome {
    if place.is_some_and(|number| number != -1) {
        return Err(duplicate(name, word));
    }
    let number = number::integer(word).ok_or_else(|| wrong(word, &format!("Invalid \"{name}\" value\n")))?;
    *place = Some(number);
    Ok(())
}

/// `ip link set [dev] DEVICE ...`: all words are read first, then what they ask for is done in this order, up to the first
/// failure.
pub(super) fn set(call: &mut Call, options: Options, words: Words) -> Outcome {
    let kernel = call.kernel;
    let wanted = Wanted::parse(options, words)?;
    let given =
        wanted.device.ok_or_else(|| failed(line!("Not enough of information: \"dev\" argument is required.")))?;
    let mut device = cut(given);
    let (address, broadcast) = hardware_addresses(kernel, options, device, &wanted)?;
    if let Some(name) = wanted.name.filter(|name| *name != given) {
        kernel.rename_link(device, cut(name)).map_err(|errno| ioctl_failed("SIOCSIFNAME", errno))?;
        device = cut(name);
    }
    if let Some(length) = wanted.queue_length.filter(|length| *length != -1) {
        let set = match u32::try_from(length) {
            Ok(length) => kernel.set_queue_length(device, length),
            Err(_) => Err(Errno::EINVAL),
        };
        // it had lost a letter
        set.map_err(|errno| ioctl_failed("SIOCSIFXQLEN", errno))?;
    }
    if let Some(mtu) = wanted.mtu.filter(|mtu| *mtu != -1) {
        kernel.set_link_mtu(device, mtu).map_err(|errno| ioctl_failed("SIOCSIFMTU", errno))?;
    }
    if let Some(broadcast) = broadcast {
        kernel.set_link_broadcast(device, &broadcast).map_err(|errno| ioctl_failed("SIOCSIFHWBROADCAST", errno))?;
    }
    if let Some(address) = address {
        kernel.set_link_address(device, &address).map_err(|errno| ioctl_failed("SIOCSIFHWADDR", errno))?;
    }
    match wanted.flags.mask {
        0 => Ok(()),
        mask => kernel.set_link_flags(device, wanted.flags.set, mask).map_err(|errno| flags_not_set(device, errno)),
    }
}

/// As the kernel cuts a name that is too long.
fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(IFNAMSIZ - 1)]
}

type Hardware = Option<Vec<u8>>;

/// The hardware addresses that are asked for, which must be as long as the link's own. ss060323 learnt that from a packet
/// socket, which takes privilege.
fn hardware_addresses(
    kernel: &Kernel,
    options: Options,
    device: &[u8],
    wanted: &Wanted,
) -> Result<(Hardware, Hardware), Failure> {
    if wanted.address.or(wanted.broadcast).is_none() {
        return Ok((None, None));
    }
    if !kernel.may_administer(device) {
        return Err(ioctl_failed("socket(PF_PACKET)", Errno::EPERM));
    }
    kernel.link_index(device).map_err(|errno| ioctl_failed("SIOCGIFINDEX", errno))?;
    let length = kernel.address_length(device);
    let read = |word: Option<&[u8]>| -> Result<Hardware, Failure> {
        let Some(word) = word else { return Ok(None) };
        let address = hardware::address(options.era, word).map_err(|failure| failure.with_status(255))?;
        match length {
            Some(length) if length != address.len() => {
                // its reader had put an end to the text at the first colon
                let first = word.split(|&byte| byte == b':').next().unwrap_or(word);
                let length = length.to_string();
                Err(failed(line!("Wrong address (", first, ") length: expected ", length, " bytes")))
            }
            _ => Ok(Some(address)),
        }
    };
    Ok((read(wanted.address)?, read(wanted.broadcast)?))
}

fn failed(text: Vec<u8>) -> Failure {
    Failure::new(text).with_status(255)
}
