//! Tests on tables of other kernels, and on malformed ones.

use super::content::{Content, Info, verdict};
use super::edit::Edit;
use super::encode::Encoded;
use super::layout::{COUNTERS, HEAD, Layout};
use crate::firewall::addresses::Addresses;
use crate::firewall::chain::{Chain, Policy};
use crate::firewall::error::{FirewallError, Malformed};
use crate::firewall::matches::Match;
use crate::firewall::rule::Rule;
use crate::firewall::traffic::{Ports, Protocol, States};
use crate::kernel::{Kernel, TABLE_INFO};
use crate::net::Family;

/// What 2.6.18 and 2.6.32 leave in a name's field behind its NUL: bytes of a pointer of theirs.
const POINTER: [u8; 8] = [0x20, 0x4c, 0x05, 0x88, 0xff, 0xff, 0xff, 0xff];

/// A table under construction, as a kernel returns it.
struct Built {
    layout: Layout,
    bytes: Vec<u8>,
    entries: u32,
    hook_entry: [u32; 5],
    underflow: [u32; 5],
    valid_hooks: u32,
    /// Whether names have a kernel's pointer behind them.
    has_pointers: bool,
}

impl Built {
    fn new(layout: Layout, unused: u32, has_pointers: bool) -> Self {
        let (hook_entry, underflow) = ([unused; 5], [unused; 5]);
        Built { layout, bytes: Vec::new(), entries: 0, hook_entry, underflow, valid_hooks: 0, has_pointers }
    }

