//! The networks that this host knows: the states of `up` under /run/brouter, merged with the files of /etc/brouter.

use std::io::ErrorKind;

use ipnet::IpNet;

use super::conflict;
use super::item::Item;
use super::publication::Publication;
use super::setting::SpecError;
use super::spec::NetworkSpec;
use super::state::StoredState;
use super::store::{StateDir, names_in};
use super::wanted::wanted;
use crate::firewall::choice::Kind;
use crate::kernel::Kernel;
use crate::net::InterfaceName;

/// A network that was made, or that a file describes.
#[derive(Debug)]
pub(crate) struct KnownNetwork {
    pub(crate) name: String,
    pub(crate) bridge: InterfaceName,
    pub(crate) stored: Stored,
    /// Some of the state comes from files of a former version.
    pub(crate) is_former: bool,
    pub(crate) file: Description,
    /// What the host is expected to have: first what `up` has made, then what the file adds.
    pub(crate) items: Vec<Item>,
    /// The interface to the outside, if one is named.
    pub(crate) outside: Option<InterfaceName>,
    /// What holds its firewall rules, if that is known.
    pub(crate) backend: Option<Kind>,
}

/// What /run/brouter has of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Nothing,
    /// What is stored is no state of a network.
    Malformed,
    /// A change has begun and not ended.
    Incomplete,
    Complete,
}

/// What /etc/brouter has of a network.
#[derive(Debug)]
pub(crate) enum Description {
    Nothing,
    /// This user cannot read the file.
    Unreadable,
    /// What is wrong in the file.
    Malformed(SpecError),
    /// It describes a network on another bridge than the one that is up, and so says nothing of that.
    OtherBridge,
    Valid,
}

/// Returns the networks of this host by their names.
pub(crate) fn networks(kernel: &Kernel, states: &StateDir) -> Vec<KnownNetwork> {
    let stored = states.networks().into_iter().map(|(name, state)| (name, Some(state)));
    let described = names_in(&kernel.path("/etc/brouter"), &[".conf"]).into_iter().map(|name| (name, None));
    let mut networks: Vec<KnownNetwork> = Vec::new();
    for (name, state) in stored.chain(described) {
        let Ok(bridge) = name.parse() else { continue };
        let place = networks.iter().position(|network| network.name == name).unwrap_or_else(|| {
            networks.push(KnownNetwork::of_bridge(bridge));
            networks.len() - 1
        });
        let network = &mut networks[place];
        match state {
            Some(state) => network.take_state(state),
            None => network.take_file(kernel),
        }
    }
    networks.sort_by(|one, other| one.name.cmp(&other.name));
    networks
}

/// Returns the path of a network's file.
pub(crate) fn file(name: &str) -> String {
    format!("/etc/brouter/{name}.conf")
}

impl KnownNetwork {
    /// Returns a network about which only its bridge is known so far. Another program may have made the bridge.
    pub(crate) fn of_bridge(bridge: InterfaceName) -> Self {
        KnownNetwork {
            name: bridge.to_string(),
            bridge,
            stored: Stored::Nothing,
            is_former: false,
            file: Description::Nothing,
            items: Vec::new(),
            outside: None,
            backend: None,
        }
    }

    fn take_state(&mut self, stored: StoredState) {
        let state = match stored {
            StoredState::Known(state) => state,
            StoredState::Malformed { bridge } => {
                self.stored = Stored::Malformed;
                self.bridge = bridge.unwrap_or(self.bridge.clone());
                return;
            }
        };
        let accepted = |item: &Item| match item {
            Item::Accept(interface) => Some(interface.clone()),
            _ => None,
        };
        self.stored = if state.incomplete { Stored::Incomplete } else { Stored::Complete };
        self.is_former = state.former;
        self.outside = state.outside.or_else(|| state.items.iter().find_map(accepted));
        self.backend = state.backend;
        self.bridge = state.bridge;
        self.items = state.items;
        // the host may have forwarded before, and is to go on
        if self.masquerade() == Some(true) {
            self.expect(Item::Forwarding { v6: false });
        }
    }

    /// Adds what the file says: the state holds only what was not there before.
    fn take_file(&mut self, kernel: &Kernel) {
        let spec = match NetworkSpec::of_file(kernel, &self.name) {
            Ok(spec) => spec,
            Err(SpecError::File(_, error)) if error.kind() == ErrorKind::PermissionDenied => {
                self.file = Description::Unreadable;
                return;
            }
            Err(error) => {
                self.file = Description::Malformed(error);
                return;
            }
        };
        if matches!(self.stored, Stored::Incomplete | Stored::Complete) && self.bridge != spec.bridge {
            self.file = Description::OtherBridge;
            return;
        }
        for item in wanted(&spec, false) {
            self.expect(item);
        }
        self.bridge = spec.bridge;
        self.outside = spec.outside.or(self.outside.take());
        self.backend = self.backend.or(spec.backend);
        self.file = Description::Valid;
    }

