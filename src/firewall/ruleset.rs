//! The firewall's rules, and what becomes of a packet in them.
//!
//! They are read from `iptables-save`, which every version has, and which shows the tables that there are without making the kernel
//! load others. A packet is known in part: where it comes from and goes to, but not its protocol or its other end. So a rule takes
//! all such packets, some, or none.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::kernel::Kernel;
use crate::program;

/// The rules of all variants of iptables.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) sets: Vec<Ruleset>,
    /// Why not all are known; empty if they are.
    pub(crate) unknown: String,
}

/// The rules of one.
pub(crate) struct Ruleset {
    /// How it is called here: `iptables`, or `iptables-legacy` where that is another one.
    pub(crate) program: String,
    text: String,
    is_nft: bool,
}

impl Rules {
    /// What `iptables-save` shows, and of the other variants those that show something else.
    pub(crate) fn read(kernel: &Kernel, path: Option<&OsString>, v6: bool) -> Self {
        let (base, tables) = match v6 {
            false => ("iptables", "/proc/net/ip_tables_names"),
            true => ("ip6tables", "/proc/net/ip6_tables_names"),
        };
        let mut rules = Rules::default();
        for kind in ["", "-nft", "-legacy"] {
            let program = [base, kind].concat();
            let Some(save) = program::find(&[&program, "-save"].concat(), path.cloned()) else { continue };
            let text = match program::ask(&save, &[]) {
                Ok((status, text)) if status.success() => text,
                // before 1.4.9 it also fails where there are no tables
                _ if !kernel.has_file(tables) && kernel.user() == 0 => String::new(),
                failed => {
                    let said = failed.map_or(String::new(), |(_, said)| said);
                    rules.unknown = ["root may see the rules: ", said.lines().next().unwrap_or(&program)].concat();
                    String::new()
                }
            };
            // a comment says which one it is
            let is_nft =
                text.lines().any(|line| line.starts_with('#') && line.split(' ').any(|word| word == "(nf_tables)"));
            let is_same = |other: &Ruleset| !other.text.is_empty() && other.is_nft == is_nft;
            if kind.is_empty() || text.lines().any(|line| line.starts_with('*')) && !rules.sets.iter().any(is_same) {
                rules.sets.push(Ruleset { program, text, is_nft });
            }
        }
        if rules.sets.is_empty() && kernel.has_file(tables) {
            rules.unknown = [tables, " is there, but no ", base, "-save"].concat();
        }
        if let Some(nft) = program::find("nft", path.cloned())
            && let Ok((_, chains)) = program::ask(&nft, &["list", "chains"])
            && let Some(chain) = chain_of_nft(&chains, v6)
        {
            rules.unknown = ["nft has rules that are not iptables': nft list chain ", &chain].concat();
        }
        rules
    }
}

impl Ruleset {
    /// The lines of a table; of all, if no table is named.
    pub(crate) fn lines<'a>(&'a self, table: &str) -> Vec<&'a str> {
        let mut lines = Vec::new();
        let mut is_meant = table.is_empty();
        for line in self.text.lines() {
            match line.strip_prefix('*') {
                Some(name) if !table.is_empty() => is_meant = name == table,
                _ if is_meant => lines.push(line),
                _ => (),
            }
        }
        lines
    }

    /// Whether there is a rule, or a policy that drops.
    pub(crate) fn has_any(&self) -> bool {
        self.lines("").into_iter().any(|line| line.starts_with('-') || dropping(line).is_some())
    }

    /// What becomes of a packet in a chain of the kernel's own: every rule with an end that may take it, in order. The last is the
    /// first that surely does, or the chain's policy. Nothing where there is no such chain.
    pub(crate) fn walk<'a>(&'a self, table: &str, chain: &'a str, packet: &Packet) -> Vec<Hit<'a>> {
        let mut walk = Walk { lines: self.lines(table), packet, hits: Vec::new() };
        if let Some(line) = walk.head(chain)
            && !walk.chain(chain, true)
        {
            let policy = line.split(' ').nth(1).unwrap_or_default();
            walk.hits.push(Hit { rule: ["-P ", chain, " ", policy].concat(), target: policy });
        }
        walk.hits
    }
}

