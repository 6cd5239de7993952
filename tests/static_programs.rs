//! Tests the finished programs: statically linked, with musl only, small, and quick to start.
//!
//! Covers all programs in the folder BROUTER_PROGRAMS.

mod harness;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use nix::libc::SYS_write;

use harness::hosts::STATIC;
use harness::{Test, conclude, elf};

const KIB: u64 = 1024;
/// Size limits, in bytes: of a program with one command, and of `brouter`, which has all.
const SMALL: u64 = 400 * KIB;
const LARGE: u64 = 800 * KIB;
/// Limit of system calls from exec to exit, for a command that does next to nothing.
const CALLS: usize = 30;
/// Limit of resident memory of such a command, in KiB.
const RESIDENT: u64 = 1024;

/// A name, the needs of the test, and the test.
type Promise = (&'static str, &'static [&'static str], fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    let tests: [Promise; 5] = [
        ("no interpreter, no dynamic section, no glibc", &[STATIC], linked),
        ("size of the programs", &[STATIC], sizes),
        ("system calls at startup", &[STATIC, "strace"], system_calls),
        ("memory at startup", &[STATIC], memory),
        ("struct layouts of musl and the host's C library agree", &["cc", "musl-gcc"], layouts),
    ];
    conclude(tests.into_iter().map(|(name, needs, run)| Test::new(name, needs, move |_| run())).collect())
}

/// Returns the programs to be tested.
fn programs() -> Result<Vec<PathBuf>, Failed> {
    let folder = std::env::var_os("BROUTER_PROGRAMS").ok_or("BROUTER_PROGRAMS is not set")?;
    let entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    let files = entries.iter().map(fs::DirEntry::path).filter(|path| path.is_file());
    let programs: Vec<PathBuf> =
        files.filter(|path| fs::read(path).is_ok_and(|file| elf::kind(&file).is_some())).collect();
    for name in ["brouter", "brctl", "ip", "network-virtual"] {
        if !programs.iter().any(|program| program.ends_with(name)) {
            return Err(Failed::from(format!("no program {name}")));
        }
    }
    Ok(programs)
}

/// Checks each program; fails with all complaints.
fn each(complaint: impl Fn(&Path) -> Result<Option<String>, Box<dyn Error>>) -> Result<(), Failed> {
    let mut complaints = String::new();
    for program in programs()? {
        let said = complaint(&program).unwrap_or_else(|error| Some(error.to_string()));
        complaints.extend(said.map(|said| format!("{}: {said}\n", program.display())));
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.into()) }
}

fn linked() -> Result<(), Failed> {
    each(|program| {
        let file = fs::read(program)?;
        let segments = elf::segments(&file).ok_or("not an ELF file")?;
        let has = |text: &[u8]| file.windows(text.len()).any(|bytes| bytes == text);
        Ok(if elf::kind(&file) != Some(elf::EXECUTABLE) {
            Some("has no fixed load address".into())
        } else if segments.contains(&elf::INTERPRETER) {
            Some("has an interpreter".into())
        } else if segments.contains(&elf::DYNAMIC) {
            Some("has a dynamic section".into())
        } else if has(b"GNU C Library") || has(b"GLIBC_") {
            Some("contains glibc".into())
        } else {
            None
        })
    })
}

fn sizes() -> Result<(), Failed> {
    each(|program| {
        let limit = if program.ends_with("brouter") { LARGE } else { SMALL };
        let size = fs::metadata(program)?.len();
        Ok((size > limit).then(|| format!("{size} bytes, more than {limit}")))
    })
}

/// An argument with which each program only prints something: an option that it has, or reports as unknown.
const LITTLE: &str = "--version";

fn system_calls() -> Result<(), Failed> {
    each(|program| {
        // the cheapest call of a vif script is one for another type of interface
        let is_vif_script = ["vif-bridge", "vif-route", "vif-nat"].iter().any(|name| program.ends_with(name));
        let little: &[&str] = if is_vif_script { &["online", "type_if=tap"] } else { &[LITTLE] };
        let traced =
            Command::new("strace").args(["-qq", "-a1", "-o", "/dev/stderr"]).arg(program).args(little).output()?;
        let trace = String::from_utf8_lossy(&traced.stderr);
        let calls: Vec<&str> = trace.lines().filter(|line| line.contains(") = ")).collect();
        if !calls.first().is_some_and(|call| call.starts_with("execve(")) {
            return Err(format!("not traced: {trace}").into());
        }
        Ok((calls.len() > CALLS).then(|| format!("{} system calls, more than {CALLS}:\n{trace}", calls.len())))
    })
}

/// Measures the memory of a program while it blocks on a full pipe, after all its work.
fn memory() -> Result<(), Failed> {
    each(|program| {
        let (_reader, mut writer) = std::io::pipe()?;
        // the default capacity of a pipe (pipe(7))
        writer.write_all(&[0; 64 * 1024])?;
        let mut child = Command::new(program)
            .arg(LITTLE)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id()));
        let start = Instant::now();
        let writes = format!("{SYS_write} ");
        let status = loop {
            if file("syscall").is_ok_and(|call| call.starts_with(&writes)) {
                break file("status");
            }
            if start.elapsed() > Duration::from_secs(10) {
                break Err(std::io::ErrorKind::TimedOut.into());
            }
            sleep(Duration::from_millis(1));
        };
        child.kill()?;
        child.wait()?;
        let most =
            status?.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        let most: u64 = most.ok_or("no VmHWM")?;
        Ok((most > RESIDENT).then(|| format!("{most} KiB, more than {RESIDENT}")))
    })
}

/// Compares struct layouts, see layout.c. On x86_64 only: other targets are not linked with musl-gcc.
fn layouts() -> Result<(), Failed> {
    if !cfg!(target_arch = "x86_64") {
        return Ok(());
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layout.c");
    let printed = |compiler: &str| -> Result<String, Box<dyn Error>> {
        let program = std::env::temp_dir().join(format!("brouter-layout-{}-{compiler}", std::process::id()));
        let compiled = Command::new(compiler).arg("-o").arg(&program).arg(source).output()?;
        let run = Command::new(&program).output();
        let _ = fs::remove_file(&program);
        if !compiled.status.success() {
            return Err(String::from_utf8_lossy(&compiled.stderr).into());
        }
        Ok(String::from_utf8(run?.stdout)?)
    };
    let (host, musl) = (printed("cc").map_err(|e| e.to_string())?, printed("musl-gcc").map_err(|e| e.to_string())?);
    if host.is_empty() || host.lines().count() != musl.lines().count() {
        return Err(Failed::from(format!("the host's:\n{host}musl's:\n{musl}")));
    }
    let differ = |(host, musl): (&str, &str)| (host != musl).then(|| format!("{host}, but with musl {musl}\n"));
    let drift: String = host.lines().zip(musl.lines()).filter_map(differ).collect();
    if drift.is_empty() { Ok(()) } else { Err(drift.into()) }
}
