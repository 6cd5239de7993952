//! `network-bridge start`.

use std::thread::sleep;
use std::time::Duration;

use super::guard::{Guard, context};
use super::interface_settings::InterfaceSettings;
use super::items;
use super::settings::Settings;
use super::undo::{card, undo};
use super::words::NAME;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::firewall::chain::Policy;
use crate::kernel::{Kernel, flag};
use crate::net::InterfaceName;
use crate::network::context::{Cause, Context};
use crate::network::ip_config::IpConfig;
use crate::network::item::{Item, Value};
use crate::network::plan::Plan;
use crate::network::state::NetworkState;
use crate::network::step::Step;
use crate::xen::engine::{Work, complaint, locked, stored};

/// Seconds that a card has to negotiate its link, as in the original.
const NEGOTIATION: u32 = 10;

/// Checks everything; then puts the card on a bridge, which gets its addresses and routes. If that fails, everything is undone.
pub(super) fn start(call: &mut Call, settings: &Settings) -> Outcome {
    let kernel = call.kernel;
    let context = context(call, settings.bridge.clone())?;
    let _lock = locked(NAME, &context)?;
    let mut earlier = stored(NAME, &context)?;
    if let Some(state) = earlier.take_if(|state| state.incomplete || !is_whole(&context, state)) {
        undo(&context, &state)?;
    }
    context.set_backend(earlier.as_ref().and_then(|earlier| earlier.backend).or(settings.backend));
    let wanted = match &earlier {
        Some(earlier) => earlier.items.clone(),
        // as in the original: something else has made it
        None if has_link(kernel, &settings.pdev)? => return Ok(()),
        None => {
            check(kernel, settings)?;
            let config =
                IpConfig::read(kernel, &settings.netdev).map_err(|error| complaint(NAME, &error.to_string()))?;
            warn_of_tables(call, settings);
            let wanted = items::wanted(kernel, settings, config);
            wanted.map_err(|errno| complaint(NAME, &format!("{}: {}", settings.netdev, errno_text(errno))))?
        }
    };
    let items = with_antispoof(&context, settings, wanted)?;
    let mut steps = Vec::new();
    for item in &items {
        let is_there = match earlier {
            Some(_) => context.is_there(item).map_err(|cause| complaint(NAME, &format!("{item}: {cause}")))?,
            None => false,
        };
        if !is_there {
            // where the kernel refuses, the bridge has the address of its port
            let is_optional = matches!(item, Item::Value { value: Value::Mac, .. });
            steps.push(Step { is_optional, ..Step::make(item.clone()) });
        }
    }
    let has_rules = items.iter().any(Item::is_of_firewall);
    let backend = match has_rules {
        true => Some(context.firewall().map_err(|cause| complaint(NAME, &cause.to_string()))?.choice().kind),
        false => None,
    };
    let state = NetworkState { items, backend, ..NetworkState::empty(context.bridge.clone()) };
    let plan = Plan { steps, adopted: Vec::new(), state, remarks: Vec::new(), host_id: None };
    let was_running = is_running(kernel, &settings.netdev);
    // only the first start: what was set since is the administrator's
    let card = InterfaceSettings::read(kernel, &settings.netdev);
    let give = |item: &Item| match item {
        Item::Moved { to, .. } if earlier.is_none() => card.put(kernel, to),
        _ => (),
    };
    carry_out(&context, &plan, earlier.as_ref(), &|| plan.state.items.iter().for_each(give))?;
    if was_running {
        wait_for_link(call, &settings.pdev);
    }
    Ok(())
}

/// Carries a plan out, then `last`, or undoes it.
pub(super) fn carry_out(context: &Context, plan: &Plan, earlier: Option<&NetworkState>, last: &dyn Fn()) -> Outcome {
    if plan.is_idle() && earlier.is_none_or(|earlier| *earlier == plan.state) {
        return Ok(());
    }
    let guard = Guard::start(&context.bridge);
    let step_failed = |step: &Step, cause: &Cause| step_failed(context, step, cause);
    let work = Work { script: NAME, context, plan, earlier, step_failed: &step_failed };
    let outcome = work.carry_out(&|| {
        last();
        Ok(())
    });
    guard.dismiss();
    outcome
}

fn step_failed(context: &Context, step: &Step, cause: &Cause) -> Failure {
    let command = context.command(step);
    match cause {
        Cause::Config(error) => complaint(NAME, &error.to_string()),
        cause => complaint(NAME, &format!("{command}: {cause}")),
    }
}

