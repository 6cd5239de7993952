//! What is judged: the host, and its networks.

use std::ffi::{OsStr, OsString};
use std::rc::Rc;

use ipnet::IpNet;

use crate::call::Call;
use crate::error::{Failure, line};
use crate::firewall::choice::Kind;
use crate::firewall::survey::NftListing;
use crate::inspect::bridge::Bridge;
use crate::inspect::port::Port;
use crate::inspect::route::Route;
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::Address;
use crate::manage::output::complaint;
use crate::manage::status::{
    self,
    model::{BridgeStatus, HostStatus},
};
use crate::manage::up::state_dir;
use crate::net::Family;
use crate::net::InterfaceName;
use crate::net::rtnetlink::Scope;
use crate::network::catalog::{self, KnownNetwork};
use crate::network::overlap;
use crate::network::store::StateDir;
use crate::program;

/// The host.
pub(super) struct Host<'k> {
    pub(super) snapshot: HostSnapshot<'k>,
    pub(super) path: Option<OsString>,
    /// Where xenstored is, if the caller says so.
    pub(super) xenstored: Option<OsString>,
    pub(super) states: StateDir,
    /// One network or bridge was asked for.
    pub(super) is_named: bool,
    /// All bridges, in the order of their names.
    pub(super) bridges: Vec<Rc<Bridge<'k>>>,
    pub(super) networks: Vec<Network<'k>>,
    /// What `status` shows of the same snapshot.
    pub(super) statuses: Vec<BridgeStatus<'k>>,
}

/// A network, or a bridge that belongs to no known network.
pub(super) struct Network<'k> {
    /// Its name, or that of the bridge.
    pub(super) name: String,
    pub(super) bridge_name: String,
    /// `None` if the bridge does not exist.
    pub(super) bridge: Option<Rc<Bridge<'k>>>,
    /// What is known of the network, if there is one.
    pub(super) known: Option<KnownNetwork>,
    /// It is to reach the host and nothing else.
    pub(super) is_isolated: bool,
    /// The ports through which guests reach the outside, if the host is not their router.
    pub(super) outside_ports: Vec<String>,
}

impl<'k> Host<'k> {
    /// Reads the host, and those of its networks that a name means, or all.
    ///
    /// # Errors
    /// The name means nothing.
    pub(super) fn read(call: &Call<'k>, name: Option<&str>) -> Result<Self, Failure> {
        if let Some(name) = name
            && let Err(fault) = InterfaceName::new(name.as_bytes())
        {
            return Err(complaint(line!(name, ": ", fault.to_string())));
        }
        let path = (call.environment)("PATH");
        let states = state_dir(call.kernel).map_err(|failure| failure.with_status(2))?;
        let nft = NftListing::read_beside(call.kernel, path.as_ref());
        // where it cannot be read, the checks say why
        let (snapshot, statuses) = match status::check::check(call, None, false) {
            Ok(HostStatus { snapshot, bridges, .. }) => (snapshot, bridges),
            Err(_) => (HostSnapshot::new(call.kernel, path.clone()), Vec::new()),
        };
        let snapshot = snapshot.with_nft_beside(nft);
        let names = snapshot.bridge_names().unwrap_or_default();
        let bridges: Vec<_> = names.iter().filter_map(|name| snapshot.bridge(name).ok().flatten()).collect();
        let xenstored = (call.environment)("XENSTORED_PATH");
        let is_named = name.is_some();
        let mut host = Host { snapshot, path, xenstored, states, is_named, bridges, networks: Vec::new(), statuses };
        let mut networks = host.all_networks();
        networks.retain(|network| match name {
            Some(name) => name == network.name || name == network.bridge_name,
            None => network.known.is_some() || host.has_address(network) || !network.outside_ports.is_empty(),
        });
        if let Some(name) = name.filter(|_| networks.is_empty()) {
            return Err(complaint(line!(name, ": there is no bridge and no network of this name")));
        }
        host.networks = networks;
        Ok(host)
    }

    /// Returns whether what holds rules is there: for all but the kernel's own tables that is a program.
    pub(super) fn has_backend(&self, backend: Kind) -> bool {
        backend == Kind::Kernel || program::find(backend.name(), self.path.clone()).is_some()
    }

