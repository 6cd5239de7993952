//! `vif-bridge (online|offline|add|remove) {VAR=VAL}*`: a guest's interface becomes a port of a bridge, and is one no longer.
//!
//! Xen's udev rules (Xen 3) or its toolstack (libxl) call it when a guest's interface appears and when it goes, and wait for the
//! key `hotplug-status` in xenstore. [`port`] does what is to be done to the interface, and undoes it; [`rules`] are those of the
//! firewall. Followed is the script of Xen 4.17; where that would leave half of its work, or leave the toolstack to wait until
//! it gives up, this is better on purpose (`compat/original/DEVIATIONS.md`).

mod keys;
mod port;
mod rules;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::thread::sleep;
use std::time::Duration;

use super::log::{self, Level};
use super::script::Arguments;
use crate::call::Call;
use crate::era::Era;
use crate::error::{Failure, Outcome, io_text, line};
use crate::kernel::{Kernel, Source};
use crate::lock::Lock;
use crate::net::fault_of_name;
use keys::{Keys, Owner};
use port::Port;
use rules::Rules;

const NAME: &str = "vif-bridge";

/// The variables that mean something, to this script or to others that get the same line.
const VARIABLES: [&str; 11] =
    ["command", "type_if", "vif", "INTERFACE", "XENBUS_PATH", "bridge", "ip", "antispoof", "wait", "netdev", "script"];

/// Seconds for which another call for the same interface is waited for.
const LOCK_PATIENCE: u32 = 10;

/// Runs `vif-bridge`. Whatever fails is told to the toolstack and noted in the log.
pub fn run(call: &mut Call) -> Outcome {
    let mut keys = Keys::new((call.environment)("XENBUS_PATH"), (call.environment)("XENSTORED_PATH"));
    match Arguments::parse(NAME, call.args, call.environment).and_then(|arguments| work(call, &arguments, &mut keys)) {
        Ok(()) => Ok(()),
        Err(failure) => {
            let failure = failure.in_era(call.era);
            let text = failure.text.trim_ascii_end();
            let text = text.strip_prefix(b"vif-bridge: ").unwrap_or(text);
            keys.report(text);
            // the scripts' standard error is that file
            let is_noted = log::error(call.kernel, NAME, text);
            Err(if is_noted { Failure::silent(1) } else { Failure::new(failure.text) })
        }
    }
}

/// What is to be done.
struct Wanted {
    /// A port is to be made, or unmade.
    is_up: bool,
    /// A device model's tap, or the interface of netback.
    is_tap: bool,
    /// The name that the interface was given by who made it.
    device: String,
    /// Seconds for which the interface is waited for.
    wait: u32,
    /// It is to ask and send nothing by itself, as with Xen 3.0.3 to 3.1.
    is_mute: bool,
}

/// How it is to be done.
struct Settings {
    /// The bridge, if one is named.
    bridge: Option<String>,
    /// The name that the interface is to have.
    vifname: Option<String>,
    /// None if the firewall is to be left alone.
    rules: Option<Rules>,
}

fn work(call: &Call, arguments: &Arguments, keys: &mut Keys) -> Outcome {
    let kernel = call.kernel;
    let Some(wanted) = Wanted::read(arguments, keys, call.era)? else { return Ok(()) };
    for name in arguments.unknown(&VARIABLES) {
        log::note(kernel, NAME, &[b"unknown variable \"", name.as_bytes(), b"\" is ignored"].concat());
    }
    // online and offline of the same interface may cross
    let lock = Lock::claim(kernel, &["vif-bridge.", &wanted.device].concat(), LOCK_PATIENCE);
    let _lock = lock.map_err(|error| {
        let reason = match error.kind() {
            ErrorKind::WouldBlock => "another call is at work on it".into(),
            _ => ["cannot make a lock under /var/run/xen-hotplug: ", &io_text(&error)].concat(),
        };
        Failure::new(line!(wanted.device, ": ", reason))
    })?;
    keys.open()?;
    let settings = Settings::read(call, arguments, keys, &wanted)?;
    let (name, bridge) = match wanted.is_up {
        true => plug(kernel, keys, &wanted, settings)?,
        false => unplug(kernel, keys, &wanted, settings)?,
    };
    let command = arguments.command();
    let command = command.as_bytes();
    let said = [b"Successful vif-bridge ", command, b" for ", name.as_bytes(), b", bridge ", bridge.as_bytes(), b"."];
    log::tell_syslog(NAME, Level::Debug, &said.concat());
    warn_of_hooks(kernel);
    Ok(())
}

