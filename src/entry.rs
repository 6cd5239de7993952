//! The entry point of a program.

/// Only in the static programs that the Makefile makes.
#[cfg(static_program)]
#[path = "../compat/musl/start.rs"]
pub mod start;

/// Defines the entry point of a program: a command, and the commands that it may find by name.
///
/// In a static program that is C's `main`, so the file says `#![cfg_attr(static_program, no_main)]` too.
#[macro_export]
macro_rules! program {
    ($run:expr, $applets:expr) => {
        #[cfg(static_program)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(count: std::ffi::c_int, words: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: the C library passes the arguments of the process.
            unsafe { $crate::entry::start::main(count, words, $applets, $run) }
        }

        #[cfg(not(static_program))]
        fn main() -> std::process::ExitCode {
            $crate::call::start(std::env::args_os(), $applets, $run).into()
        }
    };
}
