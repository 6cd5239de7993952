//! Plans: the steps that bring the host to what a spec says, from what is there and what an earlier call has made. Nothing is
//! changed here.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use super::conflict;
use super::context::{Cause, Context};
use super::dropped::Forwarded;
use super::item::{Item, Value};
use super::opening::Opening;
use super::overlap;
use super::plan_error::{PlanError, Remark, Result};
use super::spec::{Mode, NetworkSpec};
use super::stable_mac::HostId;
use super::state::NetworkState;
use super::step::Step;
use super::wanted::{
    accept_ra, address_that_stays, has_own_address, in_order_of, isolate, isolates_ports, moved, wanted,
};
use crate::firewall::chain::{Policy, Table};
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::{Address, Source};
use crate::net::{Family, InterfaceName};

/// What a call will do.
#[derive(Debug)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Shared items that are there because another network needs them, and that this one needs from now on. There is nothing to
    /// do, unless the other one removes them at this moment.
    pub adopted: Vec<Step>,
    /// The state of the network once the steps have been carried out.
    pub state: NetworkState,
    /// What a removal leaves or releases that is not the network's own.
    pub remarks: Vec<Remark>,
    /// What the bridge's hardware address was derived from, to be kept once it has that address.
    pub host_id: Option<HostId>,
}

/// Plans to make a network.
///
/// # Errors
/// What would stand in the way of a step.
pub fn up(context: &Context, spec: &NetworkSpec, earlier: Option<&NetworkState>) -> Result<Plan> {
    let moved = moved(context, spec, earlier)?;
    let has_address = |item: &Item| matches!(item, Item::Moved { config, .. } if has_own_address(config));
    if spec.addresses.is_empty() && !moved.iter().any(has_address) {
        return Err(PlanError::NoAddress);
    }
    let none = NetworkState::empty(context.bridge.clone());
    let earlier = earlier.unwrap_or(&none);
    if earlier.bridge != context.bridge {
        return Err(PlanError::OtherBridge(earlier.bridge.clone()));
    }
    if let (Some(backend), Some(asked)) = (earlier.backend, spec.backend)
        && backend != asked
    {
        return Err(PlanError::OtherBackend(backend));
    }
    context.set_backend(earlier.backend.or(spec.backend));
    let host = context.snapshot();
    let is_there = find_bridge(context, &host)?;
    check_interfaces(context, &host, spec)?;
    let overlap = if spec.force { None } else { overlap::overlap(context, &host, spec) };
    let overlap = match overlap {
        Some(overlap) if spec.mode == Mode::Exact => return Err(PlanError::Overlap(overlap)),
        overlap => overlap,
    };
    conflict::check(context, spec, earlier).map_err(|conflict| PlanError::Conflict(Box::new(conflict)))?;
    require_tables(context, spec)?;
    if let Some(command) = &spec.firewall {
        context.firewall_command(command)?;
    }
    let is_own = !is_there || earlier.items.contains(&Item::Bridge);
    let with_defaults = is_own && (spec.mode == Mode::Exact || !is_there || earlier.incomplete);
    let (mac, host_id) = address_that_stays(context, spec, &moved, earlier, is_own, !is_there || earlier.incomplete);
    let items = wanted(&NetworkSpec { mac, ..spec.clone() }, with_defaults);
    let mut wanted = in_order_of(context.kernel.version(), items);
    let isolated = isolate(context, &host, spec, &moved, &mut wanted)?;
    let remark = (spec.isolate && !isolates_ports(context.kernel)).then_some(Remark::NotIsolated);
    let last_up = wanted.iter().rposition(|item| matches!(item, Item::Up(_))).map_or(wanted.len(), |place| place + 1);
    wanted.splice(last_up..last_up, moved.into_iter().chain(isolated));
    if let Some(place) = wanted.iter().position(|item| *item == Item::Forwarding { v6: true }) {
        wanted.splice(place..place, accept_ra(&host, spec));
    }
    let place =
        wanted.iter().position(|item| matches!(item, Item::AcceptRa(_) | Item::Forwarding { .. } | Item::Firewall(_)));
    let place = place.unwrap_or(wanted.len());
    wanted.splice(place..place, openings(context, &host, spec, earlier)?);
    let mut making = Making { context, host: &host, earlier, is_there, plan: Plan::empty(context) };
    making.plan.remarks = tunnel_remarks(context, &host, spec)?;
    making.drop_unwanted(spec, &wanted)?;
    if is_there && earlier.incomplete {
        for net in half_added(context, &host, earlier.items.iter().chain(&wanted))? {
            making.plan.steps.push(Step::remove(Item::Address(net)));
        }
    }
    making.plan.host_id = host_id;
    making.plan.remarks.extend(remark);
    making.plan.remarks.extend(overlap.map(Remark::Overlap));
    for item in wanted {
        making.add(item)?;
    }
    for step in making.plan.steps.iter_mut().filter(|_| spec.mac.is_none()) {
        step.is_optional = matches!(step.item, Item::Value { value: Value::Mac, .. });
    }
    making.plan.state.outside = spec.outside.clone();
    making.plan.set_backend(context)?;
    if spec.mode == Mode::Additive {
        // what was made first stays first
        let place = |item: &Item| earlier.items.iter().position(|other| other.is(item)).unwrap_or(usize::MAX);
        making.plan.state.items.sort_by_key(place);
    }
    Ok(making.plan)
}