impl Wanted {
    /// Nothing if the call is for interfaces of the other type. The path of the keys is set.
    fn read(arguments: &Arguments, keys: &mut Keys, era: Era) -> Result<Option<Self>, Failure> {
        if let Some(path) = arguments.value("XENBUS_PATH") {
            keys.path = Some(path);
        }
        let command = arguments.command();
        let (is_up, of_tap) = match command.as_bytes() {
            b"online" => (true, false),
            b"offline" => (false, false),
            b"add" => (true, true),
            b"remove" => (false, true),
            other => return Err(Failure::new(line!("Invalid command: ", other))),
        };
        let is_tap = match arguments.value("type_if").as_deref() {
            None | Some("vif") => false,
            Some("tap") => true,
            Some(other) => return Err(Failure::new(line!("unknown interface type ", other))),
        };
        if is_tap != of_tap {
            return Ok(None);
        }
        let variable = if is_tap { "INTERFACE" } else { "vif" };
        let device = arguments.value(variable).ok_or_else(|| Failure::new(line!(variable, " is not set")))?;
        check_name(variable, &device)?;
        if is_tap {
            keys.path = keys::backend_of_tap(&device).or(keys.path.take());
        } else if keys.path.is_none() {
            return Err(Failure::new(line!("XENBUS_PATH is not set")));
        }
        let wait = arguments.value("wait").and_then(|seconds| seconds.parse().ok()).unwrap_or(5);
        Ok(Some(Wanted { is_up, is_tap, device, wait, is_mute: era == Era::Of2006 }))
    }
}

impl Settings {
    /// An argument overrides the environment, and a key both, even if it is empty.
    fn read(call: &Call, arguments: &Arguments, keys: &mut Keys, wanted: &Wanted) -> Result<Self, Failure> {
        let bridge = keys.value("bridge")?.or_else(|| arguments.value("bridge")).filter(|name| !name.is_empty());
        let vifname = keys.value("vifname")?.filter(|name| !name.is_empty());
        let vifname = vifname.map(|name| if wanted.is_tap { name + "-emu" } else { name });
        let rules = match arguments.value("antispoof").as_deref() {
            Some("no") => None,
            _ => {
                let sources = keys.value("ip")?.or_else(|| arguments.value("ip"));
                Some(Rules { sources: sources.unwrap_or_default(), path: (call.environment)("PATH") })
            }
        };
        Ok(Settings { bridge, vifname, rules })
    }
}

/// `online`, `add`. Names of the port and of its bridge are returned.
fn plug(kernel: &Kernel, keys: &mut Keys, wanted: &Wanted, settings: Settings) -> Result<(String, String), Failure> {
    let Settings { bridge, vifname, rules } = settings;
    let bridge = find_bridge(kernel, bridge)?;
    let device = &wanted.device;
    let new_name = match vifname {
        Some(new_name) if &new_name != device => {
            check_name("vifname", &new_name)?;
            Some(new_name)
        }
        _ => None,
    };
    let is_there = |name: &str| kernel.link_index(name.as_bytes()).is_ok();
    // an earlier call may have given it its name
    let is_renamed = match &new_name {
        Some(name) => !is_there(device) && is_there(name) && keys.owner(kernel, name)? == Owner::Us,
        None => false,
    };
    let present = if is_renamed { new_name.as_ref().unwrap_or(device) } else { device };
    wait_for(wanted.wait, || is_there(present));
    if let Some(new_name) = new_name.as_ref().filter(|name| !is_renamed && is_there(name)) {
        let taken =
            line!("Cannot rename interface ", device, ". An interface with name ", new_name, " already exists.");
        return Err(Failure::new(taken));
    }
    let mtu = keys.value("mtu")?;
    let mut port = Port::find(kernel, present)?;
    let plugged = port.take_name(new_name).and_then(|()| port.prepare(&bridge, wanted.is_mute)).and_then(|()| {
        let mtu = port.set_mtu(mtu, &bridge);
        port.attach(&bridge)?;
        let rules = rules.map(|rules| rules.insert(kernel, port.name()));
        if wanted.is_tap {
            return Ok(());
        }
        let told = mtu.map_or(Ok(()), |mtu| keys.tell_frontend(&mtu));
        told.and_then(|()| keys.write("hotplug-status", "connected")).inspect_err(|_| {
            if let Some(inserted) = rules {
                inserted.remove(kernel, port.name());
            }
        })
    });
    match plugged {
        Ok(()) => Ok((port.name().into(), bridge)),
        Err(failure) => {
            port.put_back();
            Err(failure)
        }
    }
}

