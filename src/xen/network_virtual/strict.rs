//! `strict=yes`: the script's own commands, one after the other, for those who depend on it; and `status`, which is nothing else.
//!
//! The script ends at the first command that fails, with its status.

use super::report::run_firewall;
use super::settings::Settings;
use super::words::{NAME, SUSE_FIREWALL};
use crate::call::Call;
use crate::error::{Failure, Outcome, line};
use crate::xen::engine::run_command;

/// `start` in the original's order, and with its end: what has been done until then stays.
pub(super) fn start(call: &mut Call, settings: &Settings) -> Outcome {
    let bridge = settings.bridge.as_str();
    if !call.kernel.is_bridge(bridge.as_bytes()) {
        run(call, &["brctl", "addbr", bridge])?;
        run(call, &["brctl", "stp", bridge, "off"])?;
        run(call, &["brctl", "setfd", bridge, "0"])?;
    }
    run(call, &["ip", "link", "set", bridge, "up"])?;
    run(call, &["ip", "addr", "add", bridgeip(settings), "dev", bridge])?;
    if settings.antispoof {
        return Err(Failure::new(line!(NAME, ": antispoofing: command not found")).with_status(127));
    }
    firewall(call, settings)
}

/// `stop` in the original's order.
pub(super) fn stop(call: &mut Call, settings: &Settings) -> Outcome {
    let bridge = settings.bridge.as_str();
    if call.kernel.link_index(bridge.as_bytes()).is_err() {
        return Ok(());
    }
    run(call, &["ip", "link", "set", bridge, "down"])?;
    run(call, &["ip", "addr", "del", bridgeip(settings), "dev", bridge])?;
    run(call, &["brctl", "delbr", bridge])?;
    firewall(call, settings)
}

/// `status`: the outside interface, the bridge, and the routes.
pub(super) fn status(call: &mut Call, settings: &Settings) -> Outcome {
    let ruler = line!("=".repeat(60));
    print(call, &ruler);
    run(call, &["ip", "addr", "show", &settings.netdev])?;
    run(call, &["ip", "addr", "show", &settings.bridge])?;
    print(call, b" \n");
    run(call, &["brctl", "show", &settings.bridge])?;
    print(call, b" \n");
    run(call, &["ip", "route"])?;
    print(call, &ruler);
    Ok(())
}

fn bridgeip(settings: &Settings) -> &str {
    settings.bridgeip.as_deref().unwrap_or_default()
}

fn run(call: &mut Call, words: &[&str]) -> Outcome {
    run_command(call, NAME, words)
}

fn print(call: &mut Call, text: &[u8]) {
    // a failed write is ignored: the script's echo would not stop it either
    let _ = call.out.write_all(text);
}

/// The original runs SUSE's firewall whether it is installed or not.
fn firewall(call: &mut Call, settings: &Settings) -> Outcome {
    match (settings.firewall(call)?, &settings.firewall) {
        (None, None) => Err(Failure::new(line!(NAME, ": ", SUSE_FIREWALL, ": command not found")).with_status(127)),
        // whose failure the shell did not report
        (firewall, _) => run_firewall(call, firewall).map_err(|failure| Failure::silent(failure.status)),
    }
}
