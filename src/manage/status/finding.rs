//! What is out of order on a bridge, or not known, with its words.

use crate::firewall::opening::Obstacle;
use crate::inspect::port::{Port, PortBlock};
use crate::kernel;
use crate::net::{Family, InterfaceName};
use crate::network::catalog::{self, Description, KnownNetwork, Stored};
use crate::network::context::Context;
use crate::network::item::Item;
use crate::network::opening::Flow;
use crate::network::step::Step;
use crate::shell::quoted;

/// Something out of order on a bridge, or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::manage) struct Finding {
    pub(in crate::manage) kind: Kind,
    /// Name of what it is about.
    pub(in crate::manage) object: String,
    what: String,
    /// What puts it right.
    command: Option<String>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manage) enum Kind {
    NetworkUnfinished,
    NetworkNotUnderstood,
    NetworkUnreadable,
    BridgeMissing,
    BridgeDown,
    ValueDiffers,
    AddressMissing,
    AddressDuplicate,
    PortMissing,
    PortNotForwarding,
    OutsideMissing,
    OutsideDown,
    OutsideNoCarrier,
    ForwardingOff,
    MasqueradeMissing,
    MasqueradeUnknown,
    AntispoofMissing,
    AntispoofUnknown,
    IsolateMissing,
    IsolateUnknown,
    PublishMissing,
    PublishUnknown,
    ForwardDropped,
    ForwardUnknown,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Kind; 24] = [
        Kind::NetworkUnfinished,
        Kind::NetworkNotUnderstood,
        Kind::NetworkUnreadable,
        Kind::BridgeMissing,
        Kind::BridgeDown,
        Kind::ValueDiffers,
        Kind::AddressMissing,
        Kind::AddressDuplicate,
        Kind::PortMissing,
        Kind::PortNotForwarding,
        Kind::OutsideMissing,
        Kind::OutsideDown,
        Kind::OutsideNoCarrier,
        Kind::ForwardingOff,
        Kind::MasqueradeMissing,
        Kind::MasqueradeUnknown,
        Kind::AntispoofMissing,
        Kind::AntispoofUnknown,
        Kind::IsolateMissing,
        Kind::IsolateUnknown,
        Kind::PublishMissing,
        Kind::PublishUnknown,
        Kind::ForwardDropped,
        Kind::ForwardUnknown,
    ];

    /// Returns the name in JSON, and the label of the lines of the picture that it belongs to. A port that does not forward is
    /// marked in its own line.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::NetworkUnfinished => ("network-unfinished", "network"),
            Kind::NetworkNotUnderstood => ("network-not-understood", "network"),
            Kind::NetworkUnreadable => ("network-unreadable", "network"),
            Kind::BridgeMissing => ("bridge-missing", "bridge"),
            Kind::BridgeDown => ("bridge-down", "bridge"),
            Kind::ValueDiffers => ("value-differs", "bridge"),
            Kind::AddressMissing => ("address-missing", "address"),
            Kind::AddressDuplicate => ("address-duplicate", "address"),
            Kind::PortMissing => ("port-missing", "port"),
            Kind::PortNotForwarding => ("port-not-forwarding", ""),
            Kind::OutsideMissing => ("outside-missing", "outside"),
            Kind::OutsideDown => ("outside-down", "outside"),
            Kind::OutsideNoCarrier => ("outside-no-carrier", "outside"),
            Kind::ForwardingOff => ("forwarding-off", "forwarding"),
            Kind::MasqueradeMissing => ("masquerade-missing", "masquerade"),
            Kind::MasqueradeUnknown => ("masquerade-unknown", "masquerade"),
            Kind::AntispoofMissing => ("antispoof-missing", "antispoof"),
            Kind::AntispoofUnknown => ("antispoof-unknown", "antispoof"),
            Kind::IsolateMissing => ("isolate-missing", "isolate"),
            Kind::IsolateUnknown => ("isolate-unknown", "isolate"),
            Kind::PublishMissing => ("publish-missing", "publish"),
            Kind::PublishUnknown => ("publish-unknown", "publish"),
            Kind::ForwardDropped => ("forward-dropped", "forwarding"),
            Kind::ForwardUnknown => ("forward-unknown", "forwarding"),
        }
    }

    pub(in crate::manage) fn name(self) -> &'static str {
        self.names().0
    }

    pub(super) fn label(self) -> &'static str {
        self.names().1
    }

    /// Returns whether something is out of order; else it is not known.
    pub(super) fn is_fault(self) -> bool {
        !matches!(
            self,
            Kind::NetworkUnreadable
                | Kind::MasqueradeUnknown
                | Kind::AntispoofUnknown
                | Kind::PublishUnknown
                | Kind::IsolateUnknown
                | Kind::ForwardUnknown
        )
    }
}

impl Finding {
    pub(super) fn new(kind: Kind, object: impl ToString, what: impl Into<String>) -> Self {
        Finding { kind, object: object.to_string(), what: what.into(), command: None }
    }

    /// Returns what was seen, and what puts it right.
    pub(in crate::manage) fn parts(&self) -> (&str, Option<&str>) {
        (&self.what, self.command.as_deref())
    }

    /// Returns what is said of it.
    pub(super) fn text(&self) -> String {
        match &self.command {
            Some(command) => format!("{}: {command}", self.what),
            None => self.what.clone(),
        }
    }

