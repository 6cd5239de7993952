//! `type KIND`, and the words that belong to the kind.

use super::values::Values;
use super::{bridge, bridge_slave};
use crate::error::{Failure, line};
use crate::ip::usage;
use crate::ip::words::Words;

/// Kinds of links that iproute2 knows, with a blank between them.
const KINDS: &str = "amt bareudp batadv bond bond_slave bridge bridge_slave can dsa dummy erspan geneve gre gretap gtp hsr ifb \
    ip6erspan ip6gre ip6gretap ip6tnl ipip ipoib ipvlan ipvtap macsec macvlan macvtap netdevsim nlmon rmnet sit team \
    team_slave tun vcan veth vlan vrf vti vxcan vxlan wireguard wwan";

/// Whether iproute2 knows a kind of links.
pub(super) fn is_kind(word: &[u8]) -> bool {
    KINDS.split(' ').any(|kind| kind.as_bytes() == word)
}

/// What stands behind a kind.
pub(super) enum KindArgs<'a> {
    /// Values of a bridge.
    Bridge(Values<'a>),
    /// Values of a port of a bridge.
    BridgeSlave(Values<'a>),
    /// Nothing, behind another kind.
    Nothing,
    /// Words behind another kind, which only netlink understands.
    Unsupported,
}

impl<'a> KindArgs<'a> {
    /// Parses the words behind the kind.
    pub(super) fn parse(kind: &[u8], mut words: Words<'a>) -> Result<Self, Failure> {
        match kind {
            b"bridge" => return Values::parse(&bridge::TABLE, words).map(KindArgs::Bridge),
            b"bridge_slave" => return Values::parse(&bridge_slave::TABLE, words).map(KindArgs::BridgeSlave),
            _ => (),
        }
        match words.next() {
            None => Ok(KindArgs::Nothing),
            Some(_) if is_kind(kind) => Ok(KindArgs::Unsupported),
            Some(word) => Err(not_understood(word, &words)),
        }
    }
}

/// A word behind a kind that has none.
pub(super) fn not_understood(word: &[u8], words: &Words) -> Failure {
    match words.options.is_short_for(word, "help") {
        true => usage::ip(),
        false => Failure::new(line!("Garbage instead of arguments \"", word, " ...\". Try \"ip link help\".")),
    }
}
