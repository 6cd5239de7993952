//! Measures brctl against the original with many bridges, many ports and many addresses.

use crate::Bench;
use crate::host::Host;
use crate::step::{Step, agree, medians};
use crate::table::Figure;

const BRIDGES: usize = 500;
const PORTS: usize = 500;
const ADDRESSES: usize = 50_000;

/// Limit of the ratio between the times with many links and with few: times must not grow with the number of links, apart from
/// noise.
const NO_GROWTH: f64 = 1.15;

/// System calls to add all ports: two per port, for its index and to add it, and 50 to start and end a program.
const LEAST_CALLS: usize = 2 * PORTS + 50;

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let programs = &bench.programs;
    let each = |to: usize, line: &dyn Fn(usize) -> String| (1..=to).map(line).collect::<String>();

    // The bridges are down, so that no timers run and the output does not change.
    let host = &Host::new()?;
    programs.make_links(host, &each(BRIDGES, &|n| format!("link add b{n} type bridge\n")))?;
    programs.make_links(host, &each(PORTS, &|n| format!("link add p{n} type veth peer name v{n}\n")))?;
    let ours = |words| Step::new(host, &programs.our_brctl, words);
    let original = |words| Step::new(host, &programs.brctl, words);
    let calls = |step: Step| step.system_calls(&programs.strace);

    let ports = each(PORTS, &|n| format!(" p{n}"));
    let (addif, delif) = (&format!("addif b1{ports}"), &format!("delif b1{ports}"));
    let add_calls = calls(ours(addif))?;
    // In this order the ports are on the bridge afterwards.
    let [_, original_add, _, add] =
        medians(bench.rounds(10), [ours(delif), original(addif), ours(delif), ours(addif)])?;

    // On a separate bridge: the original shows only the low eight bits of port numbers.
    ours("addif b2 v1").run()?;
    let fdb_line = |n| format!("fdb add 02:00:00:00:{:02x}:{:02x} dev v1 master static\n", n >> 8, n & 0xff);
    Step::new(host, &programs.bridge, "-batch -").feed(&each(ADDRESSES, &fdb_line))?;

    let (show, showstp, showmacs) = ("show", "showstp b1", "showmacs b2");
    for words in [show, showstp, showmacs] {
        agree(&ours(words), &original(words))?;
    }
    let rounds = bench.rounds(20);
    let [list, original_list, stp, original_stp, macs, original_macs] = medians(
        rounds,
        [ours(show), original(show), ours(showstp), original(showstp), ours(showmacs), original(showmacs)],
    )?;
    let (list_calls, original_list_calls) = (calls(ours(show))?, calls(original(show))?);
    let (memory, original_memory) = (ours(showmacs).memory()?, original(showmacs).memory()?);

    let alone = |words| Step::new(&bench.host, &programs.our_brctl, words);
    let [addbr, set_stp, setfd, _, alone_addbr, alone_stp, alone_setfd, _] = medians(
        bench.rounds(40),
        [
            ours("addbr b0"),
            ours("stp b0 off"),
            ours("setfd b0 2"),
            ours("delbr b0"),
            alone("addbr b0"),
            alone("stp b0 off"),
            alone("setfd b0 2"),
            alone("delbr b0"),
        ],
    )?;

    let table = &mut bench.table;
    table.begin(&format!("brctl, {BRIDGES} bridges, {PORTS} ports on one, {rounds} rounds"));
    table.line("show", list, original_list, 1.0 / 3.0);
    table.line("show, system calls", list_calls, original_list_calls, 1.0 / 4.0);
    table.line("showstp of the bridge with the ports", stp, original_stp, 1.0 / 2.0);
    table.line(&format!("showmacs, {ADDRESSES} addresses"), macs, original_macs, 1.0 / 2.0);
    table.line("showmacs, peak memory", memory, original_memory, 1.0);
    table.line("addif of all ports", add, original_add, 1.1);
    table.line("addif of all ports, calls, to 2 per port and 50", add_calls, Figure::Calls(LEAST_CALLS), 1.0);
    let links = BRIDGES + 2 * PORTS;
    table.begin(&format!("brctl among {links} links, to two links"));
    table.line("addbr", addbr, alone_addbr, NO_GROWTH);
    table.line("stp", set_stp, alone_stp, NO_GROWTH);
    table.line("setfd", setfd, alone_setfd, NO_GROWTH);
    Ok(())
}
