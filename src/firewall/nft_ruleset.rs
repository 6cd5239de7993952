//! The rules of nftables as `nft list ruleset` prints them.
//!
//! The plain listing, not `nft -j`: every version has it, also those that are built without JSON, its lines are what a person sees
//! and types, and a rule in it is deleted by the same words. What is not understood in a rule counts as a match of some packets, so
//! that no rule is believed to take more or fewer than it does.

use std::iter::Peekable;

use super::ruleset::{Chain, FAMILY, Hook, Match, OPAQUE, SavedRule, Table};

/// Returns the tables through which packets of a family pass: `ip` or `ip6`.
///
/// Tables of these names are left out if they are of this family: iptables has made them, and its own listing shows more of them.
pub(super) fn tables(listing: &str, family: &str, of_iptables: &[&str]) -> Vec<Table> {
    let mut tables = parse(listing);
    tables.retain(|table| {
        let (own_family, name) = table.name.split_once(' ').unwrap_or_default();
        [family, "inet"].contains(&own_family)
            && !(own_family == family && of_iptables.contains(&name))
            && table.chains.iter().any(|chain| chain.hook.is_some())
    });
    tables
}

/// Parses a listing. What stands outside of chains, such as sets, is left out.
fn parse(listing: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut chain: Option<String> = None;
    let mut lines = listing.lines().map(str::trim);
    // blocks within a table that are no chains
    let mut depth = 0;
    while let Some(line) = lines.next() {
        let mut line = line.to_string();
        if chain.is_some() {
            // a long set runs over several lines
            while braces(&line) > 0
                && let Some(next) = lines.next()
            {
                line.push(' ');
                line.push_str(next);
            }
        }
        if let Some(name) = line.strip_prefix("table ").and_then(|rest| rest.split(" {").next()) {
            tables.push(Table { name: name.into(), chains: Vec::new(), rules: Vec::new() });
            (chain, depth) = (None, 0);
            continue;
        }
        let Some(table) = tables.last_mut() else { continue };
        match line.strip_prefix("chain ").and_then(|rest| rest.strip_suffix(" {")) {
            Some(name) if chain.is_none() && depth == 0 => {
                let policy_text = String::new();
                table.chains.push(Chain { name: name.into(), policy: "-".into(), hook: None, policy_text });
                chain = Some(name.into());
            }
            _ if chain.is_none() => depth += braces(&line),
            _ if line == "}" => chain = None,
            _ if line.starts_with("type ") => table.take_base(&line),
            _ => {
                let chain = chain.as_deref().unwrap_or_default();
                let rules = rules(&format!("{} {chain}: {line}", table.name), chain, &line);
                table.rules.extend(rules);
            }
        }
    }
    tables
}

/// Returns how many more braces are opened than closed, outside of quotes.
fn braces(line: &str) -> i32 {
    let mut is_quoted = false;
    line.chars().fold(0, |depth, c| {
        is_quoted ^= c == '"';
        depth
            + match c {
                '{' if !is_quoted => 1,
                '}' if !is_quoted => -1,
                _ => 0,
            }
    })
}

impl Table {
    /// Takes the line by which packets enter the last chain: `type filter hook forward priority 0; policy drop;`.
    fn take_base(&mut self, line: &str) {
        let Some(chain) = self.chains.last_mut() else { return };
        let is_dropping = line.contains("policy drop;");
        chain.policy = if is_dropping { "DROP" } else { "ACCEPT" }.into();
        chain.policy_text =
            format!("{} {}: policy {}", self.name, chain.name, if is_dropping { "drop" } else { "accept" });
        chain.hook = if line.starts_with("type filter hook forward ") {
            Some(Hook::Forward)
        } else if line.starts_with("type nat hook postrouting ") {
            Some(Hook::Postrouting)
        } else {
            None
        };
    }
}

