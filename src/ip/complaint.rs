//! Complaints about words, in the words of lib/utils.c. Status 255 is iproute2's `exit(-1)`.

use nix::errno::Errno;

use crate::error::{Failure, errno_text, line};
use crate::kernel::Unreadable;

/// `Object "…" is unknown, try "ip help".`
pub(super) fn unknown_object(word: &[u8]) -> Failure {
    Failure::new(line!("Object \"", word, "\" is unknown, try \"ip help\".")).formerly_with_status(255)
}

/// `Command "…" is unknown, try "ip OBJECT help".`
pub(super) fn unknown_command(word: &[u8], object: &str) -> Failure {
    Failure::new(line!("Command \"", word, "\" is unknown, try \"ip ", object, " help\".")).with_status(255)
}

/// `invarg`
pub(super) fn wrong(value: &[u8], reason: &str) -> Failure {
    Failure::new(line!("Error: argument \"", value, "\" is wrong: ", reason)).with_status(255)
}

/// `invarg` where ss060323 exchanges value and reason.
pub(super) fn swapped(value: &[u8], reason: &str) -> Failure {
    wrong(value, reason).formerly(line!("Error: argument \"", reason, "\" is wrong: ", value), 255)
}

/// `duparg`
pub(super) fn duplicate(key: &str, value: &[u8]) -> Failure {
    Failure::new(line!("Error: duplicate \"", key, "\": \"", value, "\" is the second value.")).with_status(255)
}

/// `duparg2`
pub(super) fn garbage(key: &str, value: &[u8]) -> Failure {
    Failure::new(line!("Error: either \"", key, "\" is duplicate, or \"", value, "\" is a garbage.")).with_status(255)
}

/// `incomplete_command`
pub(super) fn incomplete() -> Failure {
    Failure::new(line!("Command line is not complete. Try option \"help\"")).with_status(255)
}

/// `Error: "…" may be inet prefix, but it is not allowed in this context.`
pub(super) fn not_among_links(prefix: impl AsRef<[u8]>) -> Failure {
    let reason = "\" may be inet prefix, but it is not allowed in this context.";
    Failure::new(line!("Error: \"", prefix, reason))
}

/// A file of /proc/net that the command needs. What cannot be read must not look as if it did not exist.
pub(super) fn unreadable(Unreadable { file, errno }: Unreadable) -> Failure {
    Failure::new(line!("ip: cannot read ", file, ": ", errno_text(errno))).with_status(2)
}

/// IPv4 addresses, which come by ioctl.
pub(super) fn ipv4_unreadable(errno: Errno) -> Failure {
    unreadable(Unreadable { file: "IPv4 addresses", errno })
}
