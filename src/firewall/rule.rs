//! Rules of the host's firewall as values, and the iptables arguments that stand for them.

use ipnet::Ipv4Net;

use crate::net::InterfaceName;

/// A rule of a chain of the kernel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Masquerades what comes from a network and leaves by another interface than its bridge: table nat, chain POSTROUTING.
    Masquerade {
        /// The network, without host bits.
        net: Ipv4Net,
        /// The bridge that the network is on.
        bridge: InterfaceName,
    },
    /// Accepts forwarded packets that arrive by an interface: chain FORWARD.
    AcceptFrom(InterfaceName),
    /// Accepts frames that a bridge port receives from its guest and that stay on the bridge: chain FORWARD.
    FromPort {
        /// The port.
        port: InterfaceName,
        /// Which of them.
        source: Source,
    },
    /// Accepts frames that leave the bridge by a port: chain FORWARD.
    ToPort(InterfaceName),
}

/// Which of a guest's packets a rule accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// All of them.
    Any,
    /// Those from an address or network, in the toolstack's spelling.
    Net(String),
    /// Requests to DHCP servers.
    Dhcp,
}

/// What iptables does with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-A`: appends it.
    Append,
    /// `-I`: inserts it at the head of its chain.
    Insert,
    /// `-D`: deletes the first that is equal.
    Delete,
    /// `-C`: reports whether one is equal. Since iptables 1.4.11.
    Check,
}

impl Action {
    fn option(self) -> &'static str {
        match self {
            Action::Append => "-A",
            Action::Insert => "-I",
            Action::Delete => "-D",
            Action::Check => "-C",
        }
    }
}

impl Rule {
    /// Returns the arguments of iptables.
    pub fn arguments(&self, action: Action) -> Vec<String> {
        let text = match (self, action.option()) {
            (Rule::Masquerade { net, bridge }, action) => {
                format!("-t nat {action} POSTROUTING -s {net} ! -o {bridge} -j MASQUERADE")
            }
            (Rule::AcceptFrom(interface), action) => format!("{action} FORWARD -i {interface} -j ACCEPT"),
            (Rule::FromPort { port, source }, action) => {
                let source = match source {
                    Source::Any => String::new(),
                    Source::Net(net) => format!(" -s {net}"),
                    Source::Dhcp => " -p udp --sport 68 --dport 67".into(),
                };
                format!("{action} FORWARD -m physdev --physdev-is-bridged --physdev-in {port}{source} -j ACCEPT")
            }
            (Rule::ToPort(port), action) => {
                format!("{action} FORWARD -m physdev --physdev-is-bridged --physdev-out {port} -j ACCEPT")
            }
        };
        // no value holds a blank: names and networks are checked, and sources are split at blanks
        text.split(' ').map(String::from).collect()
    }

    /// Returns the command that a person would type.
    pub fn command(&self, action: Action) -> String {
        format!("iptables {}", self.arguments(action).join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_iptables_takes_them() {
        let name = |name: &str| name.parse().unwrap();
        let from = |source| Rule::FromPort { port: name("vif1.0"), source };
        for (rule, action, command) in [
            (
                Rule::Masquerade { net: "10.0.0.0/24".parse().unwrap(), bridge: name("xenbr0") },
                Action::Append,
                "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o xenbr0 -j MASQUERADE",
            ),
            (Rule::AcceptFrom(name("eth0")), Action::Check, "iptables -C FORWARD -i eth0 -j ACCEPT"),
            (
                from(Source::Any),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -j ACCEPT",
            ),
            (
                from(Source::Net("10.0.0.7".into())),
                Action::Delete,
                "iptables -D FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -s 10.0.0.7 -j ACCEPT",
            ),
            (
                from(Source::Dhcp),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -p udp --sport 68 --dport 67 -j ACCEPT",
            ),
            (
                Rule::ToPort(name("vif1.0")),
                Action::Insert,
                "iptables -I FORWARD -m physdev --physdev-is-bridged --physdev-out vif1.0 -j ACCEPT",
            ),
        ] {
            assert_eq!(rule.command(action), command);
        }
    }
}