/// `offline`, `remove`. That the interface has gone already, or its bridge, is no error: netback may have been faster.
fn unplug(kernel: &Kernel, keys: &mut Keys, wanted: &Wanted, settings: Settings) -> Result<(String, String), Failure> {
    let is_there = |name: &str| kernel.link_index(name.as_bytes()).is_ok();
    let name = match settings.vifname {
        // as long as it has its own name, the other name is another's
        Some(name) if !is_there(&wanted.device) && keys.owner(kernel, &name)? != Owner::Another => name,
        _ => wanted.device.clone(),
    };
    let first_bridge = || find_bridge(kernel, None).ok();
    let own_bridge = || kernel.bridge_of(name.as_bytes()).map(|bridge| bridge.to_string_lossy().into_owned());
    let bridge = match settings.bridge {
        Some(named) => find_bridge(kernel, Some(named)).ok().or_else(own_bridge),
        // that of the first bridge may be another one by now
        None => own_bridge().or_else(first_bridge),
    };
    let bridge = bridge.unwrap_or_default();
    port::detach(kernel, &name, &bridge)?;
    if let Some(rules) = settings.rules {
        rules.remove(kernel, &name);
    }
    Ok((name, bridge))
}

/// The bridge that is meant: the first one if none is named. `xenbr0` stands for `eth0` where that is the bridge, as Xen's
/// network-bridge has made it since 3.2.
fn find_bridge(kernel: &Kernel, named: Option<String>) -> Result<String, Failure> {
    let is_there = |name: &str| kernel.link_index(name.as_bytes()).is_ok();
    let Some(name) = named else {
        let first = kernel.bridges(Source::Sysfs).unwrap_or_default().into_iter().next();
        let first = first.map(|bridge| bridge.to_string_lossy().into_owned());
        return first.ok_or_else(|| Failure::new(line!("Could not find bridge, and none was specified")));
    };
    if is_there(&name) {
        return Ok(name);
    }
    match name.strip_prefix("xenbr").map(|number| ["eth", number].concat()) {
        Some(eth) if kernel.is_bridge(eth.as_bytes()) => Ok(eth),
        _ => Err(Failure::new(line!("Could not find bridge device ", name))),
    }
}

/// A call may come before the kernel has made the interface.
fn wait_for(seconds: u32, is_there: impl Fn() -> bool) {
    const TURNS_A_SECOND: u32 = 100;
    for _ in 0..seconds.saturating_mul(TURNS_A_SECOND) {
        if is_there() {
            return;
        }
        sleep(Duration::from_secs(1) / TURNS_A_SECOND);
    }
}

fn check_name(variable: &str, name: &str) -> Outcome {
    match fault_of_name(name.as_bytes()) {
        Some(fault) => Err(Failure::new(line!(variable, "=\"", name, "\": ", fault))),
        None => Ok(()),
    }
}

/// The script reads hooks as parts of itself. Who has some must learn that they are not run.
fn warn_of_hooks(kernel: &Kernel) {
    const FOLDER: &str = "/etc/xen/scripts/vif-post.d";
    let Ok(files) = fs::read_dir(kernel.path(FOLDER)) else { return };
    if files.flatten().any(|file| file.file_name().as_bytes().ends_with(b".hook")) {
        let said = [FOLDER, ": hooks are parts of a shell script, and are not run"].concat();
        log::note(kernel, NAME, said.as_bytes());
    }
}
