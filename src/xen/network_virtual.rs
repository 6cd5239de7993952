//! `network-virtual (start|stop|status) {VAR=VAL}*`: the network of a Xen host, as Xen 3's script of that name made it.
//!
//! A bridge with an address of its own; guests are attached to it later by their hotplug script, and the host routes between
//! them and the world. Everything is done by the functions that `brctl` and `ip` call, in this process.
//!
//! The original is followed wherever it works, and in its order, except that the address goes on before the bridge comes up:
//! on a link that is up the kernel would first make the route of the address's class. Where the original is broken this is
//! better on purpose (`compat/DEVIATIONS.md`), unless `strict=yes` asks for the original.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use super::firewall::{self, Iptables};
use super::record::{Masquerade, Records};
use super::script::Arguments;
use crate::applet::Call;
use crate::brctl;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::ip::{self, prefix::Family, prefix::Prefix};
use crate::kernel::{IFNAMSIZ, Kernel, flag, is_path_safe};
use crate::net::ClockTime;

const NAME: &str = "network-virtual";

/// The variables that mean something.
const VARIABLES: [&str; 10] =
    ["command", "vifnum", "bridge", "netdev", "bridgeip", "brnet", "antispoof", "firewall", "masquerade", "strict"];

/// What SUSE's hosts ran, and what is run by default where it is.
const SUSE_FIREWALL: &str = "rcSuSEfirewall2";

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
        b"start" if settings.strict => start_as_it_was(call, &settings),
        b"start" => start(call, &settings),
        b"stop" if settings.strict => stop_as_it_was(call, &settings),
        b"stop" => stop(call, &settings),
        b"status" => status(call, &settings),
        other => Err(Failure::new(
            [line!("Unknown command: ", other), line!("Valid commands are: start, stop, status")].concat(),
        )),
    }
}

/// The values of the variables, with their defaults.
struct Settings {
    bridge: String,
    /// The interface to the outside.
    netdev: String,
    /// Address and prefix of the bridge, as given.
    bridgeip: Option<String>,
    /// The network of the bridge, as given.
    brnet: Option<String>,
    antispoof: bool,
    masquerade: Option<String>,
    firewall: Option<String>,
    strict: bool,
}

impl Settings {
    fn read(arguments: &Arguments) -> Self {
        let value = |name| arguments.value(name);
        let vifnum = value("vifnum").unwrap_or_else(|| "0".into());
        let is_yes = |name| value(name).as_deref() == Some("yes");
        Settings {
            bridge: value("bridge").unwrap_or_else(|| format!("xenbr{vifnum}")),
            netdev: value("netdev").unwrap_or_else(|| format!("eth{vifnum}")),
            bridgeip: value("bridgeip"),
            brnet: value("brnet"),
            antispoof: is_yes("antispoof"),
            masquerade: value("masquerade"),
            firewall: value("firewall"),
            strict: is_yes("strict"),
        }
    }

    fn bridge(&self) -> &[u8] {
        self.bridge.as_bytes()
    }

    /// The address of the bridge.
    fn address(&self) -> Result<Option<IpNet>, Failure> {
        let Some(text) = &self.bridgeip else { return Ok(None) };
        match ip::prefix::prefix(text.as_bytes(), Family::Any) {
            Ok(Prefix::Net { net, .. }) => Ok(Some(net)),
            _ => Err(complaint(&format!(
                "bridgeip=\"{text}\": an address with its prefix is expected, such as 192.168.10.1/24"
            ))),
        }
    }

