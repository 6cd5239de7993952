//! What becomes of a packet in the firewall's rules.
//!
//! A packet is known in part: where it comes from and goes to, but not its protocol or its other end. So a rule takes all such
//! packets, some of them, or none.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::ruleset::{self, Chain, Hook, Ruleset, SavedRule, Table};
use super::traffic::{Ports, Protocol};

/// What is known of a packet.
#[derive(Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) from: Endpoint<'a>,
    pub(crate) to: Endpoint<'a>,
    /// It answers a packet that was let through.
    pub(crate) is_reply: bool,
    /// It does not leave its bridge.
    pub(crate) is_bridged: bool,
    /// The firewall sees a bridge's ports (bridge-nf-call-iptables).
    pub(crate) sees_ports: bool,
    /// Its ports, if it belongs to a connection to a published port.
    pub(crate) transport: Option<Transport>,
}

/// Ports of a packet to or from a published port.
#[derive(Clone, Copy)]
pub(crate) struct Transport {
    pub(crate) protocol: Protocol,
    /// Any if `None`.
    pub(crate) source: Option<Ports>,
    /// Any if `None`.
    pub(crate) destination: Option<Ports>,
}

/// Where a packet comes from or goes to.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    /// The interface; any if `None`.
    pub(crate) interface: Option<&'a str>,
    /// The network of the address; an address elsewhere if `None`.
    pub(crate) net: Option<&'a IpNet>,
}

/// A rule or a policy that may decide about a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hit<'a> {
    Rule(&'a SavedRule),
    Policy(&'a Chain),
}

impl Hit<'_> {
    pub(crate) fn target(&self) -> &str {
        match self {
            Hit::Rule(rule) => &rule.target,
            Hit::Policy(chain) => &chain.policy,
        }
    }

    /// Returns whether the packet's source address is replaced.
    pub(crate) fn masquerades(&self) -> bool {
        matches!(self.target(), "MASQUERADE" | "SNAT" | "SAME" | "NETMAP")
    }

    fn drops(&self) -> bool {
        matches!(self.target(), "DROP" | "REJECT")
    }
}

/// As arguments of iptables, or in nft's words.
impl fmt::Display for Hit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Hit::Rule(rule) => f.write_str(&rule.text),
            Hit::Policy(chain) => f.write_str(&chain.policy_text),
        }
    }
}

/// What becomes of packets in a chain that filters.
#[derive(Debug, Default)]
pub(crate) struct Verdict<'a> {
    /// They are dropped, perhaps with exceptions; else they pass.
    pub(crate) is_dropped: bool,
    /// What decides so. `None` where the chain does not exist.
    pub(crate) by: Option<Hit<'a>>,
    /// The first rule that may decide otherwise before.
    pub(crate) except: Option<Hit<'a>>,
}

impl<'a> Verdict<'a> {
    /// Returns the verdict of a walk: the last rule decides, unless an earlier one that may match does.
    pub(crate) fn of(hits: &[Hit<'a>]) -> Self {
        let is_dropped = hits.last().is_some_and(Hit::drops);
        let except = hits.iter().find(|hit| hit.drops() != is_dropped).copied();
        Verdict { is_dropped, by: hits.last().copied(), except }
    }
}

/// The way of a packet through a chain.
pub(crate) struct Passage<'a> {
    /// The table.
    pub(crate) table: &'a Table,
    /// The chain that it enters.
    pub(crate) chain: &'a Chain,
    /// The rules that may decide about it, in order. The last is the first that surely does, or the chain's policy.
    pub(crate) hits: Vec<Hit<'a>>,
}

impl Ruleset {
    /// Follows a packet through each chain that it enters by itself.
    pub(crate) fn passages<'a>(&'a self, hook: Hook, packet: &Packet) -> Vec<Passage<'a>> {
        let chains = self.tables.iter().flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
        let entered = chains.filter(|(_, chain)| chain.hook == Some(hook));
        entered.map(|(table, chain)| Passage { table, chain, hits: walk(table, chain, packet) }).collect()
    }

    /// Returns the rules that may decide about a packet, of all chains that it enters by itself.
    pub(crate) fn walk<'a>(&'a self, hook: Hook, packet: &Packet) -> Vec<Hit<'a>> {
        self.passages(hook, packet).into_iter().flat_map(|passage| passage.hits).collect()
    }
}

fn walk<'a>(table: &'a Table, chain: &'a Chain, packet: &Packet) -> Vec<Hit<'a>> {
    let mut walk = Walk { table, packet, hits: Vec::new() };
    if !walk.enter(&chain.name, true) {
        walk.hits.push(Hit::Policy(chain));
    }
    walk.hits
}

