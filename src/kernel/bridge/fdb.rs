//! The forwarding table of a bridge.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use sysfs_class::SysClass;

use crate::kernel::file::read_into;
use crate::kernel::handle::Kernel;
use crate::kernel::ioctl::{self, Device, FDB_ENTRY};
use crate::kernel::result::Result;
use crate::net::{ClockTime, Mac};

/// An entry of a bridge's forwarding table (`struct __fdb_entry`).
#[derive(Clone, Copy, Debug)]
pub struct FdbEntry([u8; FDB_ENTRY]);

impl FdbEntry {
    /// Returns the address.
    pub fn mac(&self) -> Mac {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&self.0[..6]);
        Mac(bytes)
    }

    /// Returns the low byte of the number of the port behind which the address is. bridge-utils shows no more.
    pub fn port(&self) -> u8 {
        self.0[6]
    }

    /// Returns the number of the port behind which the address is, with the high byte that came with Linux 2.6.34 (`port_hi`).
    pub fn port_number(&self) -> u32 {
        u32::from(self.0[6]) | u32::from(self.0[12]) << 8
    }

    /// Whether the address is the port's own.
    pub fn is_local(&self) -> bool {
        self.0[7] != 0
    }

    /// Returns the time since the last frame from the address.
    pub fn age(&self) -> ClockTime {
        ClockTime(u32::from_ne_bytes([self.0[8], self.0[9], self.0[10], self.0[11]]).into())
    }
}

impl Kernel {
    /// Returns the forwarding table of a bridge, in the kernel's order: `brforward` of /sys, else by ioctl.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (not a bridge), EAGAIN (it kept changing).
    pub fn forwarding_table(&self, bridge: &[u8]) -> Result<Vec<FdbEntry>> {
        if let Some(device) = self.device(bridge)
            && let Ok(table) = read(&device)
        {
            return Ok(table);
        }
        let control = self.control()?;
        let mut table = Vec::new();
        loop {
            let mut page = [[0; FDB_ENTRY]; 4096 / FDB_ENTRY];
            let read = || ioctl::fdb_entries(control, bridge, table.len(), &mut page);
            match retry_again(read)? {
                0 => return Ok(table),
                count => table.extend(page[..count].iter().copied().map(FdbEntry)),
            }
        }
    }
}

/// Calls up to ten times while the kernel says that the table is being changed, as bridge-utils.
fn retry_again<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..9 {
        match call() {
            Err(Errno::EAGAIN) => (),
            other => return other,
        }
    }
    call()
}

/// Reads the records of `brforward`. The kernel gives at most a page to each read, cut to whole records.
fn read(device: &Device) -> Result<Vec<FdbEntry>> {
    let file = open(&device.path().join("brforward"), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut table = Vec::new();
    let mut page = [0; 4096];
    loop {
        let (records, _) = read_into(&file, &mut page)?.as_chunks();
        if records.is_empty() {
            return Ok(table);
        }
        table.extend(records.iter().copied().map(FdbEntry));
    }
}