/// The first chain in which packets that are forwarded meet rules that iptables does not show. Its own chain is called FORWARD.
fn chain_of_nft(chains: &str, v6: bool) -> Option<String> {
    let (mut table, mut chain) = ("", "");
    for line in chains.lines() {
        match line.trim_start().split_once(' ') {
            Some(("table", rest)) => table = rest.strip_suffix(" {")?,
            Some(("chain", rest)) => chain = rest.strip_suffix(" {")?,
            Some(("type", rest)) => {
                let is_of_other = table.starts_with(if v6 { "ip " } else { "ip6 " });
                if rest.starts_with("filter hook forward ") && chain != "FORWARD" && !is_of_other {
                    return Some([table, " ", chain].concat());
                }
            }
            _ => (),
        }
    }
    None
}

/// The chain of a table's line that drops what no rule takes.
pub(crate) fn dropping(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix(':')?.split(' ');
    let chain = words.next();
    chain.filter(|_| words.next() == Some("DROP"))
}

/// What is known of a packet.
#[derive(Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) from: Place<'a>,
    pub(crate) to: Place<'a>,
    /// It answers one that was let through.
    pub(crate) is_answer: bool,
    /// It does not leave the bridge.
    pub(crate) is_bridged: bool,
    /// The firewall is told of a bridge's ports (bridge-nf-call-iptables).
    pub(crate) knows_ports: bool,
}

/// Where a packet comes from or goes to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The interface; nothing if any.
    pub(crate) link: Option<&'a str>,
    /// The network that the address is of; nothing for some other one.
    pub(crate) net: Option<&'a IpNet>,
}

/// A rule, or a policy, that may be a packet's end.
pub(crate) struct Hit<'a> {
    /// Behind iptables' own name.
    pub(crate) rule: String,
    pub(crate) target: &'a str,
}

/// What becomes of packets in the chain of a filter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// They are dropped, but perhaps some.
    pub(crate) is_dropped: bool,
    /// By which rule.
    pub(crate) rule: String,
    /// The first rule that may do the opposite before; empty if there is none.
    pub(crate) but: String,
}

impl Fate {
    pub(crate) fn of(hits: Vec<Hit>) -> Fate {
        let is_drop = |hit: &Hit| hit.target == "DROP" || hit.target == "REJECT";
        let mut fate = Fate { is_dropped: hits.last().is_some_and(is_drop), ..Fate::default() };
        for hit in hits {
            if is_drop(&hit) == fate.is_dropped {
                fate.rule = hit.rule;
            } else if fate.but.is_empty() {
                fate.but = hit.rule;
            }
        }
        fate
    }
}

struct Walk<'a, 'b> {
    lines: Vec<&'a str>,
    packet: &'b Packet<'b>,
    hits: Vec<Hit<'a>>,
}

/// What is left of a line behind the chain that it is of.
fn behind<'a>(line: &'a str, mark: &str, chain: &str) -> Option<&'a str> {
    line.strip_prefix(mark)?.strip_prefix(chain)?.strip_prefix(' ')
}

impl<'a> Walk<'a, '_> {
    /// The line that declares a chain.
    fn head(&self, chain: &str) -> Option<&'a str> {
        self.lines.iter().find(|line| behind(line, ":", chain).is_some()).copied()
    }

    /// Follows the packets into a chain, into which all go or some. Whether none of them comes out again is returned.
    fn chain(&mut self, chain: &str, mut is_sure: bool) -> bool {
        for place in 0..self.lines.len() {
            let line = self.lines[place];
            let Some(rule) = behind(line, "-A ", chain) else { continue };
            let (fits, option, target) = read(rule, self.packet);
            let fits_all = fits == Some(true);
            if fits == Some(false) {
                continue;
            }
            match target {
                "RETURN" if fits_all => return false,
                "RETURN" => is_sure = false,
                "ACCEPT" | "DROP" | "REJECT" | "QUEUE" | "NFQUEUE" | "MASQUERADE" | "SNAT" | "SAME" | "NETMAP" => {
                    self.hits.push(Hit { rule: line.into(), target });
                    if fits_all {
                        return is_sure;
                    }
                }
                // another target marks, logs or counts
                own if self.head(own).is_some() => {
                    if self.chain(own, is_sure && fits_all) {
                        return true;
                    }
                    if option == "-g" && fits_all {
                        return false;
                    }
                }
                _ => (),
            }
        }
        false
    }
}

