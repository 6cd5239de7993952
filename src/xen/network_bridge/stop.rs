//! `network-bridge stop`.

use super::guard::context;
use super::interface_settings::InterfaceSettings;
use super::items;
use super::settings::Settings;
use super::start::carry_out;
use super::undo::{card, no_record, undo};
use super::words::NAME;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text};
use crate::net::InterfaceName;
use crate::network::apply;
use crate::network::context::Context;
use crate::network::ip_config::IpConfig;
use crate::network::item::Item;
use crate::network::plan::Plan;
use crate::network::removal::release_before_moving;
use crate::network::state::NetworkState;
use crate::network::step::Step;
use crate::xen::engine::{complaint, locked, states, stored};
use crate::xen::script::Arguments;

/// Gives the card back its name, and what the bridge has now: addresses and routes that came since the start, too. If that fails, the
/// bridge stays as it is.
pub(super) fn stop(call: &mut Call, arguments: &Arguments) -> Outcome {
    let settings = Settings::read(call.kernel, arguments)?;
    let is_named = ["bridge", "netdev", "vifnum"].iter().any(|variable| arguments.value(variable).is_some());
    let bridge = match is_named {
        true => settings.bridge.clone(),
        false => only_one(call)?.unwrap_or_else(|| settings.bridge.clone()),
    };
    let context = context(call, bridge)?;
    let _lock = locked(NAME, &context)?;
    let mut is_own = true;
    let state = match stored(NAME, &context)? {
        Some(state) if state.items.is_empty() => return undo(&context, &state),
        Some(state) if card(&state).is_none() => {
            let text = format!("{} was not made by network-bridge: brouter down {}", context.bridge, context.network);
            return Err(complaint(NAME, &text));
        }
        Some(state) if state.incomplete => return undo(&context, &state),
        Some(state) => state,
        None => match found(call, &settings, &context)? {
            Some(state) => {
                is_own = false;
                state
            }
            None => return Ok(()),
        },
    };
    let state = with_present(&context, state)?;
    context.set_backend(state.backend);
    let mut steps = Vec::new();
    for item in state.items.iter().rev() {
        let is_there = context.is_there(item).map_err(|cause| complaint(NAME, &format!("{item}: {cause}")))?;
        // the card's neighbours on the bridge stay as they are
        let stays = matches!(item, Item::Up(link) if *link != context.bridge);
        if (is_there || matches!(item, Item::Moved { .. })) && !stays {
            steps.push(Step::remove(item.clone()));
        }
    }
    release_before_moving(&mut steps);
    let plan = Plan {
        steps,
        adopted: Vec::new(),
        state: NetworkState::empty(context.bridge.clone()),
        remarks: Vec::new(),
        host_id: None,
    };
    // a bridge of Xen's script never had the card's settings
    let moved = state.items.iter().find_map(|item| match item {
        Item::Moved { to, .. } if is_own => Some(InterfaceSettings::read(context.kernel, to)),
        _ => None,
    });
    let give_back = || {
        if let (Some(settings), Some((card, _))) = (&moved, card(&state)) {
            settings.put(context.kernel, card);
        }
    };
    carry_out(&context, &plan, Some(&state), &give_back)?;
    apply::forget(&context, Some(&state)).map_err(|error| no_record(&error))
}

/// Returns the bridge that network-bridge has made, if it is only one.
fn only_one(call: &Call) -> Result<Option<InterfaceName>, Failure> {
    let known = states(call, NAME)?.networks().into_iter().filter_map(|(_, stored)| stored.known());
    let mut own = known.filter(|state| card(state).is_some()).map(|state| state.bridge);
    Ok(own.next().filter(|_| own.next().is_none()))
}

/// Returns the state of a bridge without a record: Xen's script has made it, or the record was lost.
fn found(call: &Call, settings: &Settings, context: &Context) -> Result<Option<NetworkState>, Failure> {
    let bridge = call.kernel.bridge_of(settings.pdev.as_bytes());
    if bridge.is_none_or(|bridge| bridge != *context.bridge.as_str()) {
        return Ok(None);
    }
    let items = items::found(call.kernel, settings);
    let items = items.map_err(|errno| complaint(NAME, &format!("{}: {}", settings.pdev, errno_text(errno))))?;
    Ok(Some(NetworkState { items, ..NetworkState::empty(context.bridge.clone()) }))
}

/// Puts what has the addresses now in the place of what was moved at the start.
fn with_present(context: &Context, mut state: NetworkState) -> Result<NetworkState, Failure> {
    for item in &mut state.items {
        if let Item::Moved { to, config, .. } = item {
            let present = IpConfig::read(context.kernel, to);
            **config = present.map_err(|error| complaint(NAME, &error.to_string()))?;
        }
    }
    Ok(state)
}
