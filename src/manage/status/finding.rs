//! What is out of order on a bridge, or not known, with its words.

use ipnet::IpNet;

use crate::inspect::port::PortBlock;
use crate::net::InterfaceName;
use crate::network::catalog;
use crate::network::item::{Item, Value};
use crate::network::step::Step;

/// Something out of order on a bridge, or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A change of this network is under way, or was killed.
    Incomplete(String),
    /// What is stored of this network is no state.
    StateMalformed(String),
    /// The file of this network is wrong, and how.
    FileMalformed(String, String),
    /// This user cannot read the file of this network.
    FileUnreadable(String),
    /// An expected item of this bridge is missing. The step puts it there.
    Missing(InterfaceName, Step),
    /// Whether an expected item of this bridge is there is not known.
    Unknown(InterfaceName, Step),
    /// The bridge is down, and has a name that no command takes.
    Down(String),
    /// Another host has this address too, so that the kernel does not use it.
    DuplicateAddress(IpNet),
    /// This port does not forward.
    PortBlocked(String, PortBlock),
    OutsideMissing(InterfaceName),
    OutsideDown(InterfaceName),
    OutsideWithoutCarrier(InterfaceName),
}

/// The part of the picture that a finding belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Network,
    Bridge,
    Address,
    Port,
    Outside,
    Forwarding,
    Masquerade,
    Antispoof,
}

impl Section {
    pub(super) fn label(self) -> &'static str {
        match self {
            Section::Network => "network",
            Section::Bridge => "bridge",
            Section::Address => "address",
            Section::Port => "port",
            Section::Outside => "outside",
            Section::Forwarding => "forwarding",
            Section::Masquerade => "masquerade",
            Section::Antispoof => "antispoof",
        }
    }
}

/// A kind of finding: its name in JSON, and how its text begins.
type Kind = (&'static str, &'static str);

impl Finding {
    /// Returns what it means that an item is missing. `None` for items that are not looked for: a port that is down is seen not to
    /// forward, and a firewall's command leaves nothing to see.
    pub(super) fn missing(bridge: &InterfaceName, item: &Item) -> Option<Finding> {
        match item {
            Item::Firewall(_) => None,
            Item::Up(link) if link != bridge => None,
            item => Some(Finding::Missing(bridge.clone(), Step::make(item.clone()))),
        }
    }

    /// Returns whether something is out of order; else it is not known.
    pub(super) fn is_fault(&self) -> bool {
        !matches!(self, Finding::FileUnreadable(_) | Finding::Unknown(..))
    }

    /// Returns whether packets are not forwarded that should be.
    pub(super) fn is_forwarding_off(&self) -> bool {
        matches!(self, Finding::Missing(_, Step { item: Item::Forwarding { .. }, .. }))
    }

    /// Returns the part of the picture that it belongs to; `None` for a port that does not forward, which is marked in its own
    /// line.
    pub(super) fn section(&self) -> Option<Section> {
        Some(match self {
            Finding::Incomplete(_)
            | Finding::StateMalformed(_)
            | Finding::FileMalformed(..)
            | Finding::FileUnreadable(_) => Section::Network,
            Finding::Missing(_, step) | Finding::Unknown(_, step) => match step.item {
                Item::Bridge | Item::Up(_) | Item::Value { .. } => Section::Bridge,
                Item::Address(_) => Section::Address,
                Item::Port(_) => Section::Port,
                Item::Forwarding { .. } => Section::Forwarding,
                Item::Masquerade(_) => Section::Masquerade,
                Item::Accept(_) | Item::Drop { .. } | Item::Firewall(_) => Section::Antispoof,
            },
            Finding::Down(_) => Section::Bridge,
            Finding::DuplicateAddress(_) => Section::Address,
            Finding::PortBlocked(..) => return None,
            Finding::OutsideMissing(_) | Finding::OutsideDown(_) | Finding::OutsideWithoutCarrier(_) => {
                Section::Outside
            }
        })
    }

