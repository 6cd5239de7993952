//! What there is to be looked at: the bridges with addresses, the networks that they belong to, routes and rules.

use std::ffi::{OsStr, OsString};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::call::Call;
use crate::error::{Failure, errno_text, line};
use crate::firewall::ruleset::Rules;
use crate::kernel::{self, Kernel, Source, flag6, scope};
use crate::manage::output::complaint;
use crate::net::fault_of_name;
use crate::network::item::Item;
use crate::network::spec::NetworkSpec;
use crate::network::state::{NetworkState, StoredState};
use crate::network::store::{StateDir, names_in};

/// The host.
pub(super) struct Scene<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) path: Option<OsString>,
    /// Where xenstored is, if the caller says so.
    pub(super) xenstored: Option<OsString>,
    pub(super) records: StateDir,
    /// The names of all bridges; empty, too, if the kernel does not tell.
    pub(super) bridges: Vec<String>,
    pub(super) nets: Vec<Net>,
    /// Of all links; none of IPv6 that are valid on a link only.
    pub(super) addresses: Vec<Own>,
    /// The routes of table main, of IPv4 before those of IPv6.
    pub(super) ways: Vec<Way>,
    /// The firewall's rules, of IPv4 and of IPv6.
    pub(super) rules: [Rules; 2],
}

/// An address of this host, or a network by it.
pub(super) struct Own {
    pub(super) link: String,
    pub(super) net: IpNet,
    /// Of the address with its prefix.
    pub(super) text: String,
}

impl Own {
    pub(super) fn is_v6(&self) -> bool {
        is_v6(&self.net)
    }
}

/// A route.
pub(super) struct Way {
    pub(super) to: IpNet,
    pub(super) link: String,
    /// As it is written behind `ip route del`.
    pub(super) text: String,
    /// A router has announced it, and it will go.
    pub(super) is_announced: bool,
}

/// What is kept of a network by `up`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    #[default]
    Nothing,
    Nonsense,
    HalfDone,
    Whole,
}

/// A network: a bridge, or what a record or a file say of one.
#[derive(Default)]
pub(super) struct Net {
    /// That of the bridge if it has none of its own.
    pub(super) name: String,
    pub(super) bridge: String,
    /// Whether the bridge is there.
    pub(super) is_there: bool,
    pub(super) kept: Kept,
    pub(super) has_address: bool,
    /// network-virtual has begun to make it, and not ended.
    pub(super) is_begun: bool,
    pub(super) has_file: bool,
    /// What is wrong in its file.
    pub(super) fault: String,
    /// The interface to the outside that was named; empty if none.
    pub(super) outside: String,
    /// It is to reach the host and nothing else: nobody has asked for an outside.
    pub(super) is_isolated: bool,
    /// Whether it is to be masqueraded; nothing if nobody has said.
    pub(super) masquerade: Option<bool>,
    /// The addresses that it is to have.
    pub(super) wanted: Vec<IpNet>,
    /// The firewall's command.
    pub(super) firewall: String,
    pub(super) ports: Vec<String>,
}

#[inline(never)]
fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

#[inline(never)]
fn texts(names: kernel::Result<Vec<OsString>>) -> Vec<String> {
    names.unwrap_or_default().iter().map(|name| text(name)).collect()
}

/// The text of a network; here once for all who need it.
#[inline(never)]
pub(super) fn shown(net: &IpNet) -> String {
    net.to_string()
}

pub(super) fn is_v6(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(_))
}

impl<'a> Scene<'a> {
    /// # Errors
    /// Where there is nothing of the name that was given.
    pub(super) fn look(call: &Call<'a>, name: Option<&str>) -> Result<Self, Failure> {
        if let Some(name) = name
            && let Some(fault) = fault_of_name(name.as_bytes())
        {
            return Err(complaint(line!(name, ": ", fault)));
        }
        let kernel = call.kernel;
        let path = (call.environment)("PATH");
        let records = crate::manage::up::state_dir(kernel).map_err(|failure| failure.with_status(2))?;
        let bridges = texts(kernel.bridges_seen());
        let mut addresses = Vec::new();
        let mut known = kernel.addresses_v4().unwrap_or_default();
        known.extend(kernel.addresses_v6().unwrap_or_default());
        for address in known {
            if address.scope != scope::LINK {
                addresses.push(Own { link: text(&address.link), net: address.net, text: shown(&address.net) });
            }
        }
        let mut nets = networks(kernel, &records);
        for bridge in &bridges {
            let place = nets.iter().position(|net| net.bridge == *bridge);
            let net = place.unwrap_or_else(|| add(&mut nets, bridge));
            let net = &mut nets[net];
            net.is_there = true;
            net.ports = texts(kernel.ports(bridge.as_bytes(), Source::Sysfs));
            net.has_address = addresses.iter().any(|own| own.link == *bridge);
        }
        nets.retain(|net| match name {
            Some(name) => name == net.name || name == net.bridge,
            None => net.has_address || net.kept != Kept::Nothing || net.has_file || net.is_begun,
        });
        if let Some(name) = name.filter(|_| nets.is_empty()) {
            return Err(complaint(line!(name, ": there is no bridge and no network of this name")));
        }
        let of_v4 = Rules::read(kernel, path.as_ref(), false);
        let has_v6 = addresses.iter().any(|own| own.is_v6() && nets.iter().any(|net| net.bridge == own.link));
        let of_v6 = if has_v6 { Rules::read(kernel, path.as_ref(), true) } else { Rules::default() };
        let xenstored = (call.environment)("XENSTORED_PATH");
        let rules = [of_v4, of_v6];
        Ok(Scene { kernel, path, xenstored, records, bridges, nets, addresses, ways: ways(kernel), rules })
    }

