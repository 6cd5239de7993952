//! brouter's own commands: `up` beside `network-virtual start`, which makes the same network.

use crate::Bench;
use crate::step::{Step, medians};

const UP: &str = "up xenbr0 --address 10.9.0.1/24";
const DOWN: &str = "down xenbr0";
const START: &str = "start bridgeip=10.9.0.1/24 firewall=none";
const STOP: &str = "stop bridgeip=10.9.0.1/24 firewall=none";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let Bench { programs, host, .. } = &*bench;
    let brouter = |words| Step::new(host, &programs.our_brouter, words);
    let network_virtual = |words| Step::new(host, &programs.our_network_virtual, words);
    let rounds = bench.rounds(60);
    let [up, down, start, stop] =
        medians(rounds, [brouter(UP), brouter(DOWN), network_virtual(START), network_virtual(STOP)])?;
    let table = &mut bench.table;
    table.begin(&format!("brouter, {rounds} rounds"));
    table.line("up, to network-virtual start", up, start, 1.5);
    table.line("down, to network-virtual stop", down, stop, 1.5);
    Ok(())
}
