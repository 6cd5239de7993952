//! The items that a spec wants, in the order in which they are made.

use ipnet::IpNet;

use super::context::{ACCEPT_RA, Cause, Context};
use super::ip_config::IpConfig;
use super::item::{Item, Value};
use super::plan_error::Result;
use super::published;
use super::spec::{Mode, NetworkSpec};
use super::stable_mac::HostId;
use super::state::NetworkState;
use crate::firewall::chain::Table;
use crate::inspect::bridge::is_uplink;
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::Kernel;
use crate::net::Family;
use crate::net::{InterfaceName, Mac};

/// Returns the items of a network, in the order in which they are made. Addresses come before the bridge is switched on: on a link
/// that is up the kernel would first make the route of the address's class. The mtu comes after the ports: up to 4.16 each port that
/// is added computes it anew, and a bridge takes none that is larger than a port's.
///
/// `with_defaults`: the values of a bridge that is brouter's own are set even if the spec does not name them.
pub fn wanted(spec: &NetworkSpec, with_defaults: bool) -> Vec<Item> {
    let mut items = vec![Item::Bridge];
    let stp = spec.stp.or(with_defaults.then_some(false));
    // without another path for a frame there is nothing to wait for
    let delay = spec.forward_delay.map(|delay| delay.0).or((with_defaults && stp == Some(false)).then_some(0));
    let set = |value, to: Option<u64>| to.map(|to| Item::Value { value, to, from: 0 });
    items.extend(set(Value::Mac, spec.mac.map(Mac::number)));
    items.extend(set(Value::ForwardDelay, delay));
    items.extend(set(Value::Stp, stp.map(u64::from)));
    for port in &spec.ports {
        items.extend([Item::Port(port.clone()), Item::Up(port.clone())]);
    }
    for tunnel in &spec.tunnels {
        items.extend([Item::Tunnel(tunnel.clone()), Item::Up(tunnel.clone())]);
    }
    items.extend(set(Value::Mtu, spec.mtu.map(|mtu| mtu as u64)));
    items.extend(spec.addresses.iter().copied().map(Item::Address));
    items.push(Item::Up(spec.bridge.clone()));
    if spec.isolate {
        items.extend(Family::BOTH.map(Item::Between));
    }
    items.extend(spec.masquerade.iter().copied().map(Item::Masquerade));
    items.extend(published::rules_of(&spec.publish, &spec.addresses).into_iter().map(Item::Publish));
    if let Some(outside) = spec.outside.as_ref().filter(|_| spec.antispoof) {
        items.extend([Item::Accept(outside.clone()), Item::Drop { before: String::new() }]);
    }
    let is_routed = |family| {
        spec.outside.is_some() && spec.addresses.iter().any(|net| Family::of(net) == family)
            || spec.publish.iter().any(|publication| publication.family() == family)
    };
    if !spec.masquerade.is_empty() || is_routed(Family::V4) {
        items.push(Item::Forwarding { v6: false });
    }
    if is_routed(Family::V6) {
        items.push(Item::Forwarding { v6: true });
    }
    items.extend(spec.firewall.clone().map(Item::Firewall));
    items
}

/// Puts items into the order that a kernel needs. Linux 2.6.18 takes IPv6 addresses only on a link that is up (ENETDOWN), 2.6.32
/// always.
pub(super) fn in_order_of(version: [u32; 3], items: Vec<Item>) -> Vec<Item> {
    if version >= [2, 6, 32] {
        return items;
    }
    let is_v6 = |item: &Item| matches!(item, Item::Address(IpNet::V6(_)));
    let (late, mut ordered): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_v6);
    let last_up = ordered.iter().rposition(|item| matches!(item, Item::Up(_)));
    let place = last_up.map_or(ordered.len(), |place| place + 1);
    ordered.splice(place..place, late);
    ordered
}

/// Returns the hardware address of the bridge, and what it is derived from: the one that is asked for, else the one that it has
/// from an earlier call, else one that stays. A bridge that was made without keeps what it has, as it is in its guests' tables.
pub(super) fn address_that_stays(
    context: &Context,
    spec: &NetworkSpec,
    moved: &[Item],
    earlier: &NetworkState,
    is_own: bool,
    is_made: bool,
) -> (Option<Mac>, Option<HostId>) {
    if spec.mac.is_some() || spec.mode == Mode::Additive || !is_own {
        return (spec.mac, None);
    }
    let stored = earlier.items.iter().find_map(|item| match item {
        Item::Value { value: Value::Mac, to, .. } => Some(Mac::from_number(*to)),
        _ => None,
    });
    // by the address of its card the host is known in the network there
    let of_card = moved.iter().find_map(|item| match item {
        Item::Moved { from, .. } => context.kernel.mac(from.as_bytes()).ok(),
        _ => None,
    });
    if is_made && stored.is_none() && of_card.is_some() {
        return (of_card, None);
    }
    match HostId::read(context.kernel).filter(|_| is_made && stored.is_none()) {
        Some(id) => (Some(id.mac(&context.network)), Some(id)),
        None => (stored, None),
    }
}

