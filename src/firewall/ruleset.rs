//! Rules as they are listed, as far as packets are followed through them.

/// The rules that one program shows.
#[derive(Debug)]
pub(crate) struct Ruleset {
    /// Name of the program: `iptables`, or `iptables-legacy` where that shows something else; `nft`.
    pub(crate) program: String,
    pub(crate) tables: Vec<Table>,
    /// The program keeps its rules in nf_tables; unknown if it printed nothing.
    pub(crate) is_nft: Option<bool>,
}

/// A table: `filter`, `nat`, …; of nftables with its family, such as `inet filter`.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) chains: Vec<Chain>,
    /// The rules of all chains, in the order of the listing.
    pub(crate) rules: Vec<SavedRule>,
}

/// A chain of a table.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) name: String,
    /// `ACCEPT` or `DROP` for a chain that packets enter by themselves, `-` for others.
    pub(crate) policy: String,
    /// Where packets enter it by themselves, if that is of interest.
    pub(crate) hook: Option<Hook>,
    /// Its policy in the words of its program.
    pub(crate) policy_text: String,
}

/// Where packets enter a chain by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// On their way through the host, to be accepted or dropped.
    Forward,
    /// On their way out, to get another source address.
    Postrouting,
}

/// A rule, as far as packets are followed through it.
#[derive(Clone, Debug)]
pub(crate) struct SavedRule {
    /// The whole line: `-A CHAIN …`, or of nftables `TABLE CHAIN: …`.
    pub(crate) text: String,
    pub(crate) chain: String,
    pub(crate) matches: Vec<Match>,
    /// Where the packets that it matches go; empty if they only pass.
    pub(crate) target: String,
    /// `-g`: they do not come back to the rule's chain.
    pub(crate) is_goto: bool,
}

/// The option that stands for nft's `meta nfproto`; its values are `ipv4` and `ipv6`.
pub(crate) const FAMILY: &str = "nfproto";
/// The option that stands for what is not understood: some packets fit it.
pub(crate) const OPAQUE: &str = "?";

/// An option of a rule, such as `! -s 10.0.0.0/24`.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) option: String,
    /// Empty if the option has none.
    pub(crate) value: String,
    pub(crate) is_negated: bool,
}

impl Ruleset {
    pub(super) fn parse(program: String, text: &str) -> Self {
        let mut tables: Vec<Table> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('*') {
                tables.push(Table { name: name.into(), chains: Vec::new(), rules: Vec::new() });
            } else if let Some(table) = tables.last_mut() {
                table.take(line);
            }
        }
        // a comment names the backend
        let is_nft =
            text.lines().any(|line| line.starts_with('#') && line.split(' ').any(|word| word == "(nf_tables)"));
        Ruleset { program, tables, is_nft: (!text.is_empty()).then_some(is_nft) }
    }

    /// Returns the rules that nft shows.
    pub(super) fn of_nft(tables: Vec<Table>) -> Self {
        Ruleset { program: "nft".into(), tables, is_nft: None }
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Returns whether the rules are those of nftables itself, not of iptables.
    pub(crate) fn is_native_nft(&self) -> bool {
        self.program == "nft"
    }

    /// Returns whether there is a rule, or a policy that drops.
    pub(crate) fn has_any(&self) -> bool {
        self.tables.iter().any(|table| !table.rules.is_empty() || table.chains.iter().any(Chain::drops))
    }
}

impl Table {
    fn take(&mut self, line: &str) {
        let mut words = line.split(' ');
        match words.next() {
            Some("-A") => self.rules.push(SavedRule::parse(line)),
            Some(chain) if chain.starts_with(':') => {
                let policy = words.next().unwrap_or_default();
                self.chains.push(Chain::of_iptables(&self.name, &chain[1..], policy));
            }
            _ => (),
        }
    }
}

impl Chain {
    /// Returns a chain of a table of iptables; the policy is `-` for one that is not the kernel's own.
    pub(super) fn of_iptables(table: &str, name: &str, policy: &str) -> Self {
        let hook = match (table, name) {
            ("filter", "FORWARD") => Some(Hook::Forward),
            ("nat", "POSTROUTING") => Some(Hook::Postrouting),
            _ => None,
        };
        Chain { name: name.into(), policy: policy.into(), hook, policy_text: format!("-P {name} {policy}") }
    }

    /// Returns whether a packet that no rule takes is dropped.
    pub(crate) fn drops(&self) -> bool {
        self.policy == "DROP"
    }
}

impl SavedRule {
    fn parse(line: &str) -> Self {
        let mut words = words(line).into_iter().skip(1).peekable();
        let chain = words.next().unwrap_or_default().into();
        let mut rule =
            SavedRule { text: line.into(), chain, matches: Vec::new(), target: String::new(), is_goto: false };
        let mut is_negated = false;
        while let Some(option) = words.next() {
            if option == "!" {
                is_negated = true;
                continue;
            }
            let mut value = words.next_if(|word| !word.starts_with('-')).unwrap_or_default();
            // before 1.4.3 the mark stood behind the option
            if value == "!" {
                is_negated = true;
                value = words.next().unwrap_or_default();
            }
            if option == "-j" || option == "-g" {
                // the rest are options of the target
                return SavedRule { target: value.into(), is_goto: option == "-g", ..rule };
            }
            rule.matches.push(Match { option: option.into(), value: value.into(), is_negated });
            is_negated = false;
            while words.next_if(|word| !word.starts_with('-') && *word != "!").is_some() {}
        }
        rule
    }

    pub(crate) fn has_match(&self, option: &str) -> bool {
        self.matches.iter().any(|found| found.option == option)
    }
}

/// Splits a rule into words. A text with blanks is in quotes, and stays so.
fn words(rule: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, byte) in rule.bytes().enumerate() {
        is_quoted ^= byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        if byte == b' ' && !is_quoted {
            words.push(&rule[start..place]);
            start = place + 1;
        }
    }
    words.push(&rule[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_parsed() {
        let text = "# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:FORWARD DROP [0:0]\n:own - [0:0]\n\
                    -A FORWARD -s ! 10.0.0.0/8 -m comment --comment \"a b -j DROP\" -g own\nCOMMIT\n*nat\nCOMMIT\n";
        let rules = Ruleset::parse("iptables".into(), text);
        assert_eq!(rules.is_nft, Some(true));
        assert!(rules.has_any());
        let [filter, nat] = rules.tables.as_slice() else { panic!("two tables") };
        assert_eq!([filter.name.as_str(), nat.name.as_str()], ["filter", "nat"]);
        let chains: Vec<_> = filter.chains.iter().map(|chain| (chain.name.as_str(), chain.drops())).collect();
        assert_eq!(chains, [("FORWARD", true), ("own", false)]);
        let [rule] = filter.rules.as_slice() else { panic!("one rule") };
        let matches: Vec<_> =
            rule.matches.iter().map(|found| (&*found.option, &*found.value, found.is_negated)).collect();
        let wanted = [("-s", "10.0.0.0/8", true), ("-m", "comment", false), ("--comment", "\"a b -j DROP\"", false)];
        assert_eq!(matches, wanted);
        assert!(rule.is_goto && rule.target == "own");
        assert!(!Ruleset::parse("iptables".into(), "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n").has_any());
    }
}
