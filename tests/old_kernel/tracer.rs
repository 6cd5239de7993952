//! Stops a process and its children at each system call (ptrace), and answers in the kernel's place where the rules say so.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::libc::{self, c_long, user_regs_struct};
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::i386;
use super::rules::{Answer, OldKernel, is_tried};

/// Value of orig_rax that cancels the call.
const NO_CALL: u64 = u64::MAX;
/// Type of an entry of the auxiliary vector that is ignored (linux/auxvec.h).
const AT_IGNORE: c_long = 1;
/// Size in bytes of a field of struct utsname; the release is the third field.
const UTSNAME_FIELD: u64 = 65;

/// Traces a process, which stops for the tracer first, until it ends. Returns its exit status as a shell reports it.
pub(super) fn follow(pid: u32, kernel: &OldKernel, program: &Path) -> io::Result<u8> {
    let first = Pid::from_raw(pid as i32);
    waitpid(first, Some(WaitPidFlag::__WALL))?;
    let options = Options::PTRACE_O_EXITKILL
        | Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE;
    ptrace::setoptions(first, options)?;
    ptrace::syscall(first, None)?;
    // until the program is executed, calls go to the running kernel
    let mut tracer = Tracer { kernel, program, worlds: HashMap::from([(first, World::Todays)]), early: HashSet::new() };
    let mut status = 127;
    loop {
        let (pid, signal) = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(pid, code)) => {
                status = if pid == first { code as u8 } else { status };
                continue;
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                status = if pid == first { 128 + signal as u8 } else { status };
                continue;
            }
            Ok(stop) => match tracer.stopped(stop) {
                Ok(Some(resumed)) => resumed,
                // killed in the meantime
                Ok(None) | Err(Errno::ESRCH) => continue,
                Err(error) => return Err(error.into()),
            },
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(status),
            Err(error) => return Err(error.into()),
        };
        match ptrace::syscall(pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => (),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The kernel that a process sees.
#[derive(Clone, Copy)]
enum World {
    Todays,
    /// The old one; during a call, what the call must return.
    Old(Option<Return>),
}

/// The result that replaces that of a call.
#[derive(Clone, Copy)]
enum Return {
    Error(Errno),
    /// The release in the struct utsname at this address.
    Release(u64),
}

struct Tracer<'a> {
    kernel: &'a OldKernel,
    program: &'a Path,
    worlds: HashMap<Pid, World>,
    /// New processes that stopped before their parent's fork event arrived.
    early: HashSet<Pid>,
}

