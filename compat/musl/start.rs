//! How a static program starts: its C library calls `main`, and no runtime of Rust's is in between.
//!
//! The runtime makes thirteen system calls. Two of them are needed and made here; the others are for a text about a stack that
//! overflowed.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use crate::call::{self, Applet, Run};

/// Defines the entry point of a program: a command, and the commands that it may find by name. It is C's `main`, so the program's file
/// says `#![cfg_attr(static_program, no_main)]` too.
#[macro_export]
macro_rules! program {
    ($run:expr, $applets:expr) => {
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(count: std::ffi::c_int, words: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: the C library passes the arguments of the process.
            unsafe { $crate::entry::start::main(count, words, $applets, $run) }
        }
    };
}

/// Runs a command with the arguments of C's `main`. Returns the exit status.
///
/// # Safety
/// `words` points to `count` strings, as C promises to `main`.
pub unsafe fn main(count: c_int, words: *const *const c_char, applets: &'static [&'static Applet], run: Run) -> c_int {
    open_standard_files();
    // a reader that has gone is an error of write(2), as in all of Rust's programs
    // SAFETY: no function of this program is called by the signal.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let word = |at: usize| -> OsString {
        // SAFETY: there are `count` words, which live as long as the process.
        OsStr::from_bytes(unsafe { CStr::from_ptr(*words.add(at)) }.to_bytes()).to_owned()
    };
    call::start((0..count as usize).map(word), applets, run).into()
}

/// Opens a file in the place of each standard one that is closed: what the program opens next would be taken for it.
fn open_standard_files() {
    let mut files = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: the array has three entries.
    if unsafe { libc::poll(files.as_mut_ptr(), 3, 0) } <= 0 {
        return;
    }
    for _ in files.iter().filter(|file| file.revents & libc::POLLNVAL != 0) {
        // the lowest number that is free; a folder can neither be read nor written, like a file that is closed
        // SAFETY: both paths end with NUL.
        unsafe {
            if libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) == -1 {
                libc::open(c"/".as_ptr(), libc::O_RDONLY);
            }
        }
    }
}
