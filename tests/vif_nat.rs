//! Compares `vif-nat` with the script of Xen 4.17, both with a real xenstored. Runs the rows of `cases/vif-nat.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("vif-nat")
}
