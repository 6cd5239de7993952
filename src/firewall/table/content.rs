//! A table as the kernel returned it, checked. Whatever it holds, a [`Content`] has entries that lie one behind the other, chains
//! that begin and end at entries, and rules that jump to entries.

use super::layout::{HEAD, LONGEST_NAME, Layout, NAME, u16_at, u32_at};
use crate::firewall::chain::{Chain, Policy};
use crate::firewall::error::Malformed;
use crate::kernel::TABLE_INFO;

/// The largest table that is read. The largest in use, with a hundred thousand rules, have some 40 MiB.
pub(super) const LARGEST: u32 = 256 << 20;

/// Verdicts of standard targets (linux/netfilter/x_tables.h, linux/netfilter.h): `-NF_DROP - 1` and so on. One that is not negative
/// is the offset of an entry.
pub(super) const DROP: i32 = -1;
pub(super) const ACCEPT: i32 = -2;
pub(super) const RETURN: i32 = -5;

/// `struct ipt_getinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) valid_hooks: u32,
    pub(super) hook_entry: [u32; 5],
    pub(super) underflow: [u32; 5],
    pub(super) entries: u32,
    pub(super) size: u32,
}

impl Info {
    pub(super) fn parse(info: &[u8; TABLE_INFO]) -> Self {
        let word = |index: usize| u32_at(info, NAME + 4 * index).unwrap_or_default();
        Info {
            valid_hooks: word(0),
            hook_entry: std::array::from_fn(|hook| word(1 + hook)),
            underflow: std::array::from_fn(|hook| word(6 + hook)),
            entries: word(11),
            size: word(12),
        }
    }

    /// Whether there are other entries than the policies and the one that marks the end.
    pub(super) fn has_rules(&self) -> bool {
        self.entries > self.valid_hooks.count_ones() + 1
    }
}

/// Where the entries of a chain are, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first rule, or the policy if there is none.
    pub(super) first: usize,
    /// The policy, behind the last rule.
    pub(super) policy: usize,
}

/// A match or a target of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The name, up to its NUL. Old kernels leave other bytes behind it.
    pub(super) name: &'a [u8],
    pub(super) revision: u8,
    pub(super) data: &'a [u8],
}

/// The content of a table.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) layout: Layout,
    pub(super) valid_hooks: u32,
    /// The chains of the kernel's own, by the number of their hook.
    pub(super) chains: [Option<Span>; 5],
    bytes: Vec<u8>,
    /// Bytes before the first entry.
    head: usize,
    /// Where each entry begins, counted from the first.
    offsets: Vec<usize>,
}

impl Content {
    /// Checks the entries of a table, which lie behind `head` bytes.
    pub(super) fn parse(layout: Layout, info: &Info, bytes: Vec<u8>, head: usize) -> Result<Self, Malformed> {
        if info.size > LARGEST {
            return Err(Malformed::TooLarge);
        }
        let entries = bytes.get(head..).unwrap_or_default();
        if info.size as usize != entries.len() {
            return Err(Malformed::Entry);
        }
        let mut offsets = Vec::with_capacity(entries.len() / layout.entry());
        let mut offset = 0;
        while offset < entries.len() {
            offsets.push(offset);
            offset += check_entry(layout, &entries[offset..])?;
        }
        if info.entries as usize != offsets.len() {
            return Err(Malformed::Count);
        }
        let chains = [None; 5];
        let mut content = Content { layout, valid_hooks: info.valid_hooks, chains, bytes, head, offsets };
        content.check_chains(info)?;
        content.check_jumps()?;
        Ok(content)
    }

    fn check_chains(&mut self, info: &Info) -> Result<(), Malformed> {
        if info.valid_hooks == 0 || info.valid_hooks >> Chain::ALL.len() != 0 {
            return Err(Malformed::Chain);
        }
        for hook in 0..Chain::ALL.len() {
            if info.valid_hooks >> hook & 1 == 0 {
                continue;
            }
            let first = self.number_at(info.hook_entry[hook]).ok_or(Malformed::Chain)?;
            let policy = self.number_at(info.underflow[hook]).ok_or(Malformed::Chain)?;
            let is_policy = matches!(self.verdict(policy), Some(ACCEPT | DROP)) && self.parts(policy).len() == 1;
            let is_shared = self.chains.iter().flatten().any(|other| first <= other.policy && other.first <= policy);
            if first > policy || !is_policy || is_shared {
                return Err(Malformed::Chain);
            }
            self.chains[hook] = Some(Span { first, policy });
        }
        Ok(())
    }

