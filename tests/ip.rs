//! Compares `ip` with that of iproute2. Runs the rows of `cases/ip.cases`, of the tables of single objects, and of other programs'
//! commands (`cases/callers.cases`).

mod harness;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcomes =
        ["callers", "ip", "ip-bridge", "ip-link", "ip-maddr", "ip-route", "ip-tunnel", "ip-tuntap"].map(harness::run);
    outcomes.into_iter().find(|outcome| *outcome != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS)
}
