//! brouter: a Xen host's virtual network in one small program.
//!
//! A *brouter* is a bridge with an address of its own: guests are attached to it, and the host routes between them and the
//! world. `network-virtual` makes one as Xen3's script of that name did, `vif-bridge` attaches guests to it; `brctl` and `ip`
//! are the commands for the rest, byte for byte as bridge-utils and iproute2 print, without netlink.
//!
//! # The map of the house
//! - [`applet`]: the one table of commands, and how a process becomes one of them.
//! - [`brouter`]: the program that is all others, and its own commands `up`, `down` and `status`.
//! - [`brctl`], [`ip`], [`xen`]: a command each (or a family). A command is a grammar, which turns arguments into plain values,
//!   and a formatter; in between it calls the kernel's verbs.
//! - [`net`]: values of the network and their text, without system calls.
//! - [`kernel`]: the only door to the kernel: ioctls, /sys/class/net, /proc/net.
//! - [`era`]: which tools are followed, today's or those of 2006, and what differs.
//! - [`error`]: why a command stops; the texts of errno.
//! - [`json`]: JSON values and their text.
//! - [`program`]: other programs that are run.
//! - [`stdio`]: standard output as C buffers it.
//!
//! # The rules
//! 1. No netlink, not even through a library. A test traces the programs.
//! 2. `unsafe` in `kernel/ioctl.rs` alone.
//! 3. A request flows in one direction: arguments, parser, plain value, checks, kernel verbs, formatter, exit status. Nothing
//!    below a command's own file reads arguments or the environment; [`applet::start`] alone prints a failure and exits.
//! 4. Everything is checked before anything is changed.
//! 5. A name is checked before it becomes part of a path ([`kernel::is_path_safe`]).
//! 6. What an original prints comes from our own tables, never from the C library.

pub mod applet;
pub mod brctl;
pub mod brouter;
pub mod era;
pub mod error;
pub mod ip;
pub mod json;
pub mod kernel;
pub mod net;
pub mod program;
pub mod stdio;
pub mod xen;

/// Only in programs that the Makefile links with musl without a musl target.
#[cfg(musl_link)]
#[path = "../compat/musl/no_unwind.rs"]
mod no_unwind;
