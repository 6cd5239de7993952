//! Failures of commands, and the texts of errno.

use nix::errno::Errno;

use crate::era::Era;
use crate::terminal;

/// Concatenates texts and bytes to a line. Bytes that a user typed need not be UTF-8 and are printed unchanged.
macro_rules! line {
    ($($part:expr),+ $(,)?) => {{
        let mut line: Vec<u8> = Vec::new();
        $(line.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)+
        line.push(b'\n');
        line
    }};
}
pub(crate) use line;

/// Why a command fails: a text for standard error, with its line end, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Empty if the failure has already been reported.
    pub text: Vec<u8>,
    /// Not 0.
    pub status: u8,
    /// Text and status of the tools of 2006, if they differed.
    former: Option<Box<(Vec<u8>, u8)>>,
}

impl Failure {
    /// Returns a failure with exit status 1.
    pub fn new(text: Vec<u8>) -> Self {
        Failure { text, status: 1, former: None }
    }

    /// Sets the exit status.
    pub fn with_status(self, status: u8) -> Self {
        Failure { status, ..self }
    }

    /// Returns a failure that has already been reported.
    pub fn silent(status: u8) -> Self {
        Failure { text: Vec::new(), status, former: None }
    }

    /// Adds a line to the text of both eras.
    pub fn with_line(mut self, text: String) -> Self {
        self.text.extend_from_slice(&line!(text));
        if let Some(former) = &mut self.former {
            former.0.extend_from_slice(&line!(text));
        }
        self
    }

    /// Sets the text and status that the tools of 2006 had instead.
    pub fn formerly(self, text: Vec<u8>, status: u8) -> Self {
        Failure { former: Some(Box::new((text, status))), ..self }
    }

    /// Sets the status that the tools of 2006 had instead, with the same text.
    pub fn formerly_with_status(self, status: u8) -> Self {
        let text = self.text.clone();
        self.formerly(text, status)
    }

    /// Selects the text and status of an era. Called where the failure is printed, so that the code that fails need not know the
    /// era.
    pub fn in_era(self, era: Era) -> Self {
        match self.former {
            Some(former) if era == Era::Of2006 => Failure { text: former.0, status: former.1, former: None },
            _ => Failure { former: None, ..self },
        }
    }
}

/// Result of a command.
pub type Outcome = Result<(), Failure>;

/// Returns the text of an errno as glibc's strerror(3) has it, in every build: musl's and nix's texts differ.
pub fn errno_text(errno: Errno) -> &'static str {
    GLIBC.get((errno as usize).wrapping_sub(1)).copied().unwrap_or("Unknown error")
}

/// Returns a text as one line: control characters, and those that change the direction of writing, are replaced by `?`. A value
/// from elsewhere can then neither forge a line of a log nor steer a terminal.
pub fn one_line(text: &[u8]) -> Vec<u8> {
    terminal::one_line(&String::from_utf8_lossy(text)).into_bytes()
}

/// Returns the text of an I/O error without std's "os error" and number.
pub fn io_text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => errno_text(Errno::from_raw(number)).into(),
        None => error.to_string(),
    }
}

/// strerror of glibc 2.36 for 1 to 133 (asm-generic/errno.h).
#[rustfmt::skip]
const GLIBC: [&str; 133] = [
    "Operation not permitted",
    "No such file or directory",
    "No such process",
    "Interrupted system call",
    "Input/output error",
    "No such device or address",
    "Argument list too long",
    "Exec format error",
    "Bad file descriptor",
    "No child processes",
    "Resource temporarily unavailable",
    "Cannot allocate memory",
    "Permission denied",
    "Bad address",
    "Block device required",
    "Device or resource busy",
    "File exists",
    "Invalid cross-device link",
    "No such device",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "Too many open files in system",
    "Too many open files",
    "Inappropriate ioctl for device",
    "Text file busy",
    "File too large",
    "No space left on device",
    "Illegal seek",
    "Read-only file system",
    "Too many links",
    "Broken pipe",
    "Numerical argument out of domain",
    "Numerical result out of range",
    "Resource deadlock avoided",
    "File name too long",
    "No locks available",
    "Function not implemented",
    "Directory not empty",
    "Too many levels of symbolic links",
    "Unknown error 41",
    "No message of desired type",
    "Identifier removed",
    "Channel number out of range",
    "Level 2 not synchronized",
    "Level 3 halted",
    "Level 3 reset",
    "Link number out of range",
    "Protocol driver not attached",
    "No CSI structure available",
    "Level 2 halted",
    "Invalid exchange",
    "Invalid request descriptor",
    "Exchange full",
    "No anode",
    "Invalid request code",
    "Invalid slot",
    "Unknown error 58",
    "Bad font file format",
    "Device not a stream",
    "No data available",
    "Timer expired",
    "Out of streams resources",
    "Machine is not on the network",
    "Package not installed",
    "Object is remote",
    "Link has been severed",
    "Advertise error",
    "Srmount error",
    "Communication error on send",
    "Protocol error",
    "Multihop attempted",
    "RFS specific error",
    "Bad message",
    "Value too large for defined data type",
    "Name not unique on network",
    "File descriptor in bad state",
    "Remote address changed",
    "Can not access a needed shared library",
    "Accessing a corrupted shared library",
    ".lib section in a.out corrupted",
    "Attempting to link in too many shared libraries",
    "Cannot exec a shared library directly",
    "Invalid or incomplete multibyte or wide character",
    "Interrupted system call should be restarted",
    "Streams pipe error",
    "Too many users",
    "Socket operation on non-socket",
    "Destination address required",
    "Message too long",
    "Protocol wrong type for socket",
    "Protocol not available",
    "Protocol not supported",
    "Socket type not supported",
    "Operation not supported",
    "Protocol family not supported",
    "Address family not supported by protocol",
    "Address already in use",
    "Cannot assign requested address",
    "Network is down",
    "Network is unreachable",
    "Network dropped connection on reset",
    "Software caused connection abort",
    "Connection reset by peer",
    "No buffer space available",
    "Transport endpoint is already connected",
    "Transport endpoint is not connected",
    "Cannot send after transport endpoint shutdown",
    "Too many references: cannot splice",
    "Connection timed out",
    "Connection refused",
    "Host is down",
    "No route to host",
    "Operation already in progress",
    "Operation now in progress",
    "Stale file handle",
    "Structure needs cleaning",
    "Not a XENIX named type file",
    "No XENIX semaphores available",
    "Is a named type file",
    "Remote I/O error",
    "Disk quota exceeded",
    "No medium found",
    "Wrong medium type",
    "Operation canceled",
    "Required key not available",
    "Key has expired",
    "Key has been revoked",
    "Key was rejected by service",
    "Owner died",
    "State not recoverable",
    "Operation not possible due to RF-kill",
    "Memory page has hardware error",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_at_their_numbers() {
        assert_eq!(errno_text(Errno::EPERM), "Operation not permitted");
        assert_eq!(errno_text(Errno::EOPNOTSUPP), "Operation not supported");
        assert_eq!(errno_text(Errno::ENOTTY), "Inappropriate ioctl for device");
        assert_eq!(errno_text(Errno::EHWPOISON), "Memory page has hardware error");
    }

    #[test]
    fn a_line_keeps_bytes() {
        assert_eq!(line!("device ", b"\xff", " x"), b"device \xff x\n");
    }
}
