//! Tests the commands with BROUTER_ERA=2006. Runs the rows of `cases/era-2006.cases`, which record what bridge-utils 1.0.6 and
//! iproute2 ss060323 did.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("era-2006")
}
