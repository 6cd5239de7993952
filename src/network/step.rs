//! The parts of a network, and the steps that put each there or take it away.
//!
//! A part has three texts: the command that an administrator would type for it, the line of the record, and what is left of it.
//! Every step has its reverse.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use crate::error::{errno_text, io_text};
use crate::firewall::iptables::{self, Iptables, from_outside, masquerading};
use crate::kernel::{self, Address, BridgeSetting, Kernel, Source, flag};
use crate::net::{ClockTime, labels};
use crate::network::state::{StateDir, StoredState};
use crate::program;

/// Something that is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Bridge,
    /// A value of the bridge: what it is to be, and what it was.
    Value(Value, u64, u64),
    Address(IpNet),
    /// A link belongs to the bridge.
    Port(String),
    /// A link is switched on.
    Up(String),
    Masquerade(Ipv4Net),
    /// What comes from this link is let through.
    Accept(String),
    /// What no rule lets through is dropped. What was done with it before.
    Drop(String),
    /// Packets are forwarded, of IPv6 or of IPv4.
    Forwarding {
        v6: bool,
    },
    /// The host's own firewall has been told.
    Firewall(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Stp,
    ForwardDelay,
    Mtu,
}

const VALUES: [(Value, &str); 3] = [(Value::Stp, "stp"), (Value::ForwardDelay, "forward-delay"), (Value::Mtu, "mtu")];

impl Item {
    /// Whether several networks may need it, so that the last one takes it away.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Item::Accept(_) | Item::Drop(_) | Item::Forwarding { .. })
    }

    /// Whether it goes when its bridge goes.
    pub(crate) fn goes_with_bridge(&self) -> bool {
        matches!(self, Item::Value(..) | Item::Address(_))
    }

    /// Whether this is the same part, whatever was there before it.
    pub(crate) fn is(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Value(value, ..), Item::Value(other, ..)) => value == other,
            (Item::Drop(_), Item::Drop(_)) => true,
            (part, other) => part == other,
        }
    }

    /// As a line of the record.
    pub(crate) fn line(&self) -> String {
        match self {
            Item::Bridge => "bridge".into(),
            Item::Value(value, to, from) => {
                let (_, name) = VALUES.into_iter().find(|(other, _)| other == value).unwrap_or(VALUES[0]);
                format!("{name} {to} {from}")
            }
            Item::Address(net) => format!("address {net}"),
            Item::Port(port) => ["port ", port].concat(),
            Item::Up(link) => ["up ", link].concat(),
            Item::Masquerade(net) => format!("masquerade {net}"),
            Item::Accept(link) => ["accept ", link].concat(),
            Item::Drop(before) => ["drop ", before].concat(),
            Item::Forwarding { v6 } => ["forwarding ", if *v6 { "6" } else { "4" }].concat(),
            Item::Firewall(command) => ["firewall ", command].concat(),
        }
    }

    /// From a line of the record.
    pub(crate) fn of_line(line: &str) -> Option<Item> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "bridge" => Item::Bridge,
            "address" => Item::Address(rest.parse().ok()?),
            "port" => Item::Port(rest.into()),
            "up" => Item::Up(rest.into()),
            "masquerade" => Item::Masquerade(rest.parse().ok()?),
            "accept" => Item::Accept(rest.into()),
            "drop" => Item::Drop(rest.into()),
            "forwarding" => Item::Forwarding { v6: rest == "6" },
            "firewall" => Item::Firewall(rest.into()),
            name => {
                let (value, _) = VALUES.into_iter().find(|(_, other)| *other == name)?;
                let (to, from) = rest.split_once(' ')?;
                Item::Value(value, to.parse().ok()?, from.parse().ok()?)
            }
        })
    }
}

/// A part that is put there, or taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) part: Item,
    pub(crate) on: bool,
}

impl Step {
    pub(crate) fn reverse(&self) -> Step {
        Step { part: self.part.clone(), on: !self.on }
    }

