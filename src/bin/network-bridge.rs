//! Xen's network-bridge as a program of its own.

use std::process::ExitCode;

use brouter::{applet, call};

fn main() -> ExitCode {
    call::start(&applet::SCRIPT, applet::NETWORK_BRIDGE.run)
}