    /// The network to masquerade, if that is asked for: `brnet`, or that of the bridge's address.
    fn masqueraded(&self, address: Option<IpNet>) -> Result<Option<Ipv4Net>, Failure> {
        match self.masquerade.as_deref() {
            None | Some("no") => return Ok(None),
            Some("yes") => (),
            Some(other) => return Err(complaint(&format!("masquerade=\"{other}\": yes or no is expected"))),
        }
        let brnet = match &self.brnet {
            Some(text) => match ip::prefix::prefix(text.as_bytes(), Family::Inet) {
                Ok(Prefix::Net { net, .. }) => Some(net),
                _ => {
                    return Err(complaint(&format!(
                        "brnet=\"{text}\": a network is expected, such as 192.168.10.0/24"
                    )));
                }
            },
            None => address,
        };
        match brnet {
            Some(IpNet::V4(net)) => Ok(Some(net.trunc())),
            Some(IpNet::V6(_)) => {
                Err(complaint("masquerade=yes: only IPv4 networks are masqueraded; give one as brnet"))
            }
            None => Ok(None),
        }
    }

    /// The firewall's command with its arguments, if there is one to run.
    fn firewall(&self, call: &Call) -> Result<Option<(PathBuf, Vec<String>)>, Failure> {
        let path = (call.environment)("PATH");
        let words = self.firewall.as_deref().unwrap_or_default();
        let mut words = words.split_ascii_whitespace().map(String::from);
        match words.next() {
            None => Ok(firewall::find(SUSE_FIREWALL, path).map(|program| (program, vec!["start".into()]))),
            Some(none) if none == "none" => Ok(None),
            Some(program) => match firewall::find(&program, path) {
                Some(found) => Ok(Some((found, words.collect()))),
                None => Err(complaint(&format!("firewall=\"{program}\": there is no such program"))),
            },
        }
    }
}

/// An error of our own words.
fn complaint(text: &str) -> Failure {
    Failure::new(line!(NAME, ": ", text))
}

