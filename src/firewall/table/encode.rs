//! A rule as an entry of a table.

use super::content::{Part, parts};
use super::extension::{self, Encoding};
use super::header::{Fields, INV_DSTIP, INV_PROTO, INV_SRCIP, INV_VIA_IN, INV_VIA_OUT};
use super::layout::{HEAD, Layout};
use crate::firewall::addresses::Addresses;
use crate::firewall::error::{FirewallError, Result};
use crate::firewall::matches::{Match, Module};
use crate::firewall::rule::Rule;
use crate::kernel::{Extension, Kernel};
use crate::net::Family;

/// A rule in bytes. A match or target may have several encodings (revisions). Each kernel knows some of them.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    layout: Layout,
    header: Vec<u8>,
    /// For each match, in order: its encodings, the newest first.
    matches: Vec<Vec<Encoding>>,
    /// Encodings of the target, the newest first.
    target: Vec<Encoding>,
}

impl Encoded {
    /// Encodes a rule.
    ///
    /// # Errors
    /// [`FirewallError::NotUnderstood`], [`FirewallError::Unfit`].
    pub(super) fn of(layout: Layout, rule: &Rule) -> Result<Self> {
        let mut header = vec![0; layout.header()];
        let mut modules: Vec<Module> = Vec::new();
        for (number, one) in rule.matches.iter().enumerate() {
            let is_repeated =
                |other: &Match| std::mem::discriminant(other.plain().0) == std::mem::discriminant(one.plain().0);
            if rule.matches[..number].iter().any(is_repeated) {
                return Err(FirewallError::Unfit(one.to_string()));
            }
            match one.module() {
                None => set_in_header(layout.family, &mut header, one)?,
                Some(module) if !modules.contains(&module) => modules.push(module),
                Some(_) => (),
            }
        }
        let matches = modules.into_iter().map(|module| extension::encode_match(rule, module)).collect::<Result<_>>()?;
        Ok(Encoded { layout, header, matches, target: extension::encode_target(rule)? })
    }

    /// Whether a checked entry is this rule.
    pub(super) fn is(&self, entry: &[u8]) -> bool {
        if !Fields::of(self.layout.family).are_equal(&self.header, &entry[..self.layout.header()]) {
            return false;
        }
        let parts = parts(self.layout, entry);
        let encodings = self.matches.iter().chain([&self.target]);
        parts.len() == self.matches.len() + 1
            && parts.iter().zip(encodings).all(|(part, of)| of.iter().any(|one| one.is(part)))
    }

    /// Returns an entry without counters, in the newest encodings that the kernel knows.
    ///
    /// # Errors
    /// [`FirewallError::NoModule`].
    pub(super) fn entry(&self, kernel: &Kernel) -> Result<Vec<u8>> {
        let mut entry = self.header.clone();
        entry.resize(self.layout.entry(), 0);
        for encodings in &self.matches {
            self.add(&mut entry, self.choose(kernel, Extension::Match, encodings)?);
        }
        let target = entry.len();
        self.add(&mut entry, self.choose(kernel, Extension::Target, &self.target)?);
        let next = entry.len();
        for (offset, size) in [(0, target), (2, next)] {
            let offset = self.layout.target_offset() + offset;
            entry[offset..offset + 2].copy_from_slice(&(size as u16).to_ne_bytes());
        }
        Ok(entry)
    }

    fn add(&self, entry: &mut Vec<u8>, encoding: &Encoding) {
        let size = self.layout.aligned(HEAD + encoding.data.len());
        let start = entry.len();
        entry.resize(start + size, 0);
        let part = &mut entry[start..];
        part[..2].copy_from_slice(&(size as u16).to_ne_bytes());
        part[2..2 + encoding.name.len()].copy_from_slice(encoding.name.as_bytes());
        part[HEAD - 1] = encoding.revision;
        part[HEAD..HEAD + encoding.data.len()].copy_from_slice(&encoding.data);
    }

    /// Chooses an encoding. The standard target and what has one encoding only need no question: the kernel refuses the rule if it
    /// does not know them.
    fn choose<'b>(&self, kernel: &Kernel, extension: Extension, encodings: &'b [Encoding]) -> Result<&'b Encoding> {
        if let [only] = encodings {
            return Ok(only);
        }
        let is_known = |encoding: &&Encoding| {
            kernel.has_extension(self.layout.family, extension, encoding.name, encoding.revision).is_ok()
        };
        let name = encodings.first().map_or("", |encoding| encoding.name);
        encodings.iter().find(is_known).ok_or(FirewallError::NoModule(self.layout.family, name))
    }
}

impl Encoding {
    fn is(&self, part: &Part) -> bool {
        part.name == self.name.as_bytes() && part.revision == self.revision && part.data.starts_with(&self.data)
    }
}

fn set_in_header(family: Family, header: &mut [u8], one: &Match) -> Result<()> {
    let fields = Fields::of(family);
    let net_of = |addresses: &Addresses| match addresses.net() {
        Some(net) if Family::of(&net) == family => Ok(net),
        _ => Err(FirewallError::NotUnderstood(addresses.to_string())),
    };
    let (plain, is_negated) = one.plain();
    let negation = match plain {
        Match::In(name) => {
            fields.set_interface(header, 0, name);
            INV_VIA_IN
        }
        Match::Out(name) => {
            fields.set_interface(header, 1, name);
            INV_VIA_OUT
        }
        Match::Source(net) => {
            fields.set_net(header, 0, &net_of(net)?);
            INV_SRCIP
        }
        Match::Destination(net) => {
            fields.set_net(header, 1, &net_of(net)?);
            INV_DSTIP
        }
        Match::Protocol(protocol) => {
            fields.set_protocol(header, protocol.number());
            INV_PROTO
        }
        _ => 0,
    };
    if is_negated {
        header[fields.invflags()] |= negation;
    }
    Ok(())
}
