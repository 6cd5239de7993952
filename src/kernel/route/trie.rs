//! /proc/net/fib_trie: the types of IPv4 routes, table by table. Absent where the kernel keeps them in hashes (FIB_HASH, before
//! 2.6.39).

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::kernel::handle::Kernel;
use crate::kernel::procfs::{Unreadable, table};
use crate::kernel::result::Result;
use crate::net::rtnetlink::{RouteType, Scope};

/// A route, as far as the file shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) net: Ipv4Net,
    pub(super) scope: Scope,
    pub(super) kind: RouteType,
    pub(super) tos: u8,
}

/// The tables of the file, by their heading: `Main`, `Local`, `Id 100`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries(Vec<(String, Vec<Leaf>)>);

impl Tries {
    /// Reads the file.
    ///
    /// # Errors
    /// That it cannot be read.
    pub(super) fn read(kernel: &Kernel) -> Result<Self, Unreadable> {
        let text = table(kernel, "/proc/net/fib_trie")?;
        Ok(Tries::parse(&String::from_utf8_lossy(&text)))
    }

    fn parse(text: &str) -> Self {
        let mut tables: Vec<(String, Vec<Leaf>)> = Vec::new();
        let mut address = Ipv4Addr::UNSPECIFIED;
        for line in text.lines() {
            if let Some(heading) = line.strip_suffix(':') {
                tables.push((heading.into(), Vec::new()));
                continue;
            }
            let Some((_, leaves)) = tables.last_mut() else { continue };
            match line.trim_start().strip_prefix("|-- ") {
                // a leaf: `|-- 10.1.0.0`
                Some(word) => address = word.parse().unwrap_or(address),
                // one of its routes, or a node
                None => leaves.extend(leaf(address, line)),
            }
        }
        Tries(tables)
    }

    fn table(&self, heading: &str) -> &[Leaf] {
        self.0.iter().find(|(other, _)| other == heading).map_or(&[], |(_, leaves)| leaves)
    }

    /// Whether the file is missing, or lists no table because the namespace never had an address.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the tables `main` and `local` are one trie, listed under both names: so it is until a rule is added.
    pub(super) fn is_shared(&self) -> bool {
        let main = self.table("Main");
        !main.is_empty() && main == self.table("Local")
    }

    /// The routes of table `main` that /proc/net/route lists too, in the same order.
    pub(super) fn main(&self) -> Vec<Leaf> {
        let shared = self.is_shared();
        let is_listed = |leaf: &&Leaf| match leaf.kind {
            // net/ipv4/fib_trie.c, `fib_route_seq_show`
            RouteType::Broadcast | RouteType::Multicast => false,
            RouteType::Local | RouteType::Anycast => !shared,
            _ => true,
        };
        self.table("Main").iter().filter(is_listed).copied().collect()
    }

    /// The routes of table `local`.
    pub(super) fn local(&self) -> Vec<Leaf> {
        let shared = self.is_shared();
        let is_local =
            |leaf: &&Leaf| !shared || matches!(leaf.kind, RouteType::Local | RouteType::Broadcast | RouteType::Anycast);
        self.table("Local").iter().filter(is_local).copied().collect()
    }

    /// The headings of tables that hold routes.
    pub(super) fn headings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, leaves)| !leaves.is_empty()).map(|(heading, _)| heading.as_str())
    }
}

/// Parses a route of a leaf: `/24 link UNICAST tos=8`.
fn leaf(address: Ipv4Addr, line: &str) -> Option<Leaf> {
    let mut words = line.split_ascii_whitespace();
    let length = words.next()?.strip_prefix('/')?.parse().ok()?;
    let scope = Scope::from_fib_trie(words.next()?);
    let kind = RouteType::from_fib_trie(words.next()?)?;
    let tos = words.next().and_then(|word| word.strip_prefix("tos=")?.parse().ok()).unwrap_or(0);
    Some(Leaf { net: Ipv4Net::new(address, length).ok()?, scope, kind, tos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_their_leaves() {
        let text = "\
Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.0.0.0
        /24 link UNICAST tos=8
        /8 universe BLACKHOLE
Id 100:
     |-- 10.1.0.1
        /32 host LOCAL
Local:
";
        let tries = Tries::parse(text);
        assert_eq!(tries.headings().collect::<Vec<_>>(), ["Main", "Id 100"]);
        let shown: Vec<_> =
            tries.main().iter().map(|leaf| (leaf.net.to_string(), leaf.scope, leaf.kind, leaf.tos)).collect();
        let expected = [
            ("0.0.0.0/0".to_string(), Scope::GLOBAL, RouteType::Unicast, 0),
            ("10.0.0.0/24".to_string(), Scope::LINK, RouteType::Unicast, 8),
            ("10.0.0.0/8".to_string(), Scope::GLOBAL, RouteType::Blackhole, 0),
        ];
        assert_eq!(shown, expected);
        assert!(tries.local().is_empty() && !tries.is_shared());
    }
}
