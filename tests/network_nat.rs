//! Compares `network-nat` with `compat/original/network-nat.sh`. Runs the rows of `cases/network-nat.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("network-nat")
}
