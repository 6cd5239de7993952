//! `ip` against the one of iproute2: the rows of `cases/ip.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("ip")
}
