//! xenstore, the tree of keys that a Xen host and its guests share, by the protocol of its daemon.
//!
//! A message is four little-endian words (kind, number of the request, transaction, length) and at most 4096 bytes; the answer
//! comes in the same form (xen/include/public/io/xs_wire.h). The same messages go over the daemon's socket and over the device
//! by which other domains than the daemon's reach it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockType, UnixAddr, connect, setsockopt, sockopt::SendTimeout};
use nix::sys::time::TimeVal;

use crate::error::io_text;
use crate::kernel::open_socket;

/// Seconds for which an answer is waited for.
const PATIENCE: u16 = 10;

/// Where the daemon listens, and the devices by which another domain's daemon is reached; in libxenstore's order.
const PLACES: [&str; 4] = ["/var/run/xenstored/socket", "/run/xenstored/socket", "/dev/xen/xenbus", "/proc/xen/xenbus"];

// enum xsd_sockmsg_type
const DIRECTORY: u32 = 1;
const READ: u32 = 2;
const TRANSACTION_START: u32 = 6;
const TRANSACTION_END: u32 = 7;
const WRITE: u32 = 11;
const RM: u32 = 13;
const ERROR: u32 = 16;

/// `XENSTORE_PAYLOAD_MAX`, in bytes.
const PAYLOAD_MAX: usize = 4096;
const HEADER: usize = 16;

/// Why there is no answer, or not the one that was wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The daemon says no, by the name of an errno: `ENOENT`, `EACCES`.
    Refused(String),
    /// The daemon cannot be reached or does not answer, in words.
    Lost(String),
}

type Result<T> = std::result::Result<T, Fault>;

/// A connection to xenstore.
pub struct Store {
    channel: File,
    transaction: u32,
    /// It did not answer once, and is not waited for again.
    is_lost: bool,
}

