//! `strict=yes`: the original as it was, for those who depend on it.

use ipnet::IpNet;
use nix::errno::Errno;

use super::settings::{SUSE_FIREWALL, Settings};
use super::{NAME, run_firewall};
use crate::brctl;
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::ip::prefix::{Family, Prefix};
use crate::ip::{self, address::change::Which};
use crate::net::ClockTime;

/// `start` in the original's order, and with its end at the first command that fails, with what has been done until then.
pub(super) fn start(call: &mut Call, settings: &Settings) -> Outcome {
    let (kernel, bridge) = (call.kernel, settings.bridge());
    if !kernel.is_bridge(bridge) {
        brctl::bridge::add(kernel, bridge)?;
        brctl::set::set_stp(kernel, bridge, false)?;
        brctl::set::set_forward_delay(kernel, bridge, ClockTime(0))?;
    }
    ip::link::set::set_up(kernel, bridge, true)?;
    ip::address::change::add_to(kernel, bridge, address_as_it_was(call.era, settings)?)?;
    if settings.antispoof {
        return Err(Failure::new(line!(NAME, ": antispoofing: command not found")).with_status(127));
    }
    firewall_as_it_was(call, settings)
}

/// `stop`, likewise.
pub(super) fn stop(call: &mut Call, settings: &Settings) -> Outcome {
    let (kernel, bridge) = (call.kernel, settings.bridge());
    if kernel.link_index(bridge).is_err() {
        return Ok(());
    }
    ip::link::set::set_up(kernel, bridge, false)?;
    ip::address::change::delete_from(kernel, bridge, &Which::just(address_as_it_was(call.era, settings)?))?;
    brctl::bridge::delete(kernel, bridge)?;
    firewall_as_it_was(call, settings)
}

/// `ip`'s own reading of bridgeip, and its complaint.
fn address_as_it_was(era: Era, settings: &Settings) -> Result<IpNet, Failure> {
    let text = settings.bridgeip.as_deref().unwrap_or_default();
    if text.is_empty() && era == Era::Of2006 {
        // to ss060323 a word without letters was short for `broadcast`, and the next one an address
        return Err(Failure::new(line!("Error: an inet address is expected rather than \"dev\".")));
    }
    match ip::prefix::prefix(era, text.as_bytes(), Family::Any)? {
        Prefix::Net { net, .. } => Ok(net),
        Prefix::All => Err(ip::refused(Errno::EOPNOTSUPP)),
    }
}

/// The original runs SUSE's firewall whether it is there or not.
fn firewall_as_it_was(call: &mut Call, settings: &Settings) -> Outcome {
    match (settings.firewall(call)?, &settings.firewall) {
        (None, None) => Err(Failure::new(line!(NAME, ": ", SUSE_FIREWALL, ": command not found")).with_status(127)),
        // whose failure the shell did not report
        (firewall, _) => run_firewall(call, firewall).map_err(|failure| Failure::silent(failure.status)),
    }
}
