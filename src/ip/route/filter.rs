//! Which routes `list` and `flush` mean.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::entry::Entry;
use super::names::{self, table};
use super::usage;
use crate::era::Era;
use crate::error::Failure;
use crate::ip::prefix::{self, Family, Prefix};
use crate::ip::words::Words;
use crate::ip::{Options, proper_name, wrong};
use crate::kernel::Kernel;

/// A choice of routes. What it fixes for all of them is not printed; see [`Filter::hides`].
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The table, by number; [`table::ALL`] is all of them. Main if it is not said.
    table: Option<u32>,
    /// Not the routes, but what was learnt of ways to hosts.
    pub(super) is_cache: bool,
    /// Destinations within this network.
    root: Option<IpNet>,
    /// Destinations that this network lies in.
    matching: Option<IpNet>,
    /// Likewise for the networks that packets come from.
    from_root: Option<IpNet>,
    from_matching: Option<IpNet>,
    device: Option<OsString>,
    /// A router within this network.
    via: Option<IpNet>,
    /// A source within this network.
    source: Option<IpNet>,
    scope: Option<u8>,
    protocol: Option<u8>,
    /// A bit for each kind.
    kinds: Option<u32>,
    metric: Option<u32>,
    tos: Option<u8>,
    /// What no route here has: an incoming link, a mark, a realm.
    is_empty: bool,
}

/// A field that need not be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Device,
    Gateway,
    Source,
    Scope,
    Protocol,
    Metric,
    Tos,
    Table,
    /// Which iproute2 prints all the same since 4.x.
    Kind,
}

impl Filter {
    /// All routes of all tables.
    pub(super) fn of_all_tables() -> Self {
        Filter { table: Some(table::ALL), ..Filter::default() }
    }

    /// Reads the words after `list` or `flush`. Of two that say the same thing the last one counts.
    ///
    /// # Errors
    /// As iproute2's `iproute_list_flush_or_save`.
    pub(super) fn parse(kernel: &Kernel, options: Options, mut words: Words) -> Result<Self, Failure> {
        let mut filter = Filter::default();
        let mut device = None;
        let mut incoming = None;
        while let Some(word) = words.next() {
            let is = |keyword: &str| word == keyword.as_bytes();
            let begins = |keyword| options.means(word, keyword);
            // to ss060323 these were networks
            let is_later = |keyword| options.era.knows(Era::Today) && begins(keyword);
            match () {
                () if begins("table") => filter.set_table(words.operand()?)?,
                () if is_later("vrf") => return Err(wrong(words.operand()?, "Invalid VRF\n")),
                () if begins("cached") || begins("cloned") => filter.is_cache = true,
                () if is("tos") || begins("dsfield") => {
                    let value = words.operand()?;
                    filter.tos = Some(names::tos_number(value).ok_or_else(|| wrong(value, "TOS value is invalid\n"))?);
                }
                () if begins("protocol") => {
                    let value = words.operand()?;
                    filter.protocol = unless_all(value, names::protocol_number, "invalid \"protocol\"\n")?;
                }
                () if begins("scope") => {
                    let value = words.operand()?;
                    filter.scope = unless_all(value, names::scope_number, "invalid \"scope\"\n")?;
                }
                () if begins("type") => {
                    let value = words.operand()?;
                    let number =
                        names::kind_number(value).ok_or_else(|| wrong(value, "node type value is invalid\n"))?;
                    filter.kinds = Some(1u32.wrapping_shl(number.into()));
                }
                () if is("dev") || is("oif") => device = Some(words.operand()?),
                () if is("iif") => incoming = Some(words.operand()?),
                () if is("mark") && is_later("mark") => {
                    let value = words.operand()?;
                    filter.is_empty |= names::number(value).ok_or_else(|| wrong(value, "invalid mark value"))? != 0;
                }
                () if ["metric", "priority"].into_iter().any(is_later)
                    || is("preference") && is_later("preference") =>
                {
                    let value = words.operand()?;
                    let reason = "\"metric\" value is invalid\n";
                    filter.metric = Some(names::number(value).ok_or_else(|| wrong(value, reason))?);
                }
                () if is("via") => filter.via = gateways(&mut words, options)?,
                () if is("src") => filter.source = network(words.operand()?, options)?,
                () if begins("realms") => {
                    let value = words.operand()?;
                    filter.is_empty |= names::number(value).ok_or_else(|| wrong(value, "invalid realms\n"))? != 0;
                }
                () if begins("from") => {
                    let word = words.operand()?;
                    set_networks(word, &mut words, options, &mut filter.from_root, &mut filter.from_matching)?;
                }
                () => {
                    let is_to = is("to") || !options.era.ip().empty_means_nothing && begins("to");
                    let word = if is_to { words.operand()? } else { word };
                    set_networks(word, &mut words, options, &mut filter.root, &mut filter.matching)?;
                }
            }
        }
        if let Some(incoming) = incoming {
            proper_name(kernel, incoming)?;
            filter.is_empty = true;
        }
        filter.device = device.map(|device| proper_name(kernel, device)).transpose()?;
        Ok(filter)
    }

