//! A client of xenstore, the tree of keys that a Xen host and its guests share.
//!
//! A message is four little-endian words (kind, request number, transaction, length) and a payload of at most 4096 bytes; an
//! answer has the same form (xen/include/public/io/xs_wire.h). The same messages pass through the daemon's socket and through
//! the device that leads to a daemon in another domain.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockType, UnixAddr, connect, setsockopt, sockopt::SendTimeout};
use nix::sys::time::TimeVal;

use crate::error::errno_text;
use crate::kernel::open_socket;
use crate::patience::Patience;

/// Time to wait for each answer. No other is asked for after one that did not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The daemon's socket, then the device that leads to another domain's daemon, each at two paths: libxenstore's order.
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
/// Bytes before the payload.
const HEADER: usize = 16;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The daemon refused it, with the name of an errno: `ENOENT`, `EACCES`.
    Refused(String),
    /// No connection to the daemon could be made at this place.
    Unreachable {
        /// Socket or device.
        place: PathBuf,
        /// Why not.
        errno: Errno,
    },
    /// The daemon stopped answering. The connection is not used again.
    Lost(Loss),
}

/// How the daemon stopped answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// An answer took more than the time that there was for it.
    Silent,
    /// An earlier request got no answer.
    SilentBefore,
    /// It closed the connection.
    Gone,
    /// Its answer breaks the protocol.
    Garbled,
    /// The connection failed.
    Io(Errno),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(errno) => write!(f, "xenstore: {errno}"),
            Fault::Unreachable { place, errno } => {
                write!(f, "cannot reach xenstored at {}: {}", place.display(), errno_text(*errno))
            }
            Fault::Lost(loss) => write!(f, "xenstored {loss}"),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Silent => "does not answer",
            Loss::SilentBefore => "did not answer before",
            Loss::Gone => "has gone",
            Loss::Garbled => "made no sense",
            Loss::Io(errno) => errno_text(*errno),
        })
    }
}

type Result<T> = std::result::Result<T, Fault>;

/// Requests of one kind that were sent, and whose answers have not been received.
pub struct Sent {
    kind: u32,
    messages: Vec<Vec<u8>>,
    /// Whether they went out.
    went_out: Result<()>,
}

/// A connection to xenstore.
pub struct Store {
    channel: File,
    /// It leads to a device, not to a socket.
    is_device: bool,
    /// Where it leads.
    place: PathBuf,
    /// Bytes received of answers that have not been asked for yet.
    received: Vec<u8>,
    /// Time to wait for each answer.
    patience: Duration,
    transaction: u32,
    /// A request got no answer.
    is_lost: bool,
    /// It has been made anew, which is done once.
    is_second: bool,
}

impl Store {
    /// Connects to the daemon at `place` (libxenstore's `$XENSTORED_PATH`) or, without one, at the first of the usual places
    /// that exists. Each answer may take ten seconds.
    ///
    /// # Errors
    /// [`Fault::Unreachable`]; [`Fault::Lost`] if the queue in front of the daemon stays full.
    pub fn open(place: Option<OsString>) -> Result<Self> {
        Store::open_within(place, PATIENCE)
    }

