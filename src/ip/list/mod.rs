//! The listings of `ip address show` and `ip link show`, which share most of their fields.

mod address;
mod detail;
mod filter;
mod filter_args;
mod link;
mod pattern;
mod statistics;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::complaint::{ipv4_unreadable, unreadable};
use super::fields::{Fields, print_records};
use super::options::Options;
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome};
use crate::kernel::{Address, Kernel, Link, flag};
use crate::net::prefix::Family;
pub(in crate::ip) use filter::Filter;
use filter::{Admission, Candidate};
use link::Columns;

/// Which of the two listings is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ip) enum Listing {
    /// `ip link show`
    Links,
    /// `ip address show`
    Addresses,
}

/// Prints the links, or the links with their addresses, that a filter admits. Where IPv6's addresses cannot be read and IPv4's are
/// asked for too, those are printed, and a warning.
///
/// # Errors
/// `Device "…" does not exist.`, and what cannot be read.
pub(in crate::ip) fn list(call: &mut Call, listing: Listing, filter: &Filter, options: Options) -> Outcome {
    let kernel = call.kernel;
    let links = filter.candidates(kernel)?;
    if options.statistics > 0
        && let Some(link) = links.first()
    {
        kernel.link_statistics(&link.name).map_err(unreadable)?;
    }
    if listing == Listing::Addresses && options.other_family.is_some() {
        print_records(call.out, [], options);
        return Ok(());
    }
    let mut warning = None;
    let addresses = match listing {
        Listing::Addresses if !options.link_only => addresses(kernel, filter, &links, &mut warning)?,
        _ => Vec::new(),
    };
    let mut addresses: Vec<&Address> = addresses.iter().collect();
    addresses.sort_by(|one, other| one.link.cmp(&other.link));
    let view = View { listing, filter, options, links: &links, addresses };
    let parts = kernel.parallel(&links, |kernel, links| {
        let mut fields = Fields::of(options);
        for link in links {
            if view.put(&mut fields, kernel, link).is_some() {
                fields.end_record();
            }
        }
        fields
    });
    print_records(call.out, parts, options);
    if let Some(warning) = warning {
        let _ = call.err.write_all(&warning.text);
    }
    Ok(())
}