/// Returns a rule as rules that have one verdict each: a map of verdicts makes several.
fn rules(text: &str, chain: &str, line: &str) -> Vec<SavedRule> {
    let words = words(line);
    let mut rest = words.iter().map(String::as_str).peekable();
    let matches = Vec::new();
    let mut rule = SavedRule { text: text.into(), chain: chain.into(), matches, target: String::new(), is_goto: false };
    let mut found = Vec::new();
    while let Some(word) = rest.next() {
        if let Some(target) = verdict(word, &mut rest) {
            (rule.target, rule.is_goto) = (target, word == "goto");
            break;
        }
        if skip(word, &mut rest) {
            continue;
        }
        let Some(option) = option(word, &mut rest) else {
            rule.matches.push(opaque());
            continue;
        };
        // the family of an address is a match of its own in a table of both
        if word == "ip" || word == "ip6" {
            let value = if word == "ip" { "ipv4" } else { "ipv6" };
            rule.matches.push(Match { option: FAMILY.into(), value: value.into(), is_negated: false });
        }
        if word == "tcp" || word == "udp" {
            rule.matches.push(Match { option: "-p".into(), value: word.into(), is_negated: false });
        }
        let is_negated = rest.next_if_eq(&"!=").is_some();
        rest.next_if_eq(&"==");
        if rest.next_if_eq(&"vmap").is_some() {
            found.extend(of_map(&rule, option, rest.next().unwrap_or_default()));
            continue;
        }
        rule.matches.push(match_of(option, rest.next().unwrap_or_default(), is_negated));
    }
    found.push(rule);
    found
}

/// Passes over a statement that neither matches nor decides, and returns whether the word begins one.
fn skip<'a>(word: &str, rest: &mut Peekable<impl Iterator<Item = &'a str>>) -> bool {
    const OF_LOG: [&str; 6] = ["prefix", "level", "group", "flags", "snaplen", "queue-threshold"];
    match word {
        "counter" => while rest.next_if(|word| ["packets", "bytes"].contains(word) || is_number(word)).is_some() {},
        "log" => {
            while rest.next_if(|word| OF_LOG.contains(word)).is_some() {
                rest.next();
            }
        }
        "comment" => drop(rest.next()),
        _ => return false,
    }
    true
}

/// Returns iptables' option for a match that is understood.
fn option<'a>(word: &str, rest: &mut Peekable<impl Iterator<Item = &'a str>>) -> Option<&'static str> {
    let option = match (word, rest.peek().copied()) {
        ("iifname" | "iif", _) => return Some("-i"),
        ("oifname" | "oif", _) => return Some("-o"),
        ("ip" | "ip6", Some("saddr")) => "-s",
        ("ip" | "ip6", Some("daddr")) => "-d",
        ("ct", Some("state" | "status")) => "--ctstate",
        ("meta", Some("nfproto")) => FAMILY,
        ("tcp" | "udp", Some("dport")) => "--dport",
        ("tcp" | "udp", Some("sport")) => "--sport",
        _ => return None,
    };
    rest.next();
    Some(option)
}

fn opaque() -> Match {
    Match { option: OPAQUE.into(), value: String::new(), is_negated: false }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the target that a word stands for, in iptables' words.
fn verdict<'a>(word: &str, rest: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    Some(match word {
        "accept" | "drop" | "reject" | "return" | "queue" | "masquerade" | "snat" => word.to_uppercase(),
        "dnat" | "redirect" => "DNAT".into(),
        "jump" | "goto" => rest.next()?.into(),
        _ => return None,
    })
}

/// Returns a match of one value or of a set.
fn match_of(option: &str, value: &str, is_negated: bool) -> Match {
    let values: Vec<&str> = match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
        Some(elements) => elements.split(',').map(str::trim).collect(),
        None => value.split(',').collect(),
    };
    // a named set, or a range of addresses
    let is_address = option == "-s" || option == "-d";
    let is_unknown = |value: &&str| value.is_empty() || value.starts_with('@') || is_address && value.contains('-');
    if values.iter().any(is_unknown) {
        return opaque();
    }
    let of_iptables = |value: &&str| {
        let value = value.trim_matches('"');
        match option {
            "-i" | "-o" => value.strip_suffix('*').map_or(value.into(), |start| format!("{start}+")),
            "--ctstate" => value.to_uppercase(),
            _ => value.into(),
        }
    };
    let value = values.iter().map(of_iptables).collect::<Vec<_>>().join(",");
    Match { option: option.into(), value, is_negated }
}

