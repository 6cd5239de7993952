//! `brctl` against the one of bridge-utils: the rows of `cases/brctl.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("brctl")
}
