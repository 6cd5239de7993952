//! A table's rules as iptables prints them. Of a match that brouter does not use itself only the name is known.

use super::content::{Content, DROP, RETURN};
use super::decode;
use crate::firewall::chain::Chain;
use crate::firewall::ruleset::{self, Match, SavedRule};

/// The target that heads a chain of a user's, and that ends a table.
const ERROR: &[u8] = b"ERROR";

/// The verdict that gives a packet to a program (`-NF_QUEUE - 1`).
const QUEUE: i32 = -4;

/// Returns the chains and rules of a table.
pub(super) fn listing(content: &Content, table: &str) -> ruleset::Table {
    listing_of(content, table, b"")
}

/// Returns the chains of a table, and the rules that hold a name, or jump to a chain, which may have it.
pub(super) fn listing_of(content: &Content, table: &str, name: &[u8]) -> ruleset::Table {
    let may_hold = |number| {
        name.is_empty()
            || matches!(content.verdict(number), Some(0..))
            || content.entry(number).windows(name.len()).any(|part| part == name)
    };
    let chains = named_chains(content);
    let mut listed = ruleset::Table { name: table.into(), chains: Vec::new(), rules: Vec::new() };
    for chain in &chains {
        listed.chains.push(ruleset::Chain::of_iptables(table, &chain.name, &chain.policy));
        for number in (chain.first..chain.end).filter(|&number| may_hold(number)) {
            listed.rules.push(rule(content, &chains, &chain.name, number));
        }
    }
    listed
}

/// A chain with the numbers of its first rule and of the entry behind its last rule.
struct NamedChain {
    name: String,
    policy: String,
    first: usize,
    end: usize,
}

fn named_chains(content: &Content) -> Vec<NamedChain> {
    let mut chains = Vec::new();
    for chain in Chain::ALL {
        if let (Some(span), Some(policy)) = (content.chains[chain as usize], content.policy(chain)) {
            let policy = policy.to_string();
            chains.push(NamedChain { name: chain.name().into(), policy, first: span.first, end: span.policy });
        }
    }
    chains.sort_by_key(|chain| chain.first);
    let heads: Vec<usize> = (0..content.len()).filter(|&number| error_name(content, number).is_some()).collect();
    for pair in heads.windows(2) {
        let name = error_name(content, pair[0]).unwrap_or_default();
        // the last entry of a chain returns
        chains.push(NamedChain { name, policy: "-".into(), first: pair[0] + 1, end: pair[1] - 1 });
    }
    chains
}

/// Returns the name that an entry with the ERROR target has, which is that of the chain behind it.
fn error_name(content: &Content, number: usize) -> Option<String> {
    let parts = content.parts(number);
    let target = parts.last().filter(|target| target.name == ERROR)?;
    let name = target.data.split(|&byte| byte == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(name).into_owned())
}

fn rule(content: &Content, chains: &[NamedChain], chain: &str, number: usize) -> SavedRule {
    let family = content.layout.family;
    let entry = content.entry(number);
    let parts = content.parts(number);
    let mut matches = decode::header(family, entry);
    let (target, modules) = parts.split_last().expect("each entry has a target");
    for part in modules {
        let options = decode::options(part);
        // which iptables gives to module conntrack
        let is_state = options.first().is_some_and(|first| first.option == "--state");
        let name = if is_state { "state".into() } else { text(part.name) };
        matches.push(Match { option: "-m".into(), value: name, is_negated: false });
        matches.extend(options);
    }
    let (target, options) = match content.verdict(number) {
        Some(verdict) => (verdict_name(content, chains, number, verdict), Vec::new()),
        None => (text(target.name), decode::target_options(family, target)),
    };
    let is_goto = decode::is_goto(family, entry);
    let mut line = format!("-A {chain}");
    for found in &matches {
        let bang = if found.is_negated { "! " } else { "" };
        let value = if found.value.is_empty() { String::new() } else { format!(" {}", found.value) };
        line += &format!(" {bang}{}{value}", found.option);
    }
    if !target.is_empty() {
        line += &format!(" {} {target}", if is_goto { "-g" } else { "-j" });
    }
    for option in options {
        line += &format!(" {option}");
    }
    SavedRule { text: line, chain: chain.into(), matches, target, is_goto }
}

fn verdict_name(content: &Content, chains: &[NamedChain], number: usize, verdict: i32) -> String {
    match verdict {
        DROP => "DROP".into(),
        RETURN => "RETURN".into(),
        QUEUE => "QUEUE".into(),
        ..0 => "ACCEPT".into(),
        offset => {
            let to = content.number_at(offset as u32).filter(|&to| to != number + 1);
            let chain = to.and_then(|to| chains.iter().find(|chain| chain.first == to));
            chain.map(|chain| chain.name.clone()).unwrap_or_default()
        }
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
