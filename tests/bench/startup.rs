//! Measures startup: the time from exec to exit of commands that do next to nothing.

use crate::Bench;
use crate::step::{Step, agree, medians};

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let Bench { programs, host, .. } = &*bench;
    let steps = [
        Step::new(host, &programs.our_brctl, "--version"),
        Step::new(host, &programs.brctl, "--version"),
        Step::new(host, &programs.our_ip, "-V"),
        Step::new(host, &programs.ip, "-V"),
        Step::new(host, &programs.busybox, "true"),
    ];
    agree(&steps[0], &steps[1])?;
    agree(&steps[2], &steps[3])?;
    let rounds = bench.rounds(500);
    let [our_brctl, brctl, our_ip, ip, busybox] = medians(rounds, steps)?;
    let table = &mut bench.table;
    table.begin(&format!("startup, {rounds} rounds"));
    table.line("brctl --version", our_brctl, brctl, 0.4);
    table.line("brctl --version, to busybox-static true", our_brctl, busybox, 0.5);
    table.line("ip -V", our_ip, ip, 0.4);
    table.line("ip -V, to busybox-static true", our_ip, busybox, 0.5);
    Ok(())
}
