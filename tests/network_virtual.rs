//! `network-virtual` against the script that it stands for: the rows of `cases/network-virtual.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("network-virtual")
}