    /// The command that does it.
    pub(crate) fn command(&self, bridge: &str) -> String {
        let Step { part, on } = self;
        let choose = |yes: &'static str, no: &'static str| if *on { yes } else { no };
        let rule = |words: &[&str]| ["iptables ", &words.join(" ")].concat();
        let action = choose("-A", "-D");
        match part {
            Item::Bridge => ["brctl ", choose("addbr ", "delbr "), bridge].concat(),
            Item::Value(value, to, from) => {
                let number = if *on { *to } else { *from };
                match value {
                    Value::Stp => ["brctl stp ", bridge, if number == 0 { " off" } else { " on" }].concat(),
                    Value::ForwardDelay => ["brctl setfd ", bridge, " ", &seconds(ClockTime(number))].concat(),
                    Value::Mtu => format!("ip link set {bridge} mtu {number}"),
                }
            }
            Item::Address(net) => format!("ip addr {} {net} dev {bridge}", choose("add", "del")),
            Item::Port(port) => ["brctl ", choose("addif ", "delif "), bridge, " ", port].concat(),
            Item::Up(link) => ["ip link set ", link, choose(" up", " down")].concat(),
            Item::Masquerade(net) => rule(&masquerading(action, &net.to_string(), bridge)),
            Item::Accept(link) => rule(&from_outside(action, link)),
            Item::Drop(before) => rule(&["-P", "FORWARD", if *on { "DROP" } else { before }]),
            Item::Forwarding { v6: false } => ["echo ", choose("1", "0"), " >/proc/sys/net/ipv4/ip_forward"].concat(),
            Item::Forwarding { v6: true } => {
                ["echo ", choose("1", "0"), " >/proc/sys/net/ipv6/conf/all/forwarding"].concat()
            }
            Item::Firewall(command) => command.clone(),
        }
    }
}

/// A time as `brctl setfd` takes it: whole seconds where they are.
pub(crate) fn seconds(time: ClockTime) -> String {
    match (time.0 / 100, time.0 % 100) {
        (whole, 0) => whole.to_string(),
        // a little more, since brctl cuts (1.13 would be 112)
        (whole, rest) => format!("{whole}.{rest:02}1"),
    }
}

/// Where steps are done.
pub(crate) struct Context<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) records: StateDir,
    pub(crate) network: &'a str,
    pub(crate) bridge: String,
    path: Option<OsString>,
    iptables: OnceCell<Option<Iptables>>,
}

type Done = Result<(), String>;

impl<'a> Context<'a> {
    pub(crate) fn new(
        kernel: &'a Kernel,
        records: StateDir,
        network: &'a str,
        bridge: &str,
        path: Option<OsString>,
    ) -> Self {
        Context { kernel, records, network, bridge: bridge.into(), path, iptables: OnceCell::new() }
    }

    fn link(&self) -> &[u8] {
        self.bridge.as_bytes()
    }

    pub(crate) fn iptables(&self) -> Result<&Iptables, String> {
        let found = self.iptables.get_or_init(|| Iptables::find(self.path.clone()).ok());
        found.as_ref().ok_or_else(|| "there is no iptables".into())
    }

    /// The firewall's program and its arguments.
    pub(crate) fn firewall(&self, command: &str) -> Result<(PathBuf, Vec<String>), String> {
        let mut words = command.split_ascii_whitespace().map(String::from);
        let program = words.next().unwrap_or_default();
        let found = program::find(&program, self.path.clone());
        found.map(|found| (found, words.collect())).ok_or_else(|| [&program, ": there is no such program"].concat())
    }

    /// Does a step. What is so already is done.
    pub(crate) fn perform(&self, step: &Step) -> Done {
        let Step { part, on } = step;
        if !part.is_shared() {
            return self.change(part, *on);
        }
        // others may be about to take it away, or to need it
        let lock = self.records.lock_shared(self.kernel);
        let _lock =
            lock.map_err(|error| ["cannot have the lock that all networks share: ", &io_text(&error)].concat())?;
        let is_needed = || *on || !self.is_claimed_by_others(part);
        if self.is_there(part)? != *on && is_needed() { self.change(part, *on) } else { Ok(()) }
    }

