//! `network-virtual start`.

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::settings::{Settings, check_name};
use super::stop::{others, stop_forwarding};
use super::{NAME, complaint, find_bridge, run_firewall};
use crate::brctl;
use crate::call::Call;
use crate::error::{Outcome, errno_text, io_text, line};
use crate::firewall::iptables::Iptables;
use crate::ip::{self, address::change::Which};
use crate::kernel::{Kernel, flag};
use crate::net::ClockTime;
use crate::network::state::{Masquerade, StateDir, Work};

/// Everything is checked; then the network is made, or what is missing of it. If that fails, what this call made is taken away.
pub(super) fn start(call: &mut Call, settings: &Settings) -> Outcome {
    let kernel = call.kernel;
    check_name(&settings.bridge)?;
    let Some(address) = settings.address()? else {
        return Err(complaint(
            "bridgeip is not set: give the bridge an address with its prefix, bridgeip=192.168.10.1/24",
        ));
    };
    let masqueraded = settings.masqueraded(Some(address))?;
    let firewall = settings.firewall(call)?;
    let needs_iptables = masqueraded.is_some() || settings.antispoof;
    let iptables = needs_iptables.then(|| Iptables::find((call.environment)("PATH"))).transpose()?;
    let taken = line!("device ", settings.bridge(), " already exists; can't create bridge with the same name");
    // The kernel is asked only for what /sys has: asked for a name that it does not know, it runs modprobe.
    let is_there = kernel.is_in_sysfs(settings.bridge()) && find_bridge(kernel, settings.bridge(), &taken)?;

    let records = StateDir::of(kernel, NAME)?;
    let mut start = Start { kernel, settings, records, made: Made::default(), begun: None };
    let made =
        start.make_bridge(is_there, &taken).and_then(|()| start.bring_up(address)).and_then(|()| match &iptables {
            Some(iptables) => start.open_the_way(iptables, masqueraded),
            None => Ok(()),
        });
    if let Err(failure) = made {
        start.take_back(iptables.as_ref());
        return Err(failure);
    }
    run_firewall(call, firewall)
}

/// What a start has made so far.
#[derive(Default)]
struct Made {
    bridge: bool,
    address: Option<IpNet>,
    up: bool,
    rule: Option<Ipv4Net>,
    record: bool,
    forwarding: bool,
}

/// A start under way.
struct Start<'a> {
    kernel: &'a Kernel,
    settings: &'a Settings,
    records: StateDir,
    made: Made,
    /// What an earlier start, which was killed, has left half done.
    begun: Option<Work>,
}

