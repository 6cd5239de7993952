//! Measures brouter's own commands: `up` against `network-virtual start`, which creates the same network, and `doctor` with many
//! ports.

use std::thread::sleep;
use std::time::Duration;

use crate::Bench;
use crate::host::Host;
use crate::step::{Step, medians};
use crate::table::Figure;

const UP: &str = "up xenbr0 --address 10.9.0.1/24";
const DOWN: &str = "down xenbr0";
const START: &str = "start bridgeip=10.9.0.1/24 firewall=none";
const STOP: &str = "stop bridgeip=10.9.0.1/24 firewall=none";

const PORTS: usize = 500;
const DOWN_AGAIN: &str = "down b0";
const MASQUERADED: &str = "up b0 --address 10.9.0.1/16 --outside eth0 --masquerade";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let Bench { programs, host, .. } = &*bench;
    let brouter = |words| Step::new(host, &programs.our_brouter, words);
    let network_virtual = |words| Step::new(host, &programs.our_network_virtual, words);
    let rounds = bench.rounds(60);
    let [up, down, start, stop] =
        medians(rounds, [brouter(UP), brouter(DOWN), network_virtual(START), network_virtual(STOP)])?;
    let crowded = &Host::new()?;
    let wire = "link add eth0 type veth peer name outside\nlink set outside up\nlink set eth0 up\n\
                addr add 192.0.2.1/24 dev eth0\nroute add default via 192.0.2.2\n";
    programs.make_links(crowded, wire)?;
    Step::new(crowded, &programs.our_brouter, MASQUERADED).run()?;
    let port = |n| format!("link add p{n} type veth peer name g{n}\nlink set g{n} up\nlink set p{n} up master b0\n");
    programs.make_links(crowded, &(1..=PORTS).map(port).collect::<String>())?;
    // the kernel updates the state of a link up to a second late
    sleep(Duration::from_millis(1500));
    let doctor = Step::new(crowded, &programs.our_brouter, "doctor");
    let [doctor] = medians(bench.rounds(20), [doctor])?;
    // leaves nothing in /run
    Step::new(crowded, &programs.our_brouter, DOWN_AGAIN).run()?;

    let table = &mut bench.table;
    table.begin(&format!("brouter, {rounds} rounds"));
    table.line("up, to network-virtual start", up, start, 1.35);
    table.line("down, to network-virtual stop", down, stop, 1.5);
    let allowed = Figure::Time(Duration::from_millis(200));
    table.line(&format!("doctor with {PORTS} ports, to 200 ms"), doctor, allowed, 1.0);
    Ok(())
}