    fn change(&self, part: &Item, on: bool) -> Done {
        let kernel = self.kernel;
        let told = |errno| String::from(errno_text(errno));
        match part {
            Item::Bridge if on => kernel.add_bridge(self.link()).map_err(|errno| match errno {
                Errno::ENOPKG | Errno::ENOTTY | Errno::ENOSYS | Errno::EOPNOTSUPP => {
                    [errno_text(errno), " (this kernel has no bridges: modprobe bridge, or CONFIG_BRIDGE)"].concat()
                }
                errno => told(errno),
            }),
            Item::Bridge => kernel.delete_bridge(self.link()).map_err(told),
            Item::Value(value, to, from) => {
                let number = if on { *to } else { *from };
                match value {
                    Value::Stp => kernel.set_bridge(self.link(), BridgeSetting::STP_STATE, number),
                    Value::ForwardDelay => kernel.set_bridge(self.link(), BridgeSetting::FORWARD_DELAY, number),
                    Value::Mtu => kernel.set_link_mtu(self.link(), number as i32),
                }
                .map_err(told)
            }
            Item::Address(net) if on => self.add_address(*net),
            Item::Address(net) => self.delete_address(*net),
            Item::Port(port) => {
                let index = kernel.link_index(port.as_bytes()).map_err(told)?;
                match on {
                    true => kernel.add_port(self.link(), index),
                    false => kernel.delete_port(self.link(), index),
                }
                .map_err(told)
            }
            Item::Up(link) => kernel.set_link_up(link.as_bytes(), on).map_err(told),
            Item::Masquerade(net) => {
                let action = if on { "-A" } else { "-D" };
                self.rule(&masquerading(action, &net.to_string(), &self.bridge), on)
            }
            Item::Accept(link) => self.rule(&from_outside(if on { "-A" } else { "-D" }, link), on),
            Item::Drop(before) => self.iptables()?.change(&["-P", "FORWARD", if on { "DROP" } else { before }]),
            Item::Forwarding { v6: false } => kernel.set_forwards(on).map_err(told),
            Item::Forwarding { v6: true } => kernel.set_forwards_v6(on).map_err(told),
            Item::Firewall(command) => {
                let (program, args) = self.firewall(command)?;
                iptables::run(&program, &args).map_err(|(cause, _)| cause)
            }
        }
    }

    /// Where iptables cannot tell whether a rule is there, one that may be there is removed before it is added.
    fn rule(&self, words: &[&str], add: bool) -> Done {
        let iptables = self.iptables()?;
        if add && self.asked(words)?.is_none() {
            let _ = iptables.change(&with_action(words, "-D"));
        }
        iptables.change(words)
    }

    fn asked(&self, words: &[&str]) -> Result<Option<bool>, String> {
        self.iptables()?.check(&with_action(words, "-C"))
    }

    fn add_address(&self, net: IpNet) -> Done {
        let told = |errno| String::from(errno_text(errno));
        match net {
            IpNet::V4(net) => {
                let label = self.free_label()?;
                self.kernel.add_address_v4(&label, net, None, None).map_err(told)
            }
            IpNet::V6(net) => self.kernel.add_address_v6(self.link(), net).map_err(|errno| match errno {
                Errno::EACCES => "IPv6 is switched off on the bridge (net.ipv6.conf.default.disable_ipv6)".into(),
                errno => told(errno),
            }),
        }
    }

    /// The bridge's name, or the first of `NAME:0`, `NAME:1`, … that no address has: of a label an ioctl reaches one address.
    fn free_label(&self) -> Result<Vec<u8>, String> {
        for label in labels(self.link()) {
            if !self.kernel.has_label(&label).map_err(|errno| String::from(errno_text(errno)))? {
                return Ok(label);
            }
        }
        Err("the bridge's name leaves no room for the label of a further address".into())
    }

