//! Hardware addresses of bridges that stay: derived from the host's identity and the name of the network, so that guests keep a
//! valid ARP entry for their router when ports come and go, when the network is made again, and after a boot.

use std::io::{self, Write};

use crate::kernel::Kernel;
use crate::net::Mac;
use crate::run_file;

/// Files that say which host this is (machine-id(5)).
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
/// Folders in which a host without such a file gets one of brouter's.
const FOLDERS: [&str; 2] = ["/var/lib/brouter", "/etc/brouter"];
const FILE: &str = "host-id";

/// What tells this host from others.
#[derive(Debug)]
pub struct HostId {
    text: String,
    /// It is in no file yet.
    is_new: bool,
}

impl HostId {
    /// Reads the identity of this host; chooses a random one where no file has it. `None` where the kernel gives no random number.
    pub fn read(kernel: &Kernel) -> Option<Self> {
        let own = FOLDERS.map(|folder| format!("{folder}/{FILE}"));
        let files = MACHINE_ID.iter().copied().chain(own.iter().map(String::as_str));
        // an image that has never been booted says `uninitialized`
        let is_id = |text: &String| text.len() >= 32;
        let stored = files.filter_map(|file| kernel.text(file).ok()).find(is_id);
        let is_new = stored.is_none();
        let text = stored.or_else(|| kernel.text("/proc/sys/kernel/random/uuid").ok().filter(is_id))?;
        Some(HostId { text, is_new })
    }

    /// Stores the identity, if it is in no file yet, in the first folder that can be written.
    ///
    /// # Errors
    /// Those of mkdir(2) and open(2) for the last folder.
    pub fn keep(&self, kernel: &Kernel) -> io::Result<()> {
        if !self.is_new {
            return Ok(());
        }
        let [first, second] = FOLDERS.map(|folder| kernel.path(folder));
        let write = |folder: &std::path::Path| {
            run_file::create_folder(folder)?;
            run_file::create(&folder.join(FILE))?.write_all(format!("{}\n", self.text).as_bytes())
        };
        write(&first).or_else(|_| write(&second))
    }

    /// Returns the address of a network's bridge on this host: locally administered, of a single interface. It holds 46 bits of a
    /// hash, which do not reveal the host's identity.
    pub fn mac(&self, network: &str) -> Mac {
        // FNV-1a; the steps at the end spread each bit over the upper ones
        let bytes = network.bytes().chain([0]).chain(self.text.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mut mac = Mac::from_number(hash >> 16);
        mac.0[0] = mac.0[0] & 0xfc | 0x02;
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_differ_by_host_and_network_and_are_of_one_interface() {
        let host = |text: &str| HostId { text: text.into(), is_new: false };
        let (one, other) = (host("3d1219c7c4c5404aaa1f6d2a48adfda4"), host("3d1219c7c4c5404aaa1f6d2a48adfda5"));
        assert_eq!(one.mac("xenbr0"), one.mac("xenbr0"));
        let mut macs: Vec<Mac> = Vec::new();
        for network in (0..500).map(|number| format!("n{number}")) {
            macs.extend([one.mac(&network), other.mac(&network)]);
        }
        assert!(macs.iter().all(|mac| mac.is_of_one() && mac.0[0] & 2 != 0));
        macs.sort();
        macs.dedup();
        assert_eq!(macs.len(), 1000);
    }
}
