//! Measures rules of the firewall in the kernel's own tables: masquerading; and a rule among many, against iptables-legacy and against
//! the bare calls. A table is read and written whole, so that the kernel's part grows with it: of 2,000 rules it is half of
//! the time of iptables-legacy.

use std::time::{Duration, Instant};

use brouter::firewall::change::RuleChange;
use brouter::firewall::rule::Rule;
use brouter::firewall::table::KernelTables;
use brouter::kernel::Kernel;
use brouter::net::Family;
use ipnet::Ipv4Net;

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
    let [mut added, mut deleted] = [Vec::new(), Vec::new()];
    let mut theirs = [Vec::new(), Vec::new()];
    let mut bare = Vec::new();
    for _ in 0..rounds {
        bare.push(bare_calls(host)?);
        added.push(change(host, RuleChange::Append)?);
        deleted.push(change(host, RuleChange::Delete)?);
        theirs[0].push(iptables(ADD).time()?);
        theirs[1].push(iptables(DELETE).time()?);
    }

    let table = &mut bench.table;
    table.begin(&format!("firewall, in the kernel's tables, {rounds} rounds"));
    table.line("up --masquerade, to up", few[2], few[0], 1.5);
    table.line("down of it, to down", few[3], few[1], 1.5);
    let [their_add, their_delete] = theirs.map(median);
    let [added, deleted, bare] = [added, deleted, bare].map(median);
    table.line(&format!("a rule among {RULES} added, to iptables-legacy"), added, their_add, 1.0 / 3.0);
    table.line(&format!("a rule among {RULES} deleted"), deleted, their_delete, 1.0 / 3.0);
    table.line("the same, added, to the bare calls", added, bare, 1.25);
    table.line("the same, deleted", deleted, bare, 1.25);
    Ok(())
}

/// Measures a change of a rule in this process, as a command of ours makes it: no program is started.
fn change(host: &Host, change: fn(Rule) -> RuleChange) -> Result<Duration, String> {
    host.enter()?;
    let net: Ipv4Net = "10.9.0.0/16".parse().map_err(|_| "a net")?;
    let bridge = "b0".parse().map_err(|_| "a name")?;
    let change = change(Rule::masquerade(net, bridge));
    let start = Instant::now();
    let kernel = Kernel::running();
    KernelTables::new(&kernel).change(&[change]).map_err(|error| error.to_string())?;
    Ok(start.elapsed())
}

/// Measures the calls that a change needs: the table is read, and replaced by itself.
fn bare_calls(host: &Host) -> Result<Duration, String> {
    host.enter()?;
    let start = Instant::now();
    let kernel = Kernel::running();
    replace_nat_by_itself(&kernel).map_err(|errno| errno.to_string())?;
    Ok(start.elapsed())
}

/// `struct ipt_get_entries`, `ipt_replace` and `xt_counters_info` of 64-bit programs have their lists at 40, 96 and 40.
fn replace_nat_by_itself(kernel: &Kernel) -> nix::Result<()> {
    let info = kernel.table_info(Family::V4, "nat")?;
    let name = &info[..32];
    let word = |number: usize| &info[32 + 4 * number..36 + 4 * number];
    let number = |word: &[u8]| word.try_into().map_or(0, u32::from_ne_bytes) as usize;
    let (valid_hooks, chains, rules, size) = (word(0), &info[36..76], word(11), word(12));
    let mut entries = vec![0; 40 + number(size)];
    entries[..36].copy_from_slice(&[name, size].concat());
    kernel.table_entries(Family::V4, &mut entries)?;
    let head = [name, valid_hooks, rules, size, chains, rules, &[0; 8]].concat();
    let mut replacement = vec![0; 96 + number(size)];
    replacement[..head.len()].copy_from_slice(&head);
    replacement[96..].copy_from_slice(&entries[40..]);
    let counters = kernel.replace_table(Family::V4, &mut replacement, number(rules))?;
    kernel.add_table_counters(Family::V4, &[name, rules, &[0; 4], &counters].concat())
}

fn median(mut times: Vec<Duration>) -> Figure {
    times.sort_unstable();
    Figure::Time(times[times.len() / 2])
}
