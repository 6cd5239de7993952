//! `ip` against the one of iproute2: the rows of `cases/ip.cases`, and of those of single objects.

mod harness;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcomes = ["callers", "ip", "ip-link", "ip-route", "ip-tuntap"].map(harness::run);
    outcomes.into_iter().find(|outcome| *outcome != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS)
}
