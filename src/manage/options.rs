//! The options of `brouter up` and `brouter down`.

use argh::FromArgs;

use crate::network::setting::Setting;
use crate::network::spec::option;

/// Make a network (up) or remove it (down), as options say or /etc/brouter/NAME.conf.
#[derive(FromArgs)]
pub(super) struct Options {
    /// the network; its file, and its bridge unless that has another name
    #[argh(positional)]
    pub(super) name: Option<String>,

    /// the bridge
    #[argh(option, arg_name = "if")]
    bridge: Option<String>,

    /// the bridge's hardware address (one that stays, by host and network)
    #[argh(option, arg_name = "mac")]
    mac: Option<String>,

    /// an address of the bridge with its prefix, IPv4 or IPv6; repeatable
    #[argh(option, arg_name = "addr/len")]
    address: Vec<String>,

    /// the interface to the outside: packets are forwarded
    #[argh(option, arg_name = "if")]
    outside: Option<String>,

    /// masquerade the IPv4 networks
    #[argh(switch)]
    masquerade: bool,

    /// forward only what comes from outside, and what vif-bridge lets through
    #[argh(switch)]
    antispoof: bool,

    /// guests reach the host and the outside, but not each other
    #[argh(switch)]
    isolate: bool,

    /// spanning tree, on or off (off)
    #[argh(option, arg_name = "on|off")]
    stp: Option<String>,

    /// seconds before a port forwards (0 without spanning tree)
    #[argh(option, arg_name = "seconds")]
    forward_delay: Option<String>,

    /// an interface that becomes a port of the bridge; repeatable
    #[argh(option, arg_name = "if")]
    port: Vec<String>,

    /// a port that leads to other hosts, and may come later; repeatable
    #[argh(option, arg_name = "if")]
    tunnel: Vec<String>,

    /// bytes that a frame may carry
    #[argh(option, arg_name = "bytes")]
    mtu: Option<String>,

    /// a command to run afterwards, with its arguments
    #[argh(option, arg_name = "command")]
    firewall: Option<String>,

    /// a guest's port that the host answers for, repeatable: [ADDRESS:]PORT:GUEST[:PORT][/tcp|udp]
    #[argh(option, arg_name = "port:guest")]
    publish: Vec<String>,

    /// what holds the firewall's rules: kernel, iptables or nft (what fits the host)
    #[argh(option, arg_name = "backend")]
    firewall_backend: Option<String>,

    /// make it though it overlaps another network, or has no room for guests
    #[argh(switch)]
    force: bool,

    /// print the steps, and change nothing
    #[argh(switch)]
    pub(super) dry_run: bool,
}

impl Options {
    /// Returns whether a name, a bridge or an address says which network is meant.
    pub(super) fn has_subject(&self) -> bool {
        self.name.is_some() || self.bridge.is_some() || !self.address.is_empty()
    }

    /// Returns the settings that the options give.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let yes = |is_set: bool| is_set.then_some("yes");
        let single = [
            ("bridge", self.bridge.as_deref()),
            ("mac", self.mac.as_deref()),
            ("outside", self.outside.as_deref()),
            ("masquerade", yes(self.masquerade)),
            ("antispoof", yes(self.antispoof)),
            ("isolate", yes(self.isolate)),
            ("force", yes(self.force)),
            ("stp", self.stp.as_deref()),
            ("forward_delay", self.forward_delay.as_deref()),
            ("mtu", self.mtu.as_deref()),
            ("firewall", self.firewall.as_deref()),
            ("firewall_backend", self.firewall_backend.as_deref()),
        ];
        let single = single.into_iter().filter_map(|(variable, value)| Some((variable, value?)));
        let addresses = self.address.iter().map(|value| ("address", value.as_str()));
        let ports = self.port.iter().map(|value| ("port", value.as_str()));
        let tunnels = self.tunnel.iter().map(|value| ("tunnel", value.as_str()));
        let publish = self.publish.iter().map(|value| ("publish", value.as_str()));
        let all = single.chain(addresses).chain(ports).chain(tunnels).chain(publish);
        all.map(|(variable, value)| option(variable, value)).collect()
    }
}
