//! The legacy tables of the packet filter, as bytes (linux/netfilter/x_tables.h).

use std::os::fd::BorrowedFd;

use super::handle::Kernel;
use super::ioctl::{
    self, IPT_SO_GET_ENTRIES, IPT_SO_GET_INFO, IPT_SO_GET_REVISION_MATCH, IPT_SO_GET_REVISION_TARGET, Ifreq,
    SIOCGIFINDEX, TableOption,
};
use super::result::Result;
use crate::net::Family;

/// Bytes of `struct ipt_getinfo`.
pub const TABLE_INFO: usize = 84;

/// Bytes of `struct xt_get_revision`: a name with its NUL, and the revision.
const REVISION: usize = 30;

/// A part of a rule that comes in revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// A match.
    Match,
    /// A target.
    Target,
}

impl Kernel {
    /// Returns the `struct ipt_getinfo` of a table. The kernel makes the table, if it can and has none yet in this namespace.
    ///
    /// # Errors
    /// EPERM, ENOPROTOOPT (no tables of this family), ENOENT (no such table).
    pub fn table_info(&self, family: Family, table: &str) -> Result<[u8; TABLE_INFO]> {
        let mut info = [0; TABLE_INFO];
        info[..table.len()].copy_from_slice(table.as_bytes());
        self.get_table(family, IPT_SO_GET_INFO, &mut info)?;
        Ok(info)
    }

    /// Fills a `struct ipt_get_entries`, which begins with the name of a table and its size.
    ///
    /// # Errors
    /// EAGAIN or, before 2.6.25, EINVAL (the table has another size by now).
    pub fn table_entries(&self, family: Family, entries: &mut [u8]) -> Result<()> {
        self.get_table(family, IPT_SO_GET_ENTRIES, entries)
    }

    fn get_table(&self, family: Family, number: i32, buffer: &mut [u8]) -> Result<()> {
        let option = TableOption { is_ipv6: family == Family::V6, number };
        ioctl::get_table(self.table_socket(family)?, option, buffer).map(drop)
    }

    fn table_socket(&self, family: Family) -> Result<BorrowedFd<'_>> {
        match family {
            Family::V4 => self.control(),
            Family::V6 => self.control_v6(),
        }
    }

    /// Replaces a table by a `struct ipt_replace` with its entries, and returns the old counters, 16 bytes for each of `old` entries.
    ///
    /// # Errors
    /// EAGAIN (the table does not have `old` entries by now), EINVAL, ENOENT (no such match or target), ELOOP.
    pub fn replace_table(&self, family: Family, replace: &mut [u8], old: usize) -> Result<Vec<u8>> {
        let mut counters = vec![0; old * 16];
        ioctl::replace_table(self.table_socket(family)?, family == Family::V6, replace, &mut counters)?;
        Ok(counters)
    }

    /// Adds the counters of a `struct xt_counters_info` to those of a table.
    ///
    /// # Errors
    /// EINVAL or EAGAIN (the table has another number of entries).
    pub fn add_table_counters(&self, family: Family, counters: &[u8]) -> Result<()> {
        ioctl::add_counters(self.table_socket(family)?, family == Family::V6, counters)
    }

    /// Asks whether the kernel has a revision of a match or target. It loads the module first, if there is one.
    ///
    /// # Errors
    /// ENOENT (no such name), EPROTONOSUPPORT (no such revision), ENOPROTOOPT (no revisions at all).
    pub fn has_extension(&self, family: Family, extension: Extension, name: &str, revision: u8) -> Result<()> {
        let number = match extension {
            Extension::Match => IPT_SO_GET_REVISION_MATCH,
            Extension::Target => IPT_SO_GET_REVISION_TARGET,
        };
        let mut asked = [0; REVISION];
        asked[..name.len()].copy_from_slice(name.as_bytes());
        asked[REVISION - 1] = revision;
        self.get_table(family, number, &mut asked)
    }

    /// Has the kernel load a module: where no interface has a name, it looks for a module of that name (net/core/dev_ioctl.c,
    /// `dev_load`). That needs CAP_SYS_MODULE, and starts no process of ours.
    pub fn request_module(&self, module: &str) {
        if let Ok(control) = self.control() {
            let _ = ioctl::call(control, SIOCGIFINDEX, &mut Ifreq::named(module.as_bytes()));
        }
    }
}
