//! Our programs on less than a full system, against the originals: the rows of `cases/less.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("less")
}
