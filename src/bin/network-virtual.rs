//! Xen's network-virtual as a program of its own.

use std::process::ExitCode;

use brouter::call::Applet;
use brouter::{applet, call};

/// Commands that this program runs besides its own.
const APPLETS: &[&Applet] = &[&applet::BRCTL, &applet::IP];

fn main() -> ExitCode {
    call::start(APPLETS, applet::NETWORK_VIRTUAL.run)
}
