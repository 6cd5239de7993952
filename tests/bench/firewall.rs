//! Measures rules of the firewall in the kernel's own tables: masquerading, and a rule among many, against iptables-legacy.

use std::time::Duration;

use crate::Bench;
use crate::host::Host;
use crate::step::{Step, medians};
use crate::table::Figure;

const UP: &str = "up b0 --address 10.9.0.1/16 --outside eth0";
const MASQUERADED: &str = "up b0 --address 10.9.0.1/16 --outside eth0 --masquerade";
const DOWN: &str = "down b0";

/// Rules of others.
const RULES: usize = 2000;
const ADD: &str = "-t nat -A POSTROUTING -s 10.9.0.0/16 ! -o b0 -j MASQUERADE";
const DELETE: &str = "-t nat -D POSTROUTING -s 10.9.0.0/16 ! -o b0 -j MASQUERADE";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let programs = &bench.programs;
    let host = &Host::new()?;
    programs.make_links(host, "link add eth0 type veth peer name outside\nlink set outside up\nlink set eth0 up\n")?;
    let brouter = |words| Step::new(host, &programs.our_brouter, words);
    let iptables = |words| Step::new(host, &programs.iptables_legacy, words);
    // so that the kernel's own tables are in use
    iptables("-t nat -A OUTPUT -o none -j ACCEPT").run()?;
    let rounds = bench.rounds(60);
    let few = medians(rounds, [brouter(UP), brouter(DOWN), brouter(MASQUERADED), brouter(DOWN)])?;
    let rule = |n| format!("-A POSTROUTING -s 10.{}.{}.0/24 -o eth9 -j MASQUERADE\n", 100 + n / 250, n % 250);
    let rules = format!("*nat\n{}COMMIT\n", (0..RULES).map(rule).collect::<String>());
    Step::new(host, &programs.iptables_legacy_restore, "-w").feed(&rules)?;
    let steps = [brouter(UP), brouter(DOWN), brouter(MASQUERADED), brouter(DOWN), iptables(ADD), iptables(DELETE)];
    let many = medians(rounds, steps)?;

    let table = &mut bench.table;
    table.begin(&format!("firewall, in the kernel's tables, {rounds} rounds"));
    table.line("up --masquerade, to up", few[2], few[0], 1.5);
    table.line("down of it, to down", few[3], few[1], 1.5);
    let name = format!("a rule among {RULES}, to iptables-legacy");
    table.line(&name, beyond(many[2], many[0]), many[4], 1.0 / 3.0);
    table.line(&format!("deleting a rule among {RULES}"), beyond(many[3], many[1]), many[5], 1.0 / 3.0);
    Ok(())
}

/// Returns the time that a rule takes: what a command takes beyond another without it.
fn beyond(with: Figure, without: Figure) -> Figure {
    match (with, without) {
        (Figure::Time(with), Figure::Time(without)) => Figure::Time(with.saturating_sub(without)),
        _ => Figure::Time(Duration::ZERO),
    }
}