    fn delete_address(&self, net: IpNet) -> Done {
        let told = |errno| String::from(errno_text(errno));
        let IpNet::V4(_) = net else {
            let IpNet::V6(net) = net else { return Ok(()) };
            return self.kernel.delete_address_v6(self.link(), net).map_err(told);
        };
        let there = self.kernel.addresses_v4_of(self.link()).map_err(told)?;
        let address = there.iter().find(|address| address.net == net).ok_or_else(|| told(Errno::EADDRNOTAVAIL))?;
        // of a label an ioctl reaches but the first
        if there.iter().find(|other| other.label == address.label) != Some(address) {
            return Err("it shares its label with another address, which would be removed instead".into());
        }
        self.kernel.delete_address_v4(address.label.as_bytes()).map_err(told)?;
        // with a primary address its secondaries go, unless the kernel promotes them
        let after = self.kernel.addresses_v4_of(self.link()).map_err(told)?;
        let gone = |other: &&Address| **other != *address && !after.iter().any(|still| still.net == other.net);
        there.iter().filter(gone).try_for_each(|Address { label, net, peer, broadcast, .. }| match net {
            IpNet::V4(v4) => {
                let put_back = self.kernel.add_address_v4(label.as_bytes(), *v4, *peer, *broadcast);
                put_back.map_err(|errno| format!("{net} went with it, and cannot be put back: {}", errno_text(errno)))
            }
            IpNet::V6(_) => Ok(()),
        })
    }

    /// Whether a part is there. What cannot be known of a firewall's rule is as the record has it.
    ///
    /// # Errors
    /// Why that cannot be found out.
    pub(crate) fn is_there(&self, part: &Item) -> Result<bool, String> {
        let kernel = self.kernel;
        let told = |errno| [&part.line(), ": cannot look: ", errno_text(errno)].concat();
        match part {
            Item::Bridge => self.has_bridge().map_err(told),
            Item::Value(value, to, _) => self.value(*value).map(|now| now == *to).map_err(told),
            Item::Address(net) => {
                let has = kernel.has_address(self.link(), *net);
                match kernel.unread() {
                    Some((_, errno)) => Err(told(errno)),
                    None => has.map_err(told),
                }
            }
            Item::Port(port) => Ok(kernel.bridge_of(port.as_bytes()).is_some_and(|own| own == *self.bridge)),
            Item::Up(link) => {
                let flags = kernel.flags_if_there(link.as_bytes()).map_err(told)?;
                Ok(flags.is_some_and(|flags| flags & flag::UP != 0))
            }
            Item::Masquerade(net) => self.has_rule(part, &masquerading("-C", &net.to_string(), &self.bridge)),
            Item::Accept(link) => self.has_rule(part, &from_outside("-C", link)),
            Item::Drop(_) => self.policy().map(|policy| policy == "DROP"),
            Item::Forwarding { v6: false } => Ok(kernel.forwards()),
            Item::Forwarding { v6: true } => Ok(kernel.forwards_v6()),
            Item::Firewall(_) => Ok(true),
        }
    }

    /// Whether there is a bridge of this name.
    pub(crate) fn has_bridge(&self) -> kernel::Result<bool> {
        Ok(self.kernel.has_link(self.link())?
            && match self.kernel.bridge_head(self.link()) {
                Err(Errno::EOPNOTSUPP | Errno::ENODEV) => false,
                head => head.map(|_| true)?,
            })
    }

    fn has_rule(&self, part: &Item, words: &[&str]) -> Result<bool, String> {
        let recorded = || self.recorded(self.network).is_some_and(|record| record.parts.contains(part));
        Ok(self.asked(words)?.unwrap_or_else(recorded))
    }

    /// What becomes of what no rule lets through.
    pub(crate) fn policy(&self) -> Result<String, String> {
        self.iptables()?.forward_policy().ok_or_else(|| "iptables does not tell the policy of FORWARD".into())
    }

