//! Measures `brouter status` of a bridge with many ports against its time limit.

use std::thread::sleep;
use std::time::Duration;

use crate::Bench;
use crate::host::Host;
use crate::step::{Step, medians};
use crate::table::Figure;

const PORTS: usize = 500;
const LIMIT: Figure = Figure::Time(Duration::from_millis(30));

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let programs = &bench.programs;
    let host = &Host::new()?;
    let port =
        |n| format!("link add vif{n}.0 type veth peer name v{n}\nlink set vif{n}.0 master b1 up\nlink set v{n} up\n");
    let ports: String = (1..=PORTS).map(port).collect();
    programs.make_links(host, &["link add b1 type bridge\nlink set b1 up\n", &ports].concat())?;
    let ours = |words| Step::new(host, &programs.our_brouter, words);
    let (picture, json, all) = ("status b1", "status b1 --json", "status");
    // status fails until all ports forward, and the kernel detects carriers late
    for _ in 0..40 {
        if ours(picture).run().is_ok() {
            break;
        }
        sleep(Duration::from_millis(500));
    }
    let rounds = bench.rounds(20);
    let times = medians(rounds, [ours(picture), ours(json), ours(all)])?;
    let calls = ours(picture).system_calls(&programs.strace)?;

    let table = &mut bench.table;
    table.begin(&format!("brouter status, {PORTS} ports, to 30 ms, {rounds} rounds"));
    for (what, time) in [picture, json, all].into_iter().zip(times) {
        table.line(what, time, LIMIT, 1.0);
    }
    table.line("status, calls, to 2 per port and 300", calls, Figure::Calls(2 * PORTS + 300), 1.0);
    Ok(())
}