struct Walk<'a, 'b> {
    table: &'a Table,
    packet: &'b Packet<'b>,
    hits: Vec<Hit<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn chain(&self, name: &str) -> Option<&'a Chain> {
        self.table.chains.iter().find(|chain| chain.name == name)
    }

    /// Follows packets into a chain, which all of them enter (`is_sure`) or some. Returns whether none of them comes out again.
    fn enter(&mut self, chain: &str, mut is_sure: bool) -> bool {
        for rule in self.table.rules.iter().filter(|rule| rule.chain == chain) {
            let takes_all = match self.packet.fits(rule) {
                Some(false) => continue,
                fits => fits == Some(true),
            };
            match rule.target.as_str() {
                "RETURN" if takes_all => return false,
                "RETURN" => is_sure = false,
                "ACCEPT" | "DROP" | "REJECT" | "QUEUE" | "NFQUEUE" | "MASQUERADE" | "SNAT" | "SAME" | "NETMAP" => {
                    self.hits.push(Hit::Rule(rule));
                    if takes_all {
                        return is_sure;
                    }
                }
                // another target marks, logs or counts
                own if self.chain(own).is_some() => {
                    if self.enter(own, is_sure && takes_all) {
                        return true;
                    }
                    if rule.is_goto && takes_all {
                        return false;
                    }
                }
                _ => (),
            }
        }
        false
    }
}

impl<'a> Packet<'a> {
    /// Returns a packet that passes the host and opens a connection. Bridge ports are not seen.
    pub(crate) fn routed(from: Endpoint<'a>, to: Endpoint<'a>) -> Self {
        Packet { from, to, is_reply: false, is_bridged: false, sees_ports: false, transport: None }
    }

