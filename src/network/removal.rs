//! Plans to remove a network.

use ipnet::IpNet;

use super::context::{Cause, Context};
use super::ip_config::{IpConfig, OwnAddress};
use super::item::{Item, Value};
use super::plan::{Plan, addresses_v4, find_bridge, half_added, is_present};
use super::plan_error::{Remark, Result};
use super::spec::NetworkSpec;
use super::state::NetworkState;
use super::step::Step;
use super::wanted::{has_own_address, wanted};
use crate::inspect::bridge::is_uplink;
use crate::inspect::port::Port;
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::{Address, Source};
use crate::net::rtnetlink::Scope;
use crate::net::{Family, InterfaceName};

/// What a removal takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What brouter has made, in reverse order, and nothing else.
    Own,
    /// The bridge too, whoever made it and whatever it carries.
    Bridge,
}

/// Plans to remove a network. Without a stored state its items are those that the spec names, as far as they are there.
///
/// # Errors
/// Where another interface has the bridge's name, or what is there cannot be examined.
pub fn down(context: &Context, spec: &NetworkSpec, earlier: Option<&NetworkState>, extent: Extent) -> Result<Plan> {
    context.set_backend(earlier.and_then(|earlier| earlier.backend).or(spec.backend));
    let host = &context.snapshot();
    let is_there = find_bridge(context, host)?;
    let mut plan = Plan::empty(context);
    let mut items = match earlier {
        Some(earlier) => stored_items(context, host, earlier, is_there)?,
        None if extent == Extent::Own && is_there => items_without_state(context, host, spec, &mut plan)?,
        None => Vec::new(),
    };
    match extent {
        Extent::Own if is_there => spare_others(context, host, &mut items, &mut plan)?,
        Extent::Own => (),
        Extent::Bridge => {
            if is_there && !items.contains(&Item::Bridge) {
                items.insert(0, Item::Bridge);
            }
            // what is asked for explicitly is removed even if nobody remembers it
            let asked = spec.masquerade.iter().copied().map(Item::Masquerade).filter(|_| context.firewall().is_ok());
            items.extend(asked.filter(|item| !items.contains(item)).collect::<Vec<_>>());
        }
    }
    remove_in_reverse(context, host, items, is_there, &mut plan)?;
    Ok(plan)
}

/// Plans to remove the items that a script has set up.
///
/// # Errors
/// Those of [`down`].
pub fn take_down(context: &Context, earlier: &NetworkState) -> Result<Plan> {
    let mut plan = Plan::empty(context);
    remove_in_reverse(context, &context.snapshot(), earlier.items.clone(), true, &mut plan)?;
    Ok(plan)
}

fn stored_items(context: &Context, host: &HostSnapshot, earlier: &NetworkState, is_there: bool) -> Result<Vec<Item>> {
    let mut items = earlier.items.clone();
    if is_there && earlier.incomplete {
        items.extend(half_added(context, host, earlier.items.iter())?.into_iter().map(Item::Address));
    }
    Ok(items)
}

/// The items that the spec names. How the host was before cannot be known, so that some of them stay.
fn items_without_state(
    context: &Context,
    host: &HostSnapshot,
    spec: &NetworkSpec,
    plan: &mut Plan,
) -> Result<Vec<Item>> {
    let mut known = Vec::new();
    for item in wanted(spec, true) {
        match item {
            Item::Value { .. } => (),
            Item::Drop { .. } | Item::Forwarding { .. } => {
                if is_present(context, host, &item)? && !context.is_claimed_by_others(&item) {
                    plan.remarks.push(Remark::NoRecord(Step::make(item)));
                }
            }
            item => known.push(item),
        }
    }
    keep_reachable(context, host, spec, &mut known)?;
    Ok(known)
}

/// Keeps the host reachable if the bridge has addresses that the spec does not name, or by which the next hop of a route is reached:
/// `up` may have moved them there from a port. They go back to the only port that leads to the outside. If there is not exactly one,
/// they stay, and no port is released.
fn keep_reachable(context: &Context, host: &HostSnapshot, spec: &NetworkSpec, items: &mut Vec<Item>) -> Result<()> {
    let is_uplink = |port: &InterfaceName| is_uplink(context.kernel, port.as_ref());
    // it was on before `up`, as far as anybody knows
    items.retain(|item| !matches!(item, Item::Up(link) if is_uplink(link)));
    let bridge = host.bridge(context.bridge.as_ref())?;
    let uplinks: Vec<&Port> = bridge.iter().flat_map(|bridge| bridge.uplinks()).collect();
    let mut config = IpConfig::read_movable(context.kernel, &context.bridge);
    let leads_out = |net: &IpNet| {
        !uplinks.is_empty() && config.routes.iter().any(|route| route.gateway.is_some_and(|hop| net.contains(&hop)))
    };
    let is_kept = |net: &IpNet| !spec.addresses.contains(net) || leads_out(net);
    let kept: Vec<OwnAddress> = config.addresses.iter().filter(|address| is_kept(&address.net)).cloned().collect();
    config.addresses = kept;
    if !has_own_address(&config) {
        return Ok(());
    }
    let own = |port: &&InterfaceName| matches!(uplinks.as_slice(), [only] if *only.name == *port.as_str());
    let Some(port) = spec.ports.iter().find(own) else {
        items.retain(|item| match item {
            Item::Port(_) => false,
            Item::Up(link) => *link == context.bridge,
            Item::Address(net) => !config.has_address(*net),
            _ => true,
        });
        return Ok(());
    };
    // what cannot be moved would be lost
    IpConfig::read(context.kernel, &context.bridge).map_err(Cause::Config)?;
    for address in &mut config.addresses {
        // `:1` was the next free label on the bridge
        if address.alias.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
            address.alias.clear();
        }
    }
    let moved = Item::Moved { from: port.clone(), to: context.bridge.clone(), config: Box::new(config) };
    let last_up = items.iter().rposition(|item| matches!(item, Item::Up(_)));
    items.insert(last_up.map_or(items.len(), |place| place + 1), moved);
    Ok(())
}

