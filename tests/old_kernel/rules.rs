//! System calls and flags that old kernels lack, for x86_64, from the kernel's history (the system call table of arch/x86_64, and
//! the header or source file that introduced a flag).

use nix::errno::Errno;
use nix::libc::{self, c_long};

/// An emulated kernel.
#[derive(Debug)]
pub(crate) struct OldKernel {
    /// `2.6.N`.
    pub(crate) name: &'static str,
    /// The release in uname.
    pub(super) release: &'static str,
    /// The N of 2.6.N.
    minor: u32,
    /// The highest system call number in its table (include/asm-x86_64/unistd.h).
    newest_call: c_long,
    /// And in that for 32-bit programs (include/asm-i386/unistd.h).
    newest_i386_call: u64,
}

/// The kernel of Xen 3.0; that of Xen 3.1 and Red Hat; that of Debian 6 and Xen 4.
pub(crate) static KERNELS: [OldKernel; 3] = [
    OldKernel {
        name: "2.6.16",
        release: "2.6.16.33-xen",
        minor: 16,
        newest_call: libc::SYS_unshare,
        newest_i386_call: 310,
    },
    OldKernel {
        name: "2.6.18",
        release: "2.6.18.8-xen",
        minor: 18,
        newest_call: libc::SYS_move_pages,
        newest_i386_call: 317,
    },
    OldKernel {
        name: "2.6.32",
        release: "2.6.32.69",
        minor: 32,
        newest_call: libc::SYS_perf_event_open,
        newest_i386_call: 336,
    },
];

/// How a kernel answers a system call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Like the running kernel.
    AsToday,
    /// With this error.
    Refused(Errno),
    /// Like the running kernel without these bits of an argument.
    Without { argument: usize, bits: u64 },
}

/// What was added later.
enum Later {
    /// The implementation of a call that already had a number.
    Call,
    /// These bits of the argument.
    Bits(u64),
    /// These bits of the argument, which were ignored before.
    IgnoredBits(u64),
    /// All values of the argument above this one.
    Over(u64),
}

/// The call, the index of the argument, what was added, in which 2.6.N, and the error before that.
type Rule = (c_long, usize, Later, u32, Errno);

/// Added after the last 2.6.
const LATER: u32 = 40;

const RULES: [Rule; 21] = [
    (libc::SYS_open, 1, Later::IgnoredBits(libc::O_CLOEXEC as u64), 23, Errno::EINVAL),
    (libc::SYS_openat, 2, Later::IgnoredBits(libc::O_CLOEXEC as u64), 23, Errno::EINVAL),
    (libc::SYS_open, 1, Later::IgnoredBits(libc::O_PATH as u64), 39, Errno::EINVAL),
    (libc::SYS_openat, 2, Later::IgnoredBits(libc::O_PATH as u64), 39, Errno::EINVAL),
    // SOCK_CLOEXEC, SOCK_NONBLOCK
    (libc::SYS_socket, 1, Later::Bits(!15), 27, Errno::EINVAL),
    (libc::SYS_socketpair, 1, Later::Bits(!15), 27, Errno::EINVAL),
    // F_DUPFD_CLOEXEC 2.6.24; F_SETPIPE_SZ and above 2.6.35
    (libc::SYS_fcntl, 1, Later::Over(libc::F_NOTIFY as u64), 24, Errno::EINVAL),
    (libc::SYS_fcntl, 1, Later::Over(libc::F_DUPFD_CLOEXEC as u64), 35, Errno::EINVAL),
    // FUTEX_PRIVATE_FLAG 2.6.22, FUTEX_WAIT_BITSET 2.6.25
    (libc::SYS_futex, 1, Later::Bits(libc::FUTEX_PRIVATE_FLAG as u64), 22, Errno::ENOSYS),
    (libc::SYS_futex, 1, Later::Over(8), 25, Errno::ENOSYS),
    // in the table, but not implemented on x86_64 before TIF_RESTORE_SIGMASK
    (libc::SYS_pselect6, 0, Later::Call, 19, Errno::ENOSYS),
    (libc::SYS_ppoll, 0, Later::Call, 19, Errno::ENOSYS),
    // AT_NO_AUTOMOUNT 2.6.38, AT_EMPTY_PATH 2.6.39
    (libc::SYS_newfstatat, 3, Later::Bits(!(libc::AT_SYMLINK_NOFOLLOW as u64)), 38, Errno::EINVAL),
    (libc::SYS_fchownat, 4, Later::Bits(!(libc::AT_SYMLINK_NOFOLLOW as u64)), 38, Errno::EINVAL),
    // MADV_MERGEABLE 2.6.32; MADV_FREE and others
    (libc::SYS_madvise, 2, Later::Over(libc::MADV_DOFORK as u64), 32, Errno::EINVAL),
    (libc::SYS_madvise, 2, Later::Over(libc::MADV_UNMERGEABLE as u64), 38, Errno::EINVAL),
    // to a file 2.6.33
    (libc::SYS_sendfile, 0, Later::Call, 33, Errno::EINVAL),
    (libc::SYS_prctl, 0, Later::Over(libc::PR_SET_ENDIAN as u64), 23, Errno::EINVAL),
    (libc::SYS_prctl, 0, Later::Over(libc::PR_TASK_PERF_EVENTS_ENABLE as u64), LATER, Errno::EINVAL),
    (libc::SYS_mremap, 3, Later::Bits(!3), LATER, Errno::EINVAL),
    // SO_DOMAIN 2.6.32; SO_RXQ_OVFL and above 2.6.33
    (libc::SYS_getsockopt, 2, Later::Over(libc::SO_DOMAIN as u64), 33, Errno::ENOPROTOOPT),
];