    /// Connects as [`Store::open`], with another time for each answer.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_within(place: Option<OsString>, patience: Duration) -> Result<Self> {
        let places: Vec<PathBuf> = match place {
            Some(place) => vec![place.into()],
            None => PLACES.map(PathBuf::from).into(),
        };
        for place in &places {
            match connect_to(place, patience) {
                Ok((channel, is_device)) => {
                    let place = place.clone();
                    return Ok(Store {
                        channel,
                        is_device,
                        place,
                        received: Vec::new(),
                        patience,
                        transaction: 0,
                        is_lost: false,
                        is_second: false,
                    });
                }
                Err(Errno::ENOENT) => (),
                Err(Errno::EAGAIN) => return Err(Fault::Lost(Loss::Silent)),
                // the daemon has gone: its domain has no other, and the device would block for ever
                Err(errno) => return Err(Fault::Unreachable { place: place.clone(), errno }),
            }
        }
        Err(Fault::Unreachable { place: places[0].clone(), errno: Errno::ENOENT })
    }

    /// Returns the value of a key, which need not be text.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn read(&mut self, key: &str) -> Result<Vec<u8>> {
        self.ask(READ, &[key.as_bytes(), b"\0"])
    }

    /// Sets a key; creates it and its parents if they are missing.
    ///
    /// # Errors
    /// `EACCES`, `ENOSPC`, `EINVAL` (not a key); [`Fault::Lost`].
    pub fn write(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.ask(WRITE, &[key.as_bytes(), b"\0", value]).map(drop)
    }

    /// Asks for the values of several keys. The answers must be received by [`Store::receive`] before anything else is asked.
    ///
    /// # Errors
    /// A key is too long. Whether the requests went out is said with the answers.
    pub fn send_reads(&mut self, keys: &[String]) -> Result<Sent> {
        let requests: Result<Vec<_>> = keys.iter().map(|key| self.message(READ, &[key.as_bytes(), b"\0"])).collect();
        Ok(self.send(READ, requests?))
    }

    /// Asks to set a key as [`Store::write`], whose answer is received by [`Store::receive`].
    ///
    /// # Errors
    /// Those of [`Store::send_reads`].
    pub fn send_write(&mut self, key: &str, value: &[u8]) -> Result<Sent> {
        let request = self.message(WRITE, &[key.as_bytes(), b"\0", value])?;
        Ok(self.send(WRITE, vec![request]))
    }

    /// Receives the answers to what was sent, each as [`Store::read`] and [`Store::write`] return it.
    ///
    /// # Errors
    /// [`Fault::Lost`].
    pub fn receive(&mut self, sent: Sent) -> Result<Vec<Result<Vec<u8>>>> {
        let Sent { kind, messages, went_out } = sent;
        let receive = |store: &mut Self| {
            let one = |_| store.talk(Store::answer).map(|answer| store.payload(kind, answer));
            (0..messages.len()).map(one).collect()
        };
        match went_out.and_then(|()| receive(self)) {
            Err(Fault::Lost(loss)) if self.reconnect(loss) => {
                self.send_all(&messages)?;
                receive(self)
            }
            answers => answers,
        }
    }

    /// Sends requests of one kind that may be sent twice.
    fn send(&mut self, kind: u32, messages: Vec<Vec<u8>>) -> Sent {
        let went_out = self.send_all(&messages);
        Sent { kind, messages, went_out }
    }

    fn send_all(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        self.talk(|store| match store.is_device {
            // it takes one message in each call
            true => messages.iter().try_for_each(|message| store.channel.write_all(message)),
            false => store.channel.write_all(&messages.concat()),
        })
    }

    /// Removes a key and everything below it.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn remove(&mut self, key: &str) -> Result<()> {
        self.ask(RM, &[key.as_bytes(), b"\0"]).map(drop)
    }

    /// Returns the names directly below a key.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`; [`Fault::Lost`].
    pub fn list(&mut self, key: &str) -> Result<Vec<String>> {
        let names = self.ask(DIRECTORY, &[key.as_bytes(), b"\0"])?;
        let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Sets several keys in one transaction.
    ///
    /// # Errors
    /// Those of [`Store::write`]; none of the keys is set then.
    pub fn write_together(&mut self, pairs: &[(&str, &[u8])]) -> Result<()> {
        // the daemon refuses a transaction that conflicts with another's
        for _ in 0..100 {
            match self.try_transaction(pairs) {
                Err(Fault::Refused(errno)) if errno == "EAGAIN" => (),
                // a transaction ends with its connection
                Err(Fault::Lost(loss)) if self.reconnect(loss) => (),
                other => return other,
            }
        }
        Err(Fault::Refused("EAGAIN".into()))
    }

    fn try_transaction(&mut self, pairs: &[(&str, &[u8])]) -> Result<()> {
        let number = self.ask(TRANSACTION_START, &[b"\0"])?;
        let number = str::from_utf8(&number).ok().and_then(|text| text.trim_end_matches('\0').parse().ok());
        self.transaction = number.ok_or_else(|| self.lost(Loss::Garbled))?;
        let written = pairs.iter().try_for_each(|(key, value)| self.write(key, value));
        let end: &[u8] = if written.is_ok() { b"T\0" } else { b"F\0" };
        let ended = if self.is_lost { Ok(Vec::new()) } else { self.ask(TRANSACTION_END, &[end]) };
        self.transaction = 0;
        written.and(ended.map(drop))
    }

    /// Sends a request and returns the payload of its answer.
    fn ask(&mut self, kind: u32, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let message = self.message(kind, parts)?;
        let answer = match self.exchange(&message) {
            // each request but these may be sent twice
            Err(Fault::Lost(loss)) if self.transaction == 0 && kind != RM && self.reconnect(loss) => {
                self.exchange(&message)
            }
            answer => answer,
        };
        let answer = answer?;
        self.payload(kind, answer)
    }

    /// Returns a request as it is sent.
    fn message(&self, kind: u32, parts: &[&[u8]]) -> Result<Vec<u8>> {
        if self.is_lost {
            return Err(Fault::Lost(Loss::SilentBefore));
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
        Ok(message)
    }

    /// Returns what an answer to a request of a kind brings.
    fn payload(&mut self, kind: u32, (answered, mut payload): (u32, Vec<u8>)) -> Result<Vec<u8>> {
        if answered == ERROR {
            payload.pop_if(|last| *last == 0);
            return Err(Fault::Refused(String::from_utf8_lossy(&payload).into_owned()));
        }
        if answered == kind { Ok(payload) } else { Err(self.lost(Loss::Garbled)) }
    }

    /// Sends a message and receives its answer.
    fn exchange(&mut self, message: &[u8]) -> Result<(u32, Vec<u8>)> {
        self.talk(|store| store.channel.write_all(message).and_then(|()| store.answer()))
    }

    /// Sends or receives; gives the connection up if that fails.
    fn talk<T>(&mut self, act: impl FnOnce(&mut Self) -> io::Result<T>) -> Result<T> {
        act(self).map_err(|error| match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.lost(Loss::Silent),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => self.lost(Loss::Gone),
            ErrorKind::InvalidData => self.lost(Loss::Garbled),
            _ => self.lost(Loss::Io(errno_of(&error))),
        })
    }

    /// Makes a connection anew that was lost in this way, once: a daemon may have been started again. Returns whether that was done.
    fn reconnect(&mut self, loss: Loss) -> bool {
        if self.is_second || !matches!(loss, Loss::Gone | Loss::Io(_)) {
            return false;
        }
        self.is_second = true;
        let Ok((channel, is_device)) = connect_to(&self.place, self.patience) else { return false };
        self.channel = channel;
        self.is_device = is_device;
        self.received.clear();
        self.is_lost = false;
        true
    }

    /// Receives one message; returns its kind and payload. What follows it is kept for the next.
    fn answer(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let mut patience = Patience::new(self.patience);
        loop {
            if let Some(kind) = word(&self.received, 0)
                && let Some(length) = word(&self.received, 3)
            {
                let end = HEADER + length as usize;
                if length as usize > PAYLOAD_MAX {
                    return Err(ErrorKind::InvalidData.into());
                }
                if self.received.len() >= end {
                    let rest = self.received.split_off(end);
                    let message = mem::replace(&mut self.received, rest);
                    return Ok((kind, message[HEADER..].to_vec()));
                }
            }
            let mut ready = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
            match poll(&mut ready, PollTimeout::try_from(patience.left()).unwrap_or(PollTimeout::MAX)) {
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                Ok(_) => (),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let mut part = [0; HEADER + PAYLOAD_MAX];
            match self.channel.read(&mut part) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // not more than there is room for, whatever the kernel counts
                Ok(more) => self.received.extend_from_slice(&part[..more.min(part.len())]),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the connection up: a late answer would be taken for that to another request.
    fn lost(&mut self, loss: Loss) -> Fault {
        self.is_lost = true;
        Fault::Lost(loss)
    }
}

/// Returns a word of a message's header, if it has been received.
fn word(message: &[u8], number: usize) -> Option<u32> {
    let bytes = message.get(4 * number..4 * number + 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// Connects to a socket or opens a device. Returns whether it is a device.
fn connect_to(place: &Path, patience: Duration) -> nix::Result<(File, bool)> {
    match attach(place, Patience::new(patience)) {
        Ok(channel) => Ok((channel, false)),
        Err(errno) => open_device(place, errno).map(|device| (device, true)),
    }
}

/// Connects to a socket. With a full queue in front of it this takes until the daemon accepts.
fn attach(place: &Path, mut patience: Patience) -> nix::Result<File> {
    let address = UnixAddr::new(place)?;
    let channel = open_socket(AddressFamily::Unix, SockType::Stream)?;
    loop {
        let left = patience.left();
        // a time of 0 would be without end
        let left = TimeVal::new(left.as_secs() as _, left.subsec_micros().max(1) as _);
        setsockopt(&channel, SendTimeout, &left)?;
        match connect(channel.as_raw_fd(), &address) {
            // by a signal, for instance one that stopped this process for a while
            Err(Errno::EINTR) => (),
            connected => return connected.map(|()| File::from(channel)),
        }
    }
}

/// Opens a device, to which connecting was refused. A socket on which nobody listens refuses with the same errno.
fn open_device(place: &Path, refused: Errno) -> nix::Result<File> {
    if refused != Errno::ECONNREFUSED {
        return Err(refused);
    }
    let device = File::options().read(true).write(true).open(place);
    device.map_err(|error| match errno_of(&error) {
        // what open returns for a socket
        Errno::ENXIO => refused,
        errno => errno,
    })
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