impl Store {
    /// Connects to the daemon: at `place` (libxenstore's `$XENSTORED_PATH`) or, where none is given, at the usual places.
    ///
    /// # Errors
    /// [`Fault::Lost`].
    pub fn open(place: Option<OsString>) -> Result<Self> {
        let named = place.as_deref().map(Path::new);
        let mut failure = None;
        for place in named.into_iter().chain(PLACES.iter().map(Path::new).filter(|_| named.is_none())) {
            match attach(place).or_else(|error| open_device(place, error)) {
                Ok(channel) => return Ok(Store { channel, transaction: 0, is_lost: false }),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    failure.get_or_insert((place, error));
                }
                // no room to wait in, all the time
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(Fault::Lost("xenstored does not answer".into()));
                }
                // the daemon that was there has gone; by the device it could not be reached either, but waited for without end
                Err(error) => {
                    failure = Some((place, error));
                    break;
                }
            }
        }
        let text = failure.map(|(place, error)| {
            ["cannot reach xenstored at ", &place.to_string_lossy(), ": ", &io_text(&error)].concat()
        });
        Err(Fault::Lost(text.unwrap_or_default()))
    }

    /// The value of a key. It need not be text.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn read(&mut self, key: &str) -> Result<Vec<u8>> {
        self.ask(READ, &[key.as_bytes(), b"\0"])
    }

    /// Sets a key, and makes it and what it lies under if need be.
    ///
    /// # Errors
    /// `EACCES`, `ENOSPC`, `EINVAL` (not a key); [`Fault::Lost`].
    pub fn write(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.ask(WRITE, &[key.as_bytes(), b"\0", value]).map(drop)
    }

    /// Removes a key and what lies under it.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn remove(&mut self, key: &str) -> Result<()> {
        self.ask(RM, &[key.as_bytes(), b"\0"]).map(drop)
    }

    /// The names of what lies directly under a key.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn list(&mut self, key: &str) -> Result<Vec<String>> {
        let names = self.ask(DIRECTORY, &[key.as_bytes(), b"\0"])?;
        let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Sets several keys at once: nobody sees one without the others.
    ///
    /// # Errors
    /// As [`Store::write`]. Nothing is set then.
    pub fn write_together(&mut self, pairs: &[(&str, &[u8])]) -> Result<()> {
        // the daemon refuses what crosses with another's changes
        for _ in 0..100 {
            let number = self.ask(TRANSACTION_START, &[b"\0"])?;
            let number = str::from_utf8(&number).ok().and_then(|text| text.trim_end_matches('\0').parse().ok());
            self.transaction = number.ok_or_else(|| self.lost("made no sense"))?;
            let written = pairs.iter().try_for_each(|(key, value)| self.write(key, value));
            let end: &[u8] = if written.is_ok() { b"T\0" } else { b"F\0" };
            let ended = self.ask(TRANSACTION_END, &[end]);
            self.transaction = 0;
            match written.and(ended) {
                Err(Fault::Refused(errno)) if errno == "EAGAIN" => (),
                other => return other.map(drop),
            }
        }
        Err(Fault::Refused("EAGAIN".into()))
    }

    /// Sends a request and waits for its answer.
    fn ask(&mut self, kind: u32, parts: &[&[u8]]) -> Result<Vec<u8>> {
        if self.is_lost {
            return Err(self.lost("did not answer before"));
        }
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > PAYLOAD_MAX {
            return Err(Fault::Refused("E2BIG".into()));
        }
        let mut message = Vec::with_capacity(HEADER + length);
        for word in [kind, 0, self.transaction, length as u32] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        parts.iter().for_each(|part| message.extend_from_slice(part));
        let answer = self.channel.write_all(&message).and_then(|()| self.answer());
        let (answered, mut payload) = answer.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => self.lost("does not answer"),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => self.lost("has gone"),
            ErrorKind::InvalidData => self.lost("made no sense"),
            _ => self.lost(&io_text(&error)),
        })?;
        if answered == ERROR {
            payload.pop_if(|last| *last == 0);
            return Err(Fault::Refused(String::from_utf8_lossy(&payload).into_owned()));
        }
        if answered == kind { Ok(payload) } else { Err(self.lost("made no sense")) }
    }

    fn answer(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let mut message = [0; HEADER + PAYLOAD_MAX];
        let mut received = 0;
        let mut wanted = HEADER;
        while received < wanted {
            let mut ready = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
            match poll(&mut ready, PollTimeout::from(PATIENCE * 1000)) {
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                Ok(_) => (),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            match self.channel.read(&mut message[received..])? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                more => received += more,
            }
            if received >= HEADER {
                wanted = HEADER + word(&message, 3) as usize;
                if wanted > message.len() {
                    return Err(ErrorKind::InvalidData.into());
                }
            }
        }
        Ok((word(&message, 0), message[HEADER..wanted].to_vec()))
    }

    /// After this nothing is asked any more: an answer that comes late would be taken for that to another request.
    fn lost(&mut self, what: &str) -> Fault {
        self.is_lost = true;
        Fault::Lost(["xenstored ", what].concat())
    }
}

/// A word of a message's header.
fn word(message: &[u8], number: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&message[4 * number..][..4]);
    u32::from_le_bytes(bytes)
}

/// Connects to a socket. Where many wait before us, that takes until the daemon has turned to them.
fn attach(place: &Path) -> io::Result<File> {
    let address = UnixAddr::new(place)?;
    let channel = open_socket(AddressFamily::Unix, SockType::Stream)?;
    setsockopt(&channel, SendTimeout, &TimeVal::new(PATIENCE.into(), 0))?;
    connect(channel.as_raw_fd(), &address)?;
    Ok(File::from(channel))
}

/// Opens the device that is there in place of a socket: to connect to it was refused. So it is where nobody listens to a socket.
fn open_device(place: &Path, error: io::Error) -> io::Result<File> {
    if error.kind() != ErrorKind::ConnectionRefused {
        return Err(error);
    }
    let device = File::options().read(true).write(true).open(place);
    // what open says of a socket
    device.map_err(|other| if other.raw_os_error() == Some(Errno::ENXIO as i32) { error } else { other })
}