    fn check_jumps(&self) -> Result<(), Malformed> {
        let is_jump_right = |number| match self.verdict(number) {
            Some(verdict @ 0..) => self.number_at(verdict as u32).is_some(),
            _ => true,
        };
        if (0..self.len()).all(is_jump_right) { Ok(()) } else { Err(Malformed::Jump) }
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Returns where an entry begins.
    pub(super) fn offset(&self, number: usize) -> usize {
        self.offsets[number]
    }

    /// Returns the number of the entry that begins at an offset.
    pub(super) fn number_at(&self, offset: u32) -> Option<usize> {
        self.offsets.binary_search(&(offset as usize)).ok()
    }

    /// Returns the bytes of an entry.
    pub(super) fn entry(&self, number: usize) -> &[u8] {
        let entries = &self.bytes[self.head..];
        let end = self.offsets.get(number + 1).copied().unwrap_or(entries.len());
        &entries[self.offsets[number]..end]
    }

    /// Returns everything, with the bytes before the first entry.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the matches of an entry and, last, its target.
    pub(super) fn parts(&self, number: usize) -> Vec<Part<'_>> {
        parts(self.layout, self.entry(number))
    }

    /// Returns the verdict of an entry, if its target is the standard one.
    pub(super) fn verdict(&self, number: usize) -> Option<i32> {
        verdict(self.layout, self.entry(number))
    }

    /// Returns the policy of a chain; `None` where the table does not have the chain.
    pub(super) fn policy(&self, chain: Chain) -> Option<Policy> {
        let span = self.chains[chain as usize]?;
        Some(if self.verdict(span.policy) == Some(DROP) { Policy::Drop } else { Policy::Accept })
    }

    /// Whether the policy of a chain drops.
    pub(super) fn has_drop(&self) -> bool {
        Chain::ALL.into_iter().any(|chain| self.policy(chain) == Some(Policy::Drop))
    }
}

/// Checks that an entry is whole: its matches and its target lie one behind the other. Returns its size.
fn check_entry(layout: Layout, bytes: &[u8]) -> Result<usize, Malformed> {
    let size_at = |offset| u16_at(bytes, offset).map(usize::from).ok_or(Malformed::Entry);
    let target = size_at(layout.target_offset())?;
    let next = size_at(layout.target_offset() + 2)?;
    let is_whole = next <= bytes.len() && layout.is_aligned(next) && target >= layout.entry() && target + HEAD <= next;
    if !is_whole {
        return Err(Malformed::Entry);
    }
    let mut offset = layout.entry();
    while offset < target {
        let size = size_at(offset)?;
        if size < HEAD || !layout.is_aligned(size) || offset + size > target {
            return Err(Malformed::Entry);
        }
        offset += size;
    }
    let size = size_at(target)?;
    let is_standard = bytes[target + 2] == 0;
    if size < HEAD || target + size > next || is_standard && size != layout.standard_target() {
        return Err(Malformed::Entry);
    }
    Ok(next)
}

/// Returns the matches of a checked entry and, last, its target.
pub(super) fn parts(layout: Layout, entry: &[u8]) -> Vec<Part<'_>> {
    let target = target_offset(layout, entry);
    let mut parts = Vec::new();
    let mut offset = layout.entry();
    while offset <= target {
        let size = u16_at(entry, offset).map_or(entry.len(), usize::from).max(HEAD);
        let part = &entry[offset..entry.len().min(offset + size)];
        let name = &part[2..3 + LONGEST_NAME];
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        parts.push(Part { name: &name[..end], revision: part[HEAD - 1], data: &part[HEAD..] });
        offset += size;
    }
    parts
}

/// Returns where the target of a checked entry begins.
pub(super) fn target_offset(layout: Layout, entry: &[u8]) -> usize {
    u16_at(entry, layout.target_offset()).map_or(0, usize::from)
}

/// Returns the verdict of a checked entry, if its target is the standard one.
pub(super) fn verdict(layout: Layout, entry: &[u8]) -> Option<i32> {
    let target = target_offset(layout, entry);
    let is_standard = entry[target + 2] == 0;
    u32_at(entry, target + HEAD).filter(|_| is_standard).map(|verdict| verdict as i32)
}
