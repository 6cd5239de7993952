//! Calls that only C's types can express: the only unsafe code of the program.
//!
//! A [`request`] number is typed with the structure that the kernel reads or fills ([`layout`] has those), and [`call`] passes one
//! with the other. Requests whose structure points to more memory have functions of their own. What leaves this file is safe to
//! call with any argument; whether it makes sense is for the verbs that use it to decide.
#![allow(unsafe_code)]

mod layout;
mod request;

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_ulong;
use nix::errno::Errno;
use nix::sys::signal::SigSet;

use super::file::read_page;
pub use layout::{IFNAMSIZ, RouterEntry, SixRd, Tunnel};
pub(super) use layout::{Ifreq, In6Rtmsg, arpreq, in6_ifreq, kernel_name, no_rtentry, rtentry, sockaddr};
pub(super) use request::*;

type Result<T> = std::result::Result<T, Errno>;

/// Calls ioctl(2).
///
/// # Safety
/// `argument` must point to what the kernel reads and writes at this request number.
unsafe fn ioctl<T>(fd: impl AsFd, number: c_ulong, argument: *mut T) -> Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed for the call; the caller answers for the argument. The request's type is c_ulong in
    // glibc and int in musl; all numbers here fit both.
    let result = unsafe { libc::ioctl(fd, number as _, argument) };
    Errno::result(result).map(|count| count as usize)
}

/// Sends a request with its structure.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn call<T>(fd: impl AsFd, request: Request<T>, argument: &mut T) -> Result<()> {
    // SAFETY: only request.rs makes a Request<T>, where T is what the kernel's header names for the number.
    unsafe { ioctl(fd, request.0, argument) }.map(drop)
}

/// What to do with a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteVerb {
    /// SIOCADDRT
    Add,
    /// SIOCDELRT
    Delete,
}

/// Adds or deletes an IPv4 route, over the device or label of a name if one is given.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn route_v4(fd: impl AsFd, verb: RouteVerb, mut route: libc::rtentry, device: Option<&[u8]>) -> Result<()> {
    let mut name = kernel_name(device.unwrap_or_default());
    route.rt_dev = if device.is_some() { name.as_mut_ptr().cast() } else { std::ptr::null_mut() };
    let number = match verb {
        RouteVerb::Add => libc::SIOCADDRT,
        RouteVerb::Delete => libc::SIOCDELRT,
    };
    // SAFETY: the kernel reads one rtentry, and at most IFNAMSIZ bytes from rt_dev, the only address in it, which is null or
    // points to `name`.
    unsafe { ioctl(fd, number as c_ulong, &mut route) }.map(drop)
}

/// Returns the addresses of all interfaces with their labels (SIOCGIFCONF): interfaces in the order of registration, down ones
/// included.
///
/// The kernel walks through all interfaces at each call, so there is room for many if a few are not enough: memory that it does not
/// fill costs nothing, but to have so much of it takes two calls more.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn address_labels(fd: impl AsFd) -> Result<Vec<Ifreq>> {
    let mut room = 16;
    loop {
        let mut list: Vec<Ifreq> = Vec::with_capacity(room);
        let mut conf = libc::ifconf {
            ifc_len: (room * size_of::<Ifreq>()) as c_int,
            ifc_ifcu: libc::__c_anonymous_ifc_ifcu { ifcu_buf: list.as_mut_ptr().cast() },
        };
        // SAFETY: the kernel writes whole ifreqs into `list`, no more than ifc_len bytes, and the number of bytes to ifc_len. All
        // bytes of an ifreq are written, and any bytes are one.
        let filled = unsafe {
            ioctl(&fd, libc::SIOCGIFCONF as c_ulong, &mut conf)?;
            // not more than there is room for, whatever the kernel answers
            let filled = (usize::try_from(conf.ifc_len).unwrap_or(0) / size_of::<Ifreq>()).min(room);
            list.set_len(filled);
            filled
        };
        // a full buffer may have been too small
        if filled < room {
            return Ok(list);
        }
        room = 2048.max(room * 4);
    }
}

/// Bridges or ports that one request can list, as in bridge-utils. The kernel's BR_MAX_PORTS is 1024 too.
const MAX_LISTED: usize = 1024;

