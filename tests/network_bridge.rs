//! Compares what `network-bridge` leaves with the end state of Xen's script. Runs the rows of `cases/network-bridge.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("network-bridge")
}
