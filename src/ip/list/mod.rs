//! The listings of `ip address show` and `ip link show`, which are one listing with more or less of it shown.

mod address;
mod filter;
mod json;
mod link;
mod record;
mod statistics;

use std::ffi::OsString;
use std::io::Write;

use crate::era::Era;
use crate::error::Outcome;
use crate::ip::prefix::Family;
use crate::ip::{Options, bytes, print};
use crate::kernel::{Address, Kernel, Link};
use crate::net::order::{self, name_key};
pub use filter::Filter;
pub use json::Json;
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
    let links = filter.links(kernel)?;
    let addresses = match listing {
        Listing::Addresses if !options.link_only => Addresses::of(kernel, filter),
        _ => Addresses::default(),
    };
    let mut objects = Vec::new();
    let mut record = Record::new(options.json);
    for link in &links {
        if put(&mut record, kernel, link, listing, filter, &addresses, options) {
            match options.json {
                true => objects.push(record.take_json()),
                false => print(out, record.so_far()),
            }
            record.clear();
        }
    }
    if options.json {
        print(out, Json::List(objects).document(options.pretty));
    }
    Ok(())
}

/// The addresses of all links, IPv4 first, whether they will be shown or not.
#[derive(Default)]
struct Addresses {
    list: Vec<Address>,
    /// Where in the list those of a link are: the key of its name, and the place.
    places: Vec<(u128, usize)>,
}

impl Addresses {
    fn of(kernel: &Kernel, filter: &Filter) -> Self {
        // one link's addresses need not be looked for among all
        let mut list = match filter.device.map(|device| kernel.proper_name(device)) {
            Some(Ok(device)) => kernel.addresses_v4_of(bytes(&device)),
            _ => kernel.addresses_v4(),
        }
        .unwrap_or_default();
        if filter.family != Family::Inet {
            list.extend(kernel.addresses_v6());
        }
        let places = order::places(list.iter().map(|address| name_key(bytes(&address.link))));
        Addresses { list, places }
    }

    fn on(&self, link: &OsString) -> impl Iterator<Item = &Address> {
        let key = name_key(bytes(link));
        let start = self.places.partition_point(|(other, _)| *other < key);
        let its = self.places[start..].iter().take_while(move |(other, _)| *other == key);
        its.map(|(_, place)| &self.list[*place])
    }
}

/// Puts what is printed of a link, with the ends of its lines; nothing, and false, if it has addresses and none of them is asked
/// for.
fn put(
    record: &mut Record,
    kernel: &Kernel,
    link: &Link,
    listing: Listing,
    filter: &Filter,
    addresses: &Addresses,
    options: Options,
) -> bool {
    let terse = options.era.ip().terse;
    if listing == Listing::Links || options.link_only {
        match options.brief {
            true => link::put_brief(record, kernel, link, true),
            false if !terse && !filter.admits_name(&link.name) => return false,
            false => {
                let columns = Columns { whole: true, mode: listing == Listing::Links, hardware: true, alias: true };
                link::put(record, kernel, link, columns, options);
                if options.statistics > 0 {
                    record.text(options.newline());
                    statistics::put(record, kernel, link, options);
                }
            }
        }
        record.text("\n");
        return true;
    }

    let admitted: Vec<&Address> = addresses.on(&link.name).filter(|address| filter.admits(address)).collect();
    let has_none = addresses.on(&link.name).next().is_none();
    if admitted.is_empty() && !((has_none || !terse) && filter.family == Family::Any) {
        return false;
    }
    if options.brief {
        link::put_brief(record, kernel, link, false);
        put_addresses(record, &admitted, options.json, address::put_net);
        record.text("\n");
        return true;
    }
    // a line for each address needs none for the link
    let without_link = match terse {
        true => filter.label.is_some() || options.oneline,
        false if filter.family == Family::Any => !filter.admits_name(&link.name),
        false => options.oneline,
    };
    if !without_link {
        let any_family = filter.family == Family::Any;
        // of IPv6 the kernel lists links with less than it tells of one
        let whole = options.family != Family::Inet6 || filter.device.is_some() && terse;
        let columns = Columns { whole, mode: false, hardware: any_family, alias: false };
        link::put(record, kernel, link, columns, options);
        record.text("\n");
    }
    put_addresses(record, &admitted, options.json, |record, address| {
        if options.oneline {
            record.text([format!("{}: ", link.index).as_bytes(), bytes(&link.name)].concat());
        }
        address::put(record, address, options);
        record.text("\n");
    });
    if options.statistics > 0 && !without_link && terse {
        statistics::put(record, kernel, link, Options { oneline: false, ..options });
        record.text("\n");
    }
    true
}

/// Puts a list of addresses: one object each.
fn put_addresses(record: &mut Record, addresses: &[&Address], is_json: bool, put: impl Fn(&mut Record, &Address)) {
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
    record.so_far().to_vec()
}
