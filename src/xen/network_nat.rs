//! `network-nat (start|stop|status) {VAR=VAL}*`: lets this host forward, and masquerade everything that leaves by the interface to the
//! outside.

use super::forwarding::{self, Script};
use crate::call::Call;
use crate::error::Outcome;
use crate::network::item::Item;

/// The variables that mean something, or that others give on the same line.
const VARIABLES: [&str; 6] = ["command", "netdev", "vifnum", "antispoof", "dhcp", "firewall_backend"];

const SCRIPT: Script = Script {
    name: "network-nat",
    variables: &VARIABLES,
    items: &[Item::MasqueradeAll, Item::Forwarding { v6: false }],
};

/// Runs `network-nat`.
pub fn run(call: &mut Call) -> Outcome {
    forwarding::run(call, &SCRIPT)
}
