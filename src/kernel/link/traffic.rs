//! What links have received and sent.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::kernel::handle::Kernel;
use crate::kernel::procfs::{Devices, Unreadable};
use crate::kernel::result::Result;
use crate::kernel::sysfs::Folder;

/// Bytes and packets that a link has carried in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes, without the frames' checksums.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// What a link has received and sent, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub received: Counters,
    /// Sent.
    pub sent: Counters,
}

impl Traffic {
    /// Adds two links' traffic. Counters stop at their largest value.
    pub fn sum(self, other: Traffic) -> Traffic {
        let add = |one: Counters, other: Counters| Counters {
            bytes: one.bytes.saturating_add(other.bytes),
            packets: one.packets.saturating_add(other.packets),
        };
        Traffic { received: add(self.received, other.received), sent: add(self.sent, other.sent) }
    }
}

/// All counters of a link: the files of `statistics/` in /sys, else the line of /proc/net/dev.
pub struct Statistics<'a>(Counts<'a>);

enum Counts<'a> {
    Files(Folder<'a>),
    Line(Vec<u64>),
}

/// The columns of /proc/net/dev, by the files of `statistics/`. Where one adds up several (net/core/net-procfs.c,
/// `dev_seq_printf_stats`) it has the name of the first.
const COLUMNS: [&str; 16] = [
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "rx_dropped",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_compressed",
    "multicast",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_fifo_errors",
    "collisions",
    "tx_carrier_errors",
    "tx_compressed",
];

impl Statistics<'_> {
    /// Returns the number of a file of `statistics/`; 0 where it is not known.
    pub fn count(&self, file: &str) -> u64 {
        let count = match &self.0 {
            Counts::Files(folder) => folder.text(&["statistics/", file].concat()).and_then(|text| text.parse().ok()),
            Counts::Line(counts) => {
                COLUMNS.iter().position(|column| *column == file).and_then(|place| counts.get(place).copied())
            }
        };
        count.unwrap_or(0)
    }
}

impl Kernel {
    /// Returns all counters of a link. Those of /sys are read when they are asked for.
    ///
    /// # Errors
    /// That there is no /sys of this namespace, and /proc/net/dev cannot be read.
    pub fn link_statistics<'a>(&'a self, link: &'a OsStr) -> Result<Statistics<'a>, Unreadable> {
        let line = |devices: Devices| {
            devices.counters().find(|(name, _)| *name == link.as_bytes()).map(|(_, counts)| counts.collect())
        };
        Ok(Statistics(match self.listed_folder(link.as_bytes()) {
            Some(folder) => Counts::Files(folder),
            None => Counts::Line(line(Devices::read(self)?).unwrap_or_default()),
        }))
    }

    /// Returns what links have received and sent, by one read of /proc/net/dev; `None` for those that it does not list.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn traffic(&self, links: &[&OsStr]) -> Result<Vec<Option<Traffic>>, Unreadable> {
        let mut traffic = vec![None; links.len()];
        for (name, counters) in Devices::read(self)?.counters() {
            if let Some(place) = links.iter().position(|link| link.as_bytes() == name) {
                let mut numbers = [0; COLUMNS.len()];
                numbers.iter_mut().zip(counters).for_each(|(number, counter)| *number = counter);
                let [bytes, packets, _, _, _, _, _, _, sent_bytes, sent_packets, ..] = numbers;
                let sent = Counters { bytes: sent_bytes, packets: sent_packets };
                traffic[place] = Some(Traffic { received: Counters { bytes, packets }, sent });
            }
        }
        Ok(traffic)
    }
}
