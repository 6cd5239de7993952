//! Changes of a table's content. Entries have numbers that stay theirs until the table is laid out anew, so that rules jump to the
//! same entries afterwards.

use super::content::{ACCEPT, Content, DROP, Info, Span, target_offset, verdict};
use super::encode::Encoded;
use super::layout::{COUNTERS, HEAD, NAME};
use crate::firewall::chain::{Chain, Policy};
use crate::firewall::error::Malformed;

/// A table's content while it is changed.
pub(super) struct Edit<'a> {
    content: &'a Content,
    /// The numbers of the entries, in order.
    order: Vec<usize>,
    /// New entries; the first has the number after the last old one.
    new: Vec<Vec<u8>>,
    chains: [Option<Span>; 5],
    /// Policies that were set, with the numbers of their entries.
    policies: Vec<(usize, Policy)>,
    /// Whether anything has changed. A chain without rules that is flushed counts, as with iptables.
    pub(super) is_changed: bool,
}

/// A table that replaces another.
pub(super) struct Replacement {
    /// `struct ipt_replace` with its entries. The address of the counters is missing.
    pub(super) bytes: Vec<u8>,
    /// For each entry: the number that it had before and whose counters it keeps.
    pub(super) origins: Vec<Option<usize>>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(content: &'a Content) -> Self {
        let order = (0..content.len()).collect();
        Edit { content, order, new: Vec::new(), chains: content.chains, policies: Vec::new(), is_changed: false }
    }

    fn bytes(&self, number: usize) -> &[u8] {
        match number.checked_sub(self.content.len()) {
            None => self.content.entry(number),
            Some(new) => &self.new[new],
        }
    }

    fn place(&self, number: usize) -> Option<usize> {
        self.order.iter().position(|&other| other == number)
    }

    /// Appends a rule to a chain, or inserts it at its head. Returns whether the table has the chain.
    pub(super) fn add(&mut self, chain: Chain, entry: Vec<u8>, at_head: bool) -> bool {
        let number = self.content.len() + self.new.len();
        let Some(span) = self.chains[chain as usize] else { return false };
        let next = if at_head { span.first } else { span.policy };
        let Some(place) = self.place(next) else { return false };
        self.order.insert(place, number);
        self.new.push(entry);
        self.is_changed = true;
        if next == span.first {
            self.chains[chain as usize] = Some(Span { first: number, ..span });
        }
        true
    }

    /// Deletes the first rule of a chain that is equal. Returns whether there was one.
    pub(super) fn delete(&mut self, chain: Chain, rule: &Encoded) -> bool {
        let Some(span) = self.chains[chain as usize] else { return false };
        let (Some(first), Some(policy)) = (self.place(span.first), self.place(span.policy)) else { return false };
        let found = (first..policy).find(|&place| rule.is(self.bytes(self.order[place])));
        if let Some(place) = found {
            self.order.remove(place);
            self.is_changed = true;
            self.chains[chain as usize] = Some(Span { first: self.order[first], ..span });
        }
        found.is_some()
    }

    /// Deletes the rules of a chain that a function chooses.
    pub(super) fn delete_all(&mut self, chain: Chain, is_meant: impl Fn(&[u8]) -> bool) {
        let Some(span) = self.chains[chain as usize] else { return };
        let (Some(first), Some(policy)) = (self.place(span.first), self.place(span.policy)) else { return };
        for place in (first..policy).rev().filter(|&place| is_meant(self.bytes(self.order[place]))).collect::<Vec<_>>()
        {
            self.order.remove(place);
            self.is_changed = true;
        }
        self.chains[chain as usize] = Some(Span { first: self.order[first], ..span });
    }

    /// Deletes all rules of a chain. Returns whether the table has the chain.
    pub(super) fn flush(&mut self, chain: Chain) -> bool {
        let Some(span) = self.chains[chain as usize] else { return false };
        let (Some(first), Some(policy)) = (self.place(span.first), self.place(span.policy)) else { return false };
        self.order.drain(first..policy);
        self.is_changed = true;
        self.chains[chain as usize] = Some(Span { first: span.policy, ..span });
        true
    }

    /// Sets the policy of a chain. Returns whether the table has the chain.
    pub(super) fn set_policy(&mut self, chain: Chain, policy: Policy) -> bool {
        let Some(span) = self.chains[chain as usize] else { return false };
        self.policies.push((span.policy, policy));
        self.is_changed = true;
        true
    }