    fn set_table(&mut self, word: &[u8]) -> Result<(), Failure> {
        match (names::table_number(word), word) {
            (Some(number), _) => self.table = Some(number),
            (None, b"all") => self.table = Some(table::ALL),
            (None, b"cache") => self.is_cache = true,
            (None, b"help") => return Err(usage()),
            (None, _) => return Err(wrong(word, "table id value is invalid\n")),
        }
        Ok(())
    }

    /// The number of the table that is asked for.
    pub(super) fn table(&self) -> u32 {
        self.table.unwrap_or(table::MAIN)
    }

    /// Whether a route is among those that are meant.
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        let unspecified = match entry.destination {
            IpNet::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpNet::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let from = match entry.destination {
            IpNet::V4(_) => IpNet::V4(Ipv4Net::default()),
            IpNet::V6(_) => IpNet::V6(entry.from.unwrap_or_default()),
        };
        !self.is_empty
            && self.root.is_none_or(|root| contains(root, entry.destination))
            && self.matching.is_none_or(|net| contains(entry.destination, net))
            && self.from_root.is_none_or(|root| contains(root, from))
            && self.from_matching.is_none_or(|net| contains(from, net))
            // a route that shares packets out has no link of its own
            && self.device.as_ref().is_none_or(|link| entry.device() == Some(link.as_encoded_bytes()))
            && self.via.is_none_or(|via| via.contains(&entry.gateway().unwrap_or(unspecified)))
            && self.source.is_none_or(|net| net.contains(&entry.source.unwrap_or(unspecified)))
            && self.scope.is_none_or(|scope| scope == entry.scope)
            && self.protocol.is_none_or(|protocol| protocol == entry.protocol)
            && self.kinds.is_none_or(|kinds| kinds & 1 << names::number_of(entry.kind) != 0)
            && self.metric.is_none_or(|metric| metric == entry.metric)
            && self.tos.is_none_or(|tos| tos == entry.tos)
    }

    /// Whether a field is the same for all routes that are meant.
    pub(super) fn hides(&self, field: Field) -> bool {
        let is_host = |net: Option<IpNet>| net.is_some_and(|net| net.prefix_len() == net.max_prefix_len());
        match field {
            Field::Device => self.device.is_some(),
            Field::Gateway => is_host(self.via),
            Field::Source => is_host(self.source),
            Field::Scope => self.scope.is_some(),
            Field::Protocol => self.protocol.is_some(),
            Field::Metric => self.metric.is_some(),
            Field::Tos => self.tos.is_some(),
            Field::Kind => self.kinds.is_some(),
            Field::Table => self.table() != table::ALL,
        }
    }
}

/// Whether a network lies in another, or is it.
fn contains(outer: IpNet, inner: IpNet) -> bool {
    inner.prefix_len() >= outer.prefix_len() && outer.contains(&inner.addr())
}

/// A value by name or number; `all` does away with the restriction.
fn unless_all(word: &[u8], parse: fn(&[u8]) -> Option<u8>, reason: &str) -> Result<Option<u8>, Failure> {
    match (parse(word), word) {
        (Some(number), _) => Ok(Some(number)),
        (None, b"all") => Ok(None),
        (None, _) => Err(wrong(word, reason)),
    }
}

/// `[FAMILY] PREFIX`
fn gateways(words: &mut Words, options: Options) -> Result<Option<IpNet>, Failure> {
    let word = words.operand()?;
    let names_family = options.era.ip().via_family;
    match word {
        b"inet" if names_family => network(words.operand()?, Options { family: Family::Inet, ..options }),
        b"inet6" if names_family => network(words.operand()?, Options { family: Family::Inet6, ..options }),
        _ => network(word, options),
    }
}

/// `[root | match | exact] PREFIX`
fn set_networks(
    word: &[u8],
    words: &mut Words,
    options: Options,
    root: &mut Option<IpNet>,
    matching: &mut Option<IpNet>,
) -> Result<(), Failure> {
    match () {
        () if options.means(word, "root") => *root = network(words.operand()?, options)?,
        () if options.means(word, "match") => *matching = network(words.operand()?, options)?,
        () => {
            let word = if options.means(word, "exact") { words.operand()? } else { word };
            *matching = network(word, options)?;
            *root = *matching;
        }
    }
    Ok(())
}

/// A network. `any` and `all` mean no restriction unless there is a family, whose default route they are
/// then; so does `default` since iproute2 5.
fn network(word: &[u8], options: Options) -> Result<Option<IpNet>, Failure> {
    let is_default = word == b"default" && options.era.ip().finds_default;
    Ok(match (prefix::prefix(options.era, word, options.family)?, options.family) {
        (Prefix::Net { net, .. }, _) => Some(net),
        (Prefix::All, Family::Inet6) => Some(IpNet::V6(Ipv6Net::default())),
        (Prefix::All, Family::Any) if !is_default => None,
        (Prefix::All, _) => Some(IpNet::V4(Ipv4Net::default())),
    })
}
