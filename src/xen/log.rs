//! What Xen's hotplug scripts report, where an administrator looks for it.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, SockType, UnixAddr, sendto};

use crate::error::line;
use crate::kernel::{Kernel, open_socket};

/// Where the scripts' errors are collected, since Xen 3.1.
const FILE: &str = "/var/log/xen/xen-hotplug.log";

/// Facility and severity of a message to syslog (syslog.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// LOG_DAEMON, LOG_ERR
    Error,
    /// LOG_DAEMON, LOG_DEBUG
    Debug,
}

/// Tells syslog, where there is one.
pub fn tell_syslog(program: &str, level: Level, text: &[u8]) {
    let priority = match level {
        Level::Error => "<27>",
        Level::Debug => "<31>",
    };
    let message = [priority.as_bytes(), program.as_bytes(), b": ", text].concat();
    // nobody is waited for: the network comes first
    let _ = open_socket(AddressFamily::Unix, SockType::Datagram)
        .and_then(|socket| sendto(socket.as_raw_fd(), &message, &UnixAddr::new("/dev/log")?, MsgFlags::MSG_DONTWAIT));
}

/// Reports an error to syslog and in the scripts' file. Whether the file could be written is returned.
pub fn error(kernel: &Kernel, program: &str, text: &[u8]) -> bool {
    tell_syslog(program, Level::Error, text);
    note(kernel, program, text)
}

/// Notes in the scripts' file what stops nothing.
pub fn note(kernel: &Kernel, program: &str, text: &[u8]) -> bool {
    let file = File::options().append(true).create(true).open(kernel.path(FILE));
    file.and_then(|mut file| file.write_all(&line!(program, ": ", text))).is_ok()
}