    /// Returns what is wrong with the state and the file of a network.
    pub(super) fn of_network(network: &KnownNetwork) -> Vec<Finding> {
        let found = |kind, text: String| Finding::new(kind, &network.name, text);
        let of_state = match network.stored {
            Stored::Incomplete => {
                let text = "brouter up or down is under way, or was ended: run it again";
                Some(found(Kind::NetworkUnfinished, text.into()))
            }
            Stored::Malformed => Some(found(Kind::NetworkNotUnderstood, "its record is malformed".into())),
            Stored::Nothing | Stored::Complete => None,
        };
        let of_file = match &network.file {
            Description::Malformed(error) => Some(found(Kind::NetworkNotUnderstood, error.to_string())),
            Description::Unreadable => {
                let text = format!("this user cannot read {}", catalog::file(&network.name));
                Some(found(Kind::NetworkUnreadable, text))
            }
            Description::Nothing | Description::OtherBridge | Description::Valid => None,
        };
        of_state.into_iter().chain(of_file).collect()
    }

    /// Returns what it means that an item is missing. `None` for items that are not compared: a port that is down is seen not to
    /// forward, and a firewall's command leaves nothing to see.
    pub(super) fn missing(context: &Context, item: &Item) -> Option<Finding> {
        let bridge = &context.bridge;
        if let Item::Tunnel(tunnel) = item
            && context.kernel.has_link(tunnel.as_bytes()) == Ok(false)
        {
            let text = format!("{tunnel} is not there: other hosts are not reached");
            return Some(Finding::new(Kind::PortMissing, tunnel, text));
        }
        let (kind, what, object) = match item {
            Item::Bridge => (Kind::BridgeMissing, "missing", bridge.to_string()),
            Item::Up(link) if link == bridge => (Kind::BridgeDown, "down", link.to_string()),
            Item::Value { .. } => (Kind::ValueDiffers, "differs", item.keyword().into()),
            Item::Address(net) => (Kind::AddressMissing, "missing", net.to_string()),
            Item::Port(port) | Item::Tunnel(port) => (Kind::PortMissing, "missing", port.to_string()),
            Item::Forwarding { v6 } => (Kind::ForwardingOff, "off", if *v6 { "6" } else { "4" }.into()),
            Item::Masquerade(net) => (Kind::MasqueradeMissing, "missing", net.to_string()),
            Item::Accept(link) | Item::AcceptPort(link) => (Kind::AntispoofMissing, "missing", link.to_string()),
            Item::Drop { .. } => (Kind::AntispoofMissing, "missing", "FORWARD".into()),
            Item::Between(family) => {
                (Kind::IsolateMissing, "missing", if *family == Family::V6 { "6" } else { "4" }.into())
            }
            Item::Publish(published) => (Kind::PublishMissing, "missing", published.publication.to_string()),
            // what is dropped is seen; addresses may have changed since they were moved; the last two are those of scripts
            Item::Up(_)
            | Item::Silent(_)
            | Item::Moved { .. }
            | Item::Renamed(_)
            | Item::AcceptRa(_)
            | Item::Isolated(_)
            | Item::Firewall(_)
            | Item::Open(_)
            | Item::MasqueradeAll
            | Item::ProxyArp => return None,
        };
        let command = Some(context.command(&Step::make(item.clone())));
        Some(Finding { kind, object, what: what.into(), command })
    }

    /// Returns what it means that it is not known whether the item is missing, which only rules can be.
    pub(super) fn unknown(self) -> Option<Finding> {
        let kind = match self.kind {
            Kind::MasqueradeMissing => Kind::MasqueradeUnknown,
            Kind::AntispoofMissing => Kind::AntispoofUnknown,
            Kind::PublishMissing => Kind::PublishUnknown,
            Kind::IsolateMissing => Kind::IsolateUnknown,
            _ => return None,
        };
        Some(Finding { kind, what: unknown(""), ..self })
    }

    /// Returns what it means that packets are dropped.
    pub(super) fn of_obstacle(network: &str, flow: &Flow, obstacle: &Obstacle) -> Finding {
        let (object, what) = match flow {
            Flow::Out(_, outside) => (outside.to_string(), format!("packets to {outside} are dropped")),
            Flow::Back(_, outside) => (outside.to_string(), format!("answers from {outside} are dropped")),
            Flow::To(publication) => (publication.to_string(), format!("packets to {publication} are dropped")),
            Flow::From(publication) => (publication.to_string(), format!("answers of {publication} are dropped")),
        };
        let by = &obstacle.by;
        Finding::new(Kind::ForwardDropped, object, format!("{what} by {by}: see brouter doctor {}", quoted(network)))
    }

    /// Explains a port that is not isolated in a network that isolates its guests.
    pub(super) fn not_isolated(context: &Context, port: &InterfaceName) -> Finding {
        let command = Some(context.command(&Step::make(Item::Isolated(port.clone()))));
        let what = format!("{port} reaches other guests");
        Finding { kind: Kind::IsolateMissing, object: port.to_string(), what, command }
    }

    /// Returns what it means that a port does not forward.
    pub(super) fn of_port(port: &Port) -> Option<Finding> {
        let text = format!("does not forward: {}", reason(port.block?));
        Some(Finding::new(Kind::PortNotForwarding, port.name.display(), text))
    }
}

/// Returns that something is not known, and who may know it.
pub(super) fn unknown(what: &str) -> String {
    let advice = if kernel::user_id() == 0 { ": see brouter doctor" } else { ", ask as root" };
    ["not known", what, advice].concat()
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

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn all_kinds() {
        assert!(Kind::ALL.into_iter().enumerate().all(|(number, kind)| kind as usize == number));
        assert_eq!(Kind::ALL.len(), Kind::ForwardUnknown as usize + 1);
    }
}