/// A bridge's name that means the same to the kernel, to a path and to a label.
fn check_name(bridge: &str) -> Outcome {
    let reason = match bridge.as_bytes() {
        long if long.len() >= IFNAMSIZ => "a name has at most 15 bytes",
        name if !is_path_safe(name) || name.iter().any(|byte| byte.is_ascii_whitespace() || b":%".contains(byte)) => {
            "not a name for a bridge (no '/', ':', '%' or blank, not '.' or '..')"
        }
        _ => return Ok(()),
    };
    Err(complaint(&format!("bridge=\"{bridge}\": {reason}")))
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

/// Everything is checked; then the network is made, or what is missing of it. If that fails, what this call made is taken away.
fn start(call: &mut Call, settings: &Settings) -> Outcome {
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
    let is_there = find_bridge(kernel, settings.bridge(), &taken)?;

    let mut start = Start { kernel, settings, records: Records::of(kernel), made: Made::default() };
    let made = start.make_bridge(is_there).and_then(|()| start.bring_up(address)).and_then(|()| match &iptables {
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
}

/// A start under way.
struct Start<'a> {
    kernel: &'a Kernel,
    settings: &'a Settings,
    records: Records,
    made: Made,
}

impl Start<'_> {
    /// Makes the bridge without spanning tree and without forward delay: there is no other way for a frame, so that a guest's
    /// first packets need not wait. A bridge that is there stays as it is, but one that an earlier call only began is finished.
    fn make_bridge(&mut self, is_there: bool) -> Outcome {
        let Start { kernel, settings, records, .. } = self;
        let bridge = settings.bridge();
        if is_there && !records.was_being_made(&settings.bridge) {
            return Ok(());
        }
        if !is_there {
            records.begin_making(&settings.bridge);
            add_bridge(kernel, bridge).inspect_err(|_| records.end_making(&settings.bridge))?;
            self.made.bridge = true;
        }
        brctl::set::set_stp(kernel, bridge, false)?;
        brctl::set::set_forward_delay(kernel, bridge, ClockTime(0))?;
        records.end_making(&settings.bridge);
        Ok(())
    }

    /// Gives the bridge its address, if it has it not yet, and switches it on.
    fn bring_up(&mut self, address: IpNet) -> Outcome {
        let bridge = self.settings.bridge();
        if self.made.bridge || !self.kernel.has_address(bridge, address).unwrap_or(false) {
            ip::address::add_to(self.kernel, bridge, address)?;
            self.made.address = Some(address);
        }
        self.made.up = !self.made.bridge && self.kernel.link_flags(bridge).is_ok_and(|flags| flags & flag::UP == 0);
        ip::link::set_up(self.kernel, bridge, true)
    }

    /// Masquerades the network and switches forwarding on; keeps guests from each other's addresses.
    fn open_the_way(&mut self, iptables: &Iptables, masqueraded: Option<Ipv4Net>) -> Outcome {
        let Start { kernel, settings, records, .. } = self;
        let bridge = &settings.bridge;
        if let Some(net) = masqueraded {
            if iptables.masquerade(net, bridge)? {
                self.made.rule = Some(net);
            }
            let forwarded_before = forwarded_before(kernel, records, bridge);
            records
                .keep_masquerade(bridge, &Masquerade { net, forwarded_before })
                .map_err(|error| complaint(&format!("cannot keep a record under /run/brouter: {error}")))?;
            if !kernel.forwards() {
                kernel
                    .set_forwards(true)
                    .map_err(|errno| complaint(&format!("cannot switch forwarding on: {}", errno_text(errno))))?;
            }
        }
        match settings.antispoof {
            true => iptables.antispoof(&settings.netdev),
            false => Ok(()),
        }
    }

    /// Takes away what this start made. What fails here is left: there is an error to report already.
    fn take_back(&self, iptables: Option<&Iptables>) {
        let Start { kernel, settings, records, made } = self;
        let bridge = settings.bridge();
        if let (Some(net), Some(iptables)) = (made.rule, iptables) {
            let kept = records.masquerade(&settings.bridge);
            let _ = close_the_way(kernel, records, iptables, settings, net, kept);
        }
        if made.up || made.bridge {
            let _ = kernel.set_link_up(bridge, false);
        }
        if made.bridge {
            let _ = kernel.delete_bridge(bridge);
            records.end_making(&settings.bridge);
        } else if let Some(address) = made.address {
            let _ = ip::address::delete_from(kernel, bridge, address, false);
        }
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
fn forwarded_before(kernel: &Kernel, records: &Records, bridge: &str) -> bool {
    let kept = records.masquerade(bridge).filter(|_| kernel.forwards());
    match kept {
        Some(kept) => kept.forwarded_before,
        None => kernel.forwards() && others(kernel, records, bridge).iter().all(|other| other.forwarded_before),
    }
}

/// The other masqueraded networks whose bridges are there.
fn others(kernel: &Kernel, records: &Records, bridge: &str) -> Vec<Masquerade> {
    let others = records.other_masquerades(bridge).into_iter();
    others.filter(|(other, _)| kernel.is_bridge(other.as_bytes())).map(|(_, masquerade)| masquerade).collect()
}

/// Takes the bridge away with its address, whatever else is on it: ports are released.
fn stop(call: &mut Call, settings: &Settings) -> Outcome {
    let kernel = call.kernel;
    check_name(&settings.bridge)?;
    let masqueraded = settings.masqueraded(settings.address()?)?;
    let firewall = settings.firewall(call)?;
    let no_bridge = line!(NAME, ": ", settings.bridge(), " is not a bridge, and is left alone");
    let is_there = find_bridge(kernel, settings.bridge(), &no_bridge)?;

    let records = Records::of(kernel);
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
    ip::link::set_up(kernel, settings.bridge(), false)?;
    brctl::bridge::delete(kernel, settings.bridge())?;
    records.end_making(&settings.bridge);
    run_firewall(call, firewall)
}

/// Removes the masquerading rule and puts forwarding back as it was, unless another masqueraded network needs it.
fn close_the_way(
    kernel: &Kernel,
    records: &Records,
    iptables: &Iptables,
    settings: &Settings,
    net: Ipv4Net,
    kept: Option<Masquerade>,
) -> Outcome {
    let bridge = &settings.bridge;
    iptables.unmasquerade(net, bridge);
    if let Some(Masquerade { forwarded_before: false, .. }) = kept
        && others(kernel, records, bridge).is_empty()
    {
        kernel
            .set_forwards(false)
            .map_err(|errno| complaint(&format!("cannot switch forwarding off: {}", errno_text(errno))))?;
    }
    records.forget_masquerade(bridge);
    Ok(())
}

fn run_firewall(call: &mut Call, firewall: Option<(PathBuf, Vec<String>)>) -> Outcome {
    let Some((program, args)) = firewall else { return Ok(()) };
    // its output comes after ours
    let _ = call.out.flush();
    firewall::run(&program, &args)
}

/// The state of the outside interface, of the bridge, and the routes: what the script's commands printed, one after the other.
fn status(call: &mut Call, settings: &Settings) -> Outcome {
    let ruler = line!("=".repeat(60));
    let options = ip::Options::default();
    let _ = call.out.write_all(&ruler);
    for device in [&settings.netdev, &settings.bridge] {
        let listed = ip::address::list(call.kernel, call.out, Some(device.as_bytes()), false, options);
        // the next command's complaints come after this one's output
        let _ = call.out.flush();
        listed?;
    }
    let _ = call.out.write_all(b" \n");
    let shown = brctl::show::show_bridges(call, &[OsStr::new(&settings.bridge).into()]);
    let _ = call.out.flush();
    shown?;
    let _ = call.out.write_all(b" \n");
    ip::route::list(call.kernel, call.out, &ip::route::Filter::default());
    let _ = call.out.write_all(&ruler);
    Ok(())
}

/// `strict=yes`: the original's order, and its end at the first command that fails, with what has been done until then.
fn start_as_it_was(call: &mut Call, settings: &Settings) -> Outcome {
    let (kernel, bridge) = (call.kernel, settings.bridge());
    if !kernel.is_bridge(bridge) {
        brctl::bridge::add(kernel, bridge)?;
        brctl::set::set_stp(kernel, bridge, false)?;
        brctl::set::set_forward_delay(kernel, bridge, ClockTime(0))?;
    }
    ip::link::set_up(kernel, bridge, true)?;
    ip::address::add_to(kernel, bridge, address_as_it_was(settings)?)?;
    if settings.antispoof {
        return Err(Failure::new(line!(NAME, ": antispoofing: command not found")).with_status(127));
    }
    firewall_as_it_was(call, settings)
}

/// As [`start_as_it_was`], of `stop`.
fn stop_as_it_was(call: &mut Call, settings: &Settings) -> Outcome {
    let (kernel, bridge) = (call.kernel, settings.bridge());
    if kernel.link_index(bridge).is_err() {
        return Ok(());
    }
    ip::link::set_up(kernel, bridge, false)?;
    ip::address::delete_from(kernel, bridge, address_as_it_was(settings)?, false)?;
    brctl::bridge::delete(kernel, bridge)?;
    firewall_as_it_was(call, settings)
}

/// `ip`'s own reading of bridgeip, and its complaint.
fn address_as_it_was(settings: &Settings) -> Result<IpNet, Failure> {
    let text = settings.bridgeip.as_deref().unwrap_or_default();
    match ip::prefix::prefix(text.as_bytes(), Family::Any)? {
        Prefix::Net { net, .. } => Ok(net),
        Prefix::All => Err(ip::refused(Errno::EOPNOTSUPP)),
    }
}

/// The original runs SUSE's firewall whether it is there or not.
fn firewall_as_it_was(call: &mut Call, settings: &Settings) -> Outcome {
    match (settings.firewall(call)?, &settings.firewall) {
        (None, None) => Err(Failure::new(line!(NAME, ": ", SUSE_FIREWALL, ": command not found")).with_status(127)),
        (firewall, _) => run_firewall(call, firewall),
    }
}