/// Sends a request about an interface whose ifreq points to more memory.
///
/// # Safety
/// `data` must be what the kernel reads and writes at this request number.
unsafe fn with_data<T>(fd: impl AsFd, interface: &[u8], number: c_ulong, data: &mut T) -> Result<usize> {
    let mut request = Ifreq::named(interface);
    let address = std::ptr::from_mut(data).expose_provenance();
    request.member[..size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
    // SAFETY: ifr_data points to `data`; the caller answers for its type.
    unsafe { ioctl(fd, number, &mut request) }
}

/// What to do with a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelVerb {
    /// SIOCGETTUNNEL
    Get,
    /// SIOCADDTUNNEL
    Add,
    /// SIOCDELTUNNEL
    Delete,
    /// SIOCCHGTUNNEL
    Change,
}

/// A request about a tunnel (linux/if_tunnel.h), with what it reads or fills.
pub(super) enum TunnelRequest<'a> {
    Tunnel(TunnelVerb, &'a mut Tunnel),
    /// SIOCGETPRL; the first entry tells how many there is room for.
    Routers(&'a mut [RouterEntry; 16]),
    /// SIOCADDPRL or SIOCDELPRL
    Router(bool, &'a mut RouterEntry),
    /// SIOCGET6RD
    SixRd(&'a mut SixRd),
    /// SIOCADD6RD or SIOCDEL6RD
    ChangeSixRd(bool, &'a mut SixRd),
}

impl TunnelRequest<'_> {
    pub(super) fn number(&self) -> u32 {
        let place = match self {
            TunnelRequest::Tunnel(verb, _) => *verb as u32,
            TunnelRequest::Routers(_) => 4,
            TunnelRequest::Router(is_deleted, _) => 5 + u32::from(*is_deleted),
            TunnelRequest::SixRd(_) => 8,
            TunnelRequest::ChangeSixRd(is_deleted, _) => 9 + u32::from(*is_deleted),
        };
        SIOCDEVPRIVATE as u32 + place
    }
}

/// Sends a request about a tunnel.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn tunnel(fd: impl AsFd, device: &[u8], request: TunnelRequest) -> Result<()> {
    let number = request.number().into();
    // SAFETY: each request comes with the structure that the kernel's header names for it. A list of routers has room for as many
    // bytes as its first entry tells: this file's layout makes it.
    unsafe {
        match request {
            TunnelRequest::Tunnel(_, tunnel) => with_data(fd, device, number, tunnel),
            TunnelRequest::Routers(entries) => with_data(fd, device, number, entries),
            TunnelRequest::Router(_, entry) => with_data(fd, device, number, entry),
            TunnelRequest::SixRd(six_rd) | TunnelRequest::ChangeSixRd(_, six_rd) => {
                with_data(fd, device, number, six_rd)
            }
        }
    }
    .map(drop)
}

/// Sends a command of the bridge's first ioctl interface.
///
/// # Safety
/// If the command fills memory, `words[1]` must be the address of as much as it can fill.
unsafe fn device_private(fd: impl AsFd, bridge: &[u8], words: &mut [c_ulong; 4]) -> Result<usize> {
    // SAFETY: the kernel reads four words; the caller answers for where these point to.
    unsafe { with_data(fd, bridge, SIOCDEVPRIVATE, words) }
}

/// Sends a command that sets a value, or attaches or releases a port.
///
/// # Errors
/// Whatever the kernel answers; EOPNOTSUPP where the interface is not a bridge; ERANGE for a value that does not fit a word of C.
pub(super) fn bridge_set(fd: impl AsFd, bridge: &[u8], command: BrctlCommand, first: u64, second: u64) -> Result<()> {
    use BrctlCommand::*;
    if matches!(command, GetBridges | GetBridgeInfo | GetPortList | GetPortInfo | GetFdbEntries) {
        return Err(Errno::EINVAL);
    }
    let word = |value: u64| c_ulong::try_from(value).map_err(|_| Errno::ERANGE);
    let mut words = [command as c_ulong, word(first)?, word(second)?, 0];
    // SAFETY: the commands that take words[1] for an address are refused above; the others read it as a number.
    unsafe { device_private(fd, bridge, &mut words) }.map(drop)
}

/// Returns the `struct __bridge_info` of a bridge.
///
/// # Errors
/// ENODEV, EOPNOTSUPP (not a bridge).
pub(super) fn bridge_info(fd: impl AsFd, bridge: &[u8]) -> Result<[u8; BRIDGE_INFO]> {
    let mut info = [0u8; BRIDGE_INFO];
    let mut words = [BrctlCommand::GetBridgeInfo as c_ulong, info.as_mut_ptr().expose_provenance() as c_ulong, 0, 0];
    // SAFETY: the kernel writes one __bridge_info, which is as long as `info`.
    unsafe { device_private(fd, bridge, &mut words) }?;
    Ok(info)
}

/// Returns the `struct __port_info` of the port with this number.
///
/// # Errors
/// ENODEV, EINVAL (no such port), EOPNOTSUPP (not a bridge).
pub(super) fn port_info(fd: impl AsFd, bridge: &[u8], number: u32) -> Result<[u8; PORT_INFO]> {
    let mut info = [0u8; PORT_INFO];
    let mut words = [
        BrctlCommand::GetPortInfo as c_ulong,
        info.as_mut_ptr().expose_provenance() as c_ulong,
        c_ulong::from(number),
        0,
    ];
    // SAFETY: the kernel writes one __port_info, which is as long as `info`.
    unsafe { device_private(fd, bridge, &mut words) }?;
    Ok(info)
}

/// Returns the interface indexes of a bridge's ports, by port number; 0 where a number is free.
///
/// # Errors
/// ENODEV, EOPNOTSUPP (not a bridge).
pub(super) fn port_indexes(fd: impl AsFd, bridge: &[u8]) -> Result<Vec<c_int>> {
    let mut list = vec![0 as c_int; MAX_LISTED];
    let mut words = [
        BrctlCommand::GetPortList as c_ulong,
        list.as_mut_ptr().expose_provenance() as c_ulong,
        MAX_LISTED as c_ulong,
        0,
    ];
    // SAFETY: the kernel writes at most words[2] ints, and `list` holds as many.
    let count = unsafe { device_private(fd, bridge, &mut words) }?;
    // kernels that do not know the count return 0 and fill 256
    list.truncate(if count == 0 { 256 } else { count });
    Ok(list)
}

/// Reads entries of a bridge's forwarding table from `offset` on, at most as many as `entries` holds. Returns their number.
///
/// # Errors
/// ENODEV, EOPNOTSUPP (not a bridge), EAGAIN (the table is being changed).
pub(super) fn fdb_entries(
    fd: impl AsFd,
    bridge: &[u8],
    offset: usize,
    entries: &mut [[u8; FDB_ENTRY]],
) -> Result<usize> {
    let address = entries.as_mut_ptr().expose_provenance() as c_ulong;
    let mut words = [BrctlCommand::GetFdbEntries as c_ulong, address, entries.len() as c_ulong, offset as c_ulong];
    // SAFETY: the kernel writes at most words[2] entries of 16 bytes, and `entries` holds as many.
    let count = unsafe { device_private(fd, bridge, &mut words) }?;
    Ok(count.min(entries.len()))
}

/// Returns the interface indexes of all bridges, in the kernel's order (SIOCGIFBR).
///
/// # Errors
/// ENOPKG or EINVAL where the kernel has no bridges.
pub(super) fn bridge_indexes(fd: impl AsFd) -> Result<Vec<c_int>> {
    let mut list = vec![0 as c_int; MAX_LISTED];
    let mut words: [c_ulong; 3] =
        [BrctlCommand::GetBridges as c_ulong, list.as_mut_ptr().expose_provenance() as c_ulong, MAX_LISTED as c_ulong];
    // SAFETY: the kernel reads three words and writes at most words[2] ints, and `list` holds as many.
    let count = unsafe { ioctl(fd, libc::SIOCGIFBR as c_ulong, words.as_mut_ptr()) }?;
    list.truncate(count);
    Ok(list)
}

/// Reads a symbolic link: as much of its target as there is room for. Returns how much that is. (nix's readlinkat takes 4 KiB of
/// memory each time, for which musl makes two system calls.)
///
/// # Errors
/// Those of readlinkat(2).
pub(super) fn read_link(folder: impl AsFd, name: &CStr, target: &mut [u8]) -> Result<usize> {
    let folder = folder.as_fd().as_raw_fd();
    // SAFETY: the name ends with a NUL, and the kernel writes no more than the length that it is given.
    let length = unsafe { libc::readlinkat(folder, name.as_ptr(), target.as_mut_ptr().cast(), target.len()) };
    Errno::result(length).map(|length| (length as usize).min(target.len()))
}

/// `struct ethtool_drvinfo` (linux/ethtool.h): a command, the driver's name, and the rest.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

const ETHTOOL_GDRVINFO: u32 = 3;

/// Returns the number of the network namespace that a socket belongs to (SO_NETNS_COOKIE, Linux 5.14 and later). No other
/// namespace gets it until the next boot.
///
/// # Errors
/// ENOPROTOOPT (older kernels).
pub(super) fn namespace(fd: impl AsFd) -> Result<u64> {
    let mut number = 0_u64;
    let mut size = size_of::<u64>() as libc::socklen_t;
    let into = (&raw mut number).cast();
    // SAFETY: the kernel writes `size` bytes at most, which is what there is.
    let result =
        unsafe { libc::getsockopt(fd.as_fd().as_raw_fd(), libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, into, &mut size) };
    Errno::result(result).map(|_| number)
}

/// Reads from a table of the kernel's packet filter (linux/netfilter/x_tables.h). Returns how many bytes the kernel filled.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn get_table(fd: impl AsFd, option: TableOption, buffer: &mut [u8]) -> Result<usize> {
    let mut size = buffer.len() as libc::socklen_t;
    let (level, number) = option.numbers();
    // SAFETY: the kernel reads and writes `size` bytes at most, which is what there is. No structure that it reads here holds an
    // address.
    let result =
        unsafe { libc::getsockopt(fd.as_fd().as_raw_fd(), level, number, buffer.as_mut_ptr().cast(), &mut size) };
    Errno::result(result).map(|_| size as usize)
}

/// Replaces a table (`struct ipt_replace`, with its entries behind it), and fills in the counters of the old one, 16 bytes for each
/// old entry.
///
/// # Errors
/// Whatever the kernel answers; EINVAL if `replace` announces another number of counters.
pub(super) fn replace_table(fd: impl AsFd, is_ipv6: bool, replace: &mut [u8], counters: &mut [u8]) -> Result<()> {
    const POINTER: usize = 88;
    let announced = replace.get(POINTER - 4..POINTER).and_then(|number| number.try_into().ok()).map(u32::from_ne_bytes);
    let room = replace.get_mut(POINTER..POINTER + size_of::<usize>()).ok_or(Errno::EINVAL)?;
    // a null address would have old kernels free the table while it is in use
    if counters.is_empty() || announced != Some((counters.len() / 16) as u32) {
        return Err(Errno::EINVAL);
    }
    room.copy_from_slice(&counters.as_mut_ptr().expose_provenance().to_ne_bytes());
    let (level, number) = TableOption { is_ipv6, number: IPT_SO_SET_REPLACE }.numbers();
    let (address, size) = (replace.as_ptr().cast(), replace.len() as libc::socklen_t);
    // SAFETY: the kernel reads `replace`, and writes the announced number of counters to the only address in it, which is that of
    // `counters`; there is room for as many.
    let result = unsafe { libc::setsockopt(fd.as_fd().as_raw_fd(), level, number, address, size) };
    Errno::result(result).map(drop)
}

/// Adds to the counters of a table (`struct xt_counters_info`).
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn add_counters(fd: impl AsFd, is_ipv6: bool, counters: &[u8]) -> Result<()> {
    let (level, number) = TableOption { is_ipv6, number: IPT_SO_SET_ADD_COUNTERS }.numbers();
    let (address, size) = (counters.as_ptr().cast(), counters.len() as libc::socklen_t);
    // SAFETY: the kernel reads `size` bytes, which is what there is. The structure holds no address.
    let result = unsafe { libc::setsockopt(fd.as_fd().as_raw_fd(), level, number, address, size) };
    Errno::result(result).map(drop)
}

/// Returns the name of an interface's driver. Since Linux 5.13 a virtual interface without a driver has its kind for it.
///
/// # Errors
/// ENODEV, EOPNOTSUPP (it has neither).
pub(super) fn driver(fd: impl AsFd, interface: &[u8]) -> Result<Vec<u8>> {
    let mut info = DriverInfo { command: ETHTOOL_GDRVINFO, driver: [0; 32], rest: [0; 160] };
    // SAFETY: an ethtool_drvinfo is what the kernel fills at this command.
    unsafe { with_data(fd, interface, libc::SIOCETHTOOL as c_ulong, &mut info) }?;
    Ok(info.driver.iter().copied().take_while(|&byte| byte != 0).collect())
}

/// `struct ethtool_value` (linux/ethtool.h)
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// Commands of `SIOCETHTOOL` that take one number (linux/ethtool.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EthtoolCommand {
    /// Reads whether there is a carrier (`ETHTOOL_GLINK`).
    Carrier = 0x0a,
    /// Reads whether the device makes the checksums of what it sends (`ETHTOOL_GTXCSUM`).
    TxChecksum = 0x16,
    /// Sets that (`ETHTOOL_STXCSUM`).
    SetTxChecksum = 0x17,
}

