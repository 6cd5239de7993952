//! Steps: an item that is made or removed, and the command that a person would type for it.

use crate::firewall::choice::Choice;
use crate::firewall::rule::Action;
use crate::net::Family;
use crate::net::{ClockTime, InterfaceName, Mac};

use super::item::{Item, Renaming, Value};
use crate::shell::quoted;

/// An item that is made or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is about.
    pub item: Item,
    /// Whether the item is made, else removed.
    pub on: bool,
    /// Whether the network does without it where the kernel refuses.
    pub is_optional: bool,
}

impl Step {
    /// The step that makes an item.
    pub fn make(item: Item) -> Self {
        Step { item, on: true, is_optional: false }
    }

    /// The step that removes an item.
    pub fn remove(item: Item) -> Self {
        Step { item, on: false, is_optional: false }
    }

    /// The step that undoes this one.
    pub fn reverse(&self) -> Self {
        Step { on: !self.on, ..self.clone() }
    }

    /// Returns the shell command that does the same; `choice` returns what holds the firewall's rules.
    pub fn command(&self, bridge: &InterfaceName, choice: &dyn Fn() -> Choice) -> String {
        let on = self.on;
        let choose = |yes: &'static str, no: &'static str| if on { yes } else { no };
        if let Some(rule) = self.item.rule(bridge) {
            let action = match self.item {
                _ if !on => Action::Delete,
                // before rules of others that accept
                Item::Between(_) => Action::Insert,
                _ => Action::Append,
            };
            return choice().command(&rule, action);
        }
        match &self.item {
            Item::Bridge => format!("brctl {} {bridge}", choose("addbr", "delbr")),
            Item::Value { value, to, from } => value_command(*value, if on { *to } else { *from }, bridge),
            Item::Address(net) => format!("ip addr {} {net} dev {bridge}", choose("add", "del")),
            Item::Port(port) | Item::Tunnel(port) => format!("brctl {} {bridge} {port}", choose("addif", "delif")),
            Item::Up(link) => format!("ip link set dev {link} {}", choose("up", "down")),
            Item::Silent(link) if on => format!("ip link set dev {link} arp off multicast off"),
            Item::Silent(link) => format!("ip link set dev {link} arp on multicast on"),
            Item::Moved { from, to, config } => {
                let [from, to] = if on { [from, to] } else { [to, from] };
                config.commands(from, to).join("\n")
            }
            Item::Renamed(renaming) => {
                let Renaming { from, to, macs, .. } = &**renaming;
                let [from, to] = if on { [from, to] } else { [to, from] };
                let mac = macs.map(|[old, new]| format!(" address {}", if on { new } else { old }));
                format!("ip link set dev {from} name {to}{}", mac.unwrap_or_default())
            }
            Item::Open(opening) => {
                let action = if on { Action::Insert } else { Action::Delete };
                opening.place.command(&opening.flow.rule(bridge), action, choice().iptables_is_nft)
            }
            Item::Drop { before } => choice().policy_command(if on { "DROP" } else { before }),
            Item::Forwarding { v6 } => {
                let family = if *v6 { Family::V6 } else { Family::V4 };
                format!("echo {} >/proc/sys/{}", choose("1", "0"), family.forwarding())
            }
            Item::ProxyArp => format!("echo {} >/proc/sys/net/ipv4/conf/{bridge}/proxy_arp", choose("1", "0")),
            Item::Isolated(port) => format!("echo {} >/sys/class/net/{port}/brport/isolated", choose("1", "0")),
            Item::AcceptRa(link) => {
                format!("echo {} >/proc/sys/net/ipv6/conf/{link}/accept_ra", choose("2", "1"))
            }
            Item::Firewall(command) => command.split_ascii_whitespace().map(quoted).collect::<Vec<_>>().join(" "),
            // rules, handled above
            Item::Masquerade(_)
            | Item::MasqueradeAll
            | Item::Accept(_)
            | Item::AcceptPort(_)
            | Item::Publish(_)
            | Item::Between(_) => String::new(),
        }
    }
}

fn value_command(value: Value, number: u64, bridge: &InterfaceName) -> String {
    match value {
        Value::Stp => format!("brctl stp {bridge} {}", if number == 0 { "off" } else { "on" }),
        Value::ForwardDelay => format!("brctl setfd {bridge} {}", seconds(ClockTime(number))),
        Value::Mtu => format!("ip link set dev {bridge} mtu {number}"),
        Value::Mac => format!("ip link set dev {bridge} address {}", Mac::from_number(number)),
    }
}

/// A time as an argument of `brctl setfd`, whole seconds without a fraction.
fn seconds(time: ClockTime) -> String {
    match (time.0 / 100, time.0 % 100) {
        (whole, 0) => whole.to_string(),
        // a little more, since brctl truncates (1.13 would be 112)
        (whole, rest) => format!("{whole}.{rest:02}1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_brctl_reads_back() {
        for (ticks, text) in [(0, "0"), (1500, "15"), (113, "1.131"), (1205, "12.051")] {
            assert_eq!(seconds(ClockTime(ticks)), text);
            assert_eq!(crate::net::number::time(text.as_bytes()), Some(ClockTime(ticks)), "{text}");
        }
    }
}