impl Tracer<'_> {
    /// Handles a stop. Returns the process to resume, and the signal to deliver to it.
    fn stopped(&mut self, stop: WaitStatus) -> nix::Result<Option<(Pid, Option<Signal>)>> {
        match stop {
            WaitStatus::PtraceSyscall(pid) => {
                if let Some(World::Old(within)) = self.worlds.get(&pid).copied() {
                    let next = match ptrace::syscall_info(pid)?.op {
                        libc::PTRACE_SYSCALL_INFO_ENTRY => self.enter(pid)?,
                        _ => self.leave(pid, within)?,
                    };
                    self.worlds.insert(pid, World::Old(next));
                }
                Ok(Some((pid, None)))
            }
            WaitStatus::PtraceEvent(pid, _, event) if event == Event::PTRACE_EVENT_EXEC as i32 => {
                let is_ours = fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == self.program);
                if is_ours {
                    self.cut_auxiliary_vector(pid)?;
                }
                self.worlds.insert(pid, if is_ours { World::Old(None) } else { World::Todays });
                Ok(Some((pid, None)))
            }
            WaitStatus::PtraceEvent(pid, ..) => {
                // a child sees the same kernel as its parent
                let child = Pid::from_raw(ptrace::getevent(pid)? as i32);
                let world = match self.worlds.get(&pid) {
                    Some(World::Old(_)) => World::Old(None),
                    _ => World::Todays,
                };
                self.worlds.insert(child, world);
                if self.early.remove(&child) {
                    ptrace::syscall(child, None)?;
                }
                Ok(Some((pid, None)))
            }
            WaitStatus::Stopped(pid, Signal::SIGSTOP) if !self.worlds.contains_key(&pid) => {
                self.early.insert(pid);
                Ok(None)
            }
            // the first stop of a new process, not a signal to be delivered
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => Ok(Some((pid, None))),
            WaitStatus::Stopped(pid, signal) => Ok(Some((pid, Some(signal)))),
            _ => Ok(None),
        }
    }

    fn enter(&self, pid: Pid) -> nix::Result<Option<Return>> {
        let mut registers = ptrace::getregs(pid)?;
        let Some((answer, call, arguments)) = self.judge(pid, &registers)? else {
            return Ok(None);
        };
        match answer {
            Answer::AsToday if call == libc::SYS_uname => Ok(Some(Return::Release(arguments[0]))),
            Answer::AsToday => Ok(None),
            Answer::Without { argument, bits } => {
                let register = match (argument, is_i386(&registers)) {
                    (1, true) => &mut registers.rcx,
                    (1, false) => &mut registers.rsi,
                    _ => &mut registers.rdx,
                };
                *register &= !bits;
                ptrace::setregs(pid, registers)?;
                Ok(None)
            }
            Answer::Refused(errno) => {
                let number = registers.orig_rax;
                if !(is_tried(call, arguments) || is_i386(&registers) && i386::is_tried(number)) {
                    // appears in the output of the row, and so fails the test
                    eprintln!("{} has no call {number} with {arguments:x?}: {errno}", self.kernel.name);
                }
                registers.orig_rax = NO_CALL;
                ptrace::setregs(pid, registers)?;
                Ok(Some(Return::Error(errno)))
            }
        }
    }

    /// Returns the kernel's answer to a call, the call's number on x86_64 and its arguments; `None` if no rule knows it.
    fn judge(&self, pid: Pid, registers: &user_regs_struct) -> nix::Result<Option<(Answer, c_long, [u64; 6])>> {
        let number = registers.orig_rax;
        if !is_i386(registers) {
            let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9];
            let call = number as c_long;
            return Ok(Some((self.kernel.answer(call, arguments), call, arguments)));
        }
        let arguments = [registers.rbx, registers.rcx, registers.rdx, registers.rsi, registers.rdi, registers.rbp];
        let arguments = arguments.map(|argument| argument & u64::from(u32::MAX));
        if !self.kernel.has_i386_call(number) {
            let call = i386::call(number).unwrap_or(NO_CALL as c_long);
            return Ok(Some((Answer::Refused(Errno::ENOSYS), call, arguments)));
        }
        if number != i386::SOCKETCALL {
            return Ok(i386::call(number).map(|call| (self.kernel.ruled(call, arguments), call, arguments)));
        }
        let Some(call) = i386::socketcall(arguments[0]) else {
            return Ok(None);
        };
        let mut within = [0; 6];
        for (at, argument) in within.iter_mut().enumerate().take(5) {
            *argument = read(pid, arguments[1] + 4 * at as u64)? as u64 & u64::from(u32::MAX);
        }
        Ok(Some((self.kernel.ruled(call, within), call, within)))
    }

    fn leave(&self, pid: Pid, within: Option<Return>) -> nix::Result<Option<Return>> {
        match within {
            None => (),
            Some(Return::Error(errno)) => {
                let mut registers = ptrace::getregs(pid)?;
                registers.rax = (-(errno as i64)) as u64;
                ptrace::setregs(pid, registers)?;
            }
            Some(Return::Release(utsname)) => {
                let mut release = self.kernel.release.as_bytes().to_vec();
                release.push(0);
                release.resize(release.len().next_multiple_of(8), 0);
                for (at, word) in release.chunks_exact(8).enumerate() {
                    let word = word.iter().rev().fold(0, |number, byte| number << 8 | c_long::from(*byte));
                    write(pid, utsname + 2 * UTSNAME_FIELD + 8 * at as u64, word)?;
                }
            }
        }
        Ok(None)
    }

    /// Removes from a new program's auxiliary vector the entries that the old kernel does not pass.
    fn cut_auxiliary_vector(&self, pid: Pid) -> nix::Result<()> {
        let registers = ptrace::getregs(pid)?;
        let is_i386 = is_i386(&registers);
        let word = if is_i386 { 4 } else { 8 };
        // two words of 32 bits are read at once
        let value = |read: c_long| if is_i386 { read as u64 & u64::from(u32::MAX) } else { read as u64 };
        // the stack: argc, argv with a null, the environment with a null, pairs of type and value
        let mut at = registers.rsp;
        at += word * (value(read(pid, at)?) + 2);
        while value(read(pid, at)?) != 0 {
            at += word;
        }
        at += word;
        loop {
            let pair = read(pid, at)?;
            match value(pair) {
                0 => return Ok(()),
                kind if self.kernel.passes(kind, is_i386) => (),
                _ if is_i386 => write(pid, at, pair & !c_long::from(u32::MAX) | AT_IGNORE)?,
                _ => write(pid, at, AT_IGNORE)?,
            }
            at += 2 * word;
        }
    }
}

/// Whether a process runs a 32-bit program: the kernel's __USER32_CS (arch/x86/include/asm/segment.h).
fn is_i386(registers: &user_regs_struct) -> bool {
    registers.cs == 0x23
}

fn read(pid: Pid, address: u64) -> nix::Result<c_long> {
    ptrace::read(pid, address as ptrace::AddressType)
}

fn write(pid: Pid, address: u64, word: c_long) -> nix::Result<()> {
    ptrace::write(pid, address as ptrace::AddressType, word)
}
