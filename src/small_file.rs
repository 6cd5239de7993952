//! Small files in places that others can fill: /run/brouter, /etc/brouter, the folder of a lock.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The longest file that is read, in bytes.
const MAX: u64 = 64 << 10;

/// Reads a regular file of at most 64 KiB. A symbolic link to one is followed. Anything else is not read: a FIFO or a device might
/// wait for ever, a large file fill the memory.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] with a text if it is not such a file; those of open(2) and read(2).
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let found = file.metadata()?;
    let mut bytes = Vec::new();
    if found.is_file() && found.len() <= MAX {
        file.take(MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= MAX {
            return Ok(bytes);
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file of at most 64 KiB: replace or remove it"))
}

/// Reads a text, as [`read`] reads bytes.
///
/// # Errors
/// Those of [`read`]; [`ErrorKind::InvalidInput`] if it is not UTF-8 or holds a NUL.
pub fn read_text(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(read(path)?).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not a text"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn only_small_regular_files_are_read() {
        let folder = std::env::temp_dir().join(format!("brouter-small-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str| folder.join(name);
        fs::write(file("small"), vec![b'a'; 64 << 10]).unwrap();
        fs::write(file("large"), vec![b'a'; (64 << 10) + 1]).unwrap();
        File::create(file("huge")).unwrap().set_len(1 << 40).unwrap();
        fs::write(file("nul"), "a\0b").unwrap();
        fs::write(file("bytes"), b"a\xff").unwrap();
        mkfifo(&file("fifo"), Mode::S_IRWXU).unwrap();
        for (link, target) in [("to-small", "small"), ("to-fifo", "fifo"), ("loop", "loop"), ("dangling", "none")] {
            symlink(target, file(link)).unwrap();
        }
        assert_eq!(read(&file("small")).unwrap().len(), 64 << 10);
        assert_eq!(read_text(&file("to-small")).unwrap().len(), 64 << 10);
        for name in ["large", "huge", "fifo", "to-fifo", "."] {
            assert_eq!(read(&file(name)).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        }
        for device in ["/dev/zero", "/dev/null", "/dev/tty"] {
            assert!(read(Path::new(device)).is_err(), "{device}");
        }
        for name in ["nul", "bytes"] {
            assert_eq!(read_text(&file(name)).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        }
        assert_eq!(read(&file("dangling")).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(read(&file("loop")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