/// The entry of the vDSO for system calls (asm/auxvec.h), for 32-bit programs only.
const AT_SYSINFO: u64 = 32;

/// The number of an argument and its value, if the call is tried with that alone.
type Argument = Option<(usize, u64)>;

/// Calls that our programs may try first because they have a fallback; of some only with one value of an argument.
const TRIED: [(c_long, Argument, &str); 6] = [
    (libc::SYS_socket, None, "musl, with SOCK_CLOEXEC; then without it, and fcntl"),
    (libc::SYS_socketpair, None, "musl, with SOCK_CLOEXEC; then without it, and fcntl"),
    (libc::SYS_statx, None, "std; then stat"),
    (libc::SYS_getsockopt, Some((2, libc::SO_NETNS_COOKIE as u64)), "then /proc"),
    (libc::SYS_pipe2, None, "musl; then pipe and fcntl"),
    (libc::SYS_fcntl, Some((1, libc::F_DUPFD_CLOEXEC as u64)), "musl; then F_DUPFD and F_SETFD"),
];

impl OldKernel {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KERNELS.iter().find(|kernel| kernel.name == name)
    }

    /// Returns how this kernel answers a call.
    pub(super) fn answer(&self, call: c_long, arguments: [u64; 6]) -> Answer {
        if call > self.newest_call {
            return Answer::Refused(Errno::ENOSYS);
        }
        self.ruled(call, arguments)
    }

    /// Returns whether this kernel has a call of 32-bit programs, by its number among theirs.
    pub(super) fn has_i386_call(&self, number: u64) -> bool {
        number <= self.newest_i386_call
    }

    /// Returns how this kernel answers a call that it has.
    pub(super) fn ruled(&self, call: c_long, arguments: [u64; 6]) -> Answer {
        for (ruled, argument, later, since, errno) in &RULES {
            // options of other levels, as the packet filter's, have numbers of their own
            if call == libc::SYS_getsockopt && arguments[1] != libc::SOL_SOCKET as u64 {
                continue;
            }
            // flags are ints
            let value = arguments[*argument] & u64::from(u32::MAX);
            match later {
                _ if *ruled != call || self.minor >= *since => (),
                Later::IgnoredBits(bits) if value & bits != 0 => {
                    return Answer::Without { argument: *argument, bits: *bits };
                }
                Later::Call => return Answer::Refused(*errno),
                Later::Bits(bits) if value & bits != 0 => return Answer::Refused(*errno),
                Later::Over(highest) if value > *highest => return Answer::Refused(*errno),
                _ => (),
            }
        }
        Answer::AsToday
    }

    /// Returns whether this kernel passes an entry of the auxiliary vector (linux/auxvec.h). 32-bit programs always got the vDSO.
    pub(super) fn passes(&self, kind: u64, is_i386: bool) -> bool {
        match kind {
            AT_SYSINFO | libc::AT_SYSINFO_EHDR if is_i386 => true,
            libc::AT_SECURE => true,
            libc::AT_SYSINFO_EHDR => self.minor >= 23, // the vDSO
            libc::AT_EXECFN => self.minor >= 27,
            libc::AT_RANDOM => self.minor >= 29,
            kind => kind <= libc::AT_CLKTCK,
        }
    }
}

/// Returns whether our programs may try a call that is rejected.
pub(super) fn is_tried(call: c_long, arguments: [u64; 6]) -> bool {
    TRIED.iter().any(|(tried, only, _)| *tried == call && only.is_none_or(|(at, value)| arguments[at] == value))
}
