//! Rules in nft's words, and where they stand: in tables of our own, called `brouter`.

use std::net::IpAddr;

use super::addresses::Addresses;
use super::chain::{Chain, Table};
use super::matches::Match;
use super::rule::{Action, Rule};
use super::target::Target;
use super::traffic::{Ports, States};
use crate::net::{Family, InterfaceName};

/// The name of our tables.
pub(super) const TABLE: &str = "brouter";

/// A chain of nftables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NftChain {
    /// The table with its family, such as `inet filter`.
    pub table: String,
    /// The chain.
    pub chain: String,
}

impl NftChain {
    fn of(family: &str, chain: &str) -> Self {
        NftChain { table: format!("{family} {TABLE}"), chain: chain.into() }
    }

    /// Returns the chain in which a rule stands. Rules about bridge ports are those of the bridge's own packet filter, which sees
    /// ports; the filter of IP sees only the bridge.
    pub fn of_rule(rule: &Rule) -> Self {
        if is_of_port(rule) {
            return NftChain::of("bridge", FORWARD);
        }
        let chain = match (rule.table, rule.chain) {
            (Table::Filter, Chain::Output) => "filter_output",
            (_, Chain::Prerouting) => "prerouting",
            (_, Chain::Input) => "input",
            (_, Chain::Forward) => FORWARD,
            (_, Chain::Output) => "output",
            (_, Chain::Postrouting) => "postrouting",
        };
        NftChain::of(family_word(rule.family), chain)
    }

    /// Returns the chain of a policy of chain FORWARD.
    pub(super) fn forward(family: Family) -> Self {
        NftChain::of(family_word(family), FORWARD)
    }

    /// Returns the chain of the bridge's filter that drops what a port may not send.
    pub(super) fn spoofed() -> Self {
        NftChain::of("bridge", SPOOFED)
    }

    /// Returns the chain of the bridge's filter that frames enter.
    pub(super) fn bridged() -> Self {
        NftChain::of("bridge", FORWARD)
    }

    /// Returns the commands that make the chain, if it is one of ours, and leave it as it is where it exists.
    pub(super) fn definition(&self) -> Vec<String> {
        let NftChain { table, chain } = self;
        if table.split(' ').nth(1) != Some(TABLE) {
            return Vec::new();
        }
        let base = |chain: &str, kind: &str, hook: &str, priority: i32| {
            format!("add chain {table} {chain} {{ type {kind} hook {hook} priority {priority}; }}")
        };
        let mut commands = vec![format!("add table {table}")];
        match chain.as_str() {
            FORWARD => commands.push(base(chain, "filter", FORWARD, 0)),
            "filter_output" => commands.push(base(chain, "filter", "output", 0)),
            SPOOFED => commands.push(format!("add chain {table} {chain}")),
            _ => {
                // before Linux 4.18 answers are translated only where both ends have a chain
                commands.push(base("prerouting", "nat", "prerouting", -100));
                commands.push(base("postrouting", "nat", "postrouting", 100));
                if chain == "output" || chain == "input" {
                    commands.push(base(chain, "nat", chain, if chain == "output" { -100 } else { 100 }));
                }
            }
        }
        commands
    }
}

const FORWARD: &str = "forward";
const SPOOFED: &str = "spoofed";

fn family_word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// Returns whether a rule is about a bridge port.
fn is_of_port(rule: &Rule) -> bool {
    port_in(rule).is_some()
        || rule.matches.iter().any(|one| matches!(one.plain().0, Match::PortOut(_) | Match::IsBridged))
}

/// Returns the port whose guest a rule is about.
fn port_in(rule: &Rule) -> Option<String> {
    rule.matches.iter().find_map(|one| match one.plain().0 {
        Match::PortIn(port) => Some(port.to_string()),
        _ => None,
    })
}

/// Returns the bridge port that a rule is about.
pub(super) fn port(rule: &Rule) -> Option<&InterfaceName> {
    rule.matches.iter().find_map(|one| match one.plain().0 {
        Match::PortIn(port) | Match::PortOut(port) => Some(port),
        _ => None,
    })
}

/// Returns the rule that drops what a port sends and no rule of its own accepts, if this is one.
pub(super) fn spoofing(rule: &Rule) -> Option<String> {
    let has_source = rule.matches.iter().any(|one| !matches!(one.plain().0, Match::PortIn(_) | Match::IsBridged));
    let port = port_in(rule).filter(|_| has_source)?;
    Some(format!("iifname \"{port}\" meta protocol ip drop"))
}

