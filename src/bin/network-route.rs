//! Xen's network-route as a program of its own.

use std::process::ExitCode;

use brouter::{applet, call};

fn main() -> ExitCode {
    call::start(&applet::SCRIPT, applet::NETWORK_ROUTE.run)
}