/// Returns whether the kernel can keep ports of a bridge from each other, as Linux 4.18 can.
pub(crate) fn isolates_ports(kernel: &Kernel) -> bool {
    kernel.version() >= [4, 18, 0]
}

/// Returns the isolation of the guests' ports that the spec names or that are on the bridge; the rules for a family that the host
/// does not have are removed from the items.
pub(super) fn isolate(
    context: &Context,
    host: &HostSnapshot,
    spec: &NetworkSpec,
    moved: &[Item],
    wanted: &mut Vec<Item>,
) -> Result<Vec<Item>> {
    if !spec.isolate {
        return Ok(Vec::new());
    }
    context.firewall()?.require(Family::V4, Table::Filter).map_err(Cause::Firewall)?;
    let has_v6 = context.kernel.has_file("/proc/net/if_inet6");
    if !has_v6 || context.firewall()?.require(Family::V6, Table::Filter).is_err() {
        wanted.retain(|item| *item != Item::Between(Family::V6));
    }
    if !isolates_ports(context.kernel) {
        return Ok(Vec::new());
    }
    let bridge = host.bridge(context.bridge.as_ref())?;
    let present = bridge.iter().flat_map(|bridge| bridge.guest_ports());
    let present = present.filter_map(|port| InterfaceName::new(port.name.as_encoded_bytes()).ok());
    // one that leads to the outside is to be reached
    let is_moved =
        |port: &InterfaceName| moved.iter().any(|item| matches!(item, Item::Moved { from, .. } if from == port));
    let named = spec.ports.iter().filter(|port| !is_moved(port) && !is_uplink(context.kernel, port.as_ref())).cloned();
    let mut ports: Vec<InterfaceName> = named.collect();
    for port in present {
        if !ports.contains(&port) && !is_moved(&port) {
            ports.push(port);
        }
    }
    Ok(ports.into_iter().map(Item::Isolated).collect())
}

/// Returns the addresses and routes that ports have of their own, which are the bridge's from now on: on a port they would be lost,
/// and with them the way to this host.
pub(super) fn moved(context: &Context, spec: &NetworkSpec, earlier: Option<&NetworkState>) -> Result<Vec<Item>> {
    let mut moved = Vec::new();
    for port in &spec.ports {
        let is_of_port = |item: &&Item| matches!(item, Item::Moved { from, .. } if from == port);
        if let Some(stored) = earlier.and_then(|earlier| earlier.items.iter().find(is_of_port)) {
            moved.push(stored.clone());
            continue;
        }
        // one that is missing, or that is a port already, is not asked
        let is_port = context.kernel.bridge_of(port.as_bytes()).is_some();
        if is_port || context.kernel.has_link(port.as_bytes()) != Ok(true) {
            continue;
        }
        let config = IpConfig::read(context.kernel, port).map_err(Cause::Config)?;
        if has_own_address(&config) || !config.routes.is_empty() {
            moved.push(Item::Moved { from: port.clone(), to: spec.bridge.clone(), config: Box::new(config) });
        }
    }
    Ok(moved)
}

/// Returns whether a link has an address besides that of IPv6 which every link has.
pub(super) fn has_own_address(config: &IpConfig) -> bool {
    let is_of_link = |net: &IpNet| matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
    config.addresses.iter().any(|address| !is_of_link(&address.net))
}

/// Returns the links to the outside that must go on accepting router advertisements when the host forwards: those of advertised
/// default routes, and the one that the spec names, where an advertisement may be under way.
pub(super) fn accept_ra(host: &HostSnapshot, spec: &NetworkSpec) -> Vec<Item> {
    let routes = host.routes(Family::V6).unwrap_or_default().iter();
    let advertised = routes.filter(|route| route.is_default() && route.is_announced);
    let advertised = advertised.filter_map(|route| InterfaceName::new(route.interface.as_encoded_bytes()).ok());
    let mut items: Vec<Item> = Vec::new();
    for link in spec.outside.iter().cloned().chain(advertised).filter(|link| *link != spec.bridge) {
        let item = Item::AcceptRa(link.clone());
        // 2 is another network's, or the administrator's own
        let accepts = matches!(host.link_value(Family::V6, link.as_str(), ACCEPT_RA), Some(1 | 2));
        if accepts && !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_after_the_bridge_is_up_on_old_kernels() {
        let name = |name: &str| name.parse::<InterfaceName>().unwrap();
        let address = |text: &str| Item::Address(text.parse().unwrap());
        let [v4, v6] = ["10.0.0.1/24", "fd00::1/64"].map(address);
        let [port, bridge] = ["p1", "b0"].map(|link| Item::Up(name(link)));
        let forwarding = Item::Forwarding { v6: false };
        let items = vec![Item::Bridge, port.clone(), v6.clone(), v4.clone(), bridge.clone(), forwarding.clone()];
        assert_eq!(in_order_of([2, 6, 32], items.clone()), items);
        let ordered = vec![Item::Bridge, port, v4, bridge, v6, forwarding];
        assert_eq!(in_order_of([2, 6, 18], items), ordered);
    }
}
