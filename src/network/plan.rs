//! What is to be done: what is wanted, compared with what is there and with what an earlier call has made.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use super::complaint;
use super::spec::NetworkSpec;
use super::step::{Context, Item, NetworkState, Step, Value};
use crate::error::{Failure, errno_text, line};
use crate::kernel::{Address, Ipv6Flags, Source, scope};

/// What `up` or `down` will do.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// What is there because another network needs it, and is needed by this one from now on. Nothing is to be done, unless the
    /// other one takes it away at this moment.
    pub(crate) adopted: Vec<Step>,
    /// What `up` has made then.
    pub(crate) record: NetworkState,
    /// What `down` leaves or releases that is not its own.
    pub(crate) remarks: Vec<String>,
}

impl Plan {
    fn add(&mut self, part: Item) {
        self.steps.push(Step { part, on: true });
    }

    fn take_away(&mut self, part: Item) {
        self.steps.push(Step { part, on: false });
    }
}

/// What the kernel gives a bridge that is new (net/bridge/br_device.c, `br_dev_setup`; the same since 2.6.16).
fn value_of_new(value: Value) -> u64 {
    match value {
        Value::Stp => 0,
        Value::ForwardDelay => 1500,
        Value::Mtu => 1500,
    }
}

/// Whether the bridge is there.
fn find_bridge(context: &Context) -> Result<bool, Failure> {
    let name = context.bridge.as_bytes();
    let refuse_for = |errno| refuse(context, &[&context.bridge, ": ", errno_text(errno)].concat());
    match context.kernel.has_link(name).map_err(refuse_for)? {
        false => Ok(false),
        true if context.has_bridge().map_err(refuse_for)? => Ok(true),
        true => Err(refuse(context, &[&context.bridge, " is not a bridge, and is left alone"].concat())),
    }
}

/// Whether a part is there.
fn look(context: &Context, part: &Item) -> Result<bool, Failure> {
    context.is_there(part).map_err(|cause| refuse(context, &cause))
}

fn refuse(context: &Context, text: &str) -> Failure {
    complaint(line!(context.network, ": ", text)).with_status(1)
}

/// The plan of `up`.
///
/// # Errors
/// What would stand in the way of a step. Nothing has been changed.
pub(crate) fn up(context: &Context, network: &NetworkSpec, earlier: Option<&NetworkState>) -> Result<Plan, Failure> {
    if network.addresses.is_empty() {
        return Err(complaint(line!(
            network.name,
            ": no address: give the bridge one (--address 192.168.10.1/24), or a file /etc/brouter/NAME.conf"
        )));
    }
    let none = NetworkState { bridge: context.bridge.clone(), ..NetworkState::default() };
    let earlier = earlier.unwrap_or(&none);
    if earlier.bridge != context.bridge {
        return Err(refuse(context, &["is up with the bridge ", &earlier.bridge, ": brouter down it first"].concat()));
    }
    let nets = network.masqueraded()?;
    let is_there = find_bridge(context)?;
    check_links(context, network)?;
    if !nets.is_empty() || network.antispoof {
        context.iptables().map_err(|cause| refuse(context, &cause))?;
    }
    if let Some(command) = &network.firewall {
        context.firewall(command).map_err(|cause| refuse(context, &cause))?;
    }

    let is_own = !is_there || earlier.parts.contains(&Item::Bridge);
    let wanted = wanted(network, nets, is_own);
    let mut plan =
        Plan { record: NetworkState { bridge: context.bridge.clone(), ..NetworkState::default() }, ..Plan::default() };

    for part in earlier.parts.iter().rev() {
        let is_wanted = *part == Item::Bridge || wanted.iter().any(|wanted| wanted.is(part));
        let is_idle = matches!(part, Item::Firewall(_)) || part.is_shared() && context.is_claimed_by_others(part);
        if !is_wanted && !is_idle && is_there && look(context, part)? {
            plan.take_away(part.clone());
        }
    }
    if is_there && earlier.is_open {
        let half_done = half_done_addresses(context, earlier)?;
        half_done.into_iter().for_each(|net| plan.take_away(Item::Address(net)));
    }
    for part in wanted {
        let recorded = earlier.parts.iter().find(|recorded| recorded.is(&part));
        let is_new_bridges = !is_there && is_on_bridge(&part, context);
        let is_done = match &part {
            Item::Bridge => is_there,
            Item::Value(value, to, _) if !is_there => value_of_new(*value) == *to,
            Item::Firewall(_) => plan.steps.is_empty() && recorded.is_some() && !earlier.is_open,
            part => !is_new_bridges && look(context, part)? && !plan.steps.iter().any(|step| step.part == *part),
        };
        // what was there before the first call
        let part = match (part, recorded) {
            (Item::Value(value, to, _), _) => {
                let now = match is_there {
                    true => context.value(value).map_err(|errno| refuse(context, errno_text(errno)))?,
                    false => value_of_new(value),
                };
                let before = match recorded {
                    Some(Item::Value(_, _, before)) if is_there => *before,
                    _ => now,
                };
                if !is_done {
                    plan.add(Item::Value(value, to, now));
                }
                if !is_done || recorded.is_some() {
                    plan.record.parts.push(Item::Value(value, to, before));
                }
                continue;
            }
            (Item::Drop(_), Some(recorded)) => recorded.clone(),
            (Item::Drop(_), None) => {
                let now = context.policy().map_err(|cause| refuse(context, &cause))?;
                Item::Drop(if now == "DROP" { "ACCEPT".into() } else { now })
            }
            (part, _) => part,
        };
        if !is_done {
            plan.add(part.clone());
        } else if recorded.is_none() {
            if !part.is_shared() || !context.is_claimed_by_others(&part) {
                continue;
            }
            plan.adopted.push(Step { part: part.clone(), on: true });
        }
        plan.record.parts.push(part);
    }
    Ok(plan)
}