/// Reads the addresses of a family, whether they will be shown or not. Those of IPv4 come first.
fn addresses(
    kernel: &Kernel,
    filter: &Filter,
    links: &[Candidate],
    warning: &mut Option<Failure>,
) -> Result<Vec<Address>, Failure> {
    // of one link, the kernel need not be asked about the others
    let link = filter.device.and(links.first());
    let mut list = match link {
        _ if filter.family == Family::Inet6 => Ok(Vec::new()),
        Some(link) => kernel.addresses_v4_of(link.name.as_bytes()),
        None => kernel.addresses_v4(),
    }
    .map_err(ipv4_unreadable)?;
    if filter.family != Family::Inet {
        match kernel.addresses_v6().map_err(unreadable) {
            Ok(read) => list.extend(read),
            Err(failure) if filter.family == Family::Any => *warning = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    Ok(list)
}

/// What is shown, and of what.
struct View<'a> {
    listing: Listing,
    filter: &'a Filter<'a>,
    options: Options,
    /// All links, or the one that is asked for, by index.
    links: &'a [Candidate],
    /// By the names of their links.
    addresses: Vec<&'a Address>,
}

impl View<'_> {
    /// Puts what is printed of a link, with the ends of its lines; nothing, and `None`, if it is not to be listed.
    fn put(&self, fields: &mut Fields, kernel: &Kernel, candidate: &Candidate) -> Option<()> {
        match self.listing {
            Listing::Addresses if !self.options.link_only => self.put_with_addresses(fields, kernel, candidate),
            _ => self.put_alone(fields, kernel, candidate),
        }
    }

    /// Puts a link of `ip link show`.
    fn put_alone(&self, fields: &mut Fields, kernel: &Kernel, candidate: &Candidate) -> Option<()> {
        let Options { brief, statistics, .. } = self.options;
        let link = match self.filter.admission(kernel, candidate, Family::Any) {
            Admission::Listed(link) => link,
            Admission::Blank => return Some(()),
            Admission::Absent => return None,
        };
        let link = &link;
        if brief {
            link::put_brief(fields, kernel, link, self.links, true);
        } else {
            if self.options.era.ip().label_selects_links && !self.filter.admits_name(&link.name) {
                return None;
            }
            let mode = self.listing == Listing::Links;
            self.put_link(fields, kernel, link, Columns { whole: true, mode, hardware: true, alias: true });
            if statistics > 0 {
                fields.text(self.options.newline());
                statistics::put(fields, kernel, link, self.options);
            }
        }
        fields.text("\n");
        Some(())
    }

    /// Puts a link of `ip address show`.
    fn put_with_addresses(&self, fields: &mut Fields, kernel: &Kernel, candidate: &Candidate) -> Option<()> {
        let Options { era, brief, oneline, family, .. } = self.options;
        let start = self.addresses.partition_point(|address| address.link < candidate.name);
        let length = self.addresses[start..].partition_point(|address| address.link == candidate.name);
        let all = &self.addresses[start..start + length];
        let may_be_bare = self.filter.family == Family::Any && (all.is_empty() || era.ip().lists_unmatched_links);
        if !may_be_bare && !all.iter().any(|address| self.filter.admits(address)) {
            return None;
        }
        let admission = || self.filter.admission(kernel, candidate, family);
        if self.omits_link(&candidate.name) {
            if self.filter.is_for_kernel(family) && matches!(admission(), Admission::Absent) {
                return None;
            }
            let flags = || kernel.link_flags(candidate.name.as_bytes());
            match self.filter.up && era == Era::Today && flags().is_ok_and(|flags| flags & flag::UP == 0) {
                true if oneline && !brief => self.put_addresses(fields, candidate, &[]),
                true => (),
                false if brief => self.put_nets(fields, all),
                false => self.put_addresses(fields, candidate, all),
            }
            return Some(());
        }
        let link = match admission() {
            Admission::Listed(link) => link,
            Admission::Blank => return Some(()),
            Admission::Absent => return None,
        };
        let link = &link;
        if brief {
            link::put_brief(fields, kernel, link, self.links, false);
            self.put_nets(fields, all);
        } else {
            self.put_whole(fields, kernel, candidate, link, all);
        }
        Some(())
    }

    /// Puts a link, its addresses and its statistics.
    fn put_whole(
        &self,
        fields: &mut Fields,
        kernel: &Kernel,
        candidate: &Candidate,
        link: &Link,
        addresses: &[&Address],
    ) {
        let Options { era, family, statistics, .. } = self.options;
        // in a list for IPv6 the kernel leaves out fields of links that it reports for one link
        let is_whole = family != Family::Inet6 || self.filter.device.is_some() && era.ip().asks_for_one_link;
        let details = self.options.details;
        let hardware = self.filter.family == Family::Any || details;
        self.put_link(fields, kernel, link, Columns { whole: is_whole, mode: false, hardware, alias: details });
        fields.text("\n");
        self.put_addresses(fields, candidate, addresses);
        if statistics > 0 && era.ip().statistics_of_addresses {
            statistics::put(fields, kernel, link, Options { oneline: false, ..self.options });
            fields.text("\n");
        }
    }

    /// Whether the line of the link is left out, and only those of its addresses are printed.
    fn omits_link(&self, name: &OsStr) -> bool {
        let Options { era, oneline, brief, .. } = self.options;
        match era.ip().label_selects_links {
            true if self.filter.family == Family::Any => !self.filter.admits_name(name),
            true => oneline,
            false => self.filter.label.is_some() || oneline && !brief,
        }
    }

    fn put_link(&self, fields: &mut Fields, kernel: &Kernel, link: &Link, columns: Columns) {
        link::put(fields, kernel, link, self.links, columns, self.options);
    }

    fn put_addresses(&self, fields: &mut Fields, link: &Candidate, addresses: &[&Address]) {
        self.put_list(fields, addresses, |fields, address| {
            if self.options.oneline || self.options.echo {
                fields.print("index", link.index as u32, format_args!("{}: ", link.index));
                fields.put("dev", link.name.as_bytes(), link.name.as_bytes());
            }
            address::put(fields, address, self.options);
            fields.text("\n");
        });
    }

    /// Puts the addresses as `ip -br` shows them.
    fn put_nets(&self, fields: &mut Fields, addresses: &[&Address]) {
        self.put_list(fields, addresses, address::put_net);
        fields.text("\n");
    }

    /// Puts those of a link's addresses that the filter admits; in JSON, an empty record for each other one of the family.
    fn put_list(&self, fields: &mut Fields, addresses: &[&Address], put: impl Fn(&mut Fields, &Address)) {
        if !fields.is_json() {
            let admitted = addresses.iter().filter(|address| self.filter.admits(address));
            return admitted.for_each(|address| put(fields, address));
        }
        let mut list = Fields::new(true);
        for address in addresses.iter().filter(|address| self.filter.family.includes(address.net.addr())) {
            if self.filter.admits(address) {
                put(&mut list, address);
            }
            list.end_record();
        }
        fields.list("addr_info", list);
    }
}

/// Returns the lines of one address by itself, as `ip -s -s address flush` prints what it removes.
pub(in crate::ip) fn address_lines(era: Era, index: i32, address: &Address) -> Vec<u8> {
    let mut fields = Fields::new(false);
    fields.print_text(format_args!("{index}: "));
    fields.text(address.link.as_bytes());
    address::put(&mut fields, address, Options::of(era));
    fields.text("\n");
    fields.into_text()
}