    fn here(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Adds an entry with a target of this name and data, and with counters that tell its number.
    fn add(&mut self, name: &str, data: &[u8]) {
        let layout = self.layout;
        let size = layout.aligned(HEAD + data.len());
        let mut entry = vec![0; layout.entry() + size];
        let next = entry.len() as u16;
        let at = layout.target_offset();
        entry[at..at + 2].copy_from_slice(&(layout.entry() as u16).to_ne_bytes());
        entry[at + 2..at + 4].copy_from_slice(&next.to_ne_bytes());
        entry[layout.counters()] = self.entries as u8 + 1;
        let target = &mut entry[layout.entry()..];
        target[..2].copy_from_slice(&(size as u16).to_ne_bytes());
        target[2..2 + name.len()].copy_from_slice(name.as_bytes());
        if self.has_pointers && name.len() < 8 {
            target[10..18].copy_from_slice(&POINTER);
        }
        target[HEAD..HEAD + data.len()].copy_from_slice(data);
        self.bytes.extend(entry);
        self.entries += 1;
    }

    fn verdict(&mut self, verdict: i32) {
        self.add("", &verdict.to_ne_bytes());
    }

    /// Adds a chain of the kernel's own whose rules have these verdicts.
    fn chain(&mut self, chain: Chain, rules: &[i32]) {
        self.valid_hooks |= 1 << chain as u32;
        self.hook_entry[chain as usize] = self.here();
        rules.iter().for_each(|rule| self.verdict(*rule));
        self.underflow[chain as usize] = self.here();
        self.verdict(-2);
    }

    fn error(&mut self, name: &str) {
        let mut data = name.as_bytes().to_vec();
        data.resize(30, 0);
        self.add("ERROR", &data);
    }

    fn info(&self) -> Info {
        let Built { valid_hooks, hook_entry, underflow, entries, .. } = *self;
        Info { valid_hooks, hook_entry, underflow, entries, size: self.here() }
    }

    fn content(&self) -> Result<Content, Malformed> {
        Content::parse(self.layout, &self.info(), self.bytes.clone(), 0)
    }
}

/// Table nat of 2.6.18 and 2.6.32: without INPUT, and POSTROUTING before OUTPUT.
fn old_nat(layout: Layout, unused: u32) -> Built {
    let mut nat = Built::new(layout, unused, true);
    nat.chain(Chain::Prerouting, &[]);
    nat.chain(Chain::Postrouting, &[]);
    nat.chain(Chain::Output, &[]);
    nat.error("ERROR");
    nat
}

/// Table filter with jumps into chains of users, and a rule without a target at the end of a chain.
fn filter(layout: Layout) -> Built {
    let mut filter = Built::new(layout, u32::MAX, true);
    let rule = (layout.entry() + layout.standard_target()) as i32;
    let error = (layout.entry() + layout.aligned(HEAD + 30)) as i32;
    let own = 7 * rule + error;
    filter.chain(Chain::Input, &[own]);
    filter.chain(Chain::Forward, &[own, 4 * rule]);
    filter.chain(Chain::Output, &[own + 2 * rule + error]);
    filter.error("one");
    filter.verdict(-1);
    filter.verdict(-5);
    filter.error("two");
    filter.verdict(-5);
    filter.error("ERROR");
    filter
}

fn masquerade() -> Rule {
    Rule::masquerade(Addresses::parse("10.0.0.0/24"), "xenbr0".parse().unwrap())
}

fn no_kernel() -> Kernel {
    Kernel::at("/nonexistent")
}

/// Adds a rule to a content, and returns what the kernel would get and then return.
fn with(content: &Content, rule: &Rule, at_head: bool) -> Content {
    let mut edit = Edit::new(content);
    let entry = Encoded::of(content.layout, rule).unwrap().entry(&no_kernel()).unwrap();
    assert!(edit.add(rule.chain, entry, at_head));
    laid_out(content, &edit)
}

fn laid_out(content: &Content, edit: &Edit) -> Content {
    let replacement = edit.lay_out("nat").unwrap();
    let (head, entries) = replacement.bytes.split_at(content.layout.replace());
    // name, then hooks, entries and size; a getinfo has the last two at its end
    let mut info = [0; TABLE_INFO];
    info[32..36].copy_from_slice(&head[32..36]);
    info[36..76].copy_from_slice(&head[44..84]);
    info[76..84].copy_from_slice(&head[36..44]);
    assert_eq!(head[84..88], (content.len() as u32).to_ne_bytes());
    Content::parse(content.layout, &Info::parse(&info), entries.to_vec(), 0).unwrap()
}

fn bytes(content: &Content) -> Vec<u8> {
    (0..content.len()).flat_map(|number| content.entry(number).to_vec()).collect()
}

#[test]
fn tables_of_old_kernels() {
    for (layout, size, unused) in [
        (Layout::of_64_bits(Family::V4), 632, 0),
        (Layout::of_64_bits(Family::V4), 632, u32::MAX),
        (Layout::of_i386(Family::V4), 620, 0),
    ] {
        let nat = old_nat(layout, unused);
        assert_eq!((nat.here(), nat.entries, nat.valid_hooks), (size, 4, 0x19));
        let content = nat.content().unwrap();
        let rule = masquerade();
        let added = with(&content, &rule, false);
        let entry = layout.entry() + layout.aligned(HEAD + 20);
        let chain = (layout.entry() + layout.standard_target()) as u32;
        let span = added.chains[Chain::Postrouting as usize].unwrap();
        assert_eq!((span.first, span.policy, added.len()), (1, 2, 5));
        assert_eq!(added.offset(2) as u32, chain + entry as u32);
        assert_eq!(added.chains[Chain::Output as usize].unwrap().first, 3);
        assert_eq!(added.chains[Chain::Input as usize], None);
        // what was there is there, bit for bit
        let others: Vec<u8> = [0, 2, 3, 4].iter().flat_map(|&number| added.entry(number).to_vec()).collect();
        assert_eq!(others, nat.bytes);
        let mut edit = Edit::new(&added);
        assert!(edit.delete(Chain::Postrouting, &Encoded::of(layout, &rule).unwrap()));
        assert_eq!(bytes(&laid_out(&added, &edit)), nat.bytes);
    }
}

#[test]
fn jumps_lead_to_the_same_rules() {
    for family in Family::BOTH {
        for layout in [Layout::of_64_bits(family), Layout::of_i386(family)] {
            let content = filter(layout).content().unwrap();
            let mut rule = Rule::accept_from("eth0".parse().unwrap());
            rule.family = family;
            for (chain, at_head) in
                [(Chain::Input, true), (Chain::Forward, false), (Chain::Forward, true), (Chain::Output, false)]
            {
                rule.chain = chain;
                let added = with(&content, &rule, at_head);
                let targets = |content: &Content| -> Vec<Option<u8>> {
                    let target = |number| match verdict(layout, content.entry(number)) {
                        // the first counter tells which entry it is
                        Some(to @ 0..) => Some(content.entry(content.number_at(to as u32).unwrap())[layout.counters()]),
                        _ => None,
                    };
                    (0..content.len()).map(target).collect()
                };
                let mut got = targets(&added);
                let own = added.chains[chain as usize].unwrap();
                got.remove(if at_head { own.first } else { own.policy - 1 });
                let mut wanted = targets(&content);
                if (chain, at_head) == (Chain::Forward, false) {
                    // the rule without a target goes on to the new one, which has no counters
                    wanted[3] = Some(0);
                }
                assert_eq!(got, wanted, "{chain} {at_head}");
            }
        }
    }
}

#[test]
fn counters_stay_with_their_rules() {
    let layout = Layout::of_64_bits(Family::V4);
    let content = filter(layout).content().unwrap();
    let mut edit = Edit::new(&content);
    edit.set_policy(Chain::Output, Policy::Drop);
    edit.flush(Chain::Input);
    let replacement = edit.lay_out("filter").unwrap();
    let policies = [1, 4, 6];
    let wanted: Vec<Option<usize>> =
        (1..content.len()).map(|number| Some(number).filter(|number| !policies.contains(number))).collect();
    assert_eq!(replacement.origins, wanted);
    let old: Vec<u8> = (0..content.len()).flat_map(|number| [number as u8; COUNTERS]).collect();
    let info = edit.counters("filter", &replacement, &old).unwrap();
    let got: Vec<u8> = info[layout.list()..].chunks(COUNTERS).map(|counters| counters[0]).collect();
    assert_eq!(got, wanted.iter().map(|origin| origin.unwrap_or(0) as u8).collect::<Vec<_>>());
}

#[test]
fn malformed_tables_are_refused() {
    let layout = Layout::of_64_bits(Family::V4);
    let check = |change: &dyn Fn(&mut Built, &mut Info)| {
        let mut built = filter(layout);
        let mut info = built.info();
        change(&mut built, &mut info);
        Content::parse(layout, &info, built.bytes, 0).map(drop)
    };
    let verdict = layout.entry() + HEAD;
    assert_eq!(check(&|_, _| ()), Ok(()));
    assert_eq!(check(&|_, info| info.size = u32::MAX), Err(Malformed::TooLarge));
    assert_eq!(check(&|_, info| info.size -= 8), Err(Malformed::Entry));
    assert_eq!(check(&|_, info| info.entries += 1), Err(Malformed::Count));
    assert_eq!(check(&|_, info| info.hook_entry[1] += 8), Err(Malformed::Chain));
    assert_eq!(check(&|_, info| info.underflow[2] = info.underflow[1]), Err(Malformed::Chain));
    assert_eq!(check(&|_, info| info.valid_hooks = 0), Err(Malformed::Chain));
    assert_eq!(check(&|_, info| info.valid_hooks = 0x2e), Err(Malformed::Chain));
    assert_eq!(check(&|built, _| built.bytes[verdict] = 7), Err(Malformed::Jump));
    assert_eq!(check(&|built, _| built.bytes[verdict + 3] = 0x7f), Err(Malformed::Jump));
    assert_eq!(check(&|built, _| built.bytes[90] = 0), Err(Malformed::Entry));
    assert_eq!(check(&|built, _| built.bytes[88] = 0xff), Err(Malformed::Entry));
    assert_eq!(check(&|built, _| built.bytes[112] = 0), Err(Malformed::Entry));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) as usize % bound
    };
    let (mut parsed, mut refused) = (0, 0);
    for round in 0..30_000 {
        let family = Family::BOTH[round % 2];
        let layout = if round % 4 < 2 { Layout::of_64_bits(family) } else { Layout::of_i386(family) };
        let mut built = filter(layout);
        let mut info = built.info();
        for _ in 0..1 + below(6) {
            let place = below(built.bytes.len());
            built.bytes[place] = [0, 1, 0x7f, 0xff, below(256) as u8][below(5)];
        }
        match below(6) {
            0 => built.bytes.truncate(below(info.size as usize)),
            1 => info.entries = below(12) as u32,
            2 => info.hook_entry[below(5)] = below(2000) as u32,
            _ => (),
        }
        info.size = built.bytes.len() as u32;
        let Ok(content) = Content::parse(layout, &info, built.bytes, 0) else {
            refused += 1;
            continue;
        };
        parsed += 1;
        let mut rule = Rule::accept_from("eth0".parse().unwrap());
        rule.family = family;
        let encoded = Encoded::of(layout, &rule).unwrap();
        let mut edit = Edit::new(&content);
        edit.add(Chain::Forward, encoded.entry(&no_kernel()).unwrap(), below(2) == 0);
        edit.delete(Chain::Input, &encoded);
        edit.flush([Chain::Output, Chain::Forward][below(2)]);
        // a jump into what was flushed is refused
        let _ = edit.lay_out("filter");
        super::listing::listing(&content, "filter");
    }
    assert!(parsed > 5_000 && refused > 5_000, "{parsed} parsed, {refused} refused");
}

#[test]
fn rules_that_cannot_be() {
    let layout = Layout::native(Family::V4);
    let refused = |matches| Encoded::of(layout, &Rule::accept(matches)).unwrap_err();
    let source = |text| Match::Source(Addresses::parse(text));
    assert!(
        matches!(refused(vec![source("guest.example")]), FirewallError::NotUnderstood(text) if text == "guest.example")
    );
    assert!(matches!(refused(vec![source("fd00::1")]), FirewallError::NotUnderstood(_)));
    for matches in [
        vec![source("10.0.0.1"), source("10.0.0.2")],
        vec![Match::SourcePort(68.into())],
        vec![Match::Protocol(Protocol::Icmp), Match::DestinationPort(68.into())],
        vec![Match::Protocol(Protocol::Tcp), Match::DestinationPort(Ports { first: 9, last: 8 })],
        vec![Match::State(States::DNAT)],
    ] {
        assert!(matches!(refused(matches), FirewallError::Unfit(_)));
    }
}
