//! `network-virtual stop`.

use ipnet::Ipv4Net;
use nix::errno::Errno;

use super::settings::{Settings, check_name};
use super::{NAME, complaint, find_bridge, run_firewall};
use crate::brctl;
use crate::call::Call;
use crate::error::{Outcome, errno_text, line};
use crate::firewall::iptables::Iptables;
use crate::ip;
use crate::kernel::Kernel;
use crate::network::state::{Masquerade, StateDir};

/// Takes the bridge away with its address, whatever else is on it: ports are released.
pub(super) fn stop(call: &mut Call, settings: &Settings) -> Outcome {
    let kernel = call.kernel;
    check_name(&settings.bridge)?;
    let masqueraded = settings.masqueraded(settings.address()?)?;
    let firewall = settings.firewall(call)?;
    let no_bridge = line!(NAME, ": ", settings.bridge(), " is not a bridge, and is left alone");
    let is_there = find_bridge(kernel, settings.bridge(), &no_bridge)?;

    let records = StateDir::of(kernel, NAME)?;
    let kept = records.masquerade(&settings.bridge);
    if let Some(net) = kept.map(|kept| kept.net).or(masqueraded) {
        match Iptables::find((call.environment)("PATH")) {
            Ok(iptables) => close_the_way(kernel, &records, &iptables, settings, net, kept)?,
            Err(failure) if kept.is_some() => return Err(failure),
            // nothing was masqueraded, then
            Err(_) => (),
        }
    }
    if !is_there {
        return Ok(());
    }
    ip::link::set::set_up(kernel, settings.bridge(), false)?;
    brctl::bridge::delete(kernel, settings.bridge())?;
    records.end(&settings.bridge);
    run_firewall(call, firewall)
}

/// Removes the masquerading rule and puts forwarding back as it was, unless another masqueraded network needs it.
fn close_the_way(
    kernel: &Kernel,
    records: &StateDir,
    iptables: &Iptables,
    settings: &Settings,
    net: Ipv4Net,
    kept: Option<Masquerade>,
) -> Outcome {
    let bridge = &settings.bridge;
    iptables.unmasquerade(net, bridge);
    let Some(kept) = kept else { return Ok(()) };
    // without a lock it goes all the same
    let _turn = records.turn_to_go(kernel);
    let _lock = records.lock_shared(kernel);
    if !kept.forwarded_before {
        stop_forwarding(kernel, records, bridge)
            .map_err(|errno| complaint(&format!("cannot switch forwarding off: {}", errno_text(errno))))?;
    }
    records.forget_masquerade(bridge);
    Ok(())
}

/// Switches forwarding off, unless another masqueraded network needs it. For the holder of the lock.
pub(super) fn stop_forwarding(kernel: &Kernel, records: &StateDir, bridge: &str) -> Result<(), Errno> {
    let is_needed = !others(kernel, records, bridge).is_empty() || records.is_forwarding_needed(kernel);
    if is_needed { Ok(()) } else { kernel.set_forwards(false) }
}

/// The other masqueraded networks whose bridges are there.
pub(super) fn others(kernel: &Kernel, records: &StateDir, bridge: &str) -> Vec<Masquerade> {
    let others = records.other_masquerades(bridge).into_iter();
    others.filter(|(other, _)| kernel.is_bridge(other.as_bytes())).map(|(_, masquerade)| masquerade).collect()
}