/// Returns the rules that a map of verdicts stands for: `{ "lo" : accept, "eth0" : jump own }`.
fn of_map(rule: &SavedRule, option: &str, map: &str) -> Vec<SavedRule> {
    let Some(elements) = map.strip_prefix('{').and_then(|map| map.strip_suffix('}')) else {
        // a named map: its verdicts are not known
        return Vec::new();
    };
    let element = |text: &str| {
        let (key, word) = text.split_once(" : ")?;
        let mut words = word.split_whitespace();
        let word = words.next()?;
        let mut rule = rule.clone();
        rule.target = verdict(word, &mut words)?;
        rule.is_goto = word == "goto";
        rule.matches.push(match_of(option, key.trim(), false));
        Some(rule)
    };
    elements.split(',').filter_map(element).collect()
}

/// Splits a rule into words; a text in quotes is one, and a set in braces.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut is_quoted, mut depth) = (false, 0);
    for c in line.chars() {
        is_quoted ^= c == '"';
        match c {
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => depth -= 1,
            _ => (),
        }
        if c.is_whitespace() && !is_quoted && depth == 0 {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        } else {
            word.push(c);
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::super::packet::{Endpoint, Packet, Verdict};
    use super::super::ruleset::Ruleset;
    use super::*;

    fn verdict(listing: &str, net: &str, is_reply: bool) -> String {
        let net: IpNet = net.parse().unwrap();
        let family = if net.addr().is_ipv4() { "ip" } else { "ip6" };
        let rules = Ruleset::of_nft(tables(listing, family, &[]));
        let inner = Endpoint { interface: Some("b0"), net: Some(&net) };
        let outer = Endpoint { interface: Some("eth0"), net: None };
        let (from, to) = if is_reply { (outer, inner) } else { (inner, outer) };
        let packet = Packet { from, to, is_reply, is_bridged: false, sees_ports: false, transport: None };
        let mut said = Vec::new();
        for passage in rules.passages(Hook::Forward, &packet) {
            let verdict = Verdict::of(&passage.hits);
            let except = verdict.except.map_or(String::new(), |hit| format!(" but {hit}"));
            if verdict.is_dropped || verdict.except.is_some() {
                let by = verdict.by.filter(|_| verdict.is_dropped);
                said.push(by.map_or("passes".into(), |by| format!("dropped by {by}")) + &except);
            }
        }
        if said.is_empty() { "passes".into() } else { said.join("; ") }
    }

    fn chain(rules: &str) -> String {
        format!(
            "table inet own {{\n\tset s {{\n\t\ttype ipv4_addr\n\t\telements = {{ 10.0.0.1,\n\t\t\t     10.0.0.2 }}\n\t}}\n\n\tchain fw {{\n\
             \t\ttype filter hook forward priority filter; policy accept;\n\t\t{rules}\n\t}}\n}}\n"
        )
    }

    #[test]
    fn rules_that_take_a_guests_packets_or_not() {
        for rule in [
            "drop",
            "iifname \"b0\" drop",
            "iifname \"b*\" oifname \"eth0\" counter packets 3 bytes 9 reject with icmpx admin-prohibited",
            "iifname { \"lo\", \"b0\" } log prefix \"accept { it\" level info drop",
            "iifname != \"eth0\" drop",
            "ip saddr 10.0.0.0/8 drop",
            "ip saddr != 192.168.0.0/16 drop comment \"why accept\"",
            "ct state new drop",
            "ct state != established,related drop",
            "ct state { invalid, new } drop",
            "meta nfproto ipv4 drop",
            "iifname vmap { \"lo\" : accept, \"b0\" : drop }",
        ] {
            let found = verdict(&chain(rule), "10.9.0.0/24", false);
            assert_eq!(found, format!("dropped by inet own fw: {rule}"), "{rule}");
        }
        for rule in [
            "iifname \"eth0\" drop",
            "oifname != \"eth0\" drop",
            "ip saddr 192.168.0.0/16 drop",
            "ip6 saddr fd00::/8 drop",
            "meta nfproto ipv6 drop",
            "ct state vmap { invalid : drop, established : accept }",
            "ct state established,related accept",
            "ct status dnat drop",
            "counter packets 0 bytes 0",
            "meta mark set 0x00000001",
        ] {
            assert_eq!(verdict(&chain(rule), "10.9.0.0/24", false), "passes", "{rule}");
        }
        for rule in [
            "tcp dport 25 drop",
            "ip saddr @s drop",
            "ip saddr 10.9.0.1-10.9.0.9 drop",
            "ip daddr { 192.0.2.1, 192.0.2.2 } drop",
            "meta l4proto { tcp, udp } th dport 53 reject",
            "xt match \"physdev\" drop",
            "limit rate over 10/second drop",
        ] {
            let found = verdict(&chain(rule), "10.9.0.0/24", false);
            assert_eq!(found, format!("passes but inet own fw: {rule}"), "{rule}");
        }
        assert_eq!(verdict(&chain("ip saddr 10.0.0.0/8 drop"), "fd00::/64", false), "passes");
        assert_eq!(verdict(&chain("ct state established accept\n\t\tdrop"), "10.9.0.0/24", true), "passes");
    }

    #[test]
    fn chains_of_all_kinds() {
        let drop = |table: &str, kind: &str| {
            format!("table {table} {{\n\tchain c {{\n\t\ttype {kind} priority 0; policy drop;\n\t}}\n}}\n")
        };
        for (table, kind, found) in [
            ("inet own", "filter hook forward", ["dropped", "dropped"]),
            ("ip own", "filter hook forward", ["dropped", "passes"]),
            ("ip6 own", "filter hook forward", ["passes", "dropped"]),
            ("bridge own", "filter hook forward", ["passes", "passes"]),
            ("inet own", "filter hook input", ["passes", "passes"]),
        ] {
            for (net, wanted) in ["10.9.0.0/24", "fd00::/64"].into_iter().zip(found) {
                let verdict = verdict(&drop(table, kind), net, false);
                assert_eq!(verdict.split(' ').next().unwrap(), wanted, "{table} {kind} {net}");
            }
        }
        assert_eq!(
            verdict(&drop("inet own", "filter hook forward"), "10.0.0.0/24", false),
            "dropped by inet own c: policy drop"
        );
    }

    /// As firewalld 1.3 makes them, in short.
    #[test]
    fn firewalld() {
        let listing = "\
table inet firewalld {
\tchain filter_FORWARD {
\t\ttype filter hook forward priority filter + 10; policy accept;
\t\tct state { established, related } accept
\t\tct status dnat accept
\t\tiifname \"lo\" accept
\t\tip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24,
\t\t\t     2002:a00::/24 } reject with icmpv6 addr-unreachable
\t\tjump filter_FORWARD_ZONES
\t\tct state invalid drop
\t\treject with icmpx admin-prohibited
\t}

\tchain filter_FORWARD_ZONES {
\t\tiifname \"eth0\" goto filter_FWD_public
\t\tgoto filter_FWD_public
\t}

\tchain filter_FWD_public {
\t\tjump filter_FWD_public_deny
\t\tmeta l4proto { icmp, ipv6-icmp } accept
\t}

\tchain filter_FWD_public_deny {
\t}
}
";
        let dropped = "dropped by inet firewalld filter_FORWARD: reject with icmpx admin-prohibited but inet firewalld \
                       filter_FWD_public: meta l4proto { icmp, ipv6-icmp } accept";
        assert_eq!(verdict(listing, "10.9.0.0/24", false), dropped);
        assert_eq!(verdict(listing, "10.9.0.0/24", true), "passes");
        let opened =
            listing.replace("\t\tiifname \"eth0\" goto", "\t\tiifname \"b0\" accept\n\t\tiifname \"eth0\" goto");
        assert_eq!(verdict(&opened, "10.9.0.0/24", false), "passes");
    }

    #[test]
    fn tables_of_iptables_are_shown_once() {
        let listing = "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n";
        assert_eq!(tables(listing, "ip", &["filter"]).len(), 0);
        assert_eq!(tables(listing, "ip", &["nat"]).len(), 1);
        assert_eq!(tables(listing, "ip6", &[]).len(), 0);
    }
}
