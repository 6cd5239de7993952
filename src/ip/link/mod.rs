//! `ip link`: links without their addresses.
//!
//! [`wanted`] reads the words after `add`, `set` and `delete`, [`bridge`] those after `type bridge`; [`hardware`] and [`number`]
//! read what may stand there. What netlink applies in one request is applied here step by step, in the order of the kernel.

pub mod add;
mod apply;
mod bridge;
mod by_ioctl;
pub mod delete;
mod hardware;
pub(in crate::ip) mod number;
pub mod set;
pub mod show;
mod wanted;

use std::ffi::OsString;

use nix::errno::Errno;

use super::words::{Words, is_short_for};
use super::{Options, complete, explained, needs_netlink, no_such_device, print, refused, unknown_command, usage};
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::kernel::{Kernel, LinkFile};
use wanted::Wanted;
pub(in crate::ip) use wanted::is_name;

/// A command of the object.
struct Command {
    name: &'static str,
    run: fn(&mut Call, Options, Words) -> Outcome,
}

/// In the order in which iproute2 tries them: a word means the first of which it is the beginning.
const COMMANDS: [Command; 12] = [
    Command { name: "add", run: |call, _, words| add::add(call, words, false) },
    Command { name: "set", run: |call, _, words| set::set(call, words) },
    Command { name: "change", run: |call, _, words| set::set(call, words) },
    Command { name: "replace", run: |call, _, words| add::add(call, words, true) },
    Command { name: "delete", run: |call, _, words| delete::delete(call, words) },
    Command { name: "show", run: show::show },
    Command { name: "lst", run: show::show },
    Command { name: "list", run: show::show },
    Command { name: "xstats", run: |_, _, _| Err(needs_netlink(b"xstats", "see `ip -s link`")) },
    Command { name: "afstats", run: |_, _, _| Err(needs_netlink(b"afstats", "see `ip -s link`")) },
    Command { name: "property", run: |_, _, _| Err(needs_netlink(b"an alternative name", "no ioctl gives one")) },
    Command { name: "help", run: help },
];

/// The same of ss060323.
const COMMANDS_OF_2006: [Command; 5] = [
    Command { name: "set", run: by_ioctl::set },
    Command { name: "show", run: show::show },
    Command { name: "lst", run: show::show },
    Command { name: "list", run: show::show },
    Command { name: "help", run: |_, _, _| Err(usage()) },
];

/// `ip link [COMMAND ...]`
pub(super) fn run(call: &mut Call, options: Options, mut words: Words) -> Outcome {
    let Some(word) = words.next() else { return show::show(call, options, words) };
    let commands = match options.era {
        Era::Of2006 => &COMMANDS_OF_2006[..],
        Era::Today => &COMMANDS[..],
    };
    match commands.iter().find(|command| options.means(word, command.name)) {
        Some(command) => (command.run)(call, options, words),
        None => Err(unknown_command(word, "link")),
    }
}

/// `ip link help [KIND]`
fn help(call: &mut Call, _: Options, mut words: Words) -> Outcome {
    match words.next() {
        Some(b"bridge") => print(call.out, bridge::USAGE),
        _ => return Err(usage()),
    }
    Ok(())
}

/// The proper name of a link that may be called by another name, by a label, or `ifN` by its index.
pub(in crate::ip) fn find(kernel: &Kernel, word: &[u8]) -> Result<OsString, Failure> {
    if let Ok(name) = kernel.proper_name(word) {
        return Ok(name);
    }
    match by_index(word) {
        // iproute2 asks the kernel for any index, which looks at the privilege first
        Some(index) => kernel.link_name(index).map_err(|_| match check_privilege(kernel, LOOPBACK) {
            Ok(()) => refused(Errno::ENODEV),
            Err(failure) => failure,
        }),
        None => Err(no_such_device(word)),
    }
}

/// The index that is meant by `ifN`.
fn by_index(word: &[u8]) -> Option<i32> {
    Some(number::leading(word.strip_prefix(b"if")?)).filter(|index| *index > 0)
}