    /// A value of the bridge as it is.
    pub(crate) fn value(&self, value: Value) -> kernel::Result<u64> {
        match value {
            Value::Stp => self.kernel.bridge_head(self.link()).map(|(_, stp)| stp.into()),
            Value::ForwardDelay => {
                self.kernel.bridge_info(self.link(), Source::Sysfs).map(|info| info.bridge_forward_delay.0)
            }
            Value::Mtu => self.kernel.link_mtu(self.link()).map(|mtu| mtu as u64),
        }
    }

    /// Whether another network, whose bridge is there, needs a part.
    pub(crate) fn is_claimed_by_others(&self, part: &Item) -> bool {
        let is_alive = |bridge: &str| self.kernel.has_link(bridge.as_bytes()) != Ok(false);
        let claims = |(name, kept): (String, StoredState)| {
            name != self.network
                && NetworkState::parse(&kept)
                    .is_some_and(|record| record.parts.iter().any(|other| other.is(part)) && is_alive(&record.bridge))
        };
        let of_network_virtual = || {
            let others = self.records.other_masquerades(&self.bridge);
            others.iter().any(|(bridge, kept)| !kept.forwarded_before && is_alive(bridge))
        };
        self.records.networks().into_iter().any(claims)
            || *part == Item::Forwarding { v6: false } && of_network_virtual()
    }

    /// What is kept of a network, if that can be read.
    pub(crate) fn recorded(&self, network: &str) -> Option<NetworkState> {
        NetworkState::parse(&self.records.network(network).ok()??)
    }
}

/// The same rule with another action.
fn with_action<'a>(words: &[&'a str], action: &'a str) -> Vec<&'a str> {
    words.iter().map(|&word| if matches!(word, "-A" | "-D" | "-C") { action } else { word }).collect()
}

/// What `up` has made of a network, in the order in which it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkState {
    pub(crate) bridge: String,
    /// A call has begun and not ended: what is recorded may be there or not.
    pub(crate) is_open: bool,
    pub(crate) parts: Vec<Item>,
}

impl NetworkState {
    /// `of BRIDGE`, then a line for each part.
    pub(crate) fn text(&self) -> String {
        let lines = self.parts.iter().map(|part| [&part.line(), "\n"].concat());
        std::iter::once(["of ", &self.bridge, "\n"].concat()).chain(lines).collect()
    }

    pub(crate) fn parse(kept: &StoredState) -> Option<NetworkState> {
        let mut lines = kept.text.lines();
        let bridge = lines.next()?.strip_prefix("of ")?;
        let parts = lines.map(Item::of_line).collect::<Option<_>>()?;
        Some(NetworkState { bridge: bridge.into(), is_open: kept.is_open, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let parts = vec![
            Item::Bridge,
            Item::Value(Value::Mtu, 1400, 1500),
            Item::Address("fd00::1/64".parse().unwrap()),
            Item::Port("p1".into()),
            Item::Up("p1".into()),
            Item::Masquerade("10.0.0.0/24".parse().unwrap()),
            Item::Accept("eth0".into()),
            Item::Drop("ACCEPT".into()),
            Item::Forwarding { v6: true },
            Item::Firewall("fw start now".into()),
        ];
        let record = NetworkState { bridge: "b0".into(), is_open: true, parts };
        let parse = |text: &str| NetworkState::parse(&StoredState { text: text.into(), is_open: true });
        assert_eq!(parse(&record.text()), Some(record));
        assert_eq!(parse(""), None);
        assert_eq!(parse("of b0\nnonsense\n"), None);
    }

    #[test]
    fn seconds_for_brctl() {
        for (ticks, text) in [(0, "0"), (1500, "15"), (113, "1.131"), (1205, "12.051")] {
            assert_eq!(seconds(ClockTime(ticks)), text);
            assert_eq!(crate::net::number::time(text.as_bytes()), Some(ClockTime(ticks)), "{text}");
        }
    }
}
