//! Standard output, buffered as C's stdio does it, and standard error.
//!
//! The originals print with `printf`. When their standard output and standard error go to the same file, the order in which
//! lines arrive there is decided by that buffer: 4096 bytes for files and pipes, a line for terminals. So is ours.

use std::io::{self, IsTerminal, Write};

use nix::errno::Errno;

/// st_blksize of files and pipes, which is what glibc takes for a buffer.
const BLOCK: usize = 4096;

/// Standard output.
pub struct Stdout {
    buffer: Vec<u8>,
    is_terminal: Option<bool>,
    error: Option<Errno>,
}

impl Stdout {
    /// A buffer in front of file descriptor 1.
    pub fn new() -> Self {
        Stdout { buffer: Vec::new(), is_terminal: None, error: None }
    }

    /// The first error that a write met. Later output was dropped.
    pub fn error(&self) -> Option<Errno> {
        self.error
    }

    /// Writes out the first bytes of the buffer. After an error they are dropped, as nobody can take them.
    fn drain(&mut self, length: usize) {
        let mut rest = &self.buffer[..length];
        while !rest.is_empty() && self.error.is_none() {
            match nix::unistd::write(io::stdout(), rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::EINTR) => (),
                Err(error) => self.error = Some(error),
            }
        }
        self.buffer.drain(..length);
    }
}

/// Standard error, which has no buffer. (std's own takes 2 KiB more.)
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(io::stderr(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        let is_terminal = *self.is_terminal.get_or_insert_with(|| io::stdout().is_terminal());
        if is_terminal {
            let lines = self.buffer.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            self.drain(lines);
        } else if self.buffer.len() > BLOCK {
            self.drain(self.buffer.len() / BLOCK * BLOCK);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain(self.buffer.len());
        self.error.map_or(Ok(()), |error| Err(error.into()))
    }
}