    /// The addresses of a network's bridge.
    #[inline(never)]
    pub(super) fn own(&self, net: &Net) -> Vec<&Own> {
        self.addresses.iter().filter(|own| own.link == net.bridge).collect()
    }

    pub(super) fn has_family(&self, net: &Net, v6: bool) -> bool {
        self.own(net).iter().any(|own| own.is_v6() == v6)
    }

    /// The link by which the default route leads.
    pub(super) fn default_link(&self, v6: bool) -> Option<&str> {
        self.default_way(v6).map(|way| way.link.as_str())
    }

    pub(super) fn default_way(&self, v6: bool) -> Option<&Way> {
        self.ways.iter().find(|way| way.to.prefix_len() == 0 && is_v6(&way.to) == v6)
    }

    /// The interface to the outside: the one that was named, else where the default route leads.
    pub(super) fn outside<'b>(&'b self, net: &'b Net, v6: bool) -> Option<&'b str> {
        if net.outside.is_empty() { self.default_link(v6) } else { Some(&net.outside) }
    }

    /// Why routes are not known, if they are not.
    pub(super) fn unread(&self) -> Option<String> {
        let (file, errno) = self.kernel.unread()?;
        Some([file, ": ", errno_text(errno)].concat())
    }
}

fn ways(kernel: &Kernel) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut add = |to: IpNet, gateway: Option<IpAddr>, link: &OsStr, is_announced| {
        let link = text(link);
        let via = gateway.map_or(String::new(), |gateway| [" via ", &gateway.to_string()].concat());
        let text = [&shown(&to), &via, " dev ", &crate::shell::quoted(&link)].concat();
        ways.push(Way { to, link, text, is_announced });
    };
    for route in kernel.routes_v4().unwrap_or_default().main {
        if let Some(link) = &route.link {
            add(route.destination.into(), route.gateway.map(IpAddr::V4), link, false);
        }
    }
    for route in kernel.routes_v6().unwrap_or_default().main {
        let is_announced = route.flags & (flag6::DEFAULT | flag6::ADDRCONF | flag6::EXPIRES) != 0;
        add(route.destination.into(), route.gateway.map(IpAddr::V6), &route.link, is_announced);
    }
    ways
}

/// Adds a network that nothing is known of. Its place is returned.
#[inline(never)]
fn add(nets: &mut Vec<Net>, name: &str) -> usize {
    nets.push(Net { name: name.into(), bridge: name.into(), ..Net::default() });
    nets.len() - 1
}

/// The networks of which `up` has kept something, and those that have a file.
fn networks(kernel: &Kernel, records: &StateDir) -> Vec<Net> {
    let forwards = kernel.forwards();
    let mut nets = Vec::new();
    for (name, text) in records.networks() {
        let place = add(&mut nets, &name);
        let net = &mut nets[place];
        match text {
            StoredState::Known(record) => net.take_record(record, forwards),
            StoredState::Malformed { .. } => net.kept = Kept::Nonsense,
        }
    }
    for name in &names_in(&kernel.path("/etc/brouter"), &[".conf"]) {
        if fault_of_name(name.as_bytes()).is_some() {
            continue;
        }
        let place = nets.iter().position(|net| net.name == *name);
        let place = place.unwrap_or_else(|| add(&mut nets, name));
        let net = &mut nets[place];
        net.has_file = true;
        match NetworkSpec::of_file(kernel, name) {
            Ok(network) => net.take_file(network),
            Err(failure) => net.fault = format!("brouter: {failure}"),
        }
    }
    nets
}

impl Net {
    fn take_record(&mut self, record: NetworkState, forwards: bool) {
        self.bridge = record.bridge.to_string();
        self.is_begun = record.former && record.incomplete;
        self.kept = match record.incomplete {
            true if self.is_begun => Kept::Nothing,
            true => Kept::HalfDone,
            false => Kept::Whole,
        };
        self.masquerade = Some(false);
        self.is_isolated = !forwards;
        for part in record.items {
            self.is_isolated &= !matches!(part, Item::Masquerade(_) | Item::Accept(_) | Item::Forwarding { .. });
            match part {
                Item::Address(net) => self.wanted.push(net),
                Item::Masquerade(_) => self.masquerade = Some(true),
                Item::Accept(link) => self.outside = link.to_string(),
                Item::Firewall(command) => self.firewall = command,
                _ => (),
            }
        }
    }

    /// What it says goes before what a record says, but that says what the bridge is.
    fn take_file(&mut self, network: NetworkSpec) {
        if matches!(self.kept, Kept::Nothing | Kept::Nonsense) {
            self.bridge = network.bridge.to_string();
        }
        self.is_isolated = network.outside.is_none() && network.masquerade.is_empty();
        self.masquerade = Some(!network.masquerade.is_empty());
        self.outside = network.outside.map(|name| name.to_string()).unwrap_or_default();
        self.firewall = network.firewall.unwrap_or_default();
        for net in network.addresses {
            if !self.wanted.contains(&net) {
                self.wanted.push(net);
            }
        }
    }

    pub(super) fn is_port(&self, link: &str) -> bool {
        self.ports.iter().any(|port| port == link)
    }
}
