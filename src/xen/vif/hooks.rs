//! Hooks: programs of the administrator's, run when the network of an interface is complete, or gone.
//!
//! The originals read `/etc/xen/scripts/vif-post.d/*.hook` as parts of themselves. Those are fragments of a shell script, and are
//! not run. Any other executable in that folder is, in the order of their names, with the originals' variables in its environment.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Stdio;

use super::error::VifError;
use super::frame::Context;
use crate::net::InterfaceName;
use crate::program;

const FOLDER: &str = "/etc/xen/scripts/vif-post.d";

/// Runs the hooks for an interface, with variables of the script's own beside those that every script has.
///
/// # Errors
/// One could not be run, or did not succeed. Those behind it are not run.
pub(in crate::xen) fn run_hooks(
    context: &Context,
    name: &InterfaceName,
    variables: &[(&'static str, String)],
) -> Result<(), VifError> {
    let Ok(files) = fs::read_dir(context.kernel.path(FOLDER)) else { return Ok(()) };
    let mut names: Vec<_> = files.flatten().map(|file| file.file_name()).collect();
    names.sort_unstable();
    if names.iter().any(|name| name.as_bytes().ends_with(b".hook")) {
        context.log.note(format!("{FOLDER}: hooks are parts of a shell script, and are not run").as_bytes());
    }
    let command = context.config.command;
    let is_for_tap = command.is_for_tap();
    let mut environment = vec![
        ("command", command.name().into()),
        ("type_if", if is_for_tap { "tap" } else { "vif" }.into()),
        ("dev", name.to_string()),
        (if is_for_tap { "INTERFACE" } else { "vif" }, context.config.device.to_string()),
        ("XENBUS_PATH", context.keys.path.clone().unwrap_or_default()),
    ];
    environment.extend(variables.iter().cloned());
    for hook in names.iter().filter(|name| is_hook(name)) {
        let path = [FOLDER.as_bytes(), b"/", hook.as_bytes()].concat();
        let path = context.kernel.path(&String::from_utf8_lossy(&path));
        run(context, path, &environment)?;
    }
    Ok(())
}

/// Whether a file is meant to be run: run-parts(8) takes the same names, but for those with a dot.
fn is_hook(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    name.iter().all(is_good) && !name.starts_with(b".") && !name.ends_with(b".hook")
}

fn run(context: &Context, path: PathBuf, environment: &[(&'static str, String)]) -> Result<(), VifError> {
    // without the permission to run it, it is switched off
    let Some(program) = program::find(&path.to_string_lossy(), None) else { return Ok(()) };
    let ended = program::ask_with(&program, &[], environment, Stdio::null());
    let (status, said) = ended.map_err(|error| VifError::HookNotRun(path.clone(), error))?;
    if !said.is_empty() {
        context.log.note(format!("{}: {said}", path.display()).as_bytes());
    }
    if status.success() { Ok(()) } else { Err(VifError::HookFailed(path, status)) }
}