/// What is said of a word that only netlink can do.
fn beyond_ioctls(word: &str) -> Failure {
    let instead = match word {
        "netns" => "no ioctl moves a link to another namespace",
        "index" | "numtxqueues" | "numrxqueues" => "the kernel chooses it for a new link",
        "vrf" => "no ioctl makes a link part of one",
        _ => "no ioctl sets it",
    };
    needs_netlink(word.as_bytes(), instead)
}

/// An index is for new links.
fn refuse_index(wanted: &Wanted) -> Outcome {
    let text = "index can be used only when creating devices or when moving device to another netns.";
    match wanted.index {
        Some(_) if !wanted.netns() => Err(Failure::new(line!(text)).with_status(255)),
        _ => Ok(()),
    }
}

fn no_device_given() -> Failure {
    Failure::new(line!("Not enough information: \"dev\" argument is required.")).with_status(255)
}

fn no_tun_by_netlink() -> Failure {
    explained(Errno::EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported.")
}

/// What the kernel finds wrong with a bridge's hardware address before it looks whether there is such a link.
fn check_bridge_address(wanted: &Wanted) -> Outcome {
    match wanted.address.as_deref() {
        None => Ok(()),
        Some(address) if address.len() != 6 => Err(refused(Errno::EINVAL)),
        Some(address) if address[0] & 1 != 0 || address == [0; 6] => Err(refused(Errno::EADDRNOTAVAIL)),
        Some(_) => Ok(()),
    }
}

/// The kernel looks at the privilege before anything else.
fn check_privilege(kernel: &Kernel, device: &[u8]) -> Outcome {
    if kernel.may_administer(device) { Ok(()) } else { Err(refused(Errno::EPERM)) }
}

/// The link that is always there.
const LOOPBACK: &[u8] = b"lo";

/// The links of a group.
fn group_members(kernel: &Kernel, group: u32) -> Result<Vec<OsString>, Failure> {
    check_privilege(kernel, LOOPBACK)?;
    let links = kernel.link_names().unwrap_or_default();
    complete(kernel)?;
    // not before the links are known: by the loopback alone, /sys could be that of any namespace
    if !kernel.has_link_file(LOOPBACK, LinkFile::GROUP) {
        return Err(needs_netlink(b"a group", "or /sys, which tells who is in it"));
    }
    let names = links.into_iter().map(|(_, name)| name);
    Ok(names.filter(|name| kernel.link_group(name.as_encoded_bytes()) == Some(group)).collect())
}

/// Kinds of links that iproute2 knows, with a blank between them.
const KINDS: &str = "amt bareudp batadv bond bond_slave bridge bridge_slave can dsa dummy erspan geneve gre gretap gtp hsr ifb \
    ip6erspan ip6gre ip6gretap ip6tnl ipip ipoib ipvlan ipvtap macsec macvlan macvtap netdevsim nlmon rmnet sit team \
    team_slave tun vcan veth vlan vrf vti vxcan vxlan wireguard wwan";

fn is_kind(word: &[u8]) -> bool {
    KINDS.split(' ').any(|kind| kind.as_bytes() == word)
}

/// What follows `type`, read and found to be of a kind that can be handled.
enum Kind {
    /// A bridge, with values.
    Bridge(bridge::Values),
    /// Another one, with nothing behind it.
    Bare,
    /// Another one, with words that are netlink's.
    Beyond,
}

impl Kind {
    /// Reads the words behind the kind's name.
    fn parse(name: &[u8], mut words: Words) -> Result<Self, Failure> {
        if name == b"bridge" {
            return bridge::Values::parse(words).map(Kind::Bridge);
        }
        match words.next() {
            None => Ok(Kind::Bare),
            Some(_) if is_kind(name) => Ok(Kind::Beyond),
            Some(word) => Err(not_understood(word)),
        }
    }
}

/// A word behind a kind that has none.
fn not_understood(word: &[u8]) -> Failure {
    match is_short_for(word, "help") {
        true => usage(),
        false => Failure::new(line!("Garbage instead of arguments \"", word, " ...\". Try \"ip link help\".")),
    }
}

#[cfg(test)]
mod tests {
    use super::COMMANDS;

    #[test]
    fn commands_have_names_of_their_own() {
        for (place, command) in COMMANDS.iter().enumerate() {
            assert!(COMMANDS[..place].iter().all(|other| other.name != command.name), "{} twice", command.name);
        }
    }
}
