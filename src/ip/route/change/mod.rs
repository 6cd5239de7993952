//! `ip route add`, `change`, `replace`, `append`, `prepend` and `test`.

mod v4;
mod v6;

use ipnet::IpNet;
use nix::errno::Errno;

use super::wanted::Wanted;
use crate::call::Call;
use crate::error::{Failure, Outcome};
use crate::ip::words::Words;
use crate::ip::{Options, needs_netlink, refused};

/// What is to become of a route, and of those to the same network with the same metric: its twins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Made if it has no twin.
    Add,
    /// Put in its first twin's place; it must have one.
    Change,
    /// Put in its first twin's place if it has one, else made.
    Replace,
    /// Put behind its twins.
    Append,
    /// Put before its twins.
    Prepend,
    /// Only looked for, says iproute2; the kernel makes IPv6 routes all the same.
    Test,
}

impl Verb {
    fn is_exclusive(self) -> bool {
        matches!(self, Verb::Add | Verb::Test)
    }
}

/// `ip route add | change | replace | append | prepend | test [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [metric METRIC]
/// [window NUMBER] [advmss NUMBER] [rtt TIME]`
pub(super) fn change(call: &mut Call, options: Options, words: Words, verb: Verb) -> Outcome {
    let wanted = Wanted::parse(call.kernel, options, words)?;
    // the kernel looks at the privilege first
    if !call.kernel.may_change_routes() {
        return Err(refused(Errno::EPERM));
    }
    match wanted.destination {
        IpNet::V4(destination) => v4::change(call.kernel, &wanted, destination, verb),
        IpNet::V6(destination) => v6::change(call.kernel, &wanted, destination, verb),
    }
}

/// What is asked for and no ioctl can do, whatever the family.
fn beyond_ioctl(wanted: &Wanted) -> Option<Failure> {
    match () {
        () if wanted.beyond.is_some() => {
            let word = wanted.beyond.unwrap_or_default();
            Some(needs_netlink(&[b"a route with ", word].concat(), "leave it out"))
        }
        () if !wanted.is_in_main() => Some(needs_netlink(b"a table besides main", "leave it out")),
        () if !matches!(wanted.kind, None | Some(UNICAST | UNREACHABLE)) => {
            Some(needs_netlink(b"a route of this type", "only an unreachable one can be made besides ordinary ones"))
        }
        () => None,
    }
}

/// RTN_* (linux/rtnetlink.h)
const UNICAST: u8 = 1;
const UNREACHABLE: u8 = 7;
