//! Measures starting and stopping the virtual network: our program, the script, and a C program that makes only the necessary
//! system calls.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::host::Host;
use crate::step::{Step, agree, compile, medians};
use crate::{Bench, Programs};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compat/original/network-virtual.sh");
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/baseline.c");

// /run is private to this process
const C: &str = "/run/baseline";
const STATIC_C: &str = "/run/baseline-static";
const FIREWALL: &str = "/run/rcSuSEfirewall2";
const PATH_WITH_FIREWALL: &str = "/run:/usr/sbin:/usr/bin:/sbin:/bin";

const START: &str = "start bridgeip=10.9.0.1/24 firewall=none";
const STATUS: &str = "status bridgeip=10.9.0.1/24 firewall=none";
const STOP: &str = "stop bridgeip=10.9.0.1/24 firewall=none";
const C_START: &str = "start xenbr0 10.9.0.1 255.255.255.0";
const C_STOP: &str = "stop xenbr0";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    compile("cc", BASELINE, C, false)?;
    compile("musl-gcc", BASELINE, STATIC_C, true)?;
    // The script needs its firewall command. An empty one keeps its cost out of the measurement.
    let stub = fs::write(FIREWALL, "#!/bin/sh\n");
    stub.and_then(|()| fs::set_permissions(FIREWALL, Permissions::from_mode(0o755)))
        .map_err(|error| format!("{FIREWALL}: {error}"))?;

    let Bench { programs, host, .. } = &*bench;
    let ours = |words| Step::new(host, &programs.our_network_virtual, words);
    let script = |words| Step::new(host, Path::new(SCRIPT), words).with_path(PATH_WITH_FIREWALL);
    let c = |words| Step::new(host, Path::new(C), words);
    let static_c = |words| Step::new(host, Path::new(STATIC_C), words);

    ours(START).run()?;
    let network = network_made(programs, host)?;
    // the kernel updates the state of a link up to a second late
    sleep(Duration::from_millis(1200));
    agree(&ours(STATUS), &script(STATUS))?;
    ours(STOP).run()?;
    for (start, stop) in [(script(START), script(STOP)), (c(C_START), c(C_STOP)), (static_c(C_START), static_c(C_STOP))]
    {
        start.run()?;
        let other = network_made(programs, host)?;
        stop.run()?;
        if other != network {
            return Err(format!("start creates\n{network}and its peer creates\n{other}"));
        }
    }

    let rounds = bench.rounds(60);
    let [start, status, stop, script_start, script_status, script_stop, c_start, c_stop, static_start, static_stop] =
        medians(
            rounds,
            [
                ours(START),
                ours(STATUS),
                ours(STOP),
                script(START),
                script(STATUS),
                script(STOP),
                c(C_START),
                c(C_STOP),
                static_c(C_START),
                static_c(C_STOP),
            ],
        )?;
    let table = &mut bench.table;
    table.begin(&format!("network-virtual, {rounds} rounds"));
    table.line("start, to C", start, c_start, 1.5);
    table.line("start, to static C", start, static_start, 1.5);
    table.line("start, to the script and an empty firewall", start, script_start, 1.0 / 12.0);
    table.line("status, to the script", status, script_status, 1.0 / 8.0);
    table.line("stop, to C", stop, c_stop, 1.1);
    table.line("stop, to static C", stop, static_stop, 1.1);
    table.line("stop, to the script and an empty firewall", stop, script_stop, 1.0);
    Ok(())
}

/// Describes the network that a start has created.
fn network_made(programs: &Programs, host: &Host) -> Result<String, String> {
    let addresses = Step::new(host, &programs.ip, "-4 -o addr show dev xenbr0").output()?;
    // without the index, which differs each time
    let addresses = String::from_utf8_lossy(&addresses.stdout).into_owned();
    let mut network = addresses.split_once(": ").map_or(String::new(), |(_, rest)| rest.to_owned());
    for file in ["flags", "bridge/stp_state", "bridge/forward_delay"] {
        let path = format!("/sys/class/net/xenbr0/{file}");
        let value = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        network += &format!("{file} {value}");
    }
    Ok(network)
}
