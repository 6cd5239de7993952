//! The context in which steps are carried out: kernel, firewall, and the stored states of all networks.

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use nix::errno::Errno;

use super::address::{NotDeleted, delete_v4};
use super::ip_config::ConfigError;
use super::item::{Item, Renaming, Value};
use super::opening::Opening;
use super::renaming::rename;
use super::state::{NetworkState, StoredState};
use super::step::Step;
use super::store::StateDir;
use crate::error::{errno_text, io_text};
use crate::firewall::backend::Firewall;
use crate::firewall::chain::{Chain, Policy, Table};
use crate::firewall::change::RuleChange;
use crate::firewall::choice::{Choice, Kind, Reason};
use crate::firewall::error::FirewallError;
use crate::firewall::iptables::HeldLock;
use crate::firewall::opening::Opener;
use crate::inspect::snapshot::HostSnapshot;
use crate::kernel::{BridgeSetting, Kernel, LinkFile, LinkSetting, flag, net_conf};
use crate::lock::Lock;
use crate::net::Family;
use crate::net::{InterfaceName, Mac, labels};
use crate::program::{self, Failed};

/// Longest time that the host's own firewall command may take. SuSEfirewall2 takes a minute on a slow host.
pub const FIREWALL_LIMIT: Duration = Duration::from_secs(600);

/// Whether a port is isolated from others: 0 or 1. Linux 4.18 brought it.
pub(crate) const ISOLATED: LinkFile = LinkFile("brport/isolated");

/// Whether the host accepts router advertisements: 0 never, 1 unless it forwards, 2 always.
pub(super) const ACCEPT_RA: &str = "accept_ra";

/// Why a step failed, or why an item could not be examined.
#[derive(Debug)]
pub enum Cause {
    /// The kernel refused.
    Kernel(Errno),
    /// The kernel has no bridges.
    NoBridges(Errno),
    /// A file that would tell cannot be read.
    Unreadable(Errno),
    /// IPv6 is switched off for new interfaces, and so for the bridge.
    Ipv6Disabled,
    /// The name of the bridge leaves no room for the label of another address.
    NoLabel,
    /// An ioctl would remove another address of the same label.
    SharedLabel,
    /// A secondary address went with its primary one, and cannot be added again.
    Lost(IpNet, Errno),
    /// Addresses and routes cannot be moved.
    Config(ConfigError),
    /// The firewall refused.
    Firewall(FirewallError),
    /// There is no such program.
    NoProgram(String),
    /// The host's firewall command failed.
    Command(Failed),
    /// The lock on what networks share cannot be taken.
    Lock(io::Error),
    /// A signal arrived before the step.
    Interrupted(i32),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Kernel(errno) => f.write_str(errno_text(*errno)),
            Cause::NoBridges(errno) => {
                write!(f, "{} (this kernel has no bridges: modprobe bridge, or CONFIG_BRIDGE)", errno_text(*errno))
            }
            Cause::Unreadable(errno) => write!(f, "cannot read it: {}", errno_text(*errno)),
            Cause::Ipv6Disabled => f.write_str("IPv6 is disabled on the bridge (net.ipv6.conf.default.disable_ipv6)"),
            Cause::NoLabel => f.write_str("the name of the bridge leaves no room for the label of another address"),
            Cause::SharedLabel => {
                f.write_str("it shares its label with another address, which would be removed instead")
            }
            Cause::Lost(net, errno) => {
                write!(f, "{net} was removed with it and cannot be added again: {}", errno_text(*errno))
            }
            Cause::Config(error) => error.fmt(f),
            Cause::Firewall(error) => error.fmt(f),
            Cause::NoProgram(program) => write!(f, "{program}: there is no such program"),
            Cause::Command(failed) => write!(f, "{failed}{}", firewall_advice(failed)),
            Cause::Lock(error) => write!(f, "cannot lock what networks share: {}", io_text(error)),
            Cause::Interrupted(signal) => write!(f, "not started: interrupted by {}", signal_name(*signal)),
        }
    }
}

