//! What a command of `ip route` knows of the host: each fact is read when it is first asked for, and once.

use std::cell::OnceCell;

use super::entry::Entry;
use super::{local, table};
use crate::error::Failure;
use crate::ip::complaint::{ipv4_unreadable, unreadable};
use crate::kernel::{Address, Kernel, RoutesV4, RoutesV6};

/// The host at one moment. Whoever changes it takes a new one.
pub(super) struct Snapshot<'k> {
    pub(super) kernel: &'k Kernel,
    facts: Facts,
}

#[derive(Default)]
struct Facts {
    addresses_v4: Fact<Vec<Address>>,
    addresses_v6: Fact<Vec<Address>>,
    routes_v4: Fact<RoutesV4>,
    routes_v6: Fact<RoutesV6>,
}

/// A fact, or why it cannot be known.
type Fact<T> = OnceCell<Result<T, Failure>>;

fn known<T>(fact: &Fact<T>, read: impl FnOnce() -> Result<T, Failure>) -> Result<&T, Failure> {
    fact.get_or_init(read).as_ref().map_err(Failure::clone)
}

/// The addresses and routes of one family, without what can be inferred. The default knows none.
#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) addresses: Vec<Address>,
    pub(super) main: Vec<Entry>,
    pub(super) local: Vec<Entry>,
}

/// Each fails if a file or an ioctl cannot be read: what is not known is not missing.
impl<'k> Snapshot<'k> {
    pub(super) fn of(kernel: &'k Kernel) -> Self {
        Snapshot { kernel, facts: Facts::default() }
    }

    pub(super) fn addresses_v4(&self) -> Result<&[Address], Failure> {
        known(&self.facts.addresses_v4, || self.kernel.addresses_v4().map_err(ipv4_unreadable)).map(Vec::as_slice)
    }

    pub(super) fn addresses_v6(&self) -> Result<&[Address], Failure> {
        known(&self.facts.addresses_v6, || self.kernel.addresses_v6().map_err(unreadable)).map(Vec::as_slice)
    }

    pub(super) fn routes_v4(&self) -> Result<&RoutesV4, Failure> {
        known(&self.facts.routes_v4, || self.kernel.routes_v4().map_err(unreadable))
    }

    pub(super) fn routes_v6(&self) -> Result<&RoutesV6, Failure> {
        known(&self.facts.routes_v6, || self.kernel.routes_v6().map_err(unreadable))
    }

    /// Returns the IPv4 routes of table `local`.
    pub(super) fn local_v4(&self) -> Result<Vec<Entry>, Failure> {
        let addresses = self.addresses_v4()?;
        Ok(match &self.routes_v4()?.local {
            Some(routes) => local::listed(routes, addresses),
            None => local::derived(self.kernel, addresses),
        })
    }

    pub(super) fn tables_v4(&self) -> Result<Tables, Failure> {
        let (main, local) = (table::main_v4(self.routes_v4()?), self.local_v4()?);
        Ok(Tables { addresses: self.addresses_v4()?.to_vec(), main, local })
    }

    pub(super) fn tables_v6(&self) -> Result<Tables, Failure> {
        let routes = self.routes_v6()?;
        let (main, local) = (table::main_v6(routes), table::local_v6(routes));
        Ok(Tables { addresses: self.addresses_v6()?.to_vec(), main, local })
    }
}
