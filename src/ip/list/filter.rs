//! Which links and addresses are listed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::pattern::matches_pattern;
use crate::error::{Failure, line};
use crate::ip::complaint::unreadable;
use crate::kernel::{Address, Kernel, Link, flag};
use crate::net::prefix::{Family, Prefix};
use crate::net::rtnetlink::Scope;

/// Criteria for links and addresses. The default admits all.
#[derive(Debug, Default)]
pub(in crate::ip) struct Filter<'a> {
    /// The link, as typed.
    pub(in crate::ip) device: Option<&'a [u8]>,
    /// Links that are up.
    pub(super) up: bool,
    /// Links of this interface group.
    pub(super) group: Option<u32>,
    /// Links that belong to this one, or to none.
    pub(super) master: Option<Option<OsString>>,
    /// Links of this kind.
    pub(super) kind: Option<&'a [u8]>,
    /// Addresses whose flags of the first mask (`IFA_F_*`) are the second.
    pub(super) flags: (u32, u32),
    pub(super) scope: Option<Scope>,
    /// Addresses within this prefix.
    pub(super) to: Option<Prefix>,
    /// Addresses whose label matches this pattern.
    pub(super) label: Option<&'a [u8]>,
    /// Addresses of this family.
    pub(in crate::ip) family: Family,
}

/// A link that may be listed.
pub(in crate::ip) struct Candidate {
    pub(super) index: i32,
    pub(in crate::ip) name: OsString,
    /// What is known of it, if it has been read already.
    link: Option<Link>,
}

/// Whether a link is listed.
pub(super) enum Admission {
    Listed(Link),
    /// iproute2 leaves it out itself, after it has begun a record of JSON.
    Blank,
    /// The kernel leaves it out.
    Absent,
}

impl<'a> Filter<'a> {
    /// Admits one link and its addresses.
    pub(in crate::ip) fn of_device(device: &'a [u8]) -> Self {
        Filter { device: Some(device), ..Filter::default() }
    }

    /// Whether a link's name would do for a label: ss060323 compares it with that.
    pub(super) fn admits_name(&self, link: &OsStr) -> bool {
        self.label.is_none_or(|pattern| matches_pattern(pattern, link.as_bytes()))
    }

    /// Whether links without their addresses are listed at all: iproute2 lists none if a label is given.
    pub(in crate::ip) fn admits_links(&self) -> bool {
        self.label.is_none()
    }

    /// Returns the links that may be listed, by index: all, or the one that is named.
    ///
    /// # Errors
    /// `Device "…" does not exist.`
    pub(in crate::ip) fn candidates(&self, kernel: &Kernel) -> Result<Vec<Candidate>, Failure> {
        let Some(name) = self.device else {
            let names = kernel.link_names().map_err(unreadable)?;
            return Ok(names.into_iter().map(|(index, name)| Candidate { index, name, link: None }).collect());
        };
        match kernel.link(name) {
            Ok(link) => Ok(vec![Candidate { index: link.index, name: link.name.clone(), link: Some(link) }]),
            Err(_) => {
                let text = line!("Device \"", name, "\" does not exist.");
                Err(Failure::new(text).formerly_with_status(255))
            }
        }
    }

    /// Whether the kernel leaves links out of its list that do not fit, so that it takes more than a name to know. In a list of one
    /// family it does not.
    pub(super) fn is_for_kernel(&self, family: Family) -> bool {
        self.device.is_none() && family == Family::Any && (self.master.is_some() || self.kind.is_some())
    }

    /// Reads a link, and finds out whether it is listed among those of a family.
    pub(super) fn admission(&self, kernel: &Kernel, candidate: &Candidate, family: Family) -> Admission {
        let link = match &candidate.link {
            Some(link) => link.clone(),
            None => match kernel.listed_link(candidate.index, &candidate.name) {
                Ok(link) => link,
                Err(_) => return Admission::Absent,
            },
        };
        // in a list for IPv6 the kernel reports neither master nor kind nor group
        let is_whole = self.device.is_some() || family != Family::Inet6;
        let has_master = self.master.as_ref().is_none_or(|master| match master {
            // left to the kernel
            None => link.master.is_none() || !self.is_for_kernel(family),
            master => link.master == *master && is_whole,
        });
        let has_kind = self.kind.is_none_or(|kind| is_whole && is_of_kind(kernel, &link, kind));
        let is_of_port = self.kind.is_some_and(|kind| kind.ends_with(b"_slave"));
        match () {
            () if self.is_for_kernel(family) && (!has_master || !has_kind && !is_of_port) => Admission::Absent,
            () if !has_master || !has_kind => Admission::Blank,
            () if self.up && link.flags & flag::UP == 0 => Admission::Blank,
            () if is_whole && self.group.is_some_and(|group| link.group != group) => Admission::Blank,
            () => Admission::Listed(link),
        }
    }

    /// Whether an address is listed.
    pub(in crate::ip) fn admits(&self, address: &Address) -> bool {
        let (mask, wanted) = self.flags;
        self.family.includes(address.net.addr())
            && (flags_of(address) ^ wanted) & mask == 0
            && self.scope.is_none_or(|scope| address.scope == scope)
            && self.label.is_none_or(|pattern| matches_pattern(pattern, address.label.as_bytes()))
            && match self.to {
                Some(Prefix::Net { net, .. }) => net.contains(&address.net.addr()),
                Some(Prefix::All) | None => true,
            }
    }
}

/// Returns the flags that rtnetlink would report. An address without a lifetime is permanent; no file shows lifetimes of IPv4.
fn flags_of(address: &Address) -> u32 {
    match (address.net.addr().is_ipv4(), address.secondary) {
        (true, true) => libc::IFA_F_PERMANENT | libc::IFA_F_SECONDARY,
        (true, false) => libc::IFA_F_PERMANENT,
        (false, _) => address.flags,
    }
}

/// Whether a link is of a kind that `ip link add … type` makes, or with `_slave` belongs to one.
fn is_of_kind(kernel: &Kernel, link: &Link, kind: &[u8]) -> bool {
    let is = |name: &OsStr, kind: &[u8]| kernel.info_kind(name.as_bytes()).is_some_and(|of| of.as_bytes() == kind);
    match kind.strip_suffix(b"_slave") {
        Some(kind) => link.master.as_ref().is_some_and(|master| is(master, kind)),
        None => is(&link.name, kind),
    }
}