/// Returns what to do about a firewall command that failed, to follow its error.
pub fn firewall_advice(failed: &Failed) -> &'static str {
    if let Failed::TooSlow(_) = failed { "; run it by hand to see what it waits for" } else { "" }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        _ => "SIGTERM",
    }
}

impl From<Errno> for Cause {
    fn from(errno: Errno) -> Self {
        Cause::Kernel(errno)
    }
}

impl From<NotDeleted> for Cause {
    fn from(reason: NotDeleted) -> Self {
        match reason {
            NotDeleted::Kernel(errno) => Cause::Kernel(errno),
            NotDeleted::SharedLabel => Cause::SharedLabel,
            NotDeleted::Lost(net, errno) => Cause::Lost(net, errno),
        }
    }
}

impl From<ConfigError> for Cause {
    fn from(error: ConfigError) -> Self {
        Cause::Config(error)
    }
}

impl From<FirewallError> for Cause {
    fn from(error: FirewallError) -> Self {
        Cause::Firewall(error)
    }
}

/// What a network's steps act on.
pub struct Context<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// The states of this namespace's networks.
    pub states: StateDir,
    /// The network's name.
    pub network: String,
    /// The network's bridge, or the interface of a script.
    pub bridge: InterfaceName,
    path: Option<OsString>,
    /// What is to hold the firewall's rules, if that is not to be chosen.
    backend: Cell<Option<Kind>>,
    firewall: OnceCell<Result<Firewall<'a>, FirewallError>>,
    lock: HeldLock,
}

impl<'a> Context<'a> {
    /// The context of a network; programs are looked for in `path`, a value of PATH.
    pub fn new(
        kernel: &'a Kernel,
        states: StateDir,
        network: &str,
        bridge: InterfaceName,
        path: Option<OsString>,
    ) -> Self {
        Context {
            kernel,
            states,
            network: network.into(),
            bridge,
            path,
            backend: Cell::new(None),
            firewall: OnceCell::new(),
            lock: HeldLock::default(),
        }
    }

    /// Locks the network against other calls that change it.
    ///
    /// # Errors
    /// Those of [`StateDir::lock`].
    pub fn lock(&self) -> io::Result<Lock> {
        let lock = self.states.lock(self.kernel, &self.network)?;
        if let Ok(file) = lock.try_clone() {
            let _ = self.lock.set(file);
        }
        Ok(lock)
    }

    /// Sets what holds the firewall's rules, before it is used; `None` leaves the choice.
    pub fn set_backend(&self, backend: Option<Kind>) {
        self.backend.set(backend);
    }

