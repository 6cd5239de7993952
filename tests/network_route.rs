//! Compares `network-route` with `compat/original/network-route.sh`. Runs the rows of `cases/network-route.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("network-route")
}