/// Returns the words that identify a rule in what nft prints. nft does not print every rule in the words that made it.
pub(super) fn key(rule: &Rule) -> String {
    // FNV-1a
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let line = rule.command(Action::Append);
    format!("{TABLE} {:016x}", line.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// Returns what a rule says, in nft's words.
pub fn statement(rule: &Rule) -> String {
    let mut words: Vec<String> = Vec::new();
    let has_ports =
        rule.matches.iter().any(|one| matches!(one.plain().0, Match::SourcePort(_) | Match::DestinationPort(_)));
    let mut protocol = "";
    for one in &rule.matches {
        let (plain, is_negated) = one.plain();
        let not = if is_negated { "!= " } else { "" };
        let ip = family_word(rule.family);
        words.push(match plain {
            Match::In(name) | Match::PortIn(name) => format!("iifname {not}\"{name}\""),
            Match::Out(name) | Match::PortOut(name) => format!("oifname {not}\"{name}\""),
            Match::Source(net) => format!("{ip} saddr {not}{}", address(net)),
            Match::Destination(net) => format!("{ip} daddr {not}{}", address(net)),
            Match::Protocol(own) => {
                protocol = own.name();
                if has_ports {
                    continue;
                }
                format!("meta l4proto {not}{protocol}")
            }
            Match::SourcePort(own) => format!("{protocol} sport {not}{}", ports(*own)),
            Match::DestinationPort(own) => format!("{protocol} dport {not}{}", ports(*own)),
            Match::State(States::DNAT) | Match::Conntrack(States::DNAT) => format!("ct status {not}dnat"),
            Match::State(states) | Match::Conntrack(states) => {
                format!("ct state {not}{}", states.to_string().to_lowercase())
            }
            Match::SourceLocal => format!("fib saddr type {not}local"),
            Match::DestinationLocal => format!("fib daddr type {not}local"),
            // the filter of bridges sees no other packets
            Match::IsBridged | Match::Not(_) => continue,
        });
    }
    words.push(target(&rule.target));
    words.join(" ")
}

fn address(net: &Addresses) -> String {
    match net.net() {
        Some(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
        Some(net) => net.to_string(),
        None => net.to_string(),
    }
}

fn ports(ports: Ports) -> String {
    match ports.first == ports.last {
        true => ports.first.to_string(),
        false => format!("{}-{}", ports.first, ports.last),
    }
}

fn target(target: &Target) -> String {
    match target {
        Target::Accept => "accept".into(),
        Target::Drop => "drop".into(),
        Target::Return => "return".into(),
        Target::Masquerade => "masquerade".into(),
        Target::Dnat { address, ports: None } => format!("dnat to {address}"),
        Target::Dnat { address: IpAddr::V4(address), ports: Some(own) } => format!("dnat to {address}:{}", ports(*own)),
        Target::Dnat { address: IpAddr::V6(address), ports: Some(own) } => {
            format!("dnat to [{address}]:{}", ports(*own))
        }
    }
}

/// Returns the commands of nft that add a rule to a chain, at its end or at its head. A chain of ours is made if it is missing.
pub(super) fn addition(place: &NftChain, rule: &Rule, at_head: bool) -> Vec<String> {
    let NftChain { table, chain } = place;
    let verb = if at_head { "insert" } else { "add" };
    let mut commands = place.definition();
    commands.push(format!("{verb} rule {table} {chain} {} comment \"{}\"", statement(rule), key(rule)));
    commands
}

/// Returns the command that a person would type to set the policy of chain FORWARD.
pub fn policy_commands(family: Family, policy: &str) -> String {
    let NftChain { table, chain } = NftChain::forward(family);
    format!("nft 'add table {table}; {}'", policy_command(&table, &chain, policy))
}

/// Returns the command of nft that sets a policy.
pub(super) fn policy_command(table: &str, chain: &str, policy: &str) -> String {
    format!("add chain {table} {chain} {{ type filter hook forward priority 0; policy {policy}; }}")
}

/// Returns the command that a person would type for a rule in a chain.
pub fn command(place: &NftChain, rule: &Rule, action: Action) -> String {
    let NftChain { table, chain } = place;
    let handle = || format!("$(nft -a list chain {table} {chain} | sed -n 's/.*{}.*handle //p')", key(rule));
    match action {
        Action::Append => format!("nft '{}'", addition(place, rule, false).join("; ")),
        Action::Insert => format!("nft '{}'", addition(place, rule, true).join("; ")),
        Action::Delete => format!("nft delete rule {table} {chain} handle {}", handle()),
        Action::Check => format!("nft list chain {table} {chain}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_nft_takes_them() {
        let name = |name: &str| name.parse().unwrap();
        let source = |text: &str| Match::Source(Addresses::parse(text));
        let of = |rule: &Rule| {
            let NftChain { table, chain } = NftChain::of_rule(rule);
            format!("{table} {chain}: {}", statement(rule))
        };
        let dnat = Rule {
            family: Family::V6,
            table: Table::Nat,
            chain: Chain::Output,
            matches: vec![
                source("::1").not(),
                Match::Protocol(super::super::traffic::Protocol::Tcp),
                Match::DestinationPort(Ports { first: 80, last: 90 }),
                Match::DestinationLocal,
            ],
            target: Target::Dnat { address: "fd00::7".parse().unwrap(), ports: Some(8080.into()) },
        };
        let answers = vec![Match::Out(name("b0")), Match::State(States::RELATED | States::ESTABLISHED)];
        for (rule, wanted) in [
            (
                Rule::masquerade(Addresses::parse("10.0.0.0/24"), name("b0")),
                "ip brouter postrouting: ip saddr 10.0.0.0/24 oifname != \"b0\" masquerade",
            ),
            (Rule::accept(answers), "ip brouter forward: oifname \"b0\" ct state related,established accept"),
            (
                Rule::from_port(name("vif1.0"), [source("10.0.0.7")]),
                "bridge brouter forward: iifname \"vif1.0\" ip saddr 10.0.0.7 accept",
            ),
            (Rule::to_port(name("vif1.0")), "bridge brouter forward: oifname \"vif1.0\" accept"),
            (
                dnat.clone(),
                "ip6 brouter output: ip6 saddr != ::1 tcp dport 80-90 fib daddr type local dnat to [fd00::7]:8080",
            ),
        ] {
            assert_eq!(of(&rule), wanted);
        }
        assert_eq!(spoofing(&Rule::from_port(name("vif1.0"), [])), None);
        let drop = spoofing(&Rule::from_port(name("vif1.0"), [source("10.0.0.7")]));
        assert_eq!(drop.as_deref(), Some("iifname \"vif1.0\" meta protocol ip drop"));
        let line = command(&NftChain::of_rule(&dnat), &dnat, Action::Append);
        assert!(line.starts_with("nft 'add table ip6 brouter; add chain ip6 brouter prerouting { type nat"), "{line}");
    }
}
