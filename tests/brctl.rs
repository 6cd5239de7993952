//! Compares `brctl` with that of bridge-utils. Runs the rows of `cases/brctl.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("brctl")
}
