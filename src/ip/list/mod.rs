//! The listings of `ip address show` and `ip link show`, which are one listing with more or less of it shown.

mod address;
mod filter;
mod link;
mod record;
mod statistics;

use std::ffi::OsString;
use std::io::Write;

use crate::era::Era;
use crate::error::Outcome;
use crate::ip::prefix::Family;
use crate::ip::{Options, bytes, print};
use crate::json::Json;
use crate::kernel::{Address, Kernel, Listed};
use crate::net::order::{self, name_key};
pub use filter::{Candidate, Filter};
use link::Columns;
pub use record::Record;

/// Which of the two listings is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `ip link show`
    Links,
    /// `ip address show`
    Addresses,
}

/// Prints the links, or the links with their addresses, that a filter admits.
///
/// # Errors
/// `Device "…" does not exist.`
pub fn list(kernel: &Kernel, out: &mut dyn Write, listing: Listing, filter: &Filter, options: Options) -> Outcome {
    let links = filter.candidates(kernel)?;
    let addresses = match listing {
        Listing::Addresses if !options.link_only => Addresses::of(kernel, filter, &links),
        _ => Addresses::default(),
    };
    let view = View { listing, filter, options, links: &links, addresses };
    let halves = kernel.in_halves(&links, |kernel, links| view.of(kernel, links));
    if options.json {
        let objects = halves.into_iter().flat_map(|(_, objects)| objects).collect();
        print(out, Json::List(objects).document(options.pretty));
    } else {
        halves.iter().for_each(|(text, _)| print(out, text));
    }
    Ok(())
}

/// The addresses of all links, IPv4 first, whether they will be shown or not.
#[derive(Default)]
struct Addresses {
    list: Vec<Listed>,
    /// Where in the list those of a link are: the key of its name, and the place.
    places: Vec<(u128, usize)>,
}

impl Addresses {
    fn of(kernel: &Kernel, filter: &Filter, links: &[Candidate]) -> Self {
        // one link's addresses need not be looked for among all
        let link = filter.device.and(links.first()).map(|link| bytes(&link.name));
        let mut list = kernel.listed_v4(link).unwrap_or_default();
        if filter.family != Family::Inet {
            list.extend(kernel.addresses_v6().unwrap_or_default().into_iter().map(Listed::Whole));
        }
        let places = order::places(list.iter().map(|listed| name_key(listed.link())));
        Addresses { list, places }
    }

    fn on(&self, kernel: &Kernel, link: &OsString) -> Vec<Address> {
        let key = name_key(bytes(link));
        let start = self.places.partition_point(|(other, _)| *other < key);
        let its = self.places[start..].iter().take_while(move |(other, _)| *other == key);
        kernel.addresses_listed(its.map(|(_, place)| &self.list[*place])).unwrap_or_default()
    }
}

/// What is shown, and of what.
struct View<'a> {
    listing: Listing,
    filter: &'a Filter<'a>,
    options: Options,
    /// All links, or the one that is asked for.
    links: &'a [Candidate],
    addresses: Addresses,
}

impl View<'_> {
    /// The text or the objects of some of the links.
    fn of(&self, kernel: &Kernel, links: &[Candidate]) -> (Vec<u8>, Vec<Json>) {
        let mut objects = Vec::new();
        let mut record = Record::new(self.options.json);
        for link in links {
            if self.put(&mut record, kernel, link).is_some() && self.options.json {
                objects.push(record.take_json());
            }
        }
        (record.into_text(), objects)
    }

    /// Puts what is printed of a link, with the ends of its lines; nothing if it is not asked for, or has addresses and none of
    /// them is.
    fn put(&self, record: &mut Record, kernel: &Kernel, candidate: &Candidate) -> Option<()> {
        let View { listing, filter, options, .. } = *self;
        let terse = options.era.ip().terse;
        if listing == Listing::Links || options.link_only {
            let link = &filter.admitted(kernel, candidate)?;
            match options.brief {
                true => link::put_brief(record, kernel, link, self.links, true),
                false if !terse && !filter.admits_name(&link.name) => return None,
                false => {
                    let columns = Columns { whole: true, mode: listing == Listing::Links, hardware: true, alias: true };
                    link::put(record, kernel, link, self.links, columns, options);
                    if options.statistics > 0 {
                        record.text(options.newline());
                        statistics::put(record, kernel, link, options);
                    }
                }
            }
            record.text("\n");
            return Some(());
        }

        let mut addresses = self.addresses.on(kernel, &candidate.name);
        let has_none = addresses.is_empty();
        addresses.retain(|address| filter.admits(address));
        if addresses.is_empty() && !((has_none || !terse) && filter.family == Family::Any) {
            return None;
        }
        // a line for each address needs none for the link
        let without_link = match terse {
            _ if options.brief => false,
            true => filter.label.is_some() || options.oneline,
            false if filter.family == Family::Any => !filter.admits_name(&candidate.name),
            false => options.oneline,
        };
        if without_link {
            if filter.asks_of_links() {
                filter.admitted(kernel, candidate)?;
            }
            self.put_addresses(record, candidate, &addresses);
            return Some(());
        }
        let link = &filter.admitted(kernel, candidate)?;
        if options.brief {
            link::put_brief(record, kernel, link, self.links, false);
            put_addresses(record, &addresses, options.json, address::put_net);
            record.text("\n");
            return Some(());
        }
        let any_family = filter.family == Family::Any;
        // of IPv6 the kernel lists links with less than it tells of one
        let whole = options.family != Family::Inet6 || filter.device.is_some() && terse;
        let columns = Columns { whole, mode: false, hardware: any_family, alias: false };
        link::put(record, kernel, link, self.links, columns, options);
        record.text("\n");
        self.put_addresses(record, candidate, &addresses);
        if options.statistics > 0 && terse {
            statistics::put(record, kernel, link, Options { oneline: false, ..options });
            record.text("\n");
        }
        Some(())
    }

    /// Puts the lines of a link's addresses.
    fn put_addresses(&self, record: &mut Record, link: &Candidate, addresses: &[Address]) {
        put_addresses(record, addresses, self.options.json, |record, address| {
            if self.options.oneline {
                record.args(format_args!("{}: ", link.index));
                record.text(bytes(&link.name));
            }
            address::put(record, address, self.options);
            record.text("\n");
        });
    }
}

/// Puts a list of addresses: one object each.
fn put_addresses(record: &mut Record, addresses: &[Address], is_json: bool, put: impl Fn(&mut Record, &Address)) {
    if !is_json {
        return addresses.iter().for_each(|address| put(record, address));
    }
    let mut objects = Vec::new();
    for address in addresses {
        let mut one = Record::new(true);
        put(&mut one, address);
        objects.push(one.take_json());
    }
    record.json("addr_info", Json::List(objects));
}

/// The lines of one address by itself, as `ip -s -s address flush` prints what it removes.
pub fn address_lines(era: Era, index: i32, address: &Address) -> Vec<u8> {
    let mut record = Record::new(false);
    record.text([format!("{index}: ").as_bytes(), bytes(&address.link)].concat());
    address::put(&mut record, address, Options::of(era));
    record.text("\n");
    record.into_text()
}