/// The parts of a network, in the order in which they are made. The addresses come before the bridge is switched on: on a link
/// that is up the kernel would first make the route of the address's class.
pub(crate) fn wanted(network: &NetworkSpec, nets: Vec<ipnet::Ipv4Net>, is_own: bool) -> Vec<Item> {
    let mut parts = vec![Item::Bridge];
    let stp = network.stp.or(is_own.then_some(false));
    // without other ways for a frame nothing is to be waited for
    let delay = network.forward_delay.map(|delay| delay.0).or((is_own && stp == Some(false)).then_some(0));
    let values = [
        (Value::ForwardDelay, delay),
        (Value::Stp, stp.map(u64::from)),
        (Value::Mtu, network.mtu.map(|mtu| mtu as u64)),
    ];
    parts.extend(values.into_iter().filter_map(|(value, number)| Some(Item::Value(value, number?, 0))));
    for port in &network.ports {
        parts.extend([Item::Port(port.clone()), Item::Up(port.clone())]);
    }
    parts.extend(network.addresses.iter().map(|&net| Item::Address(net)));
    parts.push(Item::Up(network.bridge.clone()));
    let is_masqueraded = !nets.is_empty();
    parts.extend(nets.into_iter().map(Item::Masquerade));
    if let Some(outside) = network.outside.as_ref().filter(|_| network.antispoof) {
        parts.extend([Item::Accept(outside.clone()), Item::Drop(String::new())]);
    }
    let has = |is_right: fn(&IpNet) -> bool| network.addresses.iter().any(is_right);
    let is_routed = network.outside.is_some();
    if is_masqueraded || is_routed && has(|net| net.addr().is_ipv4()) {
        parts.push(Item::Forwarding { v6: false });
    }
    if is_routed && has(|net| net.addr().is_ipv6()) {
        parts.push(Item::Forwarding { v6: true });
    }
    parts.extend(network.firewall.clone().map(Item::Firewall));
    parts
}

fn is_on_bridge(part: &Item, context: &Context) -> bool {
    match part {
        Item::Bridge | Item::Value(..) | Item::Address(_) | Item::Port(_) => true,
        Item::Up(link) => *link == context.bridge,
        _ => false,
    }
}

/// The links besides the bridge are there, and the ports belong to no other.
fn check_links(context: &Context, network: &NetworkSpec) -> Result<(), Failure> {
    for link in network.outside.iter().chain(&network.ports) {
        if !context.kernel.has_link(link.as_bytes()).map_err(|errno| refuse(context, errno_text(errno)))? {
            return Err(refuse(context, &["there is no interface ", link].concat()));
        }
    }
    for port in &network.ports {
        if let Some(other) = context.kernel.bridge_of(port.as_bytes()).filter(|other| *other != *context.bridge) {
            return Err(refuse(context, &[port, " is a port of ", &other.to_string_lossy()].concat()));
        }
    }
    Ok(())
}

/// The addresses of an unfinished call that have no prefix yet, or still their class's broadcast address.
fn half_done_addresses(context: &Context, earlier: &NetworkState) -> Result<Vec<IpNet>, Failure> {
    let there = addresses_v4(context)?;
    let is_half_done = |address: &&Address| {
        earlier.parts.iter().any(|part| match part {
            Item::Address(net) => {
                net.addr() == address.net.addr() && (*net != address.net || address.broadcast.is_some())
            }
            _ => false,
        })
    };
    Ok(there.iter().filter(is_half_done).map(|address| address.net).collect())
}

