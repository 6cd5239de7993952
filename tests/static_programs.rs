//! What the finished programs promise, whatever they do: linked statically and with musl alone, small, and quick to start.
//!
//! The programs are those of BROUTER_PROGRAMS, all of them.

mod harness;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use nix::libc::SYS_write;

use harness::hosts::{Hosts, STATIC};
use harness::{Test, conclude, elf};

const KIB: u64 = 1024;
/// The most that a program of one command may take on the disk, and the one that is all of them.
const SMALL: u64 = 400 * KIB;
const LARGE: u64 = 800 * KIB;
/// The most system calls from exec to exit, where there is next to nothing to do in between.
const CALLS: usize = 30;
/// The most memory that such a run holds, in KiB.
const RESIDENT: u64 = 1024;

/// What is promised, what its test needs, and the test.
type Promise = (&'static str, &'static [&'static str], fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    let hosts = Arc::new(Hosts::new());
    let tests: [Promise; 5] = [
        ("no interpreter, no dynamic section, no glibc", &[STATIC], linked),
        ("the size of the programs", &[STATIC], sizes),
        ("system calls of a start", &[STATIC, "strace"], system_calls),
        ("memory of a start", &[STATIC], memory),
        ("the layouts of both C libraries", &["cc", "musl-gcc"], layouts),
    ];
    let tests = tests.into_iter().map(|(name, needs, run)| Test {
        name: name.into(),
        kind: String::new(),
        needs: needs.iter().map(|&need| need.into()).collect(),
        run: Box::new(run),
    });
    conclude(&hosts, tests.collect())
}

/// The programs of the folder that is tested.
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

/// Fails with what is said of each program.
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
        let segments = elf::segments(&file).ok_or("no program")?;
        let has = |text: &[u8]| file.windows(text.len()).any(|bytes| bytes == text);
        Ok(if elf::kind(&file) != Some(elf::EXECUTABLE) {
            Some("has no fixed place".into())
        } else if segments.contains(&elf::INTERPRETER) {
            Some("has an interpreter".into())
        } else if segments.contains(&elf::DYNAMIC) {
            Some("has a dynamic section".into())
        } else if has(b"GNU C Library") || has(b"GLIBC_") {
            Some("has glibc in it".into())
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

/// A call that prints something and does nothing else: an option that each program has, or does not know.
const LITTLE: &str = "--version";

fn system_calls() -> Result<(), Failed> {
    each(|program| {
        // vif-bridge's least is a call that means another interface
        let little: &[&str] = if program.ends_with("vif-bridge") { &["online", "type_if=tap"] } else { &[LITTLE] };
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

/// Both outputs are a pipe that is full: there the program waits, after all its work.
fn memory() -> Result<(), Failed> {
    each(|program| {
        let (_reader, mut writer) = std::io::pipe()?;
        // what a pipe holds unless told otherwise (pipe(7))
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

/// See layout.c. On x86_64 only: elsewhere nothing is linked so.
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
