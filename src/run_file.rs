//! Files and folders under /run: with fixed modes, whatever umask the caller has, and believed only if no other user can have
//! written them.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::shell::quoted_name;

/// Mode of folders and of files that everybody may read.
const FOLDER: u32 = 0o755;
const PUBLIC: u32 = 0o644;

/// Mode of locks: whoever can open a file can lock it, and keep others waiting.
const LOCK: u32 = 0o600;

/// Mode bits that let others write, and the one with which they can replace only what is theirs.
const WRITABLE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The largest file that is read. Records have some hundred bytes.
const LARGEST: u64 = 64 * 1024;

/// Creates a folder and those above it that are missing.
///
/// # Errors
/// Those of mkdir(2) and chmod(2).
pub fn create_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER).create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOLDER)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => match folder.parent().filter(|_| error.kind() == ErrorKind::NotFound) {
            Some(parent) => create_folder(parent).and_then(|()| create_folder(folder)),
            None => Err(error),
        },
    }
}

/// Creates a file that everybody may read, and that is not there yet.
///
/// # Errors
/// Those of open(2) and fchmod(2).
pub fn create(file: &Path) -> io::Result<File> {
    let created = File::options().write(true).create_new(true).mode(PUBLIC).open(file)?;
    created.set_permissions(Permissions::from_mode(PUBLIC)).inspect_err(|_| drop(fs::remove_file(file)))?;
    Ok(created)
}

/// Opens the file of a lock, and returns whether it was created. A symbolic link is not followed.
///
/// # Errors
/// Those of open(2): EISDIR; ELOOP for a symbolic link.
pub fn open_lock(file: &Path) -> io::Result<(File, bool)> {
    let mut options = File::options();
    options.read(true).write(true).mode(LOCK).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    match options.clone().create_new(true).open(file) {
        Ok(created) => Ok((created, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok((options.open(file)?, false)),
        Err(error) => Err(error),
    }
}

/// Returns the text of a file. Anything but a regular file of up to 64 KiB that only root or this user can have written is refused, and not
/// waited for.
///
/// # Errors
/// Those of open(2) and read(2); what is wrong with the file, and the remedy.
pub fn read(file: &Path) -> io::Result<String> {
    let foreign = || refusal(file, "is no file of brouter's", &format!("rm -r {}", quoted_name(file.as_os_str())));
    let opened = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(file);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(libc::ELOOP);
    let opened = opened.map_err(|error| if is_link(&error) { foreign() } else { error })?;
    let metadata = opened.metadata()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(foreign());
    }
    check_metadata(file, &metadata)?;
    let mut text = String::new();
    opened.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Checks that only root or this user can have written a file, or made the files in a folder. One that is missing is no harm.
///
/// # Errors
/// Those of stat(2); who can have written it, and the remedy.
pub fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) => check_metadata(path, &metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn check_metadata(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let shown = quoted_name(path.as_os_str());
    let owner = metadata.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Err(refusal(path, &format!("belongs to user {owner}"), &format!("rm -r {shown}")));
    }
    match metadata.mode() & WRITABLE {
        0 => Ok(()),
        _ if metadata.is_dir() && metadata.mode() & STICKY != 0 => Ok(()),
        _ => {
            let fault = format!("can be written by others (mode {:o})", metadata.mode() & 0o7777);
            Err(refusal(path, &fault, &format!("check what is in it, then chmod go-w {shown}, or rm -r it")))
        }
    }
}

fn refusal(path: &Path, fault: &str, remedy: &str) -> io::Error {
    io::Error::other(format!("{} {fault}, and is not believed: {remedy}", path.display()))
}