/// The plan of `down`: what was made goes in reverse order, and nothing else. Without a record it is what the options or the file
/// speak of, as far as it is there.
///
/// # Errors
/// Where another link has the bridge's name.
pub(crate) fn down(context: &Context, network: &NetworkSpec, earlier: Option<&NetworkState>) -> Result<Plan, Failure> {
    let is_there = find_bridge(context)?;
    let mut plan = Plan::default();
    let mut parts = match earlier {
        Some(earlier) => {
            let half_done =
                if is_there && earlier.is_open { half_done_addresses(context, earlier)? } else { Vec::new() };
            let half_done = half_done.into_iter().map(Item::Address);
            earlier.parts.iter().cloned().chain(half_done).collect()
        }
        None if is_there => without_record(context, network, &mut plan)?,
        None => Vec::new(),
    };
    let mut goes = is_there && parts.contains(&Item::Bridge);
    if is_there {
        let foreign = foreign_addresses(context, &parts)?;
        if !foreign.is_empty() {
            goes = false;
            let those = foreign.iter().map(IpNet::to_string).collect::<Vec<_>>().join(" ");
            plan.remarks
                .push(["left: ", &context.bridge, ", for it has addresses that are not brouter's: ", &those].concat());
            parts.retain(|part| *part != Item::Bridge && *part != Item::Up(context.bridge.clone()));
        }
        let ports = context.kernel.ports(context.bridge.as_bytes(), Source::Sysfs).unwrap_or_default();
        let is_foreign = |port: &String| !parts.contains(&Item::Port(port.clone()));
        let foreign = ports.iter().map(|port| port.to_string_lossy().into_owned()).filter(is_foreign);
        let foreign = foreign.collect::<Vec<_>>().join(" ");
        if !foreign.is_empty() {
            let verb = if goes { "released: " } else { "left: ports " };
            plan.remarks.push([verb, &foreign].concat());
        }
    }
    let is_up = || look(context, &Item::Up(context.bridge.clone()));
    let mut firewall = None;
    for part in parts.into_iter().rev() {
        let is_needed_by_others = || part.is_shared() && context.is_claimed_by_others(&part);
        match &part {
            Item::Firewall(_) => firewall = Some(part),
            Item::Bridge if goes => {
                if is_up()? {
                    plan.take_away(Item::Up(context.bridge.clone()));
                }
                plan.take_away(part);
            }
            Item::Up(link) if goes && *link == context.bridge => (),
            part if goes && part.goes_with_bridge() => (),
            part if !is_there && is_on_bridge(part, context) => (),
            // of what cannot be looked for the step will tell
            _ if context.is_there(&part) != Ok(false) && !is_needed_by_others() => plan.take_away(part),
            _ => (),
        }
    }
    if let Some(firewall) = firewall {
        plan.add(firewall);
    }
    Ok(plan)
}

/// What the options or the file speak of. How the host was before cannot be known.
fn without_record(context: &Context, network: &NetworkSpec, plan: &mut Plan) -> Result<Vec<Item>, Failure> {
    let parts = wanted(network, network.masqueraded()?, true);
    let is_knowable = |part: &Item| !matches!(part, Item::Value(..) | Item::Drop(_) | Item::Forwarding { .. });
    for part in parts.iter().filter(|part| !is_knowable(part) && !matches!(part, Item::Value(..))) {
        if look(context, part)? && !context.is_claimed_by_others(part) {
            let command = Step { part: part.clone(), on: true }.command(&context.bridge);
            plan.remarks.push(["left, for there is no record of how it was before: ", &command].concat());
        }
    }
    Ok(parts.into_iter().filter(is_knowable).collect())
}

/// Addresses of the bridge that are neither ours nor made by the kernel itself.
fn foreign_addresses(context: &Context, parts: &[Item]) -> Result<Vec<IpNet>, Failure> {
    let bridge = context.bridge.as_bytes();
    let mut there = addresses_v4(context)?;
    let by_hand = |address: &Address| {
        address.link.as_bytes() == bridge
            && address.scope != scope::LINK
            && address.v6.has(Ipv6Flags::PERMANENT)
            && !address.v6.has(Ipv6Flags::SECONDARY)
    };
    there.extend(context.kernel.addresses_v6().unwrap_or_default().into_iter().filter(by_hand));
    let nets = there.into_iter().map(|address| address.net);
    Ok(nets.filter(|&net| !parts.contains(&Item::Address(net))).collect())
}

fn addresses_v4(context: &Context) -> Result<Vec<Address>, Failure> {
    let there = context.kernel.addresses_v4_of(context.bridge.as_bytes());
    there.map_err(|errno| refuse(context, &["cannot list addresses: ", errno_text(errno)].concat()))
}
