//! What is to be done: what is wanted, compared with what is there and with what an earlier call has made.

use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use super::complaint;
use super::network::Network;
use super::step::{Part, Record, Site, Step, Value};
use crate::error::{Failure, errno_text, line};
use crate::kernel::{Address, Ipv6Flags, scope};

/// What `up` or `down` will do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What is there because another network needs it, and is needed by this one from now on. Nothing is to be done, unless the
    /// other one takes it away at this moment.
    pub(super) adopted: Vec<Step>,
    /// What `up` has made then.
    pub(super) record: Record,
    /// What `down` leaves or releases that is not its own.
    pub(super) remarks: Vec<String>,
}

impl Plan {
    fn add(&mut self, part: Part) {
        self.steps.push(Step { part, on: true });
    }

    fn take_away(&mut self, part: Part) {
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
fn find_bridge(site: &Site) -> Result<bool, Failure> {
    let name = site.bridge.as_bytes();
    let refuse_for = |errno| refuse(site, &[&site.bridge, ": ", errno_text(errno)].concat());
    match site.kernel.has_link(name).map_err(refuse_for)? {
        false => Ok(false),
        true if site.has_bridge().map_err(refuse_for)? => Ok(true),
        true => Err(refuse(site, &[&site.bridge, " is not a bridge, and is left alone"].concat())),
    }
}

/// Whether a part is there.
fn look(site: &Site, part: &Part) -> Result<bool, Failure> {
    site.is_there(part).map_err(|cause| refuse(site, &cause))
}

fn refuse(site: &Site, text: &str) -> Failure {
    complaint(line!(site.network, ": ", text)).with_status(1)
}

/// The plan of `up`.
///
/// # Errors
/// What would stand in the way of a step. Nothing has been changed.
pub(super) fn up(site: &Site, network: &Network, earlier: Option<&Record>) -> Result<Plan, Failure> {
    if network.addresses.is_empty() {
        return Err(complaint(line!(
            network.name,
            ": no address: give the bridge one (--address 192.168.10.1/24), or a file /etc/brouter/NAME.conf"
        )));
    }
    let none = Record { bridge: site.bridge.clone(), ..Record::default() };
    let earlier = earlier.unwrap_or(&none);
    if earlier.bridge != site.bridge {
        return Err(refuse(site, &["is up with the bridge ", &earlier.bridge, ": brouter down it first"].concat()));
    }
    let nets = network.masqueraded()?;
    let is_there = find_bridge(site)?;
    check_links(site, network)?;
    if !nets.is_empty() || network.antispoof {
        site.iptables().map_err(|cause| refuse(site, &cause))?;
    }
    if let Some(command) = &network.firewall {
        site.firewall(command).map_err(|cause| refuse(site, &cause))?;
    }

    let is_own = !is_there || earlier.parts.contains(&Part::Bridge);
    let wanted = wanted(network, nets, is_own);
    let mut plan = Plan { record: Record { bridge: site.bridge.clone(), ..Record::default() }, ..Plan::default() };

    for part in earlier.parts.iter().rev() {
        let is_wanted = *part == Part::Bridge || wanted.iter().any(|wanted| wanted.is(part));
        let is_idle = matches!(part, Part::Firewall(_)) || part.is_shared() && site.is_claimed_by_others(part);
        if !is_wanted && !is_idle && is_there && look(site, part)? {
            plan.take_away(part.clone());
        }
    }
    if is_there && earlier.is_open {
        let half_done = half_done_addresses(site, earlier)?;
        half_done.into_iter().for_each(|net| plan.take_away(Part::Address(net)));
    }
    for part in wanted {
        let recorded = earlier.parts.iter().find(|recorded| recorded.is(&part));
        let is_new_bridges = !is_there && is_on_bridge(&part, site);
        let is_done = match &part {
            Part::Bridge => is_there,
            Part::Value(value, to, _) if !is_there => value_of_new(*value) == *to,
            Part::Firewall(_) => plan.steps.is_empty() && recorded.is_some() && !earlier.is_open,
            part => !is_new_bridges && look(site, part)? && !plan.steps.iter().any(|step| step.part == *part),
        };
        // what was there before the first call
        let part = match (part, recorded) {
            (Part::Value(value, to, _), _) => {
                let now = match is_there {
                    true => site.value(value).map_err(|errno| refuse(site, errno_text(errno)))?,
                    false => value_of_new(value),
                };
                let before = match recorded {
                    Some(Part::Value(_, _, before)) if is_there => *before,
                    _ => now,
                };
                if !is_done {
                    plan.add(Part::Value(value, to, now));
                }
                if !is_done || recorded.is_some() {
                    plan.record.parts.push(Part::Value(value, to, before));
                }
                continue;
            }
            (Part::Drop(_), Some(recorded)) => recorded.clone(),
            (Part::Drop(_), None) => {
                let now = site.policy().map_err(|cause| refuse(site, &cause))?;
                Part::Drop(if now == "DROP" { "ACCEPT".into() } else { now })
            }
            (part, _) => part,
        };
        if !is_done {
            plan.add(part.clone());
        } else if recorded.is_none() {
            if !part.is_shared() || !site.is_claimed_by_others(&part) {
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
pub(super) fn wanted(network: &Network, nets: Vec<ipnet::Ipv4Net>, is_own: bool) -> Vec<Part> {
    let mut parts = vec![Part::Bridge];
    let stp = network.stp.or(is_own.then_some(false));
    // without other ways for a frame nothing is to be waited for
    let delay = network.forward_delay.map(|delay| delay.0).or((is_own && stp == Some(false)).then_some(0));
    let values = [
        (Value::ForwardDelay, delay),
        (Value::Stp, stp.map(u64::from)),
        (Value::Mtu, network.mtu.map(|mtu| mtu as u64)),
    ];
    parts.extend(values.into_iter().filter_map(|(value, number)| Some(Part::Value(value, number?, 0))));
    for port in &network.ports {
        parts.extend([Part::Port(port.clone()), Part::Up(port.clone())]);
    }
    parts.extend(network.addresses.iter().map(|&net| Part::Address(net)));
    parts.push(Part::Up(network.bridge.clone()));
    let is_masqueraded = !nets.is_empty();
    parts.extend(nets.into_iter().map(Part::Masquerade));
    if let Some(outside) = network.outside.as_ref().filter(|_| network.antispoof) {
        parts.extend([Part::Accept(outside.clone()), Part::Drop(String::new())]);
    }
    let has = |is_right: fn(&IpNet) -> bool| network.addresses.iter().any(is_right);
    let is_routed = network.outside.is_some();
    if is_masqueraded || is_routed && has(|net| net.addr().is_ipv4()) {
        parts.push(Part::Forwarding { v6: false });
    }
    if is_routed && has(|net| net.addr().is_ipv6()) {
        parts.push(Part::Forwarding { v6: true });
    }
    parts.extend(network.firewall.clone().map(Part::Firewall));
    parts
}

fn is_on_bridge(part: &Part, site: &Site) -> bool {
    match part {
        Part::Bridge | Part::Value(..) | Part::Address(_) | Part::Port(_) => true,
        Part::Up(link) => *link == site.bridge,
        _ => false,
    }
}

/// The links besides the bridge are there, and the ports belong to no other.
fn check_links(site: &Site, network: &Network) -> Result<(), Failure> {
    for link in network.outside.iter().chain(&network.ports) {
        if !site.kernel.has_link(link.as_bytes()).map_err(|errno| refuse(site, errno_text(errno)))? {
            return Err(refuse(site, &["there is no interface ", link].concat()));
        }
    }
    for port in &network.ports {
        if let Some(other) = site.kernel.bridge_of(port.as_bytes()).filter(|other| *other != *site.bridge) {
            return Err(refuse(site, &[port, " is a port of ", &other.to_string_lossy()].concat()));
        }
    }
    Ok(())
}

/// The addresses of an unfinished call that have no prefix yet, or still their class's broadcast address.
fn half_done_addresses(site: &Site, earlier: &Record) -> Result<Vec<IpNet>, Failure> {
    let there = addresses_v4(site)?;
    let is_half_done = |address: &&Address| {
        earlier.parts.iter().any(|part| match part {
            Part::Address(net) => {
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
pub(super) fn down(site: &Site, network: &Network, earlier: Option<&Record>) -> Result<Plan, Failure> {
    let is_there = find_bridge(site)?;
    let mut plan = Plan::default();
    let mut parts = match earlier {
        Some(earlier) => {
            let half_done = if is_there && earlier.is_open { half_done_addresses(site, earlier)? } else { Vec::new() };
            let half_done = half_done.into_iter().map(Part::Address);
            earlier.parts.iter().cloned().chain(half_done).collect()
        }
        None if is_there => without_record(site, network, &mut plan)?,
        None => Vec::new(),
    };
    let mut goes = is_there && parts.contains(&Part::Bridge);
    if is_there {
        let foreign = foreign_addresses(site, &parts)?;
        if !foreign.is_empty() {
            goes = false;
            let those = foreign.iter().map(IpNet::to_string).collect::<Vec<_>>().join(" ");
            plan.remarks
                .push(["left: ", &site.bridge, ", for it has addresses that are not brouter's: ", &those].concat());
            parts.retain(|part| *part != Part::Bridge && *part != Part::Up(site.bridge.clone()));
        }
        let ports = site.kernel.ports(site.bridge.as_bytes()).unwrap_or_default();
        let is_foreign = |port: &String| !parts.contains(&Part::Port(port.clone()));
        let foreign = ports.iter().map(|port| port.to_string_lossy().into_owned()).filter(is_foreign);
        let foreign = foreign.collect::<Vec<_>>().join(" ");
        if !foreign.is_empty() {
            let verb = if goes { "released: " } else { "left: ports " };
            plan.remarks.push([verb, &foreign].concat());
        }
    }
    let is_up = || look(site, &Part::Up(site.bridge.clone()));
    let mut firewall = None;
    for part in parts.into_iter().rev() {
        let is_needed_by_others = || part.is_shared() && site.is_claimed_by_others(&part);
        match &part {
            Part::Firewall(_) => firewall = Some(part),
            Part::Bridge if goes => {
                if is_up()? {
                    plan.take_away(Part::Up(site.bridge.clone()));
                }
                plan.take_away(part);
            }
            Part::Up(link) if goes && *link == site.bridge => (),
            part if goes && part.goes_with_bridge() => (),
            part if !is_there && is_on_bridge(part, site) => (),
            // of what cannot be looked for the step will tell
            _ if site.is_there(&part) != Ok(false) && !is_needed_by_others() => plan.take_away(part),
            _ => (),
        }
    }
    if let Some(firewall) = firewall {
        plan.add(firewall);
    }
    Ok(plan)
}

/// What the options or the file speak of. How the host was before cannot be known.
fn without_record(site: &Site, network: &Network, plan: &mut Plan) -> Result<Vec<Part>, Failure> {
    let parts = wanted(network, network.masqueraded()?, true);
    let is_knowable = |part: &Part| !matches!(part, Part::Value(..) | Part::Drop(_) | Part::Forwarding { .. });
    for part in parts.iter().filter(|part| !is_knowable(part) && !matches!(part, Part::Value(..))) {
        if look(site, part)? && !site.is_claimed_by_others(part) {
            let command = Step { part: part.clone(), on: true }.command(&site.bridge);
            plan.remarks.push(["left, for there is no record of how it was before: ", &command].concat());
        }
    }
    Ok(parts.into_iter().filter(is_knowable).collect())
}

/// Addresses of the bridge that are neither ours nor made by the kernel itself.
fn foreign_addresses(site: &Site, parts: &[Part]) -> Result<Vec<IpNet>, Failure> {
    let bridge = site.bridge.as_bytes();
    let mut there = addresses_v4(site)?;
    let by_hand = |address: &Address| {
        address.link.as_bytes() == bridge
            && address.scope != scope::LINK
            && address.v6.has(Ipv6Flags::PERMANENT)
            && !address.v6.has(Ipv6Flags::SECONDARY)
    };
    there.extend(site.kernel.addresses_v6().into_iter().filter(by_hand));
    let nets = there.into_iter().map(|address| address.net);
    Ok(nets.filter(|&net| !parts.contains(&Part::Address(net))).collect())
}

fn addresses_v4(site: &Site) -> Result<Vec<Address>, Failure> {
    let there = site.kernel.addresses_v4_of(site.bridge.as_bytes());
    there.map_err(|errno| refuse(site, &["cannot list addresses: ", errno_text(errno)].concat()))
}
