//! Compares our programs with the originals on a restricted system: without /proc, /sys or devices, with few descriptors, with
//! nothing writable. Runs the rows of `cases/restricted.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("restricted")
}
