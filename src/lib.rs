//! brouter: a Xen host's virtual network in one small program.
//!
//! A *brouter* is a bridge with an address of its own: guests are attached to it, and the host routes between them and the
//! world. `network-virtual` makes one as Xen3's script of that name did, `vif-bridge` attaches guests to it; `brctl` and `ip`
//! are the commands for the rest, byte for byte as bridge-utils and iproute2 print, without netlink.
//!
//! # The map
//! From the top floor down; imports point down only, and rooms on one floor do not import each other.
//! - [`applet`]: the one table of commands.
//! - [`manage`] (brouter's own `up`, `down`, `status`, `doctor`), [`xen`] (what Xen calls), [`ip`] and [`brctl`]: the commands. A
//!   command is a grammar, which turns arguments into plain values, and a formatter; in between it calls the floors below.
//! - [`call`]: one invocation, and how a process becomes one. [`entry`]: where a program begins.
//! - [`network`]: the engine behind `brouter up` and `network-virtual start`: spec, plan, step, state.
//! - [`inspect`]: one snapshot of the host, read once. `up` compares with it, `status` draws it, `doctor` judges it.
//! - [`firewall`]: the host's firewall, as values. [`xenstore`]: its client. [`lock`]: the locks that hotplug scripts share.
//! - [`program`]: other programs that are run. [`run_file`]: files under /run that no other user can have written.
//! - [`kernel`]: the only door to the kernel: ioctls, /sys/class/net, /proc/net.
//! - [`texts`]: texts of the originals that several commands print. [`error`]: why a command stops; the texts of errno.
//! - [`net`]: values and their text, no system calls. [`era`]: which tools are followed, today's or those of 2006. [`json`],
//!   [`shell`], [`stdio`]: JSON, the shell's words, C's output buffer. [`small_file`]: files that others may have put in place.
//!   [`terminal`]: texts that others have written, as a terminal may be sent them. [`patience`]: time limits.
//!
//! # The rules
//! 1. No netlink, not even through a library. A test traces the programs.
//! 2. `unsafe` in `kernel/ioctl.rs` alone (and, for the static programs, in `compat/musl`).
//! 3. A request flows in one direction: arguments, parser, plain value, checks, kernel verbs, formatter, exit status. A parser
//!    asks nothing of the host; [`call::start`] alone prints a failure and exits.
//! 4. Everything is checked before anything is changed.
//! 5. A name is checked once, where it enters, before it becomes part of a path.
//! 6. Lower floors return typed errors; only a command turns them into text, and nobody parses that text again.
//! 7. What an original prints comes from our own tables, never from the C library.

pub mod applet;
pub mod brctl;
pub mod call;
pub mod entry;
pub mod era;
pub mod error;
pub mod firewall;
pub mod inspect;
pub mod ip;
pub mod json;
pub mod kernel;
pub mod lock;
pub mod manage;
pub mod net;
pub mod network;
pub mod patience;
pub mod program;
pub mod run_file;
pub mod shell;
pub mod small_file;
pub mod stdio;
pub mod terminal;
pub mod texts;
pub mod xen;
pub mod xenstore;

/// Only in the static programs that the Makefile makes.
#[cfg(static_program)]
#[path = "../compat/musl/arena.rs"]
mod arena;
/// Only in the static programs that the Makefile makes.
#[cfg(static_program)]
#[path = "../compat/musl/no_unwind.rs"]
mod no_unwind;