/// Plans to set up the items of a script, which need no bridge.
///
/// # Errors
/// Those of [`up`].
pub fn set_up(context: &Context, items: Vec<Item>, earlier: Option<&NetworkState>) -> Result<Plan> {
    let none = NetworkState::empty(context.bridge.clone());
    let earlier = earlier.unwrap_or(&none);
    let host = context.snapshot();
    let mut making = Making { context, host: &host, earlier, is_there: true, plan: Plan::empty(context) };
    for item in items {
        making.add(item)?;
    }
    making.plan.set_backend(context)?;
    Ok(making.plan)
}

/// Checks that the firewall can hold what the spec needs.
fn require_tables(context: &Context, spec: &NetworkSpec) -> Result<()> {
    let published = |family| spec.publish.iter().any(|publication| publication.family() == family);
    let needs = [
        (Family::V4, Table::Nat, !spec.masquerade.is_empty() || published(Family::V4)),
        (Family::V6, Table::Nat, published(Family::V6)),
        (Family::V4, Table::Filter, spec.antispoof),
    ];
    if spec.backend.is_some() || needs.iter().any(|(.., is_needed)| *is_needed) {
        context.firewall()?;
    }
    for (family, table, _) in needs.into_iter().filter(|(.., is_needed)| *is_needed) {
        context.firewall()?.require(family, table).map_err(Cause::Firewall)?;
    }
    Ok(())
}

/// Returns the rules that let the network's packets pass chains that drop them: those of an earlier call that are there, and those
/// that are missing.
fn openings(context: &Context, host: &HostSnapshot, spec: &NetworkSpec, earlier: &NetworkState) -> Result<Vec<Item>> {
    // nothing is to be forwarded, and the firewall need not be known
    if spec.outside.is_none() && spec.publish.is_empty() {
        return Ok(Vec::new());
    }
    let forwarded = Forwarded {
        bridge: &spec.bridge,
        addresses: &spec.addresses,
        // what antispoof drops is to be dropped
        outside: spec.outside.as_ref().filter(|_| !spec.antispoof),
        publications: &spec.publish,
        // without an outside the network asks for nothing that others' programs decide about
        only_legacy: spec.outside.is_none() && context.has_kernel_backend(),
    };
    let mut openings = Vec::new();
    for flow in forwarded.flows() {
        let mut items: Vec<Item> = Vec::new();
        for item in &earlier.items {
            if matches!(item, Item::Open(opening) if opening.flow == flow) && is_present(context, host, item)? {
                items.push(item.clone());
            }
        }
        let mut places = Vec::new();
        for obstacle in forwarded.obstacles(host, &flow) {
            if obstacle.is_firewalld() {
                return Err(PlanError::Firewalld(spec.bridge.clone(), obstacle.by));
            }
            places.push(obstacle.place);
        }
        // the policy that antispoof is about to set
        if spec.antispoof && flow.family() == Family::V4 {
            places.push(context.firewall()?.forward_place());
        }
        for place in places {
            let item = Item::Open(Opening { place, flow: flow.clone() });
            if !items.contains(&item) {
                items.push(item);
            }
        }
        openings.extend(items);
    }
    Ok(openings)
}

impl Plan {
    pub(super) fn empty(context: &Context) -> Self {
        let state = NetworkState::empty(context.bridge.clone());
        Plan { steps: Vec::new(), adopted: Vec::new(), state, remarks: Vec::new(), host_id: None }
    }

    /// Notes what holds the firewall's rules, if there are some.
    fn set_backend(&mut self, context: &Context) -> Result<()> {
        if self.state.items.iter().any(Item::is_of_firewall) {
            self.state.backend = Some(context.firewall()?.choice().kind);
        }
        Ok(())
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.steps.is_empty() && self.adopted.is_empty()
    }
}