/// A rule, as far as it matters to a packet: whether it takes all such packets, or none (nothing if some); `-j` or `-g`; and the
/// target.
fn read<'a>(rule: &'a str, packet: &Packet) -> (Option<bool>, &'a str, &'a str) {
    let mut words = words(rule).into_iter().peekable();
    let mut all = Some(true);
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
            // what follows is the target's
            return (all, option, value);
        }
        all = match packet.fits(option, value).map(|fits| fits != is_negated) {
            Some(true) => all,
            Some(false) => Some(false),
            None => all.filter(|all| !all),
        };
        is_negated = false;
        while words.next_if(|word| !word.starts_with('-') && *word != "!").is_some() {}
    }
    (all, "", "")
}

impl Packet<'_> {
    /// Whether an option of a rule means all such packets, or none; nothing if some, or if that cannot be said.
    fn fits(&self, option: &str, value: &str) -> Option<bool> {
        match option {
            "-i" => self.from.is_link(value),
            "-o" => self.to.is_link(value),
            "-s" => self.from.is_in(&self.to, value),
            "-d" => self.to.is_in(&self.from, value),
            // what these match by comes after them
            "-m" => {
                matches!(value, "comment" | "conntrack" | "state" | "physdev" | "tcp" | "udp" | "icmp").then_some(true)
            }
            "--comment" => Some(true),
            "--ctstate" | "--state" => {
                let own = if self.is_answer { "ESTABLISHED" } else { "NEW" };
                Some(value.split(',').any(|state| state == own))
            }
            "--physdev-is-bridged" => Some(self.is_bridged && self.knows_ports),
            _ if option.starts_with("--physdev") && !self.knows_ports => Some(false),
            _ => None,
        }
    }
}

impl Place<'_> {
    fn is_link(&self, pattern: &str) -> Option<bool> {
        let link = self.link?;
        Some(match pattern.strip_suffix('+') {
            Some(start) => link.starts_with(start),
            None => link == pattern,
        })
    }

    fn is_in(&self, other: &Place, pattern: &str) -> Option<bool> {
        let pattern = net(pattern)?;
        match (self.net, other.net) {
            (Some(net), _) if pattern.contains(net) => Some(true),
            (Some(net), _) => (!net.contains(&pattern)).then_some(false),
            _ if pattern.prefix_len() == 0 => Some(true),
            (None, Some(other)) if other.contains(&pattern) => Some(false),
            (None, _) => None,
        }
    }
}

/// A network as iptables of any age writes it: with a prefix, with a mask, or a single address.
fn net(text: &str) -> Option<IpNet> {
    let (address, mask) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.parse().ok()?;
    match (address, mask.parse::<u8>(), mask.parse()) {
        (address, Ok(length), _) => IpNet::new(address, length).ok(),
        (IpAddr::V4(address), _, Ok(IpAddr::V4(mask))) => Ipv4Net::with_netmask(address, mask).ok().map(IpNet::V4),
        _ => Some(address.into()),
    }
}

