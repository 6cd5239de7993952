//! Measures ip against iproute2's with many links, and commands whose time must not depend on the number of links.

use std::path::Path;

use crate::Bench;
use crate::host::Host;
use crate::step::{Step, agree, compile, medians};
use crate::table::Figure;

/// Number of links, each with an address.
const LINKS: usize = 1500;

/// Limit of the ratio between the times with many links and with few: times must not grow with the number of links, apart from
/// noise. (That of `addr show dev X` does grow: the call that lists labels takes the kernel half a microsecond per link.)
const NO_GROWTH: f64 = 1.15;

/// Limit of system calls: 20 per link, and 300 for the lists of all of them, their memory and two threads.
const CALLS: usize = 20 * LINKS + 300;

/// Limit of the ratio to a program in C that makes only the system calls that are needed without netlink.
const TO_C: f64 = 1.1;

const LINKS_C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/links.c");

// /run is private to this process
const BASELINE: &str = "/run/links";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    let programs = &bench.programs;
    let host = &Host::new()?;
    // half of the links are the peers of the other half
    let pair =
        |n| format!("link add p{n} type veth peer name v{n}\naddr add 10.{}.{}.1/24 dev p{n}\n", n / 250, n % 250);
    let far = |n| format!("addr add 10.{}.{}.2/24 dev v{n}\n", 100 + n / 250, n % 250);
    let lines: String = (1..=LINKS / 2).flat_map(|n| [pair(n), far(n)]).collect();
    programs.make_links(host, &lines)?;
    programs.make_links(&bench.host, &[pair(1), far(1)].concat())?;

    let ours = |words| Step::new(host, &programs.our_ip, words);
    let original = |words| Step::new(host, &programs.ip, words);
    for words in ["addr show", "link show", "addr show dev p7", "-o addr show"] {
        agree(&ours(words), &original(words))?;
    }
    let rounds = bench.rounds(20);
    let [addresses, original_addresses, links, original_links, lines, original_lines] = medians(
        rounds,
        [
            ours("addr show"),
            original("addr show"),
            ours("link show"),
            original("link show"),
            ours("-o addr show"),
            original("-o addr show"),
        ],
    )?;
    compile("musl-gcc", LINKS_C, BASELINE, true)?;
    let baseline = |words| Step::new(host, Path::new(BASELINE), words);
    agree(&baseline("link"), &original("link show"))?;
    agree(&baseline("addr"), &original("addr show"))?;
    let [links_again, plain_links, addresses_again, plain_addresses] =
        medians(rounds, [ours("link show"), baseline("link"), ours("addr show"), baseline("addr")])?;
    let calls = ours("addr show").system_calls(&programs.strace)?;

    let alone = |words| Step::new(&bench.host, &programs.our_ip, words);
    let (one_link, one_address) = ("link show dev p1", "addr show dev p1");
    let [link, alone_link, address, original_address] =
        medians(bench.rounds(100), [ours(one_link), alone(one_link), ours(one_address), original(one_address)])?;
    let address_calls = ours(one_address).system_calls(&programs.strace)?;
    let alone_address_calls = alone(one_address).system_calls(&programs.strace)?;

    let original_alone = |words| Step::new(&bench.host, &programs.ip, words);
    let (add, delete) = ("addr add 10.200.0.1/24 dev eth0", "addr del 10.200.0.1/24 dev eth0");
    let set = "link set eth0 up";
    let change = "link set eth0 mtu 1400";
    let back = "link set eth0 mtu 1500";
    let [put, _, original_put, _, set_up, original_set_up, mtu, _, original_mtu, _] = medians(
        bench.rounds(100),
        [
            alone(add),
            alone(delete),
            original_alone(add),
            original_alone(delete),
            alone(set),
            original_alone(set),
            alone(change),
            alone(back),
            original_alone(change),
            original_alone(back),
        ],
    )?;

    let up: String =
        (1..=LINKS / 2).flat_map(|n| [format!("link set p{n} up\n"), format!("link set v{n} up\n")]).collect();
    programs.make_links(host, &up)?;
    agree(&baseline("link"), &original("link show"))?;
    agree(&baseline("addr"), &original("addr show"))?;
    let [links_up, plain_links_up, addresses_up, plain_addresses_up] =
        medians(rounds, [ours("link show"), baseline("link"), ours("addr show"), baseline("addr")])?;

    let table = &mut bench.table;
    table.begin(&format!("ip among {LINKS} links, {rounds} rounds"));
    table.line("addr show", addresses, original_addresses, 2.0);
    table.line("addr show, calls, to 20 per link", calls, Figure::Calls(CALLS), 1.0);
    table.line("-o addr show", lines, original_lines, 1.0);
    table.line("link show", links, original_links, 2.0);
    table.line("link show, to C that makes only the needed calls", links_again, plain_links, TO_C);
    table.line("addr show, to C that makes only the needed calls", addresses_again, plain_addresses, TO_C);
    table.line("link show, to the same, links up", links_up, plain_links_up, TO_C);
    table.line("addr show, to the same, links up", addresses_up, plain_addresses_up, TO_C);
    table.line("link show dev X, to few links", link, alone_link, NO_GROWTH);
    table.line("addr show dev X", address, original_address, NO_GROWTH);
    table.line("addr show dev X, calls, to few links", address_calls, alone_address_calls, 1.0);
    table.begin("ip, one change");
    table.line("addr add", put, original_put, 0.5);
    table.line("link set up", set_up, original_set_up, 0.5);
    table.line("link set mtu", mtu, original_mtu, 0.5);
    Ok(())
}