/// A plan to make a network, half way.
struct Making<'a, 'b> {
    context: &'a Context<'b>,
    host: &'a HostSnapshot<'b>,
    earlier: &'a NetworkState,
    /// Whether the bridge is there.
    is_there: bool,
    plan: Plan,
}

impl Making<'_, '_> {
    /// Removes what an earlier call made and the spec no longer says; or keeps it, as the mode of the spec says.
    fn drop_unwanted(&mut self, spec: &NetworkSpec, wanted: &[Item]) -> Result<()> {
        for item in self.earlier.items.iter().rev() {
            if *item == Item::Bridge || wanted.iter().any(|wanted| wanted.is(item)) {
                continue;
            }
            let is_replaced = matches!(item, Item::Masquerade(_)) && !spec.masquerade.is_empty();
            if spec.mode == Mode::Additive && !is_replaced {
                if self.is_there || !item.needs_bridge(&self.context.bridge) {
                    self.plan.state.items.insert(0, item.clone());
                }
                continue;
            }
            let is_idle = matches!(item, Item::Firewall(_))
                || item.is_shared() && self.context.is_claimed_by_others(item)
                || !self.is_there;
            if !is_idle && self.is_present(item)? {
                self.plan.steps.push(Step::remove(item.clone()));
            }
        }
        Ok(())
    }

    /// Adds the step that makes an item, if it is not there, and the item to the state, if it is the network's own.
    fn add(&mut self, item: Item) -> Result<()> {
        let stored = self.earlier.find(&item).cloned();
        let is_done = self.is_done(&item, stored.is_some())?;
        let item = match item {
            Item::Value { value, to, .. } => return self.add_value(value, to, is_done, stored),
            Item::Drop { .. } => match stored.clone() {
                Some(stored) => stored,
                None => Item::Drop { before: self.policy_before()? },
            },
            item => item,
        };
        if self.is_awaited(&item) {
            // only noted: the call that finds it makes the step
        } else if !is_done {
            self.plan.steps.push(Step::make(item.clone()));
        } else if stored.is_none() {
            if !item.is_shared() || !self.context.is_claimed_by_others(&item) {
                return Ok(());
            }
            self.plan.adopted.push(Step::make(item.clone()));
        }
        self.plan.state.items.push(item);
        Ok(())
    }

    /// Returns whether an item needs a tunnel that is not there yet.
    fn is_awaited(&self, item: &Item) -> bool {
        let (Item::Tunnel(link) | Item::Up(link)) = item else { return false };
        self.plan.remarks.iter().any(|remark| matches!(remark, Remark::Awaited(name) if name == link))
    }

    fn is_done(&self, item: &Item, is_stored: bool) -> Result<bool> {
        match item {
            Item::Bridge => Ok(self.is_there),
            // a port that is added may change it
            Item::Value { value: Value::Mtu, .. } if self.adds_port() => Ok(false),
            Item::Value { value, to, .. } if !self.is_there => Ok(value.of_new_bridge() == *to),
            // a DHCP client may have changed them since
            Item::Moved { .. } if is_stored && !self.earlier.incomplete => Ok(true),
            Item::Firewall(_) => Ok(self.plan.steps.is_empty() && is_stored && !self.earlier.incomplete),
            item if !self.is_there && item.needs_bridge(&self.context.bridge) => Ok(false),
            item => Ok(self.is_present(item)? && !self.plan.steps.iter().any(|step| step.item == *item)),
        }
    }

    fn adds_port(&self) -> bool {
        self.plan.steps.iter().any(|step| step.on && matches!(step.item, Item::Port(_) | Item::Tunnel(_)))
    }

    /// A value is stored with what it was before the first call.
    fn add_value(&mut self, value: Value, to: u64, is_done: bool, stored: Option<Item>) -> Result<()> {
        let now = if self.is_there { self.context.value(self.host, value)? } else { value.of_new_bridge() };
        if !is_done {
            self.plan.steps.push(Step::make(Item::Value { value, to, from: now }));
        }
        if !is_done || stored.is_some() {
            let from = match stored {
                Some(Item::Value { from, .. }) if self.is_there => from,
                _ => now,
            };
            self.plan.state.items.push(Item::Value { value, to, from });
        }
        Ok(())
    }

    fn policy_before(&self) -> Result<String> {
        let now = self.context.forward_policy()?;
        Ok(if now == Policy::Drop { Policy::Accept } else { now }.to_string())
    }

    fn is_present(&self, item: &Item) -> Result<bool> {
        is_present(self.context, self.host, item)
    }
}

