//! Undoing what a call that was killed has left: a start goes back, a stop goes on. Either way the card has all it had.

use super::words::NAME;
use crate::error::{Failure, Outcome, io_text};
use crate::net::InterfaceName;
use crate::network::apply;
use crate::network::context::{Cause, Context};
use crate::network::ip_config::{ConfigError, IpConfig};
use crate::network::item::Item;
use crate::network::state::NetworkState;
use crate::network::step::Step;
use crate::xen::engine::complaint;

/// Gives the card back its name, its addresses and its routes, and removes the bridge. One step that fails does not keep the others
/// from being carried out.
///
/// # Errors
/// The card lacks something, or the record cannot be removed. The next call tries again.
pub(super) fn undo(context: &Context, state: &NetworkState) -> Outcome {
    context.set_backend(state.backend);
    for item in state.items.iter().rev() {
        // a step that fails leaves something, which is found below
        let _ = undo_item(context, item);
    }
    let Some((card, config)) = card(state) else { return forget(context) };
    let restored = match context.kernel.has_link(card.as_bytes()) {
        Ok(true) if config.is_empty() => Ok(()),
        Ok(true) => config.put(context.kernel, card),
        // it was removed from the machine
        _ => Ok(()),
    };
    let failed = |error: ConfigError| complaint(NAME, &format!("{error}: run network-bridge stop again"));
    restored.map_err(failed)?;
    forget(context)
}

fn undo_item(context: &Context, item: &Item) -> Result<(), Cause> {
    let kernel = context.kernel;
    match item {
        Item::Moved { from, to, config } => match kernel.has_link(from.as_bytes()) {
            Ok(true) => Ok(config.transfer(kernel, to, from)?),
            _ => Ok(()),
        },
        // what has the bridge's name may be the card
        Item::Up(link) if *link != context.bridge || !kernel.is_bridge(link.as_bytes()) => Ok(()),
        // it goes with the bridge
        Item::Value { .. } => Ok(()),
        item if context.is_there(item)? => context.perform(&Step::remove(item.clone())),
        _ => Ok(()),
    }
}

fn forget(context: &Context) -> Outcome {
    apply::forget(context, None).map_err(|error| no_record(&error))
}

/// What is said where the record cannot be removed.
pub(super) fn no_record(error: &std::io::Error) -> Failure {
    complaint(NAME, &format!("cannot remove the record under /run/brouter: {}", io_text(error)))
}

/// Returns the card's own name, and what it had.
pub(super) fn card(state: &NetworkState) -> Option<(&InterfaceName, &IpConfig)> {
    let (port, config) = state.items.iter().find_map(|item| match item {
        Item::Moved { from, config, .. } => Some((from, &**config)),
        _ => None,
    })?;
    let name = state.items.iter().find_map(|item| match item {
        Item::Renamed(renaming) if renaming.to == *port => Some(&renaming.from),
        _ => None,
    });
    Some((name?, config))
}
