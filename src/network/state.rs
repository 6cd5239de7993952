//! The state of a network, and its text: `of BRIDGE`, a line for each item, and `sum NUMBER`, by which a damaged file is known.
//! Version 0.1 wrote no sum.

use super::item::Item;
use crate::firewall::choice::Kind;
use crate::net::InterfaceName;

/// What a network consists of, as far as it is not the host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkState {
    /// Its bridge, or the interface of a script.
    pub bridge: InterfaceName,
    /// A call has begun and not ended: items may be there or not.
    pub incomplete: bool,
    /// What holds its firewall rules, if it has some.
    pub backend: Option<Kind>,
    /// The interface to the outside, if one was named.
    pub outside: Option<InterfaceName>,
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
        NetworkState { bridge, incomplete: false, backend: None, outside: None, former: false, items: Vec::new() }
    }

    /// Returns the item that is the same as another, whatever was there before it.
    pub fn find(&self, item: &Item) -> Option<&Item> {
        self.items.iter().find(|own| own.is(item))
    }

    /// Returns the text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("of {}\n", self.bridge);
        if let Some(backend) = self.backend {
            text.push_str(&format!("backend {backend}\n"));
        }
        if let Some(outside) = &self.outside {
            text.push_str(&format!("outside {outside}\n"));
        }
        for item in &self.items {
            text.push_str(&format!("{item}\n"));
        }
        let sum = sum(&text);
        text + &sum
    }
}

/// Returns the line that ends a text: its hash by FNV-1a, which differs after a change of any one byte.
fn sum(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{SUM}{hash:016x}\n")
}

/// Begins the last line.
const SUM: &str = "sum ";

/// Returns a text without the line of its sum, if it has the right one or none.
fn without_sum(text: &str) -> Option<&str> {
    let start = text.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
    let (body, last) = text.split_at(start);
    match last.starts_with(SUM) {
        true => (sum(body) == last).then_some(body),
        false => Some(text),
    }
}

impl StoredState {
    pub(super) fn parse(text: &str, incomplete: bool) -> Self {
        let Some(text) = without_sum(text) else { return StoredState::Malformed { bridge: None } };
        let bridge = text.lines().next().and_then(|head| head.strip_prefix("of ")?.parse().ok());
        let state = bridge.clone().and_then(|bridge| parse(bridge, text, incomplete));
        state.map_or(StoredState::Malformed { bridge }, StoredState::Known)
    }

    /// Returns the state, if the file was understood.
    pub fn known(self) -> Option<NetworkState> {
        match self {
            StoredState::Known(state) => Some(state),
            StoredState::Malformed { .. } => None,
        }
    }
}

/// Parses the lines behind the first. The backend and the outside came with version 0.1's firewall of its own.
fn parse(bridge: InterfaceName, text: &str, incomplete: bool) -> Option<NetworkState> {
    let mut state = NetworkState { incomplete, ..NetworkState::empty(bridge) };
    for line in text.lines().skip(1) {
        match line.split_once(' ') {
            Some(("backend", word)) => state.backend = Some(word.parse().ok()?),
            Some(("outside", name)) => state.outside = Some(name.parse().ok()?),
            _ => state.items.push(Item::parse(line)?),
        }
    }
    Some(state)
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
            Item::MasqueradeAll,
            Item::ProxyArp,
            Item::Accept("eth0".parse().unwrap()),
            Item::Drop { before: "ACCEPT".into() },
            Item::Forwarding { v6: true },
            Item::Firewall("fw start now".into()),
            Item::parse("publish own 8080:10.0.0.7:80/tcp 10.0.0.1/24").unwrap(),
            Item::parse("publish spared-own 8080:10.0.0.7:80/tcp 10.0.0.1/24 10.1.0.1").unwrap(),
            Item::parse("open nft:inet:own:fw out eth0 4").unwrap(),
            Item::parse("silent vif0.0").unwrap(),
            Item::parse("accept-port peth0").unwrap(),
            Item::parse("moved peth0 eth0").unwrap(),
            Item::parse("moved eth0 b0 address=10.0.0.1/24,alias=:web route=0.0.0.0/0,via=10.0.0.254").unwrap(),
            Item::parse("renamed 2 eth0 peth0").unwrap(),
            Item::parse("renamed 2 eth0 peth0 02:00:00:00:00:01 fe:ff:ff:ff:ff:ff").unwrap(),
        ];
        let empty = NetworkState::empty("b0".parse().unwrap());
        let state = NetworkState {
            incomplete: true,
            backend: Some(Kind::Nft),
            outside: Some("eth0".parse().unwrap()),
            items,
            ..empty
        };
        assert_eq!(StoredState::parse(&state.text(), true), StoredState::Known(state.clone()));
        let without_sum = state.text().lines().filter(|line| !line.starts_with("sum ")).collect::<Vec<_>>().join("\n");
        assert_eq!(StoredState::parse(&without_sum, true), StoredState::Known(state), "as version 0.1 wrote it");
        assert_eq!(StoredState::parse("of b0\nbridge\n", false).known().unwrap().backend, None, "a record of before");
        assert_eq!(StoredState::parse("of b0\nbackend ebtables\n", false).known(), None);
        assert_eq!(StoredState::parse("", false), StoredState::Malformed { bridge: None });
        let bridge = Some("b0".parse().unwrap());
        assert_eq!(StoredState::parse("of b0\nnonsense\n", false), StoredState::Malformed { bridge });
        for line in ["port a/b", "up $(id)", "drop ACCEPT; id", "firewall /bin/a\x1b[m", "firewall a\0b"] {
            let text = format!("of b0\n{line}\n");
            assert_eq!(
                StoredState::parse(&text, false).known(),
                None,
                "{line}: what a record says is checked where it enters"
            );
        }
    }

    #[test]
    fn a_damaged_state_is_not_believed() {
        let items =
            vec![Item::Bridge, Item::Address("10.9.0.1/24".parse().unwrap()), Item::Port("p1".parse().unwrap())];
        let bridge = "b0".parse().unwrap();
        let text = NetworkState { items, ..NetworkState::empty(bridge) }.text();
        for place in 0..text.len() - 1 {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let damaged = String::from_utf8(bytes).unwrap();
                assert_eq!(StoredState::parse(&damaged, false).known(), None, "{damaged:?}");
            }
        }
    }
}