/// Sends an ethtool command with its value, and returns the value that the kernel answers.
///
/// # Errors
/// ENODEV, EOPNOTSUPP (its driver does not tell, or cannot), EPERM.
pub(super) fn ethtool(fd: impl AsFd, interface: &[u8], command: EthtoolCommand, set: bool) -> Result<bool> {
    let mut value = EthtoolValue { command: command as u32, data: set.into() };
    // SAFETY: an ethtool_value is what the kernel reads and fills at these commands.
    unsafe { with_data(fd, interface, libc::SIOCETHTOOL as c_ulong, &mut value) }?;
    Ok(value.data != 0)
}

/// A value of a tap or tun device that can be set on its other end (linux/if_tun.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TunSetting {
    /// Whether the device outlives the descriptor: 0 or 1.
    Persist,
    /// The user who may open the device.
    Owner,
    /// The group whose members may open the device.
    Group,
}

/// Sets a value of a tap or tun device.
///
/// # Errors
/// EPERM, EINVAL (no such user), EBADFD (not the other end of a device).
pub(super) fn set_tun(fd: impl AsFd, setting: TunSetting, value: u32) -> Result<()> {
    let number = match setting {
        TunSetting::Persist => libc::TUNSETPERSIST,
        TunSetting::Owner => libc::TUNSETOWNER,
        TunSetting::Group => libc::TUNSETGROUP,
    };
    // SAFETY: these three read no memory: the argument is the value itself.
    unsafe { ioctl(fd, number as c_ulong, std::ptr::without_provenance_mut::<()>(value as usize)) }.map(drop)
}

