//! Runs unmodified scripts of other projects with our `brctl` and `ip` in place of the system's: the rows of
//! `cases/scripts.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("scripts")
}
