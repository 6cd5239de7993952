//! `network-virtual (start|stop|status) {VAR=VAL}*`: the network of a Xen host, as Xen 3's script of that name made it.
//!
//! A bridge with an address of its own; guests are attached to it later by their hotplug script, and the host routes between
//! them and the world. Everything is done by the functions that `brctl` and `ip` call, in this process.
//!
//! The original is followed wherever it works, and in its order, except that the address goes on before the bridge comes up:
//! on a link that is up the kernel would first make the route of the address's class. Where the original is broken this is
//! better on purpose (`compat/original/DEVIATIONS.md`), unless `strict=yes` asks for the original.

mod settings;
mod start;
mod stop;
mod strict;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::script::Arguments;
use crate::brctl;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::{
    self,
    list::{Filter, Listing},
};
use crate::kernel::Kernel;
pub(crate) use settings::SUSE_FIREWALL;
use settings::Settings;

const NAME: &str = "network-virtual";

/// The variables that mean something.
const VARIABLES: [&str; 10] =
    ["command", "vifnum", "bridge", "netdev", "bridgeip", "brnet", "antispoof", "firewall", "masquerade", "strict"];

/// Runs `network-virtual`.
pub fn run(call: &mut Call) -> Outcome {
    let arguments = Arguments::parse(NAME, call.args, call.environment)?;
    let settings = Settings::read(&arguments);
    if !settings.strict {
        for name in arguments.unknown(&VARIABLES) {
            let _ = call.err.write_all(&line!(NAME, ": warning: unknown variable \"", name, "\" is ignored"));
        }
    }
    let command = arguments.command();
    match command.as_bytes() {
        b"start" | b"stop" if settings.bridge == "null" => Ok(()),
        b"start" if settings.strict => strict::start(call, &settings),
        b"start" => start::start(call, &settings),
        b"stop" if settings.strict => strict::stop(call, &settings),
        b"stop" => stop::stop(call, &settings),
        b"status" => status(call, &settings),
        other => Err(Failure::new(
            [line!("Unknown command: ", other), line!("Valid commands are: start, stop, status")].concat(),
        )),
    }
}

/// The state of the outside interface, of the bridge, and the routes: what the script's commands printed, one after the other.
fn status(call: &mut Call, settings: &Settings) -> Outcome {
    let ruler = line!("=".repeat(60));
    let options = ip::Options::of(call.era);
    let _ = call.out.write_all(&ruler);
    for device in [&settings.netdev, &settings.bridge] {
        let filter = Filter::of_device(device.as_bytes());
        let listed = ip::list::list(call.kernel, call.out, Listing::Addresses, &filter, options);
        // the next command's complaints come after this one's output
        let _ = call.out.flush();
        listed?;
    }
    let _ = call.out.write_all(b" \n");
    let shown = brctl::show::show_bridges(call, &[OsStr::new(&settings.bridge).into()]);
    let _ = call.out.flush();
    shown?;
    let _ = call.out.write_all(b" \n");
    ip::route::show::list(call.kernel, call.out, &ip::route::show::Filter::default(), options);
    let _ = call.out.write_all(&ruler);
    match call.kernel.unread() {
        None => Ok(()),
        Some((file, errno)) => Err(complaint(&["cannot read ", file, ": ", errno_text(errno)].concat())),
    }
}

/// An error of our own words.
fn complaint(text: &str) -> Failure {
    Failure::new(line!(NAME, ": ", text))
}

/// Whether the bridge is there.
///
/// # Errors
/// Where another interface has its name: in the words of `otherwise`.
fn find_bridge(kernel: &Kernel, bridge: &[u8], otherwise: &[u8]) -> Result<bool, Failure> {
    match kernel.link_index(bridge) {
        Ok(_) if kernel.is_bridge(bridge) => Ok(true),
        Ok(_) => Err(Failure::new(otherwise.to_vec())),
        Err(_) => Ok(false),
    }
}

fn run_firewall(call: &mut Call, firewall: Option<(PathBuf, Vec<String>)>) -> Outcome {
    let Some((program, args)) = firewall else { return Ok(()) };
    // its output comes after ours
    let _ = call.out.flush();
    crate::firewall::iptables::run(&program, &args).map_err(|(reason, status)| {
        Failure::new(line!(NAME, ": ", program.to_string_lossy().as_bytes(), ": ", reason)).with_status(status)
    })
}
