//! The entry point of a program.

/// Only in the static programs that the Makefile makes, whose entry point it has.
#[cfg(static_program)]
#[path = "../compat/musl/start.rs"]
pub mod start;

/// Defines the entry point of a program: a command, and the commands that it may find by name.
#[cfg(not(static_program))]
#[macro_export]
macro_rules! program {
    ($run:expr, $applets:expr) => {
        fn main() -> std::process::ExitCode {
            $crate::call::start(std::env::args_os(), $applets, $run).into()
        }
    };
}
