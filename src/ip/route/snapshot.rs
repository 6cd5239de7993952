//! What a command of `ip route` knows of the host: each fact is read when it is first asked for, and once.

use std::cell::OnceCell;

use super::entry::Entry;
use super::table;
use crate::error::Failure;
use crate::ip::complaint::{ipv4_unreadable, unreadable};
use crate::kernel::{Address, Kernel, RoutesV4, RoutesV6, Table};
use crate::net::rtnetlink::TableId;

/// The host at one moment. Whoever changes it takes a new one.
pub(super) struct Snapshot<'k> {
    pub(super) kernel: &'k Kernel,
    addresses_v4: Fact<Vec<Address>>,
    addresses_v6: Fact<Vec<Address>>,
    routes_v4: Fact<RoutesV4>,
    routes_v6: Fact<RoutesV6>,
    main_v4: Fact<Vec<Entry>>,
    main_v6: Fact<Vec<Entry>>,
    local_v4: Fact<Vec<Entry>>,
    local_v6: Fact<Vec<Entry>>,
}

/// A fact, or why it cannot be known.
type Fact<T> = OnceCell<Result<T, Failure>>;

fn known<T>(fact: &Fact<T>, read: impl FnOnce() -> Result<T, Failure>) -> Result<&T, Failure> {
    fact.get_or_init(read).as_ref().map_err(Failure::clone)
}

/// The addresses and routes of one family, without what can be inferred. The default knows none.
#[derive(Clone, Copy, Default)]
pub(super) struct Tables<'a> {
    pub(super) addresses: &'a [Address],
    pub(super) main: &'a [Entry],
    pub(super) local: &'a [Entry],
}

/// Each fails if a file or an ioctl cannot be read: what is not known is not missing.
impl<'k> Snapshot<'k> {
    pub(super) fn of(kernel: &'k Kernel) -> Self {
        Snapshot {
            kernel,
            addresses_v4: Fact::new(),
            addresses_v6: Fact::new(),
            routes_v4: Fact::new(),
            routes_v6: Fact::new(),
            main_v4: Fact::new(),
            main_v6: Fact::new(),
            local_v4: Fact::new(),
            local_v6: Fact::new(),
        }
    }

    pub(super) fn addresses_v4(&self) -> Result<&[Address], Failure> {
        known(&self.addresses_v4, || self.kernel.addresses_v4().map_err(ipv4_unreadable)).map(Vec::as_slice)
    }

    pub(super) fn addresses_v6(&self) -> Result<&[Address], Failure> {
        known(&self.addresses_v6, || self.kernel.addresses_v6().map_err(unreadable)).map(Vec::as_slice)
    }

    fn routes_v4(&self) -> Result<&RoutesV4, Failure> {
        known(&self.routes_v4, || self.kernel.routes_v4().map_err(unreadable))
    }

    fn routes_v6(&self) -> Result<&RoutesV6, Failure> {
        known(&self.routes_v6, || self.kernel.routes_v6().map_err(unreadable))
    }

    /// Returns the IPv4 routes of table `main`.
    pub(super) fn main_v4(&self) -> Result<&[Entry], Failure> {
        known(&self.main_v4, || Ok(table::main_v4(self.routes_v4()?))).map(Vec::as_slice)
    }

    /// Returns the IPv4 routes of table `local`.
    pub(super) fn local_v4(&self) -> Result<&[Entry], Failure> {
        known(&self.local_v4, || Ok(table::local_v4(self.routes_v4()?, self.addresses_v4()?))).map(Vec::as_slice)
    }

    /// Returns the IPv6 routes of table `main`.
    pub(super) fn main_v6(&self) -> Result<&[Entry], Failure> {
        known(&self.main_v6, || Ok(table::main_v6(self.routes_v6()?))).map(Vec::as_slice)
    }

    /// Returns the IPv6 routes of table `local`.
    pub(super) fn local_v6(&self) -> Result<&[Entry], Failure> {
        known(&self.local_v6, || Ok(table::local_v6(self.routes_v6()?))).map(Vec::as_slice)
    }

    pub(super) fn tables_v4(&self) -> Result<Tables<'_>, Failure> {
        Ok(Tables { main: self.main_v4()?, addresses: self.addresses_v4()?, local: self.local_v4()? })
    }

    pub(super) fn tables_v6(&self) -> Result<Tables<'_>, Failure> {
        Ok(Tables { main: self.main_v6()?, addresses: self.addresses_v6()?, local: self.local_v6()? })
    }

    /// Returns what is known of an IPv4 table.
    pub(super) fn table_v4(&self, table: TableId) -> Result<Table, Failure> {
        Ok(self.routes_v4()?.table(self.kernel, table.0))
    }

    /// Whether an IPv4 table other than main and local holds routes.
    pub(super) fn has_other_tables_v4(&self) -> Result<bool, Failure> {
        Ok(self.routes_v4()?.has_others())
    }

    /// Whether an IPv6 table other than main and local holds routes.
    pub(super) fn has_other_tables_v6(&self) -> Result<bool, Failure> {
        Ok(self.routes_v6()?.has_others)
    }

    /// Whether rules choose between IPv4 tables.
    pub(super) fn has_rules_v4(&self) -> Result<bool, Failure> {
        Ok(self.routes_v4()?.has_rules())
    }
}
