//! `network-route (start|stop|status) {VAR=VAL}*`: lets this host forward between its routed guests and the outside, and answer ARP
//! requests there for them.

use super::forwarding::{self, Script};
use crate::call::Call;
use crate::error::Outcome;
use crate::network::item::Item;

/// The variables that mean something, or that others give on the same line.
const VARIABLES: [&str; 4] = ["command", "netdev", "vifnum", "antispoof"];

const SCRIPT: Script =
    Script { name: "network-route", variables: &VARIABLES, items: &[Item::Forwarding { v6: false }, Item::ProxyArp] };

/// Runs `network-route`.
pub fn run(call: &mut Call) -> Outcome {
    forwarding::run(call, &SCRIPT)
}