pub(super) fn is_present(context: &Context, host: &HostSnapshot, item: &Item) -> Result<bool> {
    context.is_in(host, item).map_err(|cause| match item.rule(&context.bridge) {
        // what the firewall says names the rule
        Some(_) => PlanError::Other(cause),
        None => PlanError::Item(Box::new(item.clone()), cause),
    })
}

/// Reports whether the bridge is there.
pub(super) fn find_bridge(context: &Context, host: &HostSnapshot) -> Result<bool> {
    match host.bridge(context.bridge.as_ref())? {
        Some(_) => Ok(true),
        None if host.has_link(context.bridge.as_ref())? => Err(PlanError::NotABridge(context.bridge.clone())),
        None => Ok(false),
    }
}

/// Checks that the interfaces besides the bridge are there, and that the ports belong to no other bridge.
fn check_interfaces(context: &Context, host: &HostSnapshot, spec: &NetworkSpec) -> Result<()> {
    for name in spec.outside.iter().chain(&spec.ports) {
        if host.link_flags(name.as_ref())?.is_none() {
            return Err(PlanError::NoInterface(name.clone()));
        }
    }
    for port in spec.ports.iter().chain(&spec.tunnels) {
        let owner = context.kernel.bridge_of(port.as_bytes());
        if let Some(other) = owner.filter(|other| *other != *context.bridge.as_str()) {
            return Err(PlanError::PortOf(port.clone(), other.to_string_lossy().into_owned()));
        }
        if let Some(why) = no_port(context, host, port)? {
            return Err(PlanError::NotAPort(port.clone(), why));
        }
    }
    Ok(())
}

/// Returns why the kernel takes an interface for a port of no bridge (net/bridge/br_if.c, `br_add_if`). A tunnel may come later.
fn no_port(context: &Context, host: &HostSnapshot, port: &InterfaceName) -> Result<Option<&'static str>> {
    if host.link_flags(port.as_ref())?.is_none() {
        return Ok(None);
    }
    if host.bridge(port.as_ref())?.is_some() {
        return Ok(Some("it is a bridge"));
    }
    Ok(match context.kernel.link(port.as_bytes())?.hw_type {
        libc::ARPHRD_ETHER => None,
        libc::ARPHRD_LOOPBACK => Some("it leads nowhere but to this host"),
        _ => Some("it carries no Ethernet frames"),
    })
}

/// Returns which tunnels are not there yet, and which carry less than guests send: what the spec says, or else what the ports that
/// are there have. Guests that come later get the bridge's MTU, which follows the tunnel's.
fn tunnel_remarks(context: &Context, host: &HostSnapshot, spec: &NetworkSpec) -> Result<Vec<Remark>> {
    let mut remarks = Vec::new();
    for tunnel in &spec.tunnels {
        if host.link_flags(tunnel.as_ref())?.is_none() {
            remarks.push(Remark::Awaited(tunnel.clone()));
            continue;
        }
        let mtu = context.kernel.link_mtu(tunnel.as_bytes())?;
        let ports = context.kernel.ports(context.bridge.as_bytes(), Source::Sysfs).unwrap_or_default();
        let guests = ports.iter().filter(|port| !spec.tunnels.iter().any(|tunnel| **port == *tunnel.as_str()));
        let of_guests = guests.filter_map(|port| context.kernel.link_mtu(port.as_bytes()).ok()).max();
        if let Some(wide) = spec.mtu.or(of_guests).filter(|wide| *wide > mtu) {
            remarks.push(Remark::Narrow(tunnel.clone(), mtu, wide));
        }
    }
    Ok(remarks)
}

/// Addresses among these that an unfinished call has added without their prefix, or without removing the broadcast address that
/// the kernel derives from their class.
pub(super) fn half_added<'a>(
    context: &Context,
    host: &HostSnapshot,
    items: impl Iterator<Item = &'a Item>,
) -> Result<Vec<IpNet>> {
    let there = addresses_v4(context, host)?;
    let mut found: Vec<IpNet> = Vec::new();
    for item in items {
        let Item::Address(net) = item else { continue };
        let is_half_added = |address: &&Address| {
            address.net.addr() == net.addr() && (address.net != *net || address.broadcast.is_some())
        };
        for address in there.iter().filter(is_half_added) {
            if !found.contains(&address.net) {
                found.push(address.net);
            }
        }
    }
    Ok(found)
}

/// Returns the IPv4 addresses of the bridge.
pub(super) fn addresses_v4(context: &Context, host: &HostSnapshot) -> Result<Vec<Address>> {
    let there = host.addresses_on(context.bridge.as_ref(), Family::V4);
    there.map_err(|unreadable| PlanError::Addresses(unreadable.errno))
}