/// Whether the card and the bridge are as they were when a call stored them.
fn is_whole(context: &Context, state: &NetworkState) -> bool {
    let is_kept = |item: &Item| match item {
        Item::Bridge | Item::Renamed(_) => matches!(context.is_there(item), Ok(true)),
        _ => true,
    };
    card(state).is_some() && state.items.iter().all(is_kept)
}

/// Checks that the card can be put on a bridge.
fn check(kernel: &Kernel, settings: &Settings) -> Outcome {
    let Settings { netdev, bridge, pdev, netloop, .. } = settings;
    let refuse = |text: String| Err(complaint(NAME, &text));
    if !has_link(kernel, netdev)? {
        return refuse(format!("{netdev}: there is no such interface; name the network card by netdev="));
    }
    if bridge == pdev {
        return refuse(format!(
            "bridge=\"{bridge}\": the card gets this name; give the bridge or the card another one"
        ));
    }
    if kernel.is_bridge(netdev.as_bytes()) {
        return refuse(format!(
            "{netdev} is a bridge already: attach guests to it, and set (network-script network-dummy)"
        ));
    }
    if let Some(other) = kernel.bridge_of(netdev.as_bytes()) {
        let other = other.display();
        return refuse(format!(
            "{netdev} is a port of {other}: attach guests to that, and set (network-script network-dummy)"
        ));
    }
    let link =
        kernel.link(netdev.as_bytes()).map_err(|errno| complaint(NAME, &format!("{netdev}: {}", errno_text(errno))))?;
    if link.hw_type != libc::ARPHRD_ETHER {
        return refuse(format!(
            "{netdev} is no Ethernet interface, and cannot be on a bridge; name another one by netdev="
        ));
    }
    if let Some(bond) = link.master {
        return refuse(format!("{netdev} belongs to {}: netdev={}", bond.display(), bond.display()));
    }
    let taken = [bridge, pdev].into_iter().filter(|name| *name != netdev || netloop.is_some() && *name == bridge);
    for name in taken {
        if has_link(kernel, name)? {
            return refuse(format!("{name} is there already; give another name by bridge= or pdev="));
        }
    }
    Ok(())
}

fn has_link(kernel: &Kernel, name: &InterfaceName) -> Result<bool, Failure> {
    kernel.has_link(name.as_bytes()).map_err(|errno| complaint(NAME, &format!("{name}: {}", errno_text(errno))))
}

/// Says that routes in other tables are lost, which no file shows.
fn warn_of_tables(call: &mut Call, settings: &Settings) {
    if call.kernel.routes_v4().is_ok_and(|routes| routes.has_others()) {
        let text = "routes in tables besides main are not moved; add them again: ip route add ... table NUMBER";
        let _ = call.err.write_all(&line!(NAME, ": warning: ", settings.netdev.as_str(), ": ", text));
    }
}

/// Adds the rules for `antispoof=yes`: what is forwarded is dropped, unless it comes from the card, until vif-bridge lets each guest's
/// own address through.
fn with_antispoof(context: &Context, settings: &Settings, mut items: Vec<Item>) -> Result<Vec<Item>, Failure> {
    let is_there = items.iter().any(|item| matches!(item, Item::Drop { .. }));
    if !settings.antispoof || is_there {
        return Ok(items);
    }
    let failed = |cause: Cause| complaint(NAME, &format!("antispoof=yes: {cause}"));
    let before = context.forward_policy().map_err(failed)?;
    let before = if before == Policy::Drop { Policy::Accept } else { before }.to_string();
    items.push(Item::AcceptPort(settings.pdev.clone()));
    items.extend(settings.netloop.iter().map(|netloop| Item::AcceptPort(netloop.port.clone())));
    items.push(Item::Drop { before });
    Ok(items)
}

fn is_running(kernel: &Kernel, link: &InterfaceName) -> bool {
    let running = flag::UP | flag::RUNNING;
    kernel.link_flags(link.as_bytes()).is_ok_and(|flags| flags & running == running)
}

/// Waits until the card's link is there again, if it had to be switched off.
fn wait_for_link(call: &mut Call, pdev: &InterfaceName) {
    call.kernel.settle(pdev.as_bytes());
    if is_running(call.kernel, pdev) {
        return;
    }
    let mut print = |text: &str| {
        let _ = call.out.write_all(text.as_bytes()).and_then(|()| call.out.flush());
    };
    print(&format!("Waiting for {pdev} to negotiate link."));
    for _ in 0..NEGOTIATION {
        sleep(Duration::from_secs(1));
        if is_running(call.kernel, pdev) {
            return print("\n");
        }
        print(".");
    }
    print("(link isnt in running state)\n");
}
