//! The forwarding table of a bridge.

use std::fs::File;
use std::io::{self, Read};

use nix::errno::Errno;
use sysfs_class::SysClass;

use crate::kernel::ioctl::{self, FDB_ENTRY};
use crate::kernel::sysfs::Device;
use crate::kernel::{Kernel, Result};
use crate::net::{ClockTime, Mac};

/// An entry of a bridge's forwarding table (`struct __fdb_entry`).
#[derive(Clone, Copy, Debug)]
pub struct FdbEntry([u8; FDB_ENTRY]);

impl FdbEntry {
    /// The address.
    pub fn mac(&self) -> Mac {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&self.0[..6]);
        Mac(bytes)
    }

    /// Number of the port behind which the address is, of which bridge-utils shows the low byte only. (The high one came with
    /// 2.6.34, as `port_hi`.)
    pub fn port(&self) -> u8 {
        self.0[6]
    }

    /// The same, whole: with the high byte where the kernel has one.
    pub fn port_number(&self) -> u32 {
        u32::from(self.0[6]) | u32::from(self.0[12]) << 8
    }

    /// Whether the address is the port's own.
    pub fn is_local(&self) -> bool {
        self.0[7] != 0
    }

    /// Time since the last frame from there.
    pub fn age(&self) -> ClockTime {
        ClockTime(u32::from_ne_bytes([self.0[8], self.0[9], self.0[10], self.0[11]]).into())
    }
}

impl Kernel {
    /// The forwarding table of a bridge, in the kernel's order.
    ///
    /// # Errors
    /// ENODEV, EOPNOTSUPP (no bridge), EAGAIN (it kept changing).
    pub fn forwarding_table(&self, bridge: &[u8]) -> Result<Vec<FdbEntry>> {
        if let Some(device) = self.device(bridge)
            && let Ok(table) = device.forwarding_table()
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

/// As bridge-utils: up to ten tries while the kernel says that the table is being changed.
fn retry_again<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..9 {
        match call() {
            Err(Errno::EAGAIN) => (),
            other => return other,
        }
    }
    call()
}

impl Device {
    /// The records of `brforward`. The kernel gives at most a page to each read, cut to whole records.
    fn forwarding_table(&self) -> io::Result<Vec<FdbEntry>> {
        let mut file = File::open(self.path().join("brforward"))?;
        let mut table = Vec::new();
        let mut page = [0; 4096];
        loop {
            let length = file.read(&mut page)?;
            if length < FDB_ENTRY {
                return Ok(table);
            }
            table.extend(page[..length].chunks_exact(FDB_ENTRY).map(|record| {
                let mut entry = [0; FDB_ENTRY];
                entry.copy_from_slice(record);
                FdbEntry(entry)
            }));
        }
    }
}
