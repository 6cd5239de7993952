//! The state of a network, and its text: `of BRIDGE`, then a line for each item.

use super::item::Item;
use crate::net::InterfaceName;

/// What a network consists of, as far as it is not the host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkState {
    /// Its bridge.
    pub bridge: InterfaceName,
    /// A call has begun and not ended: items may be there or not.
    pub incomplete: bool,
    /// Some of it comes from files of a former version, which are removed once it is stored in today's.
    pub former: bool,
    /// In the order in which they were made.
    pub items: Vec<Item>,
}

/// What a file says of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredState {
    /// Its state.
    Known(NetworkState),
    /// The file is not one of brouter's.
    Malformed {
        /// The bridge that its first line names.
        bridge: Option<InterfaceName>,
    },
}

impl NetworkState {
    /// The state of a network without items.
    pub fn empty(bridge: InterfaceName) -> Self {
        NetworkState { bridge, incomplete: false, former: false, items: Vec::new() }
    }

    /// Returns the item that is the same as another, whatever was there before it.
    pub fn find(&self, item: &Item) -> Option<&Item> {
        self.items.iter().find(|own| own.is(item))
    }

    /// Returns the text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("of {}\n", self.bridge);
        for item in &self.items {
            text.push_str(&format!("{item}\n"));
        }
        text
    }
}

impl StoredState {
    pub(super) fn parse(text: &str, incomplete: bool) -> Self {
        let mut lines = text.lines();
        let bridge: Option<InterfaceName> = lines.next().and_then(|head| head.strip_prefix("of ")?.parse().ok());
        match (bridge, lines.map(Item::parse).collect::<Option<Vec<_>>>()) {
            (Some(bridge), Some(items)) => {
                StoredState::Known(NetworkState { bridge, incomplete, former: false, items })
            }
            (bridge, _) => StoredState::Malformed { bridge },
        }
    }

    /// Returns the state, if the file was understood.
    pub fn known(self) -> Option<NetworkState> {
        match self {
            StoredState::Known(state) => Some(state),
            StoredState::Malformed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::Value;
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let items = vec![
            Item::Bridge,
            Item::Value { value: Value::Mtu, to: 1400, from: 1500 },
            Item::Address("fd00::1/64".parse().unwrap()),
            Item::Port("p1".parse().unwrap()),
            Item::Up("p1".parse().unwrap()),
            Item::Masquerade("10.0.0.0/24".parse().unwrap()),
            Item::Accept("eth0".parse().unwrap()),
            Item::Drop { before: "ACCEPT".into() },
            Item::Forwarding { v6: true },
            Item::Firewall("fw start now".into()),
        ];
        let state = NetworkState { bridge: "b0".parse().unwrap(), incomplete: true, former: false, items };
        assert_eq!(StoredState::parse(&state.text(), true), StoredState::Known(state));
        assert_eq!(StoredState::parse("", false), StoredState::Malformed { bridge: None });
        let bridge = Some("b0".parse().unwrap());
        assert_eq!(StoredState::parse("of b0\nnonsense\n", false), StoredState::Malformed { bridge });
        assert_eq!(StoredState::parse("of b0\nport a/b\n", false).known(), None, "a name is checked where it enters");
    }
}
