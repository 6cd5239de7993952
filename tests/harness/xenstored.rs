//! Provides a real xenstored and Xen's own hotplug scripts on a machine without Xen: Debian's packages, unpacked into `build/xen`
//! by `compat/apt/fetch-xen`. `xenstored.sh` starts the daemon on a host whose state calls `xenstored`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// The unpacked packages.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/build/xen");
const C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/xenstored.c");
const START: &str = include_str!("xenstored.sh");

/// The line by which Debian's scripts leave the firewall alone; Xen's own do not have it. A state that needs the rules of Xen's
/// own scripts creates the file /run/rules.
const DEBIANS_LINE: &str = "  return 0\n";

/// The program in PATH that calls the scripts.
const CALL: &str = "#!/bin/sh\nscripts=scripts; [ ! -e /run/rules ] || scripts=scripts-with-rules\n\
                    exec \"${0%/*}/../xen/$scripts/${0##*/}\" \"$@\"\n";

/// Fills a folder with what `xenstored.sh` needs, and adds Xen's scripts to the original programs.
///
/// # Errors
/// What is missing, and how to get it.
pub(crate) fn prepare(folder: &Path, originals: &Path) -> Result<(), String> {
    if !Path::new(ROOT).join("complete").exists() {
        return Err("Xen's scripts are missing: run compat/apt/fetch-xen build/xen (Debian 12)".into());
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(folder.join("xenstored.sh"), START).map_err(failed)?;
    symlink(ROOT, folder.join("root")).map_err(failed)?;
    compile(&["-shared", "-fPIC"], &folder.join("shim.so"))?;
    compile(&[], &folder.join("syslogd"))?;
    for scripts in ["scripts", "scripts-with-rules"] {
        let to = folder.join(scripts);
        fs::create_dir(&to).map_err(failed)?;
        for name in fs::read_dir(Path::new(ROOT).join("etc/xen/scripts")).map_err(failed)? {
            let from = name.map_err(failed)?.path();
            fs::copy(&from, to.join(from.file_name().unwrap_or_default())).map_err(failed)?;
        }
    }
    let common = folder.join("scripts-with-rules/vif-common.sh");
    let text = fs::read_to_string(&common).map_err(failed)?;
    if !text.contains(DEBIANS_LINE) {
        return Err(format!("{}: Debian's change was not found", common.display()));
    }
    fs::write(&common, text.replacen(DEBIANS_LINE, "", 1)).map_err(failed)?;
    for name in ["vif-bridge", "vif-route", "vif-nat"] {
        let call = originals.join(name);
        fs::write(&call, CALL).map_err(failed)?;
        fs::set_permissions(&call, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}

fn compile(options: &[&str], to: &Path) -> Result<(), String> {
    let output = Command::new("cc").args(["-O2", "-Wall", "-Wextra"]).args(options).arg("-o").arg(to).arg(C).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("cc {C}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("cc: {error} (Debian: apt-get install gcc libc6-dev)")),
    }
}