/// The words of a rule. A text with blanks is in quotes, and stays so.
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

    fn fate(text: &str, packet: &Packet) -> String {
        let text = ["*filter\n", text, "COMMIT\n"].concat();
        let rules = Ruleset { program: "iptables".into(), text, is_nft: false };
        let fate = Fate::of(rules.walk("filter", "FORWARD", packet));
        let but = if fate.but.is_empty() { String::new() } else { [" but ", &fate.but].concat() };
        if fate.is_dropped { ["dropped by ", &fate.rule, &but].concat() } else { ["passes", &but].concat() }
    }

    fn out<'a>(net: &'a IpNet) -> Packet<'a> {
        Packet {
            from: Place { link: Some("b0"), net: Some(net) },
            to: Place { link: Some("eth0"), net: None },
            is_answer: false,
            is_bridged: false,
            knows_ports: false,
        }
    }

    #[test]
    fn packets_meet_their_rules() {
        let net = "10.9.0.0/24".parse().unwrap();
        let accept = ":FORWARD ACCEPT [0:0]\n";
        for rule in [
            "-A FORWARD -j DROP",
            "-A FORWARD -i b0 -j DROP",
            "-A FORWARD -i b+ -o eth0 -j REJECT --reject-with icmp-port-unreachable",
            "-A FORWARD -s 10.0.0.0/8 -m comment --comment \"no -j ACCEPT \\\" here\" -j DROP",
            "-A FORWARD -s 10.9.0.0/255.255.255.0 -j DROP",
            "-A FORWARD ! -i eth0 -j DROP",
            "-A FORWARD -i ! eth0 -j DROP",
            "-A FORWARD ! -d 10.9.0.0/24 -j DROP",
            "-A FORWARD -m conntrack --ctstate NEW -j DROP",
            "-A FORWARD -m state ! --state RELATED,ESTABLISHED -j DROP",
        ] {
            assert_eq!(fate(&[accept, rule, "\n"].concat(), &out(&net)), ["dropped by ", rule].concat(), "{rule}");
        }
        for rule in [
            "-A INPUT -j DROP",
            "-A FORWARD -i eth0 -j DROP",
            "-A FORWARD -o b0 -j DROP",
            "-A FORWARD -s 10.8.0.0/16 -j DROP",
            "-A FORWARD ! -s 10.9.0.0/24 -j DROP",
            "-A FORWARD -d 10.9.0.0/24 -j DROP",
            "-A FORWARD -m state --state INVALID -j DROP",
            "-A FORWARD -m physdev --physdev-in p1 -j DROP",
            "-A FORWARD -j LOG --log-prefix \"x -j DROP\"",
            "-A FORWARD -j ACCEPT\n-A FORWARD -j DROP",
            "-A FORWARD -i b0 -j RETURN\n-A FORWARD -j DROP",
        ] {
            assert_eq!(fate(&[accept, rule, "\n"].concat(), &out(&net)), "passes", "{rule}");
        }
        for rule in [
            "-A FORWARD -p tcp -m tcp --dport 25 -j DROP",
            "-A FORWARD -s 10.9.0.7/32 -j DROP",
            "-A FORWARD -d 1.2.3.4 -j DROP",
        ] {
            assert_eq!(fate(&[accept, rule, "\n"].concat(), &out(&net)), ["passes but ", rule].concat(), "{rule}");
        }
        assert_eq!(fate(":FORWARD DROP [0:0]\n", &out(&net)), "dropped by -P FORWARD DROP");
        let some = "-A FORWARD -s 10.9.0.7/32 -j ACCEPT";
        let wanted = ["dropped by -P FORWARD DROP but ", some].concat();
        assert_eq!(fate(&[":FORWARD DROP [0:0]\n", some, "\n"].concat(), &out(&net)), wanted);
        assert_eq!(fate("", &out(&net)), "passes", "no such chain");
    }

    #[test]
    fn chains_of_nft() {
        let listed = |table: &str, chain: &str, hook: &str| {
            ["table ", table, " {\n\tchain ", chain, " {\n\t\ttype ", hook, " priority 0; policy drop;\n\t}\n}\n"]
                .concat()
        };
        let forward = "filter hook forward";
        for (table, chain, hook, found) in [
            ("inet own", "fw", forward, [true, true]),
            ("ip own", "fw", forward, [true, false]),
            ("ip6 own", "fw", forward, [false, true]),
            ("bridge own", "fw", forward, [true, true]),
            ("ip filter", "FORWARD", forward, [false, false]),
            ("inet own", "fw", "filter hook input", [false, false]),
        ] {
            let text = [listed("ip filter", "FORWARD", forward), listed(table, chain, hook)].concat();
            let wanted = [table, " ", chain].concat();
            let wanted = found.map(|found| found.then(|| wanted.clone()));
            assert_eq!([false, true].map(|v6| chain_of_nft(&text, v6)), wanted, "{table} {chain} {hook}");
        }
    }

    /// As Docker has made them since 17.06.
    #[test]
    fn chains_within_chains() {
        let net = "10.9.0.0/24".parse().unwrap();
        let docker = "\
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
";
        assert_eq!(fate(docker, &out(&net)), "dropped by -P FORWARD DROP");
        let mended = [docker, "-A DOCKER-USER -i b0 -j ACCEPT\n-A DOCKER-USER -j RETURN\n"].concat();
        assert_eq!(fate(&mended, &out(&net)), "passes");
        let back = Packet { is_answer: true, from: out(&net).to, to: out(&net).from, ..out(&net) };
        assert_eq!(fate(&mended, &back), "dropped by -P FORWARD DROP");
        let went = ":FORWARD ACCEPT [0:0]\n:own - [0:0]\n-A FORWARD -g own\n-A FORWARD -j DROP\n";
        assert_eq!(fate(went, &out(&net)), "passes", "from a chain that was gone to, the policy comes next");
        let some = ":FORWARD ACCEPT [0:0]\n:own - [0:0]\n-A FORWARD -p tcp -j own\n-A own -j DROP\n";
        assert_eq!(fate(some, &out(&net)), "passes but -A own -j DROP");
    }
}
