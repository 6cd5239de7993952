//! The log of Xen's hotplug scripts: syslog, and the file to which their standard error goes.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, SockType, UnixAddr, sendto};

use crate::error::{line, one_line};
use crate::kernel::{Kernel, open_socket};

/// The file of the scripts' errors, since Xen 3.1.
const FILE: &str = "/var/log/xen/xen-hotplug.log";

/// Facility LOG_DAEMON with a severity, as syslog(3) puts them before a message.
const LOG_ERR: &str = "<27>";
const LOG_DEBUG: &str = "<31>";

/// The log, as one program writes to it: each message is one line, whatever it quotes.
#[derive(Clone, Copy)]
pub struct Log<'a> {
    kernel: &'a Kernel,
    program: &'static str,
}

impl<'a> Log<'a> {
    /// Returns the log for messages of a program.
    pub fn new(kernel: &'a Kernel, program: &'static str) -> Self {
        Log { kernel, program }
    }

    /// Writes an error to syslog and to the file. Returns whether the file could be written.
    pub fn error(self, text: &[u8]) -> bool {
        self.syslog(LOG_ERR, text);
        self.note(text)
    }

    /// Writes a remark to the file. Returns whether it could be written.
    pub fn note(self, text: &[u8]) -> bool {
        let file = File::options().append(true).create(true).open(self.kernel.path(FILE));
        file.and_then(|mut file| file.write_all(&line!(self.program, ": ", one_line(text)))).is_ok()
    }

    /// Writes a success to syslog.
    pub fn debug(self, text: &[u8]) {
        self.syslog(LOG_DEBUG, text);
    }

    /// Sends a message to syslog if it runs and can take it at once: the network comes first.
    fn syslog(self, priority: &str, text: &[u8]) {
        let message = [priority.as_bytes(), self.program.as_bytes(), b": ", &one_line(text)].concat();
        let _ = open_socket(AddressFamily::Unix, SockType::Datagram).and_then(|socket| {
            sendto(socket.as_raw_fd(), &message, &UnixAddr::new("/dev/log")?, MsgFlags::MSG_DONTWAIT)
        });
    }
}
