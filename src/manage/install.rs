//! `brouter --install DIR`: the program under each command's name.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::call::Applet;
use crate::error::{Failure, Outcome, io_text, line};

/// Makes a hard link for each applet, a symbolic link where the folder is on another file system, or a copy.
///
/// # Errors
/// A name belongs to a file that is not brouter's, and `force` is not given: all names are checked before the first is made.
pub(super) fn install(applets: &[&Applet], folder: &Path, copy: bool, force: bool) -> Outcome {
    let program = std::env::current_exe().map_err(|error| failure("this program's own file", &error))?;
    let meta = fs::metadata(folder).map_err(|error| failure(&folder.display().to_string(), &error))?;
    if !meta.is_dir() {
        return Err(Failure::new(line!("brouter: ", folder.display().to_string(), ": not a folder")));
    }
    let names = applets.iter().map(|applet| folder.join(applet.name)).collect::<Vec<_>>();
    let foreign: Vec<_> = names.iter().filter(|name| is_foreign(name, &program)).collect();
    if !force && !foreign.is_empty() {
        let foreign: Vec<String> = foreign.iter().map(|name| name.display().to_string()).collect();
        return Err(Failure::new(line!(
            "brouter: not brouter's, and left alone (--force replaces): ",
            foreign.join(" "),
            "\nbrouter: nothing was installed",
        )));
    }
    for name in &names {
        place(&program, name, copy).map_err(|error| failure(&name.display().to_string(), &error))?;
    }
    Ok(())
}

/// Returns whether a name belongs to something else than this program, a link to it or a copy of it.
fn is_foreign(name: &Path, program: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(name) else { return false };
    if found.is_symlink() {
        return fs::canonicalize(name).ok() != fs::canonicalize(program).ok();
    }
    let same_file = fs::metadata(program).is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()));
    let same_bytes = || found.is_file() && fs::read(name).ok() == fs::read(program).ok();
    !same_file && !same_bytes()
}

/// Puts the program in place of a file, if there is one, atomically: the name is never missing.
fn place(program: &Path, name: &Path, copy: bool) -> io::Result<()> {
    let mut new = name.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let _ = fs::remove_file(&new);
    if copy {
        fs::copy(program, &new).map(drop)?;
    } else {
        fs::hard_link(program, &new).or_else(|_| symlink(program, &new))?;
    }
    fs::rename(&new, name)?;
    // renaming one link of a file to another of the same does nothing, and leaves both
    let _ = fs::remove_file(&new);
    Ok(())
}

fn failure(what: &str, error: &io::Error) -> Failure {
    Failure::new(line!("brouter: ", what, ": ", io_text(error)))
}
