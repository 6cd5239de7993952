//! /proc/net/fib_trie: the kinds of IPv4 routes, table by table. Absent where the kernel keeps them in hashes (FIB_HASH, before
//! 2.6.39).

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::kernel::{Kernel, Result, Unreadable, procfs};
use crate::net::rtnetlink::{RouteType, Scope};

/// A route, as far as the file tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) net: Ipv4Net,
    pub(super) scope: Scope,
    pub(super) kind: RouteType,
    pub(super) tos: u8,
}

/// The tables that hold routes, by their heading: `Main`, `Local`, `Id 100`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries(Vec<(String, Vec<Leaf>)>);

impl Tries {
    pub(super) fn read(kernel: &Kernel) -> Result<Self, Unreadable> {
        let text = procfs::table(kernel, "/proc/net/fib_trie")?;
        let mut tables: Vec<(String, Vec<Leaf>)> = Vec::new();
        let mut address = Ipv4Addr::UNSPECIFIED;
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some(heading) = line.strip_suffix(':') {
                tables.push((heading.into(), Vec::new()));
                continue;
            }
            let Some((_, leaves)) = tables.last_mut() else { continue };
            let mut words = line.split_ascii_whitespace();
            match (words.next(), words.next(), words.next()) {
                // a leaf: `|-- 10.1.0.0`
                (Some("|--"), Some(word), _) => address = word.parse().unwrap_or(address),
                // its routes: `/24 link UNICAST tos=8`
                (Some(length), Some(scope), Some(kind)) => {
                    let net = length.strip_prefix('/').and_then(|length| length.parse().ok());
                    let tos = words.next().and_then(|word| word.strip_prefix("tos=")?.parse().ok()).unwrap_or(0);
                    if let (Some(length), Some(kind)) = (net, RouteType::from_fib_trie(kind))
                        && let Ok(net) = Ipv4Net::new(address, length)
                    {
                        leaves.push(Leaf { net, scope: Scope::from_fib_trie(scope), kind, tos });
                    }
                }
                _ => (),
            }
        }
        Ok(Tries(tables))
    }

    fn table(&self, heading: &str) -> &[Leaf] {
        self.0.iter().find(|(other, _)| other == heading).map_or(&[], |(_, leaves)| leaves)
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
