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
const SMALL: u64 = 700 * KIB;
const LARGE: u64 = 1300 * KIB;
/// Code for i686 takes more: it has half as many registers. In percent of the above.
const I686: u64 = 115;
/// Limit of system calls from exec to exit, for a command that does next to nothing.
const CALLS: usize = 12;
/// Limit of resident memory of such a command, in KiB. Most of it is the program's file, shared by all processes: the kernel maps 64
/// KiB of it around each page fault.
const RESIDENT: u64 = 1280;
/// Limit of private memory, in KiB.
const OWN: u64 = 32;

/// A name, the needs of the test, and the test.
type Promise = (&'static str, &'static [&'static str], fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    let tests: [Promise; 5] = [
        ("no interpreter, no dynamic section, no glibc", &[STATIC], linked),
        ("size of the programs", &[STATIC], sizes),
        ("system calls at startup", &[STATIC, "strace"], system_calls),
        ("memory at startup", &[STATIC], memory),
        ("struct layouts of musl and glibc agree", &["cc", "musl-gcc"], layouts),
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

fn is_i386(program: &Path) -> std::io::Result<bool> {
    Ok(elf::machine(&fs::read(program)?) == Some(elf::I386))
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
        let limit = if is_i386(program)? { limit * I686 / 100 } else { limit };
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
        // arch/x86/entry/syscalls/syscall_32.tbl
        let writes = if is_i386(program)? { String::from("4 ") } else { format!("{SYS_write} ") };
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
        let status = status?;
        let value = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok())
        };
        let most = value("VmHWM:").ok_or("no VmHWM")?;
        let own = value("RssAnon:").ok_or("no RssAnon, which came with Linux 4.5")?;
        let is_too_much = most > RESIDENT || own > OWN;
        Ok(is_too_much.then(|| format!("{most} KiB, {own} of them its own: more than {RESIDENT} and {OWN}")))
    })
}

/// What compiles and runs layout.c for the machine of the programs: a compiler for the C library that Rust's standard library was
/// built for, with its options, the one that links the programs, and an emulator.
struct Compilers {
    glibc: &'static [&'static str],
    musl: &'static str,
    emulator: Option<&'static str>,
}

/// Those for the machine of the programs (`ARCH` of `make`).
fn compilers() -> Result<Compilers, Failed> {
    let brouter =
        programs().ok().and_then(|programs| programs.into_iter().find(|program| program.ends_with("brouter")));
    let machine = brouter.map(fs::read).transpose()?.and_then(|file| elf::machine(&file));
    Ok(match machine {
        None | Some(elf::X86_64) => Compilers { glibc: &["cc"], musl: "musl-gcc", emulator: None },
        Some(elf::AARCH64) => Compilers {
            glibc: &["aarch64-linux-gnu-gcc"],
            musl: concat!(env!("CARGO_MANIFEST_DIR"), "/build/cross/aarch64-musl-gcc"),
            emulator: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/build/qemu-user/usr/bin/qemu-aarch64-static")),
        },
        Some(elf::I386) => Compilers {
            glibc: &["i686-linux-gnu-gcc", "-D_FILE_OFFSET_BITS=64"],
            musl: concat!(env!("CARGO_MANIFEST_DIR"), "/build/cross/i686-musl-gcc"),
            emulator: None,
        },
        Some(machine) => return Err(format!("programs for an unknown machine: {machine}").into()),
    })
}

/// Compares struct layouts, see layout.c.
fn layouts() -> Result<(), Failed> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layout.c");
    let compilers = compilers()?;
    let printed = |name: &str, compiler: &[&str]| -> Result<String, Box<dyn Error>> {
        let program = std::env::temp_dir().join(format!("brouter-layout-{}-{name}", std::process::id()));
        let compiled = Command::new(compiler[0])
            .args(&compiler[1..])
            .args(["-static", "-o"])
            .arg(&program)
            .arg(source)
            .output()?;
        let run = match compilers.emulator {
            Some(emulator) => Command::new(emulator).arg(&program).output(),
            None => Command::new(&program).output(),
        };
        let _ = fs::remove_file(&program);
        if !compiled.status.success() {
            return Err(String::from_utf8_lossy(&compiled.stderr).into());
        }
        Ok(String::from_utf8(run?.stdout)?)
    };
    let glibc = printed("glibc", compilers.glibc).map_err(|e| e.to_string())?;
    let musl = printed("musl", &[compilers.musl]).map_err(|e| e.to_string())?;
    if glibc.is_empty() || glibc.lines().count() != musl.lines().count() {
        return Err(Failed::from(format!("glibc's:\n{glibc}musl's:\n{musl}")));
    }
    let drift: String = glibc
        .lines()
        .zip(musl.lines())
        .filter(|(glibc, musl)| !agree(glibc, musl))
        .map(|(glibc, musl)| format!("{glibc}, but with musl {musl}\n"))
        .collect();
    if drift.is_empty() { Ok(()) } else { Err(drift.into()) }
}

/// Whether two lines agree. Of what only the C library looks into, musl's may be smaller than the room that std reserves.
fn agree(glibc: &str, musl: &str) -> bool {
    let size = |line: &str| -> Option<usize> { line.split_once(": ")?.1.split_once(" bytes")?.0.parse().ok() };
    let room = glibc.replacen(|letter: char| letter.is_ascii_digit(), "", usize::MAX)
        == musl.replacen(|letter: char| letter.is_ascii_digit(), "", usize::MAX);
    glibc == musl || glibc.starts_with("pthread_") && room && size(musl) <= size(glibc)
}