/// Creates or deletes a bridge by SIOCSIFBR, for kernels without SIOCBRADDBR.
///
/// # Errors
/// Whatever the kernel answers.
pub(super) fn siocsifbr(fd: impl AsFd, command: BrctlCommand, bridge: &[u8]) -> Result<()> {
    if !matches!(command, BrctlCommand::AddBridge | BrctlCommand::DelBridge) {
        return Err(Errno::EINVAL);
    }
    let mut name = kernel_name(bridge);
    let mut words: [c_ulong; 3] = [command as c_ulong, name.as_mut_ptr().expose_provenance() as c_ulong, 0];
    // SAFETY: the kernel reads three words and copies IFNAMSIZ bytes from words[1].
    unsafe { ioctl(fd, libc::SIOCSIFBR as c_ulong, words.as_mut_ptr()) }.map(drop)
}

/// The folder of a device, `/sys/class/net/NAME`, whose files are read and written through sysfs-class's `SysClass`. It stands
/// here because the trait marks its unchecked constructor `unsafe`; [`super::sysfs`] checks names before it makes one.
#[derive(Clone, Debug)]
pub(super) struct Device(pub(super) PathBuf);

impl sysfs_class::SysClass for Device {
    fn class() -> &'static str {
        "net"
    }

    unsafe fn from_path_unchecked(path: PathBuf) -> Self {
        Device(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// One open, one read, one close: a sysfs file is at most a page and is given whole to the first read.
    fn read_file<P: AsRef<Path>>(&self, name: P) -> std::io::Result<String> {
        read_page(&self.0.join(name))
    }
}

/// The signals that [`note_signals`] handles.
const SIGNALS: [c_int; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];

/// The first of them that arrived. A handler can reach nothing but a global.
static ARRIVED: AtomicI32 = AtomicI32::new(0);

/// Has SIGHUP, SIGINT and SIGTERM noted, so that they no longer end the process. Programs that are started later get their default
/// dispositions. A signal that is ignored, as by nohup(1), stays ignored.
pub fn note_signals() {
    extern "C" fn note(signal: c_int) {
        let _ = ARRIVED.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
    }
    for signal in SIGNALS {
        // SAFETY: zero is a valid sigaction; the handler touches one atomic, as a handler may; calls are restarted.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note as extern "C" fn(c_int) as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, std::ptr::null(), &mut before);
            if before.sa_sigaction != libc::SIG_IGN {
                libc::sigaction(signal, &action, std::ptr::null_mut());
            }
        }
    }
}

/// Returns the first signal that arrived since [`note_signals`], if any.
pub fn signal() -> Option<c_int> {
    Some(ARRIVED.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// Starts a program with the default disposition of SIGCHLD and SIGPIPE and no blocked signal, whatever this process's caller left
/// it with. SIGCHLD gets its default in this process too: where it is ignored, the kernel drops the exit status of a child.
///
/// # Errors
/// Those of fork(2) and execve(2).
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let unblock = || Ok(SigSet::empty().thread_set_mask()?);
    // SAFETY: SIG_DFL is a valid disposition of every signal, and no handler of SIGCHLD is installed. The closure makes one system
    // call, as a forked child may. It does not allocate: an errno becomes an io::Error in place. (This process keeps its mask: a
    // signal that the caller blocks must not arrive between two steps.)
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        command.pre_exec(unblock);
    }
    command.spawn()
}