/// Leaves a bridge that has addresses of others, and names their ports.
fn spare_others(context: &Context, host: &HostSnapshot, items: &mut Vec<Item>, plan: &mut Plan) -> Result<()> {
    let foreign = foreign_addresses(context, host, items)?;
    if !foreign.is_empty() {
        plan.remarks.push(Remark::ForeignAddresses(foreign));
        items.retain(|item| *item != Item::Bridge && *item != Item::Up(context.bridge.clone()));
    }
    let ports = context.kernel.ports(context.bridge.as_bytes(), Source::Sysfs).unwrap_or_default();
    let ports = ports.iter().map(|port| port.to_string_lossy().into_owned());
    let is_own = |port: &String| {
        items.iter().any(|item| matches!(item, Item::Port(own) | Item::Tunnel(own) if own.as_str() == port))
    };
    let foreign: Vec<String> = ports.filter(|port| !is_own(port)).collect();
    if !foreign.is_empty() {
        let goes = items.contains(&Item::Bridge);
        plan.remarks.push(if goes { Remark::PortsReleased(foreign) } else { Remark::PortsLeft(foreign) });
    }
    Ok(())
}

/// Addresses of the bridge that are neither the network's nor made by the kernel itself.
fn foreign_addresses(context: &Context, host: &HostSnapshot, items: &[Item]) -> Result<Vec<IpNet>> {
    let is_by_hand = |address: &Address| {
        address.scope != Scope::LINK
            && address.has_flag(libc::IFA_F_PERMANENT)
            && !address.has_flag(libc::IFA_F_SECONDARY)
    };
    // without /proc a network goes all the same
    let v6 = host.addresses_on(context.bridge.as_ref(), Family::V6).unwrap_or_default().into_iter().filter(is_by_hand);
    let nets = addresses_v4(context, host)?.into_iter().chain(v6).map(|address| address.net);
    let is_own = |net: IpNet| {
        items.iter().any(|item| match item {
            Item::Address(own) => *own == net,
            Item::Moved { to, config, .. } => *to == context.bridge && config.has_address(net),
            _ => false,
        })
    };
    Ok(nets.filter(|&net| !is_own(net)).collect())
}

/// Adds the steps that remove the items, the last one first. What goes with the bridge needs no step of its own.
fn remove_in_reverse(
    context: &Context,
    host: &HostSnapshot,
    items: Vec<Item>,
    is_there: bool,
    plan: &mut Plan,
) -> Result<()> {
    let bridge_up = Item::Up(context.bridge.clone());
    let goes = is_there && items.contains(&Item::Bridge);
    let mut firewall = None;
    for item in items.into_iter().rev() {
        match &item {
            Item::Firewall(_) => firewall = Some(item),
            // what the kernel gave a new bridge is not known, and need not come back
            Item::Value { value: Value::Mac, from: 0, .. } => (),
            Item::Bridge if goes => {
                if is_present(context, host, &bridge_up)? {
                    plan.steps.push(Step::remove(bridge_up.clone()));
                }
                plan.steps.push(Step::remove(item));
            }
            item if goes && (item.goes_with_bridge() || *item == bridge_up) => (),
            item if !is_there && item.needs_bridge(&context.bridge) => (),
            _ if item.is_shared() && context.is_claimed_by_others(&item) => (),
            // where it is not known whether the item is there, the step finds out
            _ if matches!(context.is_in(host, &item), Ok(false)) => (),
            _ => plan.steps.push(Step::remove(item)),
        }
    }
    plan.steps.extend(firewall.map(Step::make));
    release_before_moving(&mut plan.steps);
    Ok(())
}

/// Puts the release of a port before the step that gives it its addresses back: answers to its ARP requests would go to the bridge.
pub fn release_before_moving(steps: &mut [Step]) {
    let is_moved = |step: &Step| matches!(step.item, Item::Moved { .. });
    let Some(moved) = steps.iter().position(is_moved) else { return };
    let Item::Moved { from, .. } = &steps[moved].item else { return };
    let port = Item::Port(from.clone());
    if let Some(released) = steps.iter().position(|step| step.item == port).filter(|&released| released > moved) {
        steps[moved..=released].rotate_right(1);
    }
}
