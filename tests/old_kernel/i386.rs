//! Calls of 32-bit programs on an x86 kernel, which has for them numbers of its own (arch/x86/entry/syscalls/syscall_32.tbl) and
//! several calls in one (socketcall). The rules know the numbers of x86_64.

use nix::libc::{self, c_long};

/// socketcall(2)
pub(super) const SOCKETCALL: u64 = 102;

/// The numbers of calls that the rules know: that of i386, that of x86_64.
const NUMBERS: [(u64, c_long); 23] = [
    (5, libc::SYS_open),
    (55, libc::SYS_fcntl),
    (122, libc::SYS_uname),
    (163, libc::SYS_mremap),
    (172, libc::SYS_prctl),
    (187, libc::SYS_sendfile),
    (219, libc::SYS_madvise),
    (221, libc::SYS_fcntl),    // fcntl64
    (239, libc::SYS_sendfile), // sendfile64
    (240, libc::SYS_futex),
    (295, libc::SYS_openat),
    (298, libc::SYS_fchownat),
    (300, libc::SYS_newfstatat), // fstatat64
    (308, libc::SYS_pselect6),
    (309, libc::SYS_ppoll),
    (331, libc::SYS_pipe2),
    (359, libc::SYS_socket),
    (360, libc::SYS_socketpair),
    (365, libc::SYS_getsockopt),
    (383, libc::SYS_statx),
    (403, libc::SYS_clock_gettime), // clock_gettime64
    (414, libc::SYS_ppoll),         // ppoll_time64
    (422, libc::SYS_futex),         // futex_time64
];

/// Calls that musl tries first: those for sockets (4.3), then it uses socketcall; those with times of 64 bits (5.1), then it uses
/// those with 32.
const SOCKETS: std::ops::RangeInclusive<u64> = 359..=373;
const WITH_TIMES_OF_64_BITS: std::ops::RangeInclusive<u64> = 403..=424;

/// Returns the call that a number stands for; `None` for one that no rule knows.
pub(super) fn call(number: u64) -> Option<c_long> {
    NUMBERS.iter().find(|(here, _)| *here == number).map(|(_, there)| *there)
}

/// Returns the call in a socketcall (linux/net.h); `None` for one that no rule knows.
pub(super) fn socketcall(subcall: u64) -> Option<c_long> {
    match subcall {
        1 => Some(libc::SYS_socket),
        8 => Some(libc::SYS_socketpair),
        15 => Some(libc::SYS_getsockopt),
        _ => None,
    }
}

/// Returns whether musl tries a call that an old kernel lacks, and has a fallback.
pub(super) fn is_tried(number: u64) -> bool {
    SOCKETS.contains(&number) || WITH_TIMES_OF_64_BITS.contains(&number)
}
