//! Compares `network-virtual` with the script that it replaces. Runs the rows of `cases/network-virtual.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("network-virtual")
}