    /// Lays the table out.
    ///
    /// # Errors
    /// What would be wrong with it. Old kernels do not survive a wrong jump.
    pub(super) fn lay_out(&self, table: &str) -> Result<Replacement, Malformed> {
        let layout = self.content.layout;
        let mut offsets = vec![None; self.content.len() + self.new.len()];
        let mut end = 0;
        for &number in &self.order {
            offsets[number] = Some(end);
            end += self.bytes(number).len();
        }
        let info = self.info(&offsets, end)?;
        let mut bytes = self.head(&info, table, end);
        let head = bytes.len();
        for &number in &self.order {
            let start = bytes.len() - head;
            bytes.extend_from_slice(self.bytes(number));
            if let Some(verdict) = self.new_verdict(number, start, &offsets)? {
                let at = head + start + target_offset(layout, self.bytes(number)) + HEAD;
                bytes[at..at + 4].copy_from_slice(&verdict.to_ne_bytes());
            }
        }
        // what has become of it is checked like what the kernel returns
        let bytes = Content::parse(layout, &info, bytes, head)?.into_bytes();
        // at each change the policies of all chains begin to count anew, as with iptables (libiptc, COUNTER_MAP_ZEROED)
        let is_policy = |number: usize| self.chains.iter().flatten().any(|span| span.policy == number);
        let keeps = |number: &usize| *number < self.content.len() && !is_policy(*number);
        let origins = self.order.iter().map(|number| Some(*number).filter(keeps)).collect();
        Ok(Replacement { bytes, origins })
    }

    /// Returns the verdict of an entry that begins at `start` now, if it may be another.
    fn new_verdict(&self, number: usize, start: usize, offsets: &[Option<usize>]) -> Result<Option<i32>, Malformed> {
        if let Some((_, policy)) = self.policies.iter().rfind(|(policy, _)| *policy == number) {
            return Ok(Some(if *policy == Policy::Drop { DROP } else { ACCEPT }));
        }
        if number >= self.content.len() {
            return Ok(None);
        }
        let entry = self.content.entry(number);
        let Some(verdict @ 0..) = verdict(self.content.layout, entry) else { return Ok(None) };
        // a rule without a target goes on behind itself, whatever is there
        let is_next = verdict as usize == self.content.offset(number) + entry.len();
        let offset = match is_next {
            true => start + entry.len(),
            false => {
                let to = self.content.number_at(verdict as u32).ok_or(Malformed::Jump)?;
                offsets[to].ok_or(Malformed::Jump)?
            }
        };
        i32::try_from(offset).map(Some).map_err(|_| Malformed::TooLarge)
    }

    fn info(&self, offsets: &[Option<usize>], size: usize) -> Result<Info, Malformed> {
        let size = u32::try_from(size).map_err(|_| Malformed::TooLarge)?;
        let (mut hook_entry, mut underflow) = ([0; 5], [0; 5]);
        for (hook, span) in self.chains.iter().enumerate() {
            let Some(Span { first, policy }) = span else { continue };
            let offset = |number: usize| offsets[number].map(|offset| offset as u32).ok_or(Malformed::Chain);
            hook_entry[hook] = offset(*first)?;
            underflow[hook] = offset(*policy)?;
        }
        let entries = self.order.len() as u32;
        Ok(Info { valid_hooks: self.content.valid_hooks, hook_entry, underflow, entries, size })
    }

    /// Returns `struct ipt_replace` without the address of the counters, with room for entries of a size behind it.
    fn head(&self, info: &Info, table: &str, size: usize) -> Vec<u8> {
        let mut head = Vec::with_capacity(self.content.layout.replace() + size);
        head.extend_from_slice(table.as_bytes());
        head.resize(NAME, 0);
        let old = self.content.len() as u32;
        let hooks = info.hook_entry.iter().chain(&info.underflow).copied();
        for word in [info.valid_hooks, info.entries, info.size].into_iter().chain(hooks).chain([old]) {
            head.extend(word.to_ne_bytes());
        }
        head.resize(self.content.layout.replace(), 0);
        head
    }

    /// Returns the `struct xt_counters_info` that gives each entry of a replacement the counters that it had; `None` if all are 0.
    pub(super) fn counters(&self, table: &str, replacement: &Replacement, old: &[u8]) -> Option<Vec<u8>> {
        let mut info = table.as_bytes().to_vec();
        info.resize(NAME, 0);
        info.extend((replacement.origins.len() as u32).to_ne_bytes());
        info.resize(self.content.layout.list(), 0);
        let head = info.len();
        for origin in &replacement.origins {
            let counters = origin.and_then(|number| old.get(number * COUNTERS..(number + 1) * COUNTERS));
            info.extend_from_slice(counters.unwrap_or(&[0; COUNTERS]));
        }
        info[head..].iter().any(|&byte| byte != 0).then_some(info)
    }
}
