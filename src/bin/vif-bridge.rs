//! Xen's vif-bridge as a program of its own.

use std::process::ExitCode;

use brouter::applet;

fn main() -> ExitCode {
    applet::start(applet::VIF_BRIDGE.run)
}
