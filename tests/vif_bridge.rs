//! `vif-bridge` against Xen 4.17's own script, both with a real xenstored: the rows of `cases/vif-bridge.cases`.

mod harness;

fn main() -> std::process::ExitCode {
    harness::run("vif-bridge")
}