    /// Returns whether a rule takes all such packets, or none; `None` if it takes some, or if that is not known.
    fn fits(&self, rule: &SavedRule) -> Option<bool> {
        let mut all = Some(true);
        for found in &rule.matches {
            match self.fits_option(&found.option, &found.value).map(|fits| fits != found.is_negated) {
                Some(true) => (),
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// Returns whether an option of a rule matches all such packets, or none.
    fn fits_option(&self, option: &str, value: &str) -> Option<bool> {
        match option {
            "-i" => any_of(value, |name| self.from.is_on(name)),
            "-o" => any_of(value, |name| self.to.is_on(name)),
            "-s" => any_of(value, |net| self.from.is_in(&self.to, net)),
            "-d" => any_of(value, |net| self.to.is_in(&self.from, net)),
            ruleset::FAMILY => Some(self.is_ipv6()? == (value == "ipv6")),
            // what these modules match by are the options after them
            "-m" => {
                matches!(value, "comment" | "conntrack" | "state" | "physdev" | "tcp" | "udp" | "icmp").then_some(true)
            }
            "--comment" => Some(true),
            "--ctstate" | "--state" => {
                let own = if self.is_reply { "ESTABLISHED" } else { "NEW" };
                let is_dnat = self.transport.is_some();
                Some(value.split(',').any(|state| state == own || is_dnat && state == "DNAT"))
            }
            "-p" => {
                let own = self.transport?.protocol;
                any_of(value, |word| Some(word == own.name() || word.parse() == Ok(own.number())))
            }
            "--dport" => self.transport?.destination.and_then(|own| any_of(value, |ports| fits_ports(own, ports))),
            "--sport" => self.transport?.source.and_then(|own| any_of(value, |ports| fits_ports(own, ports))),
            "--physdev-is-bridged" => Some(self.is_bridged && self.sees_ports),
            _ if option.starts_with("--physdev") && !self.sees_ports => Some(false),
            _ => None,
        }
    }

    fn is_ipv6(&self) -> Option<bool> {
        self.from.net.or(self.to.net).map(|net| matches!(net, IpNet::V6(_)))
    }
}

/// Compares ports with a rule's: `80`, `8000:8010`, and of nft `8000-8010`.
fn fits_ports(own: Ports, text: &str) -> Option<bool> {
    let (first, last) = text.split_once([':', '-']).unwrap_or((text, text));
    let ports = Ports { first: first.parse().ok()?, last: last.parse().ok()? };
    match () {
        () if ports.first <= own.first && own.last <= ports.last => Some(true),
        () if !ports.overlaps(own) => Some(false),
        () => None,
    }
}

/// Returns whether a packet fits one of several values, which commas separate.
fn any_of(values: &str, fits: impl Fn(&str) -> Option<bool>) -> Option<bool> {
    let mut any = Some(false);
    for value in values.split(',') {
        match fits(value) {
            Some(true) => return Some(true),
            Some(false) => (),
            None => any = None,
        }
    }
    any
}

impl Endpoint<'_> {
    /// Compares the interface with a rule's, which may end with `+` for any rest.
    fn is_on(&self, pattern: &str) -> Option<bool> {
        let interface = self.interface?;
        Some(match pattern.strip_suffix('+') {
            Some(start) => interface.starts_with(start),
            None => interface == pattern,
        })
    }

    /// Compares the address with a rule's network; `other` is the packet's other end.
    fn is_in(&self, other: &Endpoint, pattern: &str) -> Option<bool> {
        let pattern = parse_net(pattern)?;
        match (self.net, other.net) {
            (Some(net), _) if pattern.contains(net) => Some(true),
            (Some(net), _) => (!net.contains(&pattern)).then_some(false),
            _ if pattern.prefix_len() == 0 => Some(true),
            (None, Some(other)) if other.contains(&pattern) => Some(false),
            (None, _) => None,
        }
    }
}

/// Parses a network as any version of iptables prints it: with a prefix length, with a mask, or a single address.
fn parse_net(text: &str) -> Option<IpNet> {
    let (address, mask) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.parse().ok()?;
    match (address, mask.parse::<u8>(), mask.parse()) {
        (address, Ok(length), _) => IpNet::new(address, length).ok(),
        (IpAddr::V4(address), _, Ok(IpAddr::V4(mask))) => Ipv4Net::with_netmask(address, mask).ok().map(IpNet::V4),
        _ => Some(address.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, packet: &Packet) -> String {
        let rules = Ruleset::parse("iptables".into(), &format!("*filter\n{text}COMMIT\n"));
        let verdict = Verdict::of(&rules.walk(Hook::Forward, packet));
        let except = verdict.except.map_or(String::new(), |hit| format!(" but {hit}"));
        match verdict {
            Verdict { is_dropped: true, by: Some(by), .. } => format!("dropped by {by}{except}"),
            _ => format!("passes{except}"),
        }
    }

    fn out<'a>(net: &'a IpNet) -> Packet<'a> {
        Packet {
            from: Endpoint { interface: Some("b0"), net: Some(net) },
            to: Endpoint { interface: Some("eth0"), net: None },
            is_reply: false,
            is_bridged: false,
            sees_ports: false,
            transport: None,
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
            assert_eq!(verdict(&format!("{accept}{rule}\n"), &out(&net)), format!("dropped by {rule}"), "{rule}");
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
            assert_eq!(verdict(&format!("{accept}{rule}\n"), &out(&net)), "passes", "{rule}");
        }
        for rule in [
            "-A FORWARD -p tcp -m tcp --dport 25 -j DROP",
            "-A FORWARD -s 10.9.0.7/32 -j DROP",
            "-A FORWARD -d 1.2.3.4 -j DROP",
        ] {
            assert_eq!(verdict(&format!("{accept}{rule}\n"), &out(&net)), format!("passes but {rule}"), "{rule}");
        }
        assert_eq!(verdict(":FORWARD DROP [0:0]\n", &out(&net)), "dropped by -P FORWARD DROP");
        let some = "-A FORWARD -s 10.9.0.7/32 -j ACCEPT";
        let dropped = verdict(&format!(":FORWARD DROP [0:0]\n{some}\n"), &out(&net));
        assert_eq!(dropped, format!("dropped by -P FORWARD DROP but {some}"));
        assert_eq!(verdict("", &out(&net)), "passes", "no such chain");
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
        assert_eq!(verdict(docker, &out(&net)), "dropped by -P FORWARD DROP");
        let mended = format!("{docker}-A DOCKER-USER -i b0 -j ACCEPT\n-A DOCKER-USER -j RETURN\n");
        assert_eq!(verdict(&mended, &out(&net)), "passes");
        let back = Packet { is_reply: true, from: out(&net).to, to: out(&net).from, ..out(&net) };
        assert_eq!(verdict(&mended, &back), "dropped by -P FORWARD DROP");
        let went = ":FORWARD ACCEPT [0:0]\n:own - [0:0]\n-A FORWARD -g own\n-A FORWARD -j DROP\n";
        assert_eq!(verdict(went, &out(&net)), "passes", "from a chain that was gone to, the policy comes next");
        let some = ":FORWARD ACCEPT [0:0]\n:own - [0:0]\n-A FORWARD -p tcp -j own\n-A own -j DROP\n";
        assert_eq!(verdict(some, &out(&net)), "passes but -A own -j DROP");
    }
}