    /// Returns the host's firewall.
    ///
    /// # Errors
    /// What was set is not available.
    pub fn firewall(&self) -> Result<&Firewall<'a>, Cause> {
        let choose = || Firewall::choose(self.kernel, self.path.clone(), self.lock.clone(), self.backend.get());
        self.firewall.get_or_init(choose).as_ref().map_err(|error| match error {
            FirewallError::NoProgram(program, package) => FirewallError::NoProgram(program, package).into(),
            _ => FirewallError::Missing.into(),
        })
    }

    /// Returns the shell command that does the same as a step.
    pub fn command(&self, step: &Step) -> String {
        step.command(&self.bridge, &|| self.choice())
    }

    /// Returns what holds the firewall's rules, or would if it were available.
    fn choice(&self) -> Choice {
        let kind = self.backend.get().unwrap_or(Kind::Iptables);
        let missing = Choice { kind, reason: Reason::Asked, iptables_is_nft: false };
        self.firewall().map_or(missing, |firewall| firewall.choice())
    }

    /// Returns whether the firewall's rules are held by the kernel's legacy tables, so that no program is needed for them.
    pub fn has_kernel_backend(&self) -> bool {
        self.firewall().is_ok_and(|firewall| firewall.choice().kind == Kind::Kernel)
    }

    /// Returns whether the host's `iptables` keeps its rules in nf_tables.
    pub fn iptables_is_nft(&self) -> bool {
        self.choice().iptables_is_nft
    }

    fn opener(&self) -> Opener<'_> {
        Opener { kernel: self.kernel, path: self.path.as_ref() }
    }

    /// Makes sure that the firewall has a table for IPv4.
    ///
    /// # Errors
    /// Where there is no firewall, or it has no such table.
    pub fn require(&self, table: Table) -> Result<(), Cause> {
        Ok(self.firewall()?.require(Family::V4, table)?)
    }

    /// Finds the program of a firewall command, and splits off its arguments.
    ///
    /// # Errors
    /// [`Cause::NoProgram`].
    pub fn firewall_command(&self, command: &str) -> Result<(PathBuf, Vec<String>), Cause> {
        let mut words = command.split_ascii_whitespace().map(String::from);
        let program = words.next().unwrap_or_default();
        match program::find(&program, self.path.clone()) {
            Some(found) => Ok((found, words.collect())),
            None => Err(Cause::NoProgram(program)),
        }
    }

    fn link(&self) -> &[u8] {
        self.bridge.as_bytes()
    }

    /// Carries out a step. Leaves a shared item alone if it is already in the desired state, or if another network needs it.
    ///
    /// # Errors
    /// Why it failed.
    pub fn perform(&self, step: &Step) -> Result<(), Cause> {
        let Step { item, on, .. } = step;
        if !item.is_shared() {
            return self.change(item, *on);
        }
        // another call may be about to remove it, or to need it
        let _lock = self.states.lock_shared(self.kernel).map_err(Cause::Lock)?;
        let is_needed = || *on || !self.is_claimed_by_others(item);
        if self.is_there(item)? != *on && is_needed() { self.change(item, *on) } else { Ok(()) }
    }

    fn change(&self, item: &Item, on: bool) -> Result<(), Cause> {
        let kernel = self.kernel;
        if let Some(rule) = item.rule(&self.bridge) {
            let firewall = self.firewall()?;
            return Ok(match item {
                _ if !on => firewall.delete(&rule),
                Item::Between(_) => firewall.change(&[RuleChange::Insert(rule)]),
                _ => firewall.append(&rule),
            }?);
        }
        if let Item::Open(Opening { place, flow }) = item {
            let rule = flow.rule(&self.bridge);
            let opener = self.opener();
            return Ok(if on { opener.insert(place, &rule) } else { opener.delete(place, &rule) }?);
        }
        match item {
            Item::Bridge if on => kernel.add_bridge(self.link()).map_err(|errno| match errno {
                Errno::ENOPKG | Errno::ENOTTY | Errno::ENOSYS | Errno::EOPNOTSUPP => Cause::NoBridges(errno),
                errno => Cause::Kernel(errno),
            })?,
            Item::Bridge => kernel.delete_bridge(self.link())?,
            Item::Value { value, to, from } => self.set_value(*value, if on { *to } else { *from })?,
            Item::Address(net) if on => self.add_address(*net)?,
            Item::Address(net) => self.delete_address(*net)?,
            Item::Port(port) | Item::Tunnel(port) => {
                let index = kernel.link_index(port.as_bytes())?;
                if on { kernel.add_port(self.link(), index) } else { kernel.delete_port(self.link(), index) }?;
            }
            Item::Silent(link) => {
                let set = if on { flag::NOARP } else { flag::MULTICAST };
                kernel.set_link(link.as_bytes(), LinkSetting::Flags { set, mask: flag::NOARP | flag::MULTICAST })?;
            }
            Item::Moved { from, to, config } => {
                if on { config.transfer(kernel, from, to) } else { config.transfer(kernel, to, from) }?;
            }
            Item::Renamed(renaming) => {
                let Renaming { from, to, macs, .. } = &**renaming;
                let [old, new] = macs.as_ref().map_or([None, None], |[old, new]| [Some(old), Some(new)]);
                if on { rename(kernel, from, to, new) } else { rename(kernel, to, from, old) }?;
            }
            Item::Up(link) => kernel.set_link(link.as_bytes(), if on { LinkSetting::UP } else { LinkSetting::DOWN })?,
            Item::Drop { before } => {
                let policy = if on { Policy::Drop } else { Policy::parse(before).unwrap_or(Policy::Accept) };
                self.firewall()?.change(&[RuleChange::Policy(Family::V4, Chain::Forward, policy)])?;
            }
            Item::Forwarding { v6 } => kernel.set_sysctl(family(*v6).forwarding(), if on { "1" } else { "0" })?,
            Item::ProxyArp => kernel.set_sysctl(&self.proxy_arp()?, if on { "1" } else { "0" })?,
            Item::Isolated(port) => {
                kernel.set_link(port.as_bytes(), LinkSetting::File(ISOLATED, if on { b"1" } else { b"0" }))?;
            }
            Item::AcceptRa(link) => {
                let name = net_conf(Family::V6.folder(), link.as_str(), ACCEPT_RA)?;
                kernel.set_sysctl(&name, if on { "2" } else { "1" })?;
            }
            Item::Firewall(command) => self.run_firewall_command(command)?,
            // rules, which have been changed above
            Item::Masquerade(_)
            | Item::MasqueradeAll
            | Item::Accept(_)
            | Item::AcceptPort(_)
            | Item::Publish(_)
            | Item::Between(_)
            | Item::Open(_) => (),
        }
        Ok(())
    }

    fn proxy_arp(&self) -> Result<String, Errno> {
        net_conf("ipv4", self.bridge.as_str(), "proxy_arp")
    }

    fn run_firewall_command(&self, command: &str) -> Result<(), Cause> {
        let (program, words) = self.firewall_command(command)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        program::run(&program, &words, FIREWALL_LIMIT).map_err(Cause::Command)
    }

    fn set_value(&self, value: Value, number: u64) -> Result<(), Errno> {
        match value {
            Value::Stp => self.kernel.set_bridge(self.link(), BridgeSetting::STP_STATE, number),
            Value::ForwardDelay => self.kernel.set_bridge(self.link(), BridgeSetting::FORWARD_DELAY, number),
            Value::Mtu => self.kernel.set_link(self.link(), LinkSetting::Mtu(number as i32)),
            Value::Mac => self.kernel.set_link(self.link(), LinkSetting::Address(&Mac::from_number(number).0)),
        }
    }

    fn add_address(&self, net: IpNet) -> Result<(), Cause> {
        match net {
            IpNet::V4(_) => Ok(self.kernel.add_address(&self.free_label()?, net, None, None)?),
            IpNet::V6(_) => self.kernel.add_address(self.link(), net, None, None).map_err(|errno| match errno {
                Errno::EACCES => Cause::Ipv6Disabled,
                errno => Cause::Kernel(errno),
            }),
        }
    }

    /// Returns the first label without an address: the bridge's name, `NAME:0`, `NAME:1`, … An ioctl reaches one address of a label.
    fn free_label(&self) -> Result<Vec<u8>, Cause> {
        for label in labels(self.link()) {
            if self.kernel.address_of_label(&label)?.is_none() {
                return Ok(label);
            }
        }
        Err(Cause::NoLabel)
    }

    fn delete_address(&self, net: IpNet) -> Result<(), Cause> {
        let kernel = self.kernel;
        if let IpNet::V6(_) = net {
            return Ok(kernel.delete_address(self.link(), net)?);
        }
        Ok(delete_v4(kernel, self.link(), net, |_| false)?)
    }

    /// Takes a new snapshot of the host.
    pub(crate) fn snapshot(&self) -> HostSnapshot<'a> {
        HostSnapshot::new(self.kernel, self.path.clone())
    }

    /// Reports whether the host has an item now.
    ///
    /// # Errors
    /// Why that cannot be found out.
    pub fn is_there(&self, item: &Item) -> Result<bool, Cause> {
        self.is_in(&self.snapshot(), item)
    }

    /// Reports whether a snapshot of the host has an item. Where the firewall cannot check for a rule, the stored state decides.
    ///
    /// # Errors
    /// Why that cannot be found out.
    pub(crate) fn is_in(&self, host: &HostSnapshot, item: &Item) -> Result<bool, Cause> {
        if let Some(rule) = item.rule(&self.bridge) {
            let stored = || self.stored().is_some_and(|state| state.items.contains(item));
            return Ok(self.firewall()?.has(&rule)?.unwrap_or_else(stored));
        }
        match item {
            Item::Bridge => Ok(host.bridge(self.bridge.as_ref())?.is_some()),
            Item::Value { value, to, .. } => Ok(self.value(host, *value)? == *to),
            Item::Address(net) => {
                let there = host.addresses_on(self.bridge.as_ref(), Family::of(net));
                let there = there.map_err(|unreadable| Cause::Unreadable(unreadable.errno))?;
                Ok(there.iter().any(|address| address.net == *net))
            }
            Item::Port(port) | Item::Tunnel(port) => {
                let bridge = self.kernel.bridge_of(port.as_bytes());
                Ok(bridge.is_some_and(|bridge| bridge == *self.bridge.as_str()))
            }
            Item::Silent(link) => Ok(host.link_flags(link.as_ref())?.is_some_and(|flags| flags & flag::NOARP != 0)),
            Item::Moved { from, to, config } => Ok(config.is_on(self.kernel, to) && !config.is_on(self.kernel, from)),
            Item::Renamed(renaming) => {
                let Renaming { index, to, macs, .. } = &**renaming;
                let has_mac = |[_, new]: &[Mac; 2]| self.kernel.mac(to.as_bytes()) == Ok(*new);
                Ok(self.kernel.link_index(to.as_bytes()) == Ok(*index) && macs.as_ref().is_none_or(has_mac))
            }
            Item::Up(link) => Ok(host.link_flags(link.as_ref())?.is_some_and(|flags| flags & flag::UP != 0)),
            Item::Drop { .. } => Ok(self.forward_policy()? == Policy::Drop),
            Item::Isolated(port) => Ok(host.is_isolated(port.as_ref())),
            Item::AcceptRa(link) => Ok(host.link_value(Family::V6, link.as_str(), ACCEPT_RA) == Some(2)),
            Item::Forwarding { v6 } => Ok(host.forwarding(family(*v6)).unwrap_or(false)),
            Item::Open(Opening { place, flow }) => Ok(self.opener().has(place, &flow.rule(&self.bridge))?),
            Item::ProxyArp => match self.kernel.sysctl(&self.proxy_arp()?) {
                // it has gone with its interface
                Err(Errno::ENOENT) => Ok(false),
                value => Ok(value? == "1"),
            },
            Item::Firewall(_)
            | Item::Masquerade(_)
            | Item::MasqueradeAll
            | Item::Accept(_)
            | Item::AcceptPort(_)
            | Item::Publish(_)
            | Item::Between(_) => Ok(true),
        }
    }

    /// Reads a value of the bridge.
    ///
    /// # Errors
    /// ENODEV without the bridge.
    pub(crate) fn value(&self, host: &HostSnapshot, value: Value) -> Result<u64, Errno> {
        let bridge = host.bridge(self.bridge.as_ref())?.ok_or(Errno::ENODEV)?;
        match value {
            Value::Stp => Ok(bridge.info.stp_enabled.into()),
            Value::ForwardDelay => Ok(bridge.info.bridge_forward_delay.0),
            Value::Mtu => self.kernel.link_mtu(self.link()).map(|mtu| mtu as u64),
            Value::Mac => self.kernel.mac(self.link()).map(Mac::number),
        }
    }

    /// Reads the policy of chain FORWARD.
    ///
    /// # Errors
    /// Where there is no firewall, or it does not tell.
    pub fn forward_policy(&self) -> Result<Policy, Cause> {
        Ok(self.firewall()?.policy(Family::V4, Chain::Forward)?)
    }

    /// Reports whether another network or script, whose interface is there, needs an item.
    pub fn is_claimed_by_others(&self, item: &Item) -> bool {
        let is_alive = |bridge: &InterfaceName| self.kernel.has_link(bridge.as_bytes()) != Ok(false);
        let claims = |(name, state): (String, StoredState)| {
            name != self.network
                && state.known().is_some_and(|state| state.find(item).is_some() && is_alive(&state.bridge))
        };
        self.states.networks().into_iter().chain(self.states.scripts()).any(claims)
    }

    fn stored(&self) -> Option<NetworkState> {
        self.states.load(&self.network).ok()??.known()
    }
}

fn family(v6: bool) -> Family {
    if v6 { Family::V6 } else { Family::V4 }
}