    fn expect(&mut self, item: Item) {
        if !self.items.iter().any(|known| known.is(&item)) {
            self.items.push(item);
        }
    }

    pub(crate) fn has_file(&self) -> bool {
        !matches!(self.file, Description::Nothing)
    }

    /// Returns whether the file describes the network.
    pub(crate) fn is_described(&self) -> bool {
        matches!(self.file, Description::Valid)
    }

    /// Returns whether a stored state or a configuration file describes the network.
    fn is_specified(&self) -> bool {
        matches!(self.stored, Stored::Incomplete | Stored::Complete) || self.is_described()
    }

    /// Returns the configured addresses of the bridge.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpNet> {
        self.items.iter().filter_map(|item| match item {
            Item::Address(net) => Some(*net),
            _ => None,
        })
    }

    /// Returns the ports that lead to other hosts.
    pub(crate) fn tunnels(&self) -> impl Iterator<Item = &InterfaceName> {
        self.items.iter().filter_map(|item| match item {
            Item::Tunnel(tunnel) => Some(tunnel),
            _ => None,
        })
    }

    /// Returns whether the network is configured to be masqueraded; `None` if its configuration is unknown.
    pub(crate) fn masquerade(&self) -> Option<bool> {
        let is_masqueraded = self.items.iter().any(|item| matches!(item, Item::Masquerade(_)));
        (is_masqueraded || self.is_specified()).then_some(is_masqueraded)
    }

    /// Returns whether the host is configured to forward packets between the network and others; `None` if that is unknown.
    pub(crate) fn is_routed(&self) -> Option<bool> {
        let routes = |item: &Item| {
            matches!(
                item,
                Item::Masquerade(_) | Item::Accept(_) | Item::Publish(_) | Item::Open(_) | Item::Forwarding { .. }
            )
        };
        let is_routed = self.items.iter().any(routes);
        (is_routed || self.is_specified()).then_some(is_routed)
    }

    /// Returns what is published, each as its rules have it.
    pub(crate) fn publications(&self) -> Vec<Publication> {
        conflict::published(&self.items).collect()
    }

    /// Returns whether guests are not to reach each other.
    pub(crate) fn is_isolate(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Between(_)))
    }

    /// Returns whether only what vif-bridge accepts is forwarded.
    pub(crate) fn is_antispoof(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Drop { .. }))
    }

    /// Returns the command of the host's own firewall.
    pub(crate) fn firewall(&self) -> Option<&str> {
        self.items.iter().rev().find_map(|item| match item {
            Item::Firewall(command) => Some(command.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::state::NetworkState;

    #[test]
    fn a_state_is_taken_with_its_bridge() {
        let of = |stored| {
            let mut network = KnownNetwork::of_bridge("n".parse().unwrap());
            network.take_state(stored);
            network
        };
        let lines = ["bridge", "address 10.0.0.1/24", "accept eth0", "masquerade 10.0.0.0/24", "firewall fw start"];
        let items: Vec<Item> = lines.iter().map(|line| Item::parse(line).unwrap()).collect();
        let state = NetworkState { incomplete: true, items, ..NetworkState::empty("b0".parse().unwrap()) };
        let network = of(StoredState::Known(state));
        assert_eq!((network.name.as_str(), network.bridge.as_str()), ("n", "b0"));
        assert_eq!(network.stored, Stored::Incomplete);
        assert_eq!(network.outside, "eth0".parse().ok());
        assert_eq!(network.addresses().collect::<Vec<_>>(), ["10.0.0.1/24".parse().unwrap()]);
        assert_eq!((network.masquerade(), network.is_routed()), (Some(true), Some(true)));
        assert!(network.items.contains(&Item::Forwarding { v6: false }), "masquerading needs forwarding");
        assert_eq!(network.firewall(), Some("fw start"));
        let network = of(StoredState::Malformed { bridge: "b0".parse().ok() });
        assert_eq!((network.stored, network.bridge.as_str()), (Stored::Malformed, "b0"));
        assert_eq!((network.masquerade(), network.is_routed()), (None, None));
        assert_eq!(of(StoredState::Malformed { bridge: None }).bridge.as_str(), "n");
    }
}
