//! Xen's vif-nat as a program of its own.

use std::process::ExitCode;

use brouter::{applet, call};

fn main() -> ExitCode {
    call::start(&[], applet::VIF_NAT.run)
}