    /// Returns the known networks, then the bridges that are no network's.
    fn all_networks(&self) -> Vec<Network<'k>> {
        let known = catalog::networks(self.snapshot.kernel, &self.states);
        let forwards = self.snapshot.forwarding(Family::V4) == Ok(true);
        let mut networks: Vec<Network> = known.into_iter().map(|known| self.network(known, forwards)).collect();
        for bridge in &self.bridges {
            if !networks.iter().any(|network| network.is_on(&bridge.name)) {
                let name = bridge.name.to_string_lossy().into_owned();
                let outside_ports = self.snapshot.outside_ports(bridge);
                let bridge = Some(bridge.clone());
                let bridge_name = name.clone();
                networks.push(Network { bridge_name, name, bridge, known: None, is_isolated: false, outside_ports });
            }
        }
        networks
    }

    fn network(&self, known: KnownNetwork, forwards: bool) -> Network<'k> {
        let bridge = self.bridges.iter().find(|bridge| *bridge.name == *known.bridge.as_str()).cloned();
        let plain = bridge.as_ref().filter(|_| known.is_routed() != Some(true));
        Network {
            name: known.name.clone(),
            bridge_name: known.bridge.to_string(),
            outside_ports: plain.map_or(Vec::new(), |bridge| self.snapshot.outside_ports(bridge)),
            bridge,
            is_isolated: known.is_routed() == Some(false) && (known.is_described() || !forwards),
            known: Some(known),
        }
    }

    /// Returns the addresses of all links, without those of IPv6 that are valid on their link only.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let known = Family::BOTH.into_iter().flat_map(|family| self.snapshot.addresses(family).unwrap_or_default());
        known.filter(|address| address.scope != Scope::LINK)
    }

    /// Returns the addresses of a network's bridge.
    pub(super) fn own<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = &'a Address> {
        self.addresses().filter(|address| network.is_on(&address.link))
    }

    pub(super) fn own_of<'a>(&'a self, network: &'a Network, family: Family) -> impl Iterator<Item = &'a Address> {
        self.own(network).filter(move |address| Family::of(&address.net) == family)
    }

    pub(super) fn has_address(&self, network: &Network) -> bool {
        self.own(network).next().is_some()
    }

    pub(super) fn has_family(&self, network: &Network, family: Family) -> bool {
        self.own_of(network, family).next().is_some()
    }

    /// Returns an address in a network that nobody has.
    pub(super) fn free(&self) -> String {
        overlap::free(&self.snapshot).map_or("NETWORK".into(), |net| net.to_string())
    }

    pub(super) fn default_route(&self, family: Family) -> Option<&Route> {
        self.snapshot.routes(family).unwrap_or_default().iter().find(|route| route.is_default())
    }

    /// Returns the interface of the default route.
    pub(super) fn default_interface(&self, family: Family) -> Option<String> {
        self.default_route(family).map(|route| route.interface.to_string_lossy().into_owned())
    }

    /// Returns the interface to the outside: the one that is named, else that of the default route.
    pub(super) fn outside(&self, network: &Network, family: Family) -> Option<String> {
        network.outside().map(String::from).or_else(|| self.default_interface(family))
    }
}

impl Network<'_> {
    /// Returns whether a link is the network's bridge. The name for people is not compared: a link's own may be no UTF-8.
    pub(super) fn is_on(&self, link: &OsStr) -> bool {
        match &self.bridge {
            Some(bridge) => *bridge.name == *link,
            None => link == self.bridge_name.as_str(),
        }
    }

    /// Returns why the host need not be the router of its guests; `None` if it has to be.
    pub(super) fn no_router_needed(&self) -> Option<String> {
        match self.outside_ports.as_slice() {
            [] if self.is_isolated => Some("nothing is to be forwarded".into()),
            [] => None,
            ports => Some(format!("not needed: guests reach the outside through port {}", ports.join(", "))),
        }
    }

    pub(super) fn ports(&self) -> &[Port] {
        self.bridge.as_ref().map_or(&[], |bridge| bridge.ports().unwrap_or_default())
    }

    pub(super) fn has_port(&self, link: &OsStr) -> bool {
        self.ports().iter().any(|port| port.name == link)
    }

    /// Returns whether the bridge exists and is down.
    pub(super) fn is_down(&self) -> bool {
        self.bridge.as_ref().is_some_and(|bridge| !bridge.is_up())
    }

    /// Returns whether it is configured to be masqueraded; `None` if its configuration is unknown.
    pub(super) fn masquerade(&self) -> Option<bool> {
        self.known.as_ref().and_then(KnownNetwork::masquerade)
    }

    /// Returns whether guests are not to reach each other.
    pub(super) fn is_isolate(&self) -> bool {
        self.known.as_ref().is_some_and(KnownNetwork::is_isolate)
    }

    /// Returns whether antispoof is on: only what vif-bridge accepts is forwarded.
    pub(super) fn is_antispoof(&self) -> bool {
        self.known.as_ref().is_some_and(KnownNetwork::is_antispoof)
    }

    /// Returns the interface to the outside, if one is named.
    pub(super) fn outside(&self) -> Option<&str> {
        self.known.as_ref()?.outside.as_ref().map(InterfaceName::as_str)
    }

    /// Returns whether `up` can make it again: of options nothing is stored that could be given again.
    pub(super) fn has_file(&self) -> bool {
        self.known.as_ref().is_some_and(KnownNetwork::has_file)
    }

    /// Returns the addresses that the bridge is to have.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpNet> {
        self.known.iter().flat_map(KnownNetwork::addresses)
    }
}