impl Start<'_> {
    /// Makes the bridge without spanning tree and without forward delay: there is no other way for a frame, so that a guest's
    /// first packets need not wait. A bridge that is there stays as it is, but one that an earlier call only began is finished.
    fn make_bridge(&mut self, is_there: bool, taken: &[u8]) -> Outcome {
        let Start { kernel, settings, records, made, begun } = self;
        let bridge = settings.bridge();
        *begun = records.begun(&settings.bridge);
        if !is_there {
            records.begin(&settings.bridge, Work::Bridge);
            match add_bridge(kernel, bridge) {
                Ok(()) => made.bridge = true,
                Err(failure) => {
                    match begun {
                        Some(work) => records.begin(&settings.bridge, *work),
                        None => records.end(&settings.bridge),
                    }
                    // in a network namespace that has another /sys it may be there after all
                    if !find_bridge(kernel, bridge, taken)? {
                        return Err(failure);
                    }
                }
            }
        }
        // a bridge that is on was finished: by the administrator, after the start that was killed
        let is_down = || kernel.link_flags(bridge).is_ok_and(|flags| flags & flag::UP == 0);
        *begun = begun.filter(|work| !made.bridge && (*work == Work::Address || is_down()));
        if !made.bridge && *begun != Some(Work::Bridge) {
            return Ok(());
        }
        brctl::set::set_stp(kernel, bridge, false)?;
        brctl::set::set_forward_delay(kernel, bridge, ClockTime(0))
    }

    /// Gives the bridge its address, if it has it not yet, and switches it on.
    fn bring_up(&mut self, address: IpNet) -> Outcome {
        let Start { kernel, settings, records, made, begun } = self;
        let bridge = settings.bridge();
        if begun.is_some() && kernel.first_address_v4(bridge) == Some(address.addr()) {
            // it was put on, but perhaps not its prefix or its broadcast address
            let _ = kernel.delete_address_v4(bridge);
        }
        if made.bridge || !kernel.has_address(bridge, address).unwrap_or(false) {
            if !made.bridge && begun.is_none() {
                records.begin(&settings.bridge, Work::Address);
            }
            ip::address::change::add_to(kernel, bridge, address)?;
            made.address = Some(address);
        }
        if made.address.is_some() || begun.is_some() {
            records.end(&settings.bridge);
        }
        made.up = !made.bridge && kernel.link_flags(bridge).is_ok_and(|flags| flags & flag::UP == 0);
        ip::link::set::set_up(kernel, bridge, true)
    }

    /// Masquerades the network and switches forwarding on; keeps guests from each other's addresses.
    fn open_the_way(&mut self, iptables: &Iptables, masqueraded: Option<Ipv4Net>) -> Outcome {
        let Start { kernel, settings, records, made, .. } = self;
        let bridge = &settings.bridge;
        if let Some(net) = masqueraded {
            let kept = records.masquerade(bridge);
            // the network may have changed since the last start
            if let Some(old) = kept.filter(|kept| kept.net != net) {
                iptables.unmasquerade(old.net, bridge);
            }
            made.rule = iptables.masquerade(net, bridge)?.then_some(net);
            // another network may be about to switch forwarding off
            let _lock = records.lock_shared(kernel);
            let forwarded_before = forwarded_before(kernel, records, bridge);
            // even if it fails half way
            made.record = kept.is_none();
            records
                .keep_masquerade(bridge, &Masquerade { net, forwarded_before })
                .map_err(|error| complaint(&format!("cannot keep a record under /run/brouter: {}", io_text(&error))))?;
            if !kernel.forwards() {
                kernel
                    .set_forwards(true)
                    .map_err(|errno| complaint(&format!("cannot switch forwarding on: {}", errno_text(errno))))?;
                made.forwarding = true;
            }
        }
        match settings.antispoof {
            true => iptables.antispoof(&settings.netdev),
            false => Ok(()),
        }
    }

    /// Takes away what this start made. What fails here is left: there is an error to report already.
    fn take_back(&self, iptables: Option<&Iptables>) {
        let Start { kernel, settings, records, made, .. } = self;
        let bridge = settings.bridge();
        if made.forwarding {
            let _lock = records.lock_shared(kernel);
            let _ = stop_forwarding(kernel, records, &settings.bridge);
        }
        if let (Some(net), Some(iptables)) = (made.rule, iptables) {
            iptables.unmasquerade(net, &settings.bridge);
        }
        if made.record {
            records.forget_masquerade(&settings.bridge);
        }
        if made.up || made.bridge {
            let _ = kernel.set_link_up(bridge, false);
        }
        if made.bridge {
            let _ = kernel.delete_bridge(bridge);
        } else if let Some(address) = made.address {
            let _ = ip::address::change::delete_from(kernel, bridge, &Which::just(address));
        }
        records.end(&settings.bridge);
    }
}

/// As `brctl addbr`, but that a kernel without bridges gets a word of advice.
fn add_bridge(kernel: &Kernel, bridge: &[u8]) -> Outcome {
    match kernel.add_bridge(bridge) {
        Err(errno @ (Errno::ENOPKG | Errno::ENOTTY | Errno::ENOSYS | Errno::EOPNOTSUPP)) => Err(complaint(&format!(
            "this kernel has no bridges ({}): load the module with `modprobe bridge`, or build it with CONFIG_BRIDGE",
            errno_text(errno)
        ))),
        other => other.map_err(|errno| brctl::bridge::cannot_add(bridge, errno)),
    }
}

/// Whether the host forwarded before any network was masqueraded: what was kept tells, else the present state.
fn forwarded_before(kernel: &Kernel, records: &StateDir, bridge: &str) -> bool {
    let kept = records.masquerade(bridge).filter(|_| kernel.forwards());
    match kept {
        Some(kept) => kept.forwarded_before,
        None => {
            kernel.forwards()
                && others(kernel, records, bridge).iter().all(|other| other.forwarded_before)
                && !records.is_forwarding_needed(kernel)
        }
    }
}