    fn describe(&self) -> Kind {
        match self {
            Finding::Incomplete(_) => {
                ("network-unfinished", "brouter up or down is under way, or was ended: run it again")
            }
            Finding::StateMalformed(_) => ("network-not-understood", "its record is malformed"),
            Finding::FileMalformed(..) => ("network-not-understood", ""),
            Finding::FileUnreadable(_) => ("network-unreadable", "this user cannot read "),
            Finding::Missing(_, step) => describe_missing(&step.item),
            Finding::Unknown(_, Step { item: Item::Masquerade(_), .. }) => {
                ("masquerade-unknown", "not known, ask as root: ")
            }
            Finding::Unknown(..) => ("antispoof-unknown", "not known, ask as root: "),
            Finding::Down(_) => ("bridge-down", "down"),
            Finding::DuplicateAddress(_) => ("address-duplicate", ": another host has it too, so it is not used"),
            Finding::PortBlocked(..) => ("port-not-forwarding", "does not forward: "),
            Finding::OutsideMissing(_) => ("outside-missing", "missing: "),
            Finding::OutsideDown(_) => ("outside-down", "down: "),
            Finding::OutsideWithoutCarrier(_) => ("outside-no-carrier", "no carrier: "),
        }
    }

    /// Returns the kind, as JSON names it.
    pub(super) fn kind(&self) -> &'static str {
        self.describe().0
    }

    /// Returns the text, with the command that puts it right if there is one.
    pub(super) fn text(&self) -> String {
        let (_, text) = self.describe();
        match self {
            Finding::Incomplete(_) | Finding::StateMalformed(_) | Finding::Down(_) => text.into(),
            Finding::FileMalformed(_, cause) => cause.clone(),
            Finding::FileUnreadable(network) => format!("{text}{}", catalog::file(network)),
            Finding::Missing(bridge, step) | Finding::Unknown(bridge, step) => {
                format!("{text}{}", step.command(bridge))
            }
            Finding::DuplicateAddress(net) => format!("{net}{text}"),
            Finding::PortBlocked(_, block) => format!("{text}{}", reason(*block)),
            Finding::OutsideMissing(link) | Finding::OutsideDown(link) | Finding::OutsideWithoutCarrier(link) => {
                format!("{text}{link}")
            }
        }
    }

    /// Returns the name of what it is about.
    pub(super) fn object(&self) -> String {
        match self {
            Finding::Incomplete(name)
            | Finding::StateMalformed(name)
            | Finding::FileMalformed(name, _)
            | Finding::FileUnreadable(name)
            | Finding::Down(name)
            | Finding::PortBlocked(name, _) => name.clone(),
            Finding::Missing(bridge, step) | Finding::Unknown(bridge, step) => object_of(&step.item, bridge),
            Finding::DuplicateAddress(net) => net.to_string(),
            Finding::OutsideMissing(link) | Finding::OutsideDown(link) | Finding::OutsideWithoutCarrier(link) => {
                link.to_string()
            }
        }
    }
}

fn describe_missing(item: &Item) -> Kind {
    match item {
        Item::Bridge => ("bridge-missing", "missing: "),
        Item::Up(_) => ("bridge-down", "down: "),
        Item::Value { .. } => ("value-differs", "differs: "),
        Item::Address(_) => ("address-missing", "missing: "),
        Item::Port(_) => ("port-missing", "missing: "),
        Item::Forwarding { .. } => ("forwarding-off", "off: "),
        Item::Masquerade(_) => ("masquerade-missing", "missing: "),
        Item::Accept(_) | Item::Drop { .. } | Item::Firewall(_) => ("antispoof-missing", "missing: "),
    }
}

fn object_of(item: &Item, bridge: &InterfaceName) -> String {
    match item {
        Item::Bridge => bridge.to_string(),
        Item::Value { value: Value::Stp, .. } => "stp".into(),
        Item::Value { value: Value::ForwardDelay, .. } => "forward-delay".into(),
        Item::Value { value: Value::Mtu, .. } => "mtu".into(),
        Item::Address(net) => net.to_string(),
        Item::Masquerade(net) => net.to_string(),
        Item::Forwarding { v6 } => if *v6 { "6" } else { "4" }.into(),
        Item::Drop { .. } => "FORWARD".into(),
        Item::Port(name) | Item::Up(name) | Item::Accept(name) => name.to_string(),
        Item::Firewall(command) => command.clone(),
    }
}

/// Returns why a port does not forward, in at most 17 characters.
pub(super) fn reason(block: PortBlock) -> String {
    match block {
        PortBlock::BridgeDown => "bridge is down".into(),
        PortBlock::SwitchedOff => "switched off".into(),
        PortBlock::NoCarrier => "no carrier".into(),
        PortBlock::JustAttached => "just attached".into(),
        PortBlock::SpanningTree => "by spanning tree".into(),
        PortBlock::ForwardsIn { seconds } => format!("forwards in {seconds} s"),
    }
}
