//! `brouter offload`: who makes the checksums of packets to a guest.

use std::str::FromStr;

use argh::FromArgs;
use nix::errno::Errno;

use super::output::complaint;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{Kernel, LinkSetting};
use crate::net::InterfaceName;

/// Let packets to guests go without checksums (on), or make them here (off).
#[derive(FromArgs)]
pub(super) struct Options {
    /// on or off
    #[argh(positional)]
    state: OnOff,

    /// interfaces of guests, as this host sees them
    #[argh(positional)]
    interface: Vec<InterfaceName>,
}

struct OnOff(bool);

impl FromStr for OnOff {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(OnOff(true)),
            "off" => Ok(OnOff(false)),
            _ => Err("on or off is expected"),
        }
    }
}

/// `brouter offload`
pub(super) fn offload(call: &mut Call, options: &Options) -> Outcome {
    let kernel = call.kernel;
    let OnOff(on) = options.state;
    if options.interface.is_empty() {
        return Err(complaint(line!("offload: name an interface, such as vif1.0")));
    }
    let refused = |name: &InterfaceName, errno| {
        let cause = match errno {
            Errno::ENODEV => "there is no such interface",
            Errno::EOPNOTSUPP => "its driver cannot change that",
            Errno::EPERM => "only root changes interfaces: run as root, with CAP_NET_ADMIN",
            errno => errno_text(errno),
        };
        Failure::new(line!("brouter offload: ", name, ": ", cause))
    };
    let mut changed: Vec<&InterfaceName> = Vec::new();
    for name in &options.interface {
        match is_on(kernel, name) {
            Ok(is_on) if is_on == on => (),
            Err(Errno::EOPNOTSUPP) if !on => (),
            Ok(_) => changed.push(name),
            Err(errno) => return Err(refused(name, errno)),
        }
    }
    for (place, name) in changed.iter().enumerate() {
        let set = |name: &InterfaceName, on| kernel.set_link(name.as_bytes(), LinkSetting::TxChecksum(on));
        if let Err(errno) = set(name, on) {
            for other in &changed[..place] {
                let _ = set(other, !on);
            }
            return Err(refused(name, errno));
        }
    }
    Ok(())
}

/// Asks only about links that exist: for another name the kernel would run modprobe.
fn is_on(kernel: &Kernel, name: &InterfaceName) -> Result<bool, Errno> {
    if !kernel.has_link(name.as_bytes())? {
        return Err(Errno::ENODEV);
    }
    kernel.tx_checksum(name.as_bytes())
}
