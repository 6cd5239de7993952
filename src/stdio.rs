//! Standard output, buffered as by C's stdio.
//!
//! The originals print with `printf`. If their standard output and standard error go to the same file, the buffer decides the
//! order in which lines arrive there: it holds 4096 bytes for files and pipes, a line for terminals. So does this one.

use std::fmt::Arguments;
use std::io::{self, IsTerminal, Write};

use nix::errno::Errno;

/// Bytes of the buffer: st_blksize of files and pipes, which glibc uses.
const BLOCK: usize = 4096;

/// Standard output.
pub struct Stdout {
    buffer: Vec<u8>,
    is_terminal: Option<bool>,
    error: Option<Errno>,
}

impl Stdout {
    /// Returns an empty buffer in front of file descriptor 1.
    pub fn new() -> Self {
        Stdout { buffer: Vec::new(), is_terminal: None, error: None }
    }

    /// Returns the first error of a write, after which all output was dropped.
    pub fn error(&self) -> Option<Errno> {
        self.error
    }

    /// Writes out what the buffer does not keep: full blocks; on a terminal, lines.
    fn drain_full(&mut self) {
        let is_terminal = *self.is_terminal.get_or_insert_with(|| io::stdout().is_terminal());
        if is_terminal {
            let lines = self.buffer.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            self.drain(lines);
        } else if self.buffer.len() > BLOCK {
            self.drain(self.buffer.len() / BLOCK * BLOCK);
        }
    }

    /// Writes the first `length` bytes of the buffer out; drops them after an error.
    fn drain(&mut self, length: usize) {
        let mut rest = &self.buffer[..length];
        while !rest.is_empty() && self.error.is_none() {
            match nix::unistd::write(io::stdout(), rest) {
                // nothing would ever arrive
                Ok(0) => self.error = Some(Errno::EIO),
                // a file of /proc may count more than it was given
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(Errno::EINTR) => (),
                Err(error) => self.error = Some(error),
            }
        }
        self.buffer.drain(..length);
    }
}

impl Default for Stdout {
    fn default() -> Self {
        Stdout::new()
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        self.drain_full();
        Ok(bytes.len())
    }

    /// Formats into the buffer: the pieces of a line are not written one by one.
    fn write_fmt(&mut self, text: Arguments) -> io::Result<()> {
        self.buffer.write_fmt(text)?;
        self.drain_full();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain(self.buffer.len());
        self.error.map_or(Ok(()), |error| Err(error.into()))
    }
}
